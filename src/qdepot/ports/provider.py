"""One account with one vendor, or a simulator of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from qdepot.domain.backend import BackendInfo
from qdepot.domain.job import Failure
from qdepot.domain.program import Program
from qdepot.domain.result import Buffer
from qdepot.errors import QDepotError


class ProviderStatus(StrEnum):
    """What a provider says of a job, apart from what we know of it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A job as a provider gets it.

    Attributes:
        tag: Our job id and attempt; what the provider keeps as key or tag.
        job_id: Our id of the job, the same for every attempt.
        backend: Name of the backend.
        program: What to run.
        options: As the owner sent them.
        owner: Whose it is.
        timeout_s: The run is stopped after so many seconds; None: the provider's own limit.
        summary: What is known of the program, where it was checked before (see :attr:`qdepot.domain.job.Job.summary`).
        done: So many of the leading circuits have their results in the archive already, from an attempt that was lost;
            a provider that :class:`YieldsParts` begins behind them, others run everything.
    """

    tag: str
    job_id: str
    backend: str
    program: Program
    options: Mapping[str, object] = field(default_factory=dict)
    owner: str = "local"
    timeout_s: float | None = None
    summary: Mapping[str, object] | None = None
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReport:
    """What the provider says of one job now.

    Attributes:
        status: In our words.
        vendor_status: The provider's own word, as it came.
        queue_position: Jobs before it, where known.
        failure: Why, where ``status`` is FAILED.
    """

    status: ProviderStatus
    vendor_status: str
    queue_position: int | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResult:
    """A result as the provider sent it.

    Attributes:
        format: ``qdepot`` if ``document`` is a result document already (see :class:`qdepot.domain.result.Outcome`);
            else the vendor's format, which the ``quantum`` room can normalise.
        document: The bytes.
        members: Further files that belong to it.
        metadata: Plain JSON data on how it was run.
    """

    format: str
    document: Buffer
    members: Mapping[str, Buffer] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Results of consecutive circuits of a job.

    Attributes:
        first: Index of the first of these circuits in the job's program.
        count: How many they are.
        results: Theirs, in order, each of one or more of them, all in the format ``qdepot``; none where ``count`` is 0.
    """

    first: int
    count: int
    results: tuple[RawResult, ...]


class Provider(Protocol):
    """Five verbs. All block and are thread-safe.

    Two kinds of error may come: :class:`~qdepot.errors.UnavailableError` (try again later) and
    :class:`~qdepot.errors.InvalidRequestError` (never works as it stands). A vendor's own error is the ``__cause__``.
    """

    name: str

    def backends(self) -> Sequence[BackendInfo]:
        """What can be used now, names unique."""
        ...

    def submit(self, submission: Submission) -> str:
        """Hand over a job and return the provider's id of it.

        If it raises InvalidRequestError, nothing was sent. If it raises UnavailableError, nothing was sent either,
        unless the error's details say ``{"maybe_sent": true}``. The same tag yields the same id and one job, where the
        backend ``takes_key``.
        """
        ...

    def status(self, provider_job_id: str) -> ProviderReport:
        """What the provider says now. A vendor's word that the adapter does not know is an InternalError.

        Raises:
            NotFoundError: The provider does not (or no longer) know this id.
        """
        ...

    def result(self, provider_job_id: str) -> RawResult:
        """The result of a job that is DONE; may be repeated and gives equal bytes.

        Of a provider that :class:`YieldsParts` only what lies behind the parts that it was told are in the archive.

        Raises:
            NotFinishedError: It is not done.
            NotFoundError: The provider does not (or no longer) know this id.
        """
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Ask for the job to be stopped: a wish, confirmed by a later status. A finished job stays as it is.

        Raises:
            NotFoundError: The provider does not (or no longer) know this id.
        """
        ...

    def close(self) -> None:
        """Let go of connections and processes. May be repeated."""
        ...


@runtime_checkable
class PollsMany(Protocol):
    """A provider that answers for many jobs in one call.

    Attributes:
        page_size: The most ids that one call takes.
    """

    page_size: int

    def statuses(self, provider_job_ids: Sequence[str]) -> Mapping[str, ProviderReport | QDepotError]:
        """Reports by id; ids that the provider does not know are missing.

        A job that cannot be understood (a vendor's word that the adapter does not know) gets its error for itself, and
        keeps nobody from hearing of the others.
        """
        ...


@runtime_checkable
class FindsByTag(Protocol):
    """A provider that can be searched by tag."""

    def find_by_tag(self, tag: str) -> str | None:
        """The provider's id of the job that was submitted with ``tag``; None if none is visible (yet)."""
        ...


@runtime_checkable
class Announces(Protocol):
    """A provider that says when a job has ended, so that nobody has to ask."""

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(job_id)`` from any thread whenever one of its jobs has ended. It is quick."""
        ...


@runtime_checkable
class RunsHere(Protocol):
    """A provider whose jobs live in this process, and die with it."""

    def room(self) -> int:
        """How many more jobs it takes now without letting them wait for long."""
        ...

    def live_jobs(self) -> Sequence[str]:
        """Our ids of the jobs that it has, waiting, running or done and not yet forgotten."""
        ...

    def give_up(self, job_id: str) -> None:
        """Stop and forget a job that belongs to another process now; an unknown one is fine."""
        ...


@runtime_checkable
class Forgets(Protocol):
    """A provider that keeps results only until they are stored elsewhere."""

    def forget(self, provider_job_id: str) -> None:
        """The result is in the archive; drop what is kept of the job. Unknown ids are fine."""
        ...


@runtime_checkable
class YieldsParts(Protocol):
    """A provider that gives results of a job's leading circuits before the others have run, or if they never will.

    What it is told lies in the archive (``Submission.done``, ``after``) it may drop, and need not run again.
    """

    def part(self, provider_job_id: str, *, after: int) -> Part | None:
        """What has been done behind the first ``after`` circuits and is worth an object of its own by now.

        None if that is too little yet, and of a job that is DONE: its rest goes into the bundle. As long as ``after``
        is the same, a repeat gives the same circuits and maybe more.

        Raises:
            NotFoundError: The provider does not know this id, or cannot give results that begin just there.
        """
        ...

    def rest(self, provider_job_id: str, *, after: int) -> Part:
        """All that has been done behind the first ``after`` circuits, of a job in any status; maybe nothing.

        Raises:
            NotFoundError: As for :meth:`part`.
        """
        ...
