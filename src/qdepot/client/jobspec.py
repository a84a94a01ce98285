"""A job as its user describes it, and as it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from pydantic import JsonValue, ValidationError

from qdepot.client.circuits import as_list, is_quantum_circuit, wire_source
from qdepot.client.problems import invalid_fields
from qdepot.client.values import is_operator, looks_like_observables, observables, parameter_values
from qdepot.errors import InvalidRequestError
from qdepot.wire.requests import JobBody


class JobOptions(TypedDict, total=False):
    """What ``submit`` takes beside the circuits; see :meth:`qdepot.client.client.Client.submit`."""

    backend: str
    shots: int
    name: str
    tags: Sequence[str]
    seed: int | None
    memory: bool
    optimization_level: int | None
    method: str | None
    noise: str | None
    sampling: str | None
    parameter_values: object
    observables: object
    precision: float | None
    priority: int
    timeout_s: float | None
    format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One job to be submitted; the fields are those of :meth:`qdepot.client.client.Client.submit`."""

    circuits: object
    backend: str = "aer"
    shots: int = 1024
    name: str = ""
    tags: Sequence[str] = ()
    seed: int | None = None
    memory: bool = False
    optimization_level: int | None = None
    method: str | None = None
    noise: str | None = None
    sampling: str | None = None
    parameter_values: object = None
    observables: object = None
    precision: float | None = None
    priority: int = 0
    timeout_s: float | None = None
    format: str | None = None

    @property
    def needs_qpy(self) -> bool:
        """True if a circuit has to be written as QPY, in a version that the service reads."""
        return any(is_quantum_circuit(_pub(one)[0]) for one in as_list(self.circuits))

    def body(self, *, qpy_versions: tuple[int, int] | None) -> JobBody:
        """The job for the wire; what was left out is left to the service.

        Raises:
            InvalidRequestError: Something cannot be sent; the message says what, and of which circuit.
        """
        document = {
            "backend": self.backend,
            "program": _program(self, qpy_versions),
            **_given(
                name=self.name or None,
                tags=list(self.tags) or None,
                options=_options(self) or None,
                priority=self.priority or None,
                timeout_s=self.timeout_s,
            ),
        }
        try:
            return JobBody.model_validate(document)
        except ValidationError as error:
            raise invalid_fields(error, what="the job") from error


def job_specs(jobs: Iterable[object], options: JobOptions) -> list[JobSpec]:
    """One job for each circuit, with these options; what is a :class:`JobSpec` already stays as it is.

    Raises:
        InvalidRequestError: There is none.
    """
    if isinstance(jobs, (str, bytes, tuple)) or is_quantum_circuit(jobs):
        raise InvalidRequestError("many jobs are handed in as a list", solution="Use submit() for one circuit.")
    specs = [one if isinstance(one, JobSpec) else JobSpec(circuits=one, **options) for one in jobs]
    if not specs:
        raise InvalidRequestError("there is no job in the list", solution="Hand in at least one.")
    return specs


def parts_of(spec: JobSpec, circuit: object) -> dict[str, object]:
    """The only circuit of a job, and what belongs to it, whether it was given in a tuple or as an option."""
    pub = _pub(circuit)
    named = _estimator_pub(pub, 0) if _is_estimator(spec, [pub]) else _sampler_pub(pub, 0)
    return {**_given(parameter_values=spec.parameter_values, observables=spec.observables), **named}


def _program(spec: JobSpec, qpy_versions: tuple[int, int] | None) -> dict[str, object]:
    if isinstance(spec.tags, str):
        raise InvalidRequestError("tags are a list of strings, not one string", solution=f"Write [{spec.tags!r}].")
    pubs = [_pub(one) for one in as_list(spec.circuits)]
    alone = len(pubs) == 1 and not isinstance(spec.circuits, list)
    estimates = _is_estimator(spec, pubs)
    values = _per_circuit(spec.parameter_values, len(pubs), alone=alone, what="parameter_values")
    wanted = _observables_per_circuit(spec.observables, len(pubs), alone=alone)
    circuits: list[dict[str, object]] = []
    for index, pub in enumerate(pubs):
        circuit = _estimator_pub(pub, index) if estimates else _sampler_pub(pub, index)
        circuit = {**_given(parameter_values=values[index], observables=wanted[index]), **circuit}
        circuits.append(_wire_circuit(circuit, index=index, qpy_versions=qpy_versions, text_format=spec.format))
    if estimates:
        return {"kind": "estimator", "circuits": circuits, **_given(precision=spec.precision)}
    return {"kind": "sampler", "circuits": circuits, "shots": spec.shots}


def _is_estimator(spec: JobSpec, pubs: Sequence[tuple[Any, ...]]) -> bool:
    if spec.observables is not None or spec.precision is not None:
        return True
    return any(len(pub) > 1 and looks_like_observables(pub[1]) for pub in pubs)


def _pub(circuit: object) -> tuple[Any, ...]:
    return circuit if isinstance(circuit, tuple) and circuit else (circuit,)


def _sampler_pub(pub: tuple[Any, ...], index: int) -> dict[str, object]:
    return _named(pub, ("circuit", "parameter_values", "shots"), index)


def _estimator_pub(pub: tuple[Any, ...], index: int) -> dict[str, object]:
    return _named(pub, ("circuit", "observables", "parameter_values", "precision"), index)


def _named(pub: tuple[Any, ...], names: tuple[str, ...], index: int) -> dict[str, object]:
    if len(pub) > len(names):
        raise InvalidRequestError(
            f"circuit {index} is a tuple of {len(pub)} parts", solution=f"Give ({', '.join(names)}), or fewer."
        )
    return _given(**dict(zip(names, pub, strict=False)))


def _wire_circuit(
    circuit: Mapping[str, object], *, index: int, qpy_versions: tuple[int, int] | None, text_format: str | None
) -> dict[str, object]:
    try:
        program_format, source = wire_source(circuit["circuit"], qpy_versions=qpy_versions, text_format=text_format)
        document: dict[str, object] = {"format": program_format, "source": source}
        if "parameter_values" in circuit:
            document["parameter_values"] = parameter_values(circuit["parameter_values"])
        if "observables" in circuit:
            document["observables"] = observables(circuit["observables"])
    except InvalidRequestError as error:
        error.details.setdefault("circuit", index)
        raise
    return {**document, **_given(shots=circuit.get("shots"), precision=circuit.get("precision"))}


def _per_circuit(given: object, count: int, *, alone: bool, what: str) -> list[object]:
    if given is None or alone:
        return [given] * count
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != count:
        raise InvalidRequestError(
            f"{what} must be a list with one entry for each of the {count} circuits",
            solution=f"Give such a list, or tuples (circuit, {what}) instead of circuits.",
        )
    return list(given)


def _observables_per_circuit(given: object, count: int, *, alone: bool) -> list[object]:
    one_for_all = isinstance(given, (str, Mapping)) or is_operator(given)
    if not (alone or one_for_all) and (hasattr(given, "to_labels") or hasattr(given, "tolist")):
        given = observables(given)  # PauliList, ObservablesArray, numpy.ndarray
    return _per_circuit(given, count, alone=alone or one_for_all, what="observables")


def _options(spec: JobSpec) -> dict[str, JsonValue]:
    given: dict[str, JsonValue] = {
        "seed": spec.seed,
        "memory": spec.memory or None,
        "optimization_level": spec.optimization_level,
        "method": spec.method,
        "noise": spec.noise,
        "sampling": spec.sampling,
    }
    return {name: value for name, value in given.items() if value is not None}


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
