"""What callers send."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from qdepot.domain.program import DEFAULT_PRECISION, DEFAULT_SHOTS, ProgramFormat

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(max_length=200, pattern=_PRINTABLE)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
Shots = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]

BELL_OPENQASM3 = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CircuitBody(_Request):
    """One circuit."""

    format: ProgramFormat
    source: str = Field(min_length=1, description="OpenQASM text; for qpy the file in base64.")
    parameter_values: JsonValue = Field(
        default=None,
        description='By name (`{"theta": [...], "phi[0]": [...]}`): each array has the shape of the sets, that of a '
        "whole vector one more axis, the last, along its elements. Or an array whose last axis runs over the "
        "parameters in Qiskit's order. The shape of the sets is broadcast with that of the observables.",
    )


class SamplerCircuitBody(CircuitBody):
    """One circuit to be sampled."""

    shots: Shots | None = Field(default=None, description="Overrides the program's shots for this circuit.")


class EstimatorCircuitBody(CircuitBody):
    """One circuit whose observables are estimated."""

    observables: JsonValue = Field(
        description='`{"ZZ": 1.0, "XI": 0.5}` (rightmost letter: qubit 0), a Pauli string, or nested lists of such.'
    )
    precision: float | None = Field(default=None, strict=True, ge=0, allow_inf_nan=False)


class SamplerProgramBody(_Request):
    """Counts of measured bits."""

    kind: Literal["sampler"]
    circuits: list[SamplerCircuitBody] = Field(min_length=1, max_length=10_000)
    shots: Shots = DEFAULT_SHOTS


class EstimatorProgramBody(_Request):
    """Expectation values of observables."""

    kind: Literal["estimator"]
    circuits: list[EstimatorCircuitBody] = Field(min_length=1, max_length=10_000)
    precision: float = Field(
        default=DEFAULT_PRECISION,
        strict=True,
        ge=0,
        allow_inf_nan=False,
        description="Wanted standard error; 0: exact, where the method allows.",
    )


class OptionsBody(_Request):
    """How to run it. What is left out is the backend's choice."""

    seed: int | None = Field(default=None, strict=True, ge=0, le=2**63 - 1, description="Makes a run repeatable.")
    memory: bool = Field(default=False, description="Also keep the outcome of each shot, in order.")
    optimization_level: int | None = Field(default=None, strict=True, ge=0, le=3)
    method: (
        Literal[
            "automatic", "statevector", "matrix_product_state", "stabilizer", "density_matrix", "extended_stabilizer"
        ]
        | None
    ) = Field(default=None, description="Simulation method; only for the backend `aer`.")
    noise: str | None = Field(default=None, max_length=100, description="A fake device whose noise is simulated.")
    sampling: Literal["automatic", "aer"] | None = Field(
        default=None,
        description="`aer`: the simulator draws every shot. Else small circuits without noise are drawn from their "
        "exact distribution, which is faster.",
    )


class JobBody(_Request):
    """A job to be submitted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "backend": "aer",
                    "name": "bell",
                    "tags": ["demo"],
                    "program": {
                        "kind": "sampler",
                        "shots": 1024,
                        "circuits": [{"format": "openqasm3", "source": BELL_OPENQASM3}],
                    },
                    "options": {"seed": 7},
                }
            ]
        },
    )

    backend: str = Field(min_length=1, max_length=200)
    name: Name = ""
    tags: list[Tag] = Field(default_factory=list, max_length=50)
    program: Annotated[SamplerProgramBody | EstimatorProgramBody, Field(discriminator="kind")]
    options: OptionsBody = Field(default_factory=OptionsBody)
    priority: int = Field(default=0, strict=True, ge=-10, le=10, description="Higher goes first among your own jobs.")
    timeout_s: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        allow_inf_nan=False,
        description="Longest run in seconds; then the job fails.",
    )


class JobEditBody(_Request):
    """What may be changed of a job."""

    name: Name | None = None
    tags: list[Tag] | None = Field(default=None, max_length=50)


class ResolveBody(_Request):
    """What a person decides about a job that is held or in doubt."""

    action: Literal["adopt", "resubmit", "fail"] = Field(
        description="`adopt`: the backend has it, go on there. `resubmit`: send it (again); it may be paid twice. "
        "`fail`: give it up."
    )
    provider_job_id: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PRINTABLE)] | None = Field(
        default=None, description="The backend's own id of the job; with `adopt`, and only then."
    )

    @model_validator(mode="after")
    def _id_goes_with_adopt(self) -> Self:
        if (self.action == "adopt") != (self.provider_job_id is not None):
            raise ValueError("provider_job_id goes with the action adopt, and only with it")
        return self


class BatchBody(_Request):
    """Many jobs in one request."""

    atomic: bool = Field(default=True, description="All jobs or none; else each has its own error.")
    jobs: list[JobBody] = Field(min_length=1, max_length=1000)


class StatusesBody(_Request):
    """Which jobs' statuses are wanted."""

    ids: list[Annotated[str, StringConstraints(max_length=64)]] = Field(min_length=1, max_length=1000)
