"""What the job service takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qdepot.domain.job import Job
from qdepot.domain.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """A job as somebody wants it, checked for shape and not yet for sense.

    Attributes:
        body: The request as it was sent, UTF-8 JSON, archived to the letter. Its SHA-256 tells repeat from conflict.
        backend, name, tags, program, options, priority, timeout_s: What it says. ``options`` holds only what was given.
    """

    body: bytes
    backend: str
    program: Program
    name: str = ""
    tags: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    priority: int = 0
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Answer to a submission.

    Attributes:
        job: The job.
        created: False if it was there already and this was a repeat.
    """

    job: Job
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitLimits:
    """What a service accepts.

    Attributes:
        max_body_bytes: Largest request.
        max_body_values: Most values in a request: members of arrays and objects, and their names.
        max_circuits: Most circuits in a job.
        max_total_shots: Most shots in a job, over all circuits and parameter sets.
        check_budget_s: How long a caller waits for the check of the circuits, in seconds.
        inline_result_bytes: Largest result that is answered inside the job.
        max_jobs_in_flight: Most jobs of a project that have not ended; None: any number.
        requests_per_s: Most requests of a project a second, in the mean; None: any number.
        request_burst: How many of them may come at once; None: a second's worth.
    """

    max_body_bytes: int = 32 * 1024**2
    max_body_values: int = 2_000_000
    max_circuits: int = 10_000
    max_total_shots: int = 100_000_000
    check_budget_s: float = 2.0
    inline_result_bytes: int = 64 * 1024
    max_jobs_in_flight: int | None = None
    requests_per_s: float | None = None
    request_burst: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLimits:
    """What each project may.

    Attributes:
        usual: What a project may of which nothing else is said.
        special: What others may, by project.
    """

    usual: SubmitLimits = field(default_factory=SubmitLimits)
    special: Mapping[str, SubmitLimits] = field(default_factory=dict)

    def of(self, project: str) -> SubmitLimits:
        """What this project may."""
        return self.special.get(project, self.usual)
