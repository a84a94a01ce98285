"""What there is of a job's result by now, whether or not the job is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qdepot.archive.archive import Archive
from qdepot.archive.manifest import damaged
from qdepot.domain.job import Job, JobStatus
from qdepot.errors import NotFoundError, UnavailableError
from qdepot.ports.ledger import Ledger
from qdepot.ports.object_store import ObjectNotFoundError

_NOTHING = b'{"results":[]}'
_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialResult:
    """Results of the leading circuits of a job.

    Attributes:
        job: As it was when this was asked for; ``circuits_done`` says how many results there are.
        document: ``{"results": [...]}`` in pieces.
    """

    job: Job
    document: Iterator[bytes]

    @property
    def is_whole(self) -> bool:
        """True if these are all results, and the final ones."""
        return self.job.status is JobStatus.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialResults:
    """Reads results of jobs in any status.

    Attributes:
        ledger, archive: Where jobs are.
    """

    ledger: Ledger
    archive: Archive

    def result(self, job: Job) -> PartialResult:
        """The result document as far as it is stored; maybe empty."""
        if job.is_final:
            has_one = job.result_size_bytes is not None
            document = self.archive.open_result(job) if has_one else iter([_NOTHING])
        else:
            document = self._while_it_lasts(job, self.archive.open_parts(job))
        return PartialResult(job=job, document=document)

    def arrays(self, job: Job) -> Iterator[bytes]:
        """Per-shot outcomes as far as they are stored, as the bytes of an ``.npz`` file, maybe without arrays.

        Raises:
            NotFoundError: The job did not ask for them, or ended without any.
        """
        if job.is_final:
            return self.archive.open_arrays(job)
        if not job.options.get("memory"):
            raise NotFoundError(
                f"job {job.id} keeps no per-shot outcomes", solution='Submit with "options": {"memory": true}.'
            )
        return self._while_it_lasts(job, self.archive.open_part_arrays(job))

    def _while_it_lasts(self, job: Job, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Parts go away when the job has ended, also while they are read."""
        try:
            yield from pieces
        except ObjectNotFoundError as error:
            now = self.ledger.get_many([job.id]).get(job.id)
            if now is not None and not now.is_final:
                raise damaged(str(error.details.get("key", "a part")), "it is missing") from error
            raise UnavailableError(
                f"job {job.id} has ended while its partial result was read",
                solution="Ask again.",
                retry_after_s=_RETRY_AFTER_S,
            ) from error
