"""A quantum cloud on paper: a provider that does what a test tells it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from qdepot.domain.backend import BackendInfo
from qdepot.domain.job import Failure
from qdepot.errors import InternalError, NotFinishedError, NotFoundError, UnavailableError, UnsupportedProgramError
from qdepot.ports.clock import Clock
from qdepot.ports.provider import ProviderReport, ProviderStatus, RawResult, Submission

STATUS_OF_WORD = {
    "Queued": ProviderStatus.QUEUED,
    "Running": ProviderStatus.RUNNING,
    "Completed": ProviderStatus.DONE,
    "Failed": ProviderStatus.FAILED,
    "Cancelled": ProviderStatus.CANCELLED,
}
"""The cloud's own words; any other is an error."""


@dataclass(slots=True, kw_only=True)
class ScriptedJob:
    """A job as the cloud has it.

    Attributes:
        id: The cloud's.
        submission: What was sent.
        submitted_at: When.
        word: The cloud's word for where it is.
        cancel_asked: Somebody asked for its end.
    """

    id: str
    submission: Submission
    submitted_at: datetime
    word: str = "Queued"
    cancel_asked: bool = False


@dataclass(slots=True, kw_only=True)
class Script:
    """How the cloud behaves from now on; a test changes it at any time.

    Attributes:
        words: What a job says at its first, second ... poll; the last word stays.
        refuse: Programs are refused.
        away: Every call fails, and nothing happens.
        lose_answer: A submission is taken, but its answer is lost on the way.
        forget_all: No job is known any more.
    """

    words: tuple[str, ...] = ("Queued", "Running", "Completed")
    refuse: bool = False
    away: bool = False
    lose_answer: bool = False
    forget_all: bool = False


@dataclass(slots=True, kw_only=True)
class ScriptedProvider:
    """Plays a cloud. It counts every submission, so that a test sees a second one. Thread-safe.

    Attributes:
        clock: Tells when a submitted job becomes visible to a search.
        name: Of the provider; its one backend is ``<name>_qpu``.
        paid: Whether a run costs money.
        repeatable, takes_key, finds_by_tag: What the cloud can do (see :class:`~qdepot.domain.backend.BackendInfo`).
        visibility_delay: How long a search does not find a new job.
        script: How it behaves.
        counts: Result of every circuit.
        jobs: By the cloud's id.
        submissions: Tags, in the order of the submissions that were taken.
    """

    clock: Clock
    name: str = "scripted"
    paid: bool = True
    repeatable: bool = False
    takes_key: bool = False
    finds_by_tag: bool = False
    visibility_delay: timedelta = timedelta(0)
    script: Script = field(default_factory=Script)
    counts: Mapping[str, int] = field(default_factory=lambda: {"01": 1})
    jobs: dict[str, ScriptedJob] = field(default_factory=dict)
    submissions: list[str] = field(default_factory=list)
    _polls: dict[str, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def backends(self) -> Sequence[BackendInfo]:
        """The one backend."""
        return [
            BackendInfo(
                name=f"{self.name}_qpu",
                provider=self.name,
                num_qubits=5,
                max_shots=10_000,
                paid=self.paid,
                repeatable=self.repeatable,
                takes_key=self.takes_key,
                finds_by_tag=self.finds_by_tag,
                visibility_delay_s=self.visibility_delay.total_seconds(),
                options=frozenset({"seed"}),
            )
        ]

    def submit(self, submission: Submission) -> str:
        """Take a job, as the script says."""
        with self._lock:
            self._answer_or_raise()
            if self.script.refuse:
                raise UnsupportedProgramError("this device has no such gate", solution="Use another gate.")
            job = self._known(submission) or self._taken(submission)
            if self.script.lose_answer:
                raise UnavailableError("the connection was cut", details={"maybe_sent": True})
            return job.id

    def status(self, provider_job_id: str) -> ProviderReport:
        """The next word of the script."""
        with self._lock:
            self._answer_or_raise()
            job = self._job(provider_job_id)
            self._advance(job)
            if job.word not in STATUS_OF_WORD:
                raise InternalError(f"the status {job.word!r} of {provider_job_id} is none that this adapter knows")
            status = STATUS_OF_WORD[job.word]
            failure = Failure(code="backend_failed", message="the cryostat is warm") if job.word == "Failed" else None
            return ProviderReport(status=status, vendor_status=job.word, failure=failure)

    def result(self, provider_job_id: str) -> RawResult:
        """The same counts for each circuit, scaled to its shots."""
        with self._lock:
            self._answer_or_raise()
            job = self._job(provider_job_id)
            if job.word != "Completed":
                raise NotFinishedError(f"{provider_job_id} is {job.word}")
            program = job.submission.program
            entries = [self._entry(circuit.shots or program.shots or 1) for circuit in program.circuits]
            document = json.dumps({"results": entries}).encode()
            return RawResult(format="qdepot", document=document, members={"raw/scripted.json": document})

    def cancel(self, provider_job_id: str) -> None:
        """Stop a job that has not ended."""
        with self._lock:
            self._answer_or_raise()
            job = self._job(provider_job_id)
            job.cancel_asked = True
            if STATUS_OF_WORD.get(job.word) in {ProviderStatus.QUEUED, ProviderStatus.RUNNING}:
                job.word = "Cancelled"

    def find_by_tag(self, tag: str) -> str | None:
        """The job with this tag, once it is visible."""
        with self._lock:
            self._answer_or_raise()
            for job in self.jobs.values():
                if job.submission.tag == tag and self.clock.now() >= job.submitted_at + self.visibility_delay:
                    return job.id
            return None

    def close(self) -> None:
        """Nothing to let go of."""

    def _answer_or_raise(self) -> None:
        if self.script.away:
            raise UnavailableError(f"{self.name} does not answer")

    def _known(self, submission: Submission) -> ScriptedJob | None:
        if not self.takes_key:
            return None
        return next((job for job in self.jobs.values() if job.submission.tag == submission.tag), None)

    def _taken(self, submission: Submission) -> ScriptedJob:
        self.submissions.append(submission.tag)
        job = ScriptedJob(id=f"cloud-{len(self.submissions)}", submission=submission, submitted_at=self.clock.now())
        self.jobs[job.id] = job
        return job

    def _job(self, provider_job_id: str) -> ScriptedJob:
        if self.script.forget_all or provider_job_id not in self.jobs:
            raise NotFoundError(f"{self.name} knows no job {provider_job_id}")
        return self.jobs[provider_job_id]

    def _advance(self, job: ScriptedJob) -> None:
        if job.word in {"Completed", "Failed", "Cancelled"}:
            return
        polls = self._polls.get(job.id, 0)
        self._polls[job.id] = polls + 1
        job.word = self.script.words[min(polls, len(self.script.words) - 1)]

    def _entry(self, shots: int) -> Mapping[str, object]:
        total = sum(self.counts.values())
        counts = {bits: count * shots // total for bits, count in self.counts.items()}
        first = next(iter(counts))
        counts[first] += shots - sum(counts.values())
        return {
            "shots": shots,
            "shape": [],
            "counts": counts,
            "registers": {"c": {"num_bits": len(first), "counts": counts}},
            "metadata": {},
        }
