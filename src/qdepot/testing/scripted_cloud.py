"""A quantum cloud on paper: it takes jobs, counts them, and misbehaves as a script tells it.

A circuit may bring a script of its own, in a line ``// says: Queued Running Failed``: what its job says at its first,
second ... poll, whatever the others say.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import ProgramFormat
from qdepot.errors import ConflictError, NotFinishedError, NotFoundError, UnavailableError, UnsupportedProgramError
from qdepot.ports.clock import Clock
from qdepot.ports.provider import Submission
from qdepot.testing.scripted_results import results_of

LAST_WORDS = frozenset({"Completed", "Failed", "Cancelled"})
"""The cloud's own words for a job that has ended."""

_SAYS = re.compile(rb"// says: (.+)")


@dataclass(slots=True, kw_only=True)
class ScriptedJob:
    """A job as the cloud has it.

    Attributes:
        id: The cloud's.
        submission: What was sent.
        submitted_at: When.
        word: What the cloud said last of where it is.
        ended: How it has ended in truth, whatever is said of it; None while it has not.
        cancel_asked: Somebody asked for its end.
        lost: The cloud does not know it any more.
        polls: How often its status was asked for.
    """

    id: str
    submission: Submission
    submitted_at: datetime
    word: str = "Queued"
    ended: str | None = None
    cancel_asked: bool = False
    lost: bool = False
    polls: int = 0


@dataclass(slots=True, kw_only=True)
class Script:
    """How the cloud behaves from now on; a test changes it at any time.

    Attributes:
        words: What a job says at its first, second ... poll; the last word stays. A late report is a word that is
            repeated, one from earlier a word that comes again; a word that is none of the cloud's is possible, too.
        refuse: Programs are refused.
        away: Every call fails, and nothing happens.
        lose_answer: A submission is taken, but its answer is lost on the way.
        forget_all: No job is known any more.
        latency_s: Every call takes so long, in seconds.
        fail_before: Share of calls that fail with nothing done.
        fail_after: Share of calls that are carried out and whose answer is lost.
        lose: Share of jobs that are taken, and then not known any more.
        calls_per_s: More calls are refused for the rest of a second; None: as many as come.
    """

    words: tuple[str, ...] = ("Queued", "Running", "Completed")
    refuse: bool = False
    away: bool = False
    lose_answer: bool = False
    forget_all: bool = False
    latency_s: float = 0.0
    fail_before: float = 0.0
    fail_after: float = 0.0
    lose: float = 0.0
    calls_per_s: int | None = None


@dataclass(slots=True, kw_only=True)
class ScriptedCloud:
    """Plays a cloud. It counts every submission, so that a test sees a second one. Thread-safe.

    Attributes:
        clock: Tells when a submitted job becomes visible to a search.
        name: Its one backend is ``<name>_qpu``.
        paid: Whether a run costs money.
        repeatable, takes_key, finds_by_tag: What the cloud can do (see :class:`~qdepot.domain.backend.BackendInfo`).
        visibility_delay: How long a search does not find a new job.
        page_size: The most jobs that one call may ask about.
        script: How it behaves.
        counts: Result of a circuit that it cannot play (see :func:`~qdepot.testing.scripted_results.outcome_of`).
        seed: Of its chances.
        sleep: How a slow call passes its time.
        journal: Told of each new job before anybody else is.
        jobs: By the cloud's id.
        submissions: Tags, in the order of the submissions that were taken.
        calls: How often each verb was asked for, refused or not.
    """

    clock: Clock
    name: str = "scripted"
    paid: bool = True
    repeatable: bool = False
    takes_key: bool = False
    finds_by_tag: bool = False
    visibility_delay: timedelta = timedelta(0)
    page_size: int = 500
    script: Script = field(default_factory=Script)
    counts: Mapping[str, int] = field(default_factory=lambda: {"01": 1})
    seed: int = 0
    sleep: Callable[[float], None] = time.sleep
    journal: Callable[[ScriptedJob], None] | None = None
    jobs: dict[str, ScriptedJob] = field(default_factory=dict)
    submissions: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    _by_tag: dict[str, str] = field(default_factory=dict)
    _recent: list[float] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _chance: Random = field(init=False)

    def __post_init__(self) -> None:
        """Make the dice."""
        self._chance = Random(self.seed)  # noqa: S311 - a test that can be repeated, no secret

    @property
    def backend(self) -> BackendInfo:
        """The one backend, without a call."""
        return BackendInfo(
            name=f"{self.name}_qpu",
            provider=self.name,
            num_qubits=5,
            max_shots=10_000,
            formats=frozenset({ProgramFormat.OPENQASM2, ProgramFormat.OPENQASM3}),
            paid=self.paid,
            repeatable=self.repeatable,
            takes_key=self.takes_key,
            finds_by_tag=self.finds_by_tag,
            visibility_delay_s=self.visibility_delay.total_seconds(),
            options=frozenset({"seed"}),
        )

    def offer(self) -> BackendInfo:
        """The one backend."""
        with self._call("backends"):
            return self.backend

    def take(self, submission: Submission) -> ScriptedJob:
        """Take a job; with ``takes_key`` the one that has its tag already."""
        with self._call("submit"):
            if self.script.refuse:
                raise UnsupportedProgramError("this device has no such gate", solution="Use another gate.")
            known = self._by_tag.get(submission.tag) if self.takes_key else None
            job = self.jobs[known] if known is not None else self._new(submission)
        if self.script.lose_answer:
            raise _cut()
        return job

    def look(self, job_ids: Sequence[str]) -> dict[str, str]:
        """The next word of the script for each of the jobs that are known."""
        with self._call("status" if len(job_ids) == 1 else "statuses"):
            if len(job_ids) > self.page_size:
                raise ConflictError(f"{len(job_ids)} jobs are more than the {self.page_size} that may be asked about")
            return {job_id: self._next_word(self.jobs[job_id]) for job_id in job_ids if self._knows(job_id)}

    def fetch(self, job_id: str) -> list[dict[str, object]]:
        """The results of a job, one entry a circuit."""
        with self._call("result"):
            job = self._known(job_id)
            if job.ended != "Completed":
                raise NotFinishedError(f"{job_id} is {job.word}")
            return results_of(job.submission.program, otherwise=self.counts)

    def stop(self, job_id: str) -> None:
        """Stop a job that has not ended."""
        with self._call("cancel"):
            job = self._known(job_id)
            job.cancel_asked = True
            if job.ended is None:
                job.word = job.ended = "Cancelled"

    def search(self, tag: str) -> str | None:
        """The job that was sent first with this tag, once it is visible."""
        with self._call("find_by_tag"):
            job_id = self._by_tag.get(tag)
            if job_id is None or not self._knows(job_id):
                return None
            visible_at = self.jobs[job_id].submitted_at + self.visibility_delay
            return job_id if self.clock.now() >= visible_at else None

    @contextmanager
    def _call(self, verb: str) -> Iterator[None]:
        """One call: it may be slow, refused, or lose its answer."""
        if self.script.latency_s:
            self.sleep(self.script.latency_s)
        with self._lock:
            self.calls[verb] += 1
            self._answer_or_raise()
            yield
            if self.script.fail_after and self._chance.random() < self.script.fail_after:
                raise _cut()

    def _answer_or_raise(self) -> None:
        script = self.script
        if script.away or (script.fail_before and self._chance.random() < script.fail_before):
            raise UnavailableError(f"{self.name} does not answer")
        if script.calls_per_s is None:
            return
        now = self.clock.monotonic()
        self._recent = [at for at in self._recent if at > now - 1.0]
        if len(self._recent) >= script.calls_per_s:
            wait_s = self._recent[0] + 1.0 - now
            raise UnavailableError(f"{self.name} takes {script.calls_per_s} calls a second", retry_after_s=wait_s)
        self._recent.append(now)

    def _new(self, submission: Submission) -> ScriptedJob:
        self.submissions.append(submission.tag)
        job = ScriptedJob(id=f"cloud-{len(self.submissions)}", submission=submission, submitted_at=self.clock.now())
        job.lost = bool(self.script.lose) and self._chance.random() < self.script.lose
        if self.journal is not None:
            self.journal(job)
        self.add(job)
        return job

    def add(self, job: ScriptedJob) -> None:
        """Have this job, as after a restart."""
        self.jobs[job.id] = job
        self._by_tag.setdefault(job.submission.tag, job.id)

    def _knows(self, job_id: str) -> bool:
        return not self.script.forget_all and job_id in self.jobs and not self.jobs[job_id].lost

    def _known(self, job_id: str) -> ScriptedJob:
        if not self._knows(job_id):
            raise NotFoundError(f"{self.name} knows no job {job_id}")
        return self.jobs[job_id]

    def _next_word(self, job: ScriptedJob) -> str:
        if job.ended != "Cancelled":
            words = _own_words(job.submission) or self.script.words
            job.word = words[min(job.polls, len(words) - 1)]
            job.polls += 1
            if job.ended is None and job.word in LAST_WORDS:
                job.ended = job.word
        return job.word


def _own_words(submission: Submission) -> list[str]:
    found = _SAYS.search(submission.program.circuits[0].source)
    return found[1].decode().split() if found else []


def _cut() -> UnavailableError:
    return UnavailableError("the connection was cut", details={"maybe_sent": True})
