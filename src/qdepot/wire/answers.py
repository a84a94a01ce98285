"""What the service answers. Fields may be added; these stay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

WireStatus = Literal["CREATED", "QUEUED", "RUNNING", "CANCELLING", "COMPLETED", "FAILED", "CANCELLED"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class FailureAnswer(_Answer):
    """Why a job failed."""

    code: str
    message: str
    solution: str = ""
    details: dict[str, JsonValue] = Field(default_factory=dict)


Memory = Annotated[list[str], Field(fail_fast=True)] | list[list[str]]
"""Outcomes of shots, in order; a list for each parameter set where there is a shape."""


class RegisterAnswer(_Answer):
    """What one classical register held."""

    num_bits: int
    counts: dict[str, int] | list[dict[str, int]]
    memory: Memory | None = Field(default=None, description="As `memory` of the circuit, of this register alone.")


class SamplerResultAnswer(_Answer):
    """Result of one circuit of a sampler. Bit 0 is the rightmost character of every bit string."""

    shots: int
    shape: list[int] = Field(default_factory=list)
    counts: dict[str, int] | list[dict[str, int]] = Field(
        description="Registers joined by spaces, the last declared leftmost; a list in C order where there is a shape."
    )
    registers: dict[str, RegisterAnswer] = Field(description="In order of declaration.")
    memory: Memory | None = Field(
        default=None,
        description="The outcome of each shot, in order, where it was asked for; where there is a shape, a list of "
        "such lists in C order, one for each parameter set. Results that were stored before this rule hold one "
        "flat list: the shots of the first set, then those of the second, and so on.",
    )
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class EstimatorResultAnswer(_Answer):
    """Result of one circuit of an estimator: nested lists of this shape, or numbers where the shape is empty."""

    evs: Any
    stds: Any
    shape: list[int] = Field(default_factory=list)
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


class ResultAnswer(_Answer):
    """The result of a job."""

    id: str
    status: WireStatus
    partial: bool = Field(default=False, description="True if these are the results of the leading circuits so far.")
    circuits_done: int | None = Field(default=None, description="How many results there are; told with `partial=true`.")
    num_circuits: int | None = Field(default=None, description="How many circuits the job has; told as well.")
    results: list[SamplerResultAnswer | EstimatorResultAnswer]


class StatusAnswer(_Answer):
    """The status of a job: small and cheap."""

    id: str
    status: WireStatus
    stage: str
    why: str = ""
    attempt: int = 1
    queue_position: int | None = None
    circuits_done: int = Field(default=0, description="Leading circuits whose results are stored.")
    num_circuits: int | None = None
    ended_at: datetime | None = None


class JobAnswer(_Answer):
    """All about a job."""

    id: str
    status: WireStatus
    stage: str
    backend: str
    name: str = ""
    tags: list[str] = Field(default_factory=list)
    kind: str
    project: str
    owner: str
    num_circuits: int
    shots: int | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)
    priority: int = 0
    timeout_s: float | None = None
    created_at: datetime
    queued_at: datetime | None = None
    running_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 1
    provider_job_id: str | None = None
    vendor_status: str | None = None
    queue_position: int | None = None
    circuits_done: int = Field(default=0, description="Leading circuits whose results are stored.")
    last_poll_error: str | None = None
    next_try_at: datetime | None = None
    why: str = ""
    cancel_requested: bool = False
    summary: dict[str, JsonValue] | None = None
    failure: FailureAnswer | None = None
    result_size_bytes: int | None = None
    result: ResultAnswer | None = Field(default=None, description="The result where it is small; else follow the link.")
    links: dict[str, str] = Field(default_factory=dict)


class JobListAnswer(_Answer):
    """A page of jobs, newest first."""

    jobs: list[JobAnswer]
    next_cursor: str | None = Field(default=None, description="Give it as `cursor` for the next page; null at the end.")


class EventAnswer(_Answer):
    """A line of a job's history."""

    number: int
    at: datetime
    from_status: str
    to_status: str
    stage: str
    attempt: int
    by: str
    why: str


class EventListAnswer(_Answer):
    """The history of a job."""

    events: list[EventAnswer]


class ObjectAnswer(_Answer):
    """One object of a job in the archive."""

    area: Literal["pending", "completed"]
    key: str
    size_bytes: int
    sha256: str
    members: list[dict[str, JsonValue]] | None = Field(
        default=None, description="For a bundle or a part: the files in it with `name`, `size_bytes` and `sha256`."
    )


class ObjectListAnswer(_Answer):
    """Where the job lies."""

    objects: list[ObjectAnswer]


class BackendAnswer(_Answer):
    """A backend and what it can do."""

    name: str
    provider: str
    description: str
    num_qubits: int | None
    max_shots: int
    max_circuits: int | None
    kinds: list[str]
    formats: list[str]
    simulator: bool
    online: bool
    paid: bool
    queue_length: int | None
    options: list[str]
    properties: dict[str, JsonValue] = Field(default_factory=dict)


class BackendListAnswer(_Answer):
    """The backends that jobs can be sent to."""

    backends: list[BackendAnswer]


class VersionAnswer(_Answer):
    """What this service is."""

    version: str
    api_version: str
    formats: list[str]
    qpy_versions: list[int] | None = Field(description="Oldest and newest QPY version it reads; null while unknown.")
    packages: dict[str, str] = Field(description="Versions of the packages that read and run circuits.")
    sandbox: dict[str, bool] = Field(
        default_factory=dict,
        description="Walls round work on circuits, and whether each stands on this machine; empty while unknown.",
    )
    limits: dict[str, JsonValue]


class ReadyAnswer(_Answer):
    """Whether the service can take and run jobs, part by part."""

    ready: bool
    checks: dict[str, str]


class Problem(_Answer):
    """An error (RFC 9457), sent as `application/problem+json`."""

    type: str = Field(description="A link to the page on this code.")
    title: str
    status: int
    detail: str
    code: str
    solution: str = ""
    instance: str | None = None
    errors: list[dict[str, JsonValue]] | None = Field(default=None, description="Which fields are wrong, and how.")
    details: dict[str, JsonValue] = Field(default_factory=dict, description="E.g. line, column, circuit.")


class BatchItemAnswer(_Answer):
    """One job of a batch: accepted, or the problem with it."""

    id: str | None = None
    status: WireStatus | None = None
    error: Problem | None = None


class BatchAnswer(_Answer):
    """The jobs of a batch, in order."""

    jobs: list[BatchItemAnswer]


class StatusesAnswer(_Answer):
    """Statuses of many jobs; ids that are unknown are missing."""

    statuses: list[StatusAnswer]
