"""Parts: results of jobs that are not over, brought into the archive and put to use again."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

from qdepot.domain.job import Job
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError, InternalError, NotFoundError, QDepotError
from qdepot.ports.provider import Part, Provider, RawResult, YieldsParts
from qdepot.reconciler.desk import Desk

_log = logging.getLogger(__name__)

Fields = dict[str, Any]
"""Fields of a job that change with what is stored: ``parts`` and ``circuits_done``; none where nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is done of a provider's jobs, whether or not they are over.

    At most one part is stored before the row says so: whoever comes after a crash has one key to look at.

    Attributes:
        desk: What it works at.
        provider: Whose jobs they are.
        yields: The provider, if it :class:`YieldsParts`.
    """

    desk: Desk
    provider: Provider
    yields: YieldsParts | None = field(init=False)

    def __post_init__(self) -> None:
        """Ask once what the provider can do: it takes long enough to be noticed with each job."""
        object.__setattr__(self, "yields", self.provider if isinstance(self.provider, YieldsParts) else None)

    def stored(self, job: Job) -> Fields:
        """Store what has become worth a part of a job under way.

        If that does not work, nothing is lost: the provider keeps the results and gives them again.

        Raises:
            NotFoundError: The provider cannot go on behind what is stored.
        """
        if self.yields is None or job.provider_job_id is None:
            return {}
        try:
            with self.desk.asking(self.provider):
                part = self.yields.part(job.provider_job_id, after=job.circuits_done)
            return self._put(job, part)
        except NotFoundError:
            raise
        except QDepotError as error:
            return _left_as_it_is(job, error)

    def recovered(self, job: Job) -> Fields:
        """Find what is done of a job that has to be run again: in the archive behind the row, or at the provider."""
        if self.yields is None:
            return {}
        try:
            found = self.desk.archive.stored_parts(job)
            if found != (job.parts, job.circuits_done):
                return _fields(*found)
            return self._put(job, self._left(job))
        except QDepotError as error:
            return _left_as_it_is(job, error)

    def intact(self, job: Job) -> Fields:
        """Find the leading parts that are whole; the others are removed, so that they can be stored anew."""
        if self.yields is None:
            return {}
        try:
            parts, circuits_done = self.desk.archive.stored_parts(_without_parts(job))
            self.desk.archive.discard_parts(job, behind=parts)
        except QDepotError as error:
            return _left_as_it_is(job, error)
        return _fields(parts, circuits_done)

    def whole(self, job: Job) -> Outcome:
        """The outcome of a job that is done.

        Raises:
            NotFoundError: The result is gone at the backend, or a part of it in the archive, and can be made again.
            ArchiveDamagedError: A part is damaged or missing that cannot be made again.
        """
        provider_job_id = job.provider_job_id or ""
        with self.desk.asking(self.provider):
            if self.yields is None:
                return normalised(self.provider.result(provider_job_id))
            rest = self.yields.rest(provider_job_id, after=job.circuits_done)
        try:
            outcome = self.desk.archive.gathered(job, [normalised(result) for result in rest.results])
        except ArchiveDamagedError as error:
            if not self.desk.backends.get(job.backend).repeatable:
                raise
            raise NotFoundError(error.message, solution="The circuits are run again.") from error
        if outcome is None or job.circuits_done + rest.count != job.num_circuits:
            raise NotFoundError(f"{job.backend} has not all results of job {job.id} that are not stored")
        return outcome

    def leading(self, job: Job) -> tuple[Outcome | None, int]:
        """What there is of a job that will not be done: an outcome of its leading circuits, and how many these are."""
        rest = self._left(job)
        try:
            outcome = self.desk.archive.gathered(job, [normalised(result) for result in rest.results] if rest else [])
        except ArchiveDamagedError:
            parts, circuits_done = self.desk.archive.stored_parts(_without_parts(job))
            whole = replace(job, parts=parts, circuits_done=circuits_done)
            return self.desk.archive.gathered(whole, []), circuits_done
        return outcome, job.circuits_done + (rest.count if rest else 0)

    def _left(self, job: Job) -> Part | None:
        """What the provider still has behind the parts."""
        if self.yields is None or job.provider_job_id is None:
            return None
        try:
            with self.desk.asking(self.provider):
                return self.yields.rest(job.provider_job_id, after=job.circuits_done)
        except NotFoundError:
            return None

    def _put(self, job: Job, part: Part | None) -> Fields:
        if part is None or not part.count:
            return {}
        results = [normalised(result) for result in part.results]
        stored = self.desk.archive.put_part(job, results, count=part.count)
        return _fields(stored.number, stored.behind)


def normalised(raw: RawResult) -> Outcome:
    """A provider's result as the archive takes it.

    Raises:
        InternalError: Nobody here can read the provider's format.
    """
    if raw.format != "qdepot":
        raise InternalError(f"results in the format {raw.format!r} cannot be normalised")
    return Outcome(document=raw.document, members=raw.members, metadata=raw.metadata)


def _fields(parts: int, circuits_done: int) -> Fields:
    return {"parts": parts, "circuits_done": circuits_done}


def _without_parts(job: Job) -> Job:
    return replace(job, parts=0, circuits_done=0)


def _left_as_it_is(job: Job, error: QDepotError) -> Fields:
    _log.warning("parts_left_as_they_are job_id=%s code=%s message=%s", job.id, error.code, error.message)
    return {}
