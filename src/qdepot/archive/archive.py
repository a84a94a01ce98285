"""The archive: what was asked, what ran, what came back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from qdepot.archive import inspection, layout, notes, part_shelf, prepared, request_shelf
from qdepot.archive.bundle import REQUEST, RESULT, Bundle, arrays_file
from qdepot.archive.bundle_shelf import pieces_of, store_bundles
from qdepot.archive.export import exported
from qdepot.archive.manifest import damaged
from qdepot.archive.packing import Completion, PackedBundle, StoredBundle, pack
from qdepot.archive.part_shelf import StoredPart
from qdepot.archive.request import RequestRecord, read_request_document
from qdepot.archive.request_shelf import StoredRequest
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Failure, Job, JobChange, JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError, InternalError, NotFoundError, QDepotError
from qdepot.ports.object_store import ObjectNotFoundError, ObjectStore, SignsUrls


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What lies where, and in which order it is written. Every step may be repeated.

    Methods raise :class:`~qdepot.errors.UnavailableError` where a store does, and
    :class:`~qdepot.errors.ArchiveDamagedError` where stored bytes are not what they were.

    Attributes:
        pending: Holds jobs that have not ended.
        completed: Holds jobs that have.
        scratch: Folder for bundles too large for memory; None: the system's.
    """

    pending: ObjectStore
    completed: ObjectStore
    scratch: str | None = None

    def put_request(self, record: RequestRecord) -> StoredRequest:
        """Store what was asked, durably, before the job's row is committed.

        A repeat of the same request under the same id adopts what the first try stored, and its ``created_at``.

        Raises:
            ConflictError: Another request is stored under this id.
        """
        return request_shelf.put_request(self.pending, record)

    def put_requests(self, batch_id: str, records: Sequence[RequestRecord]) -> list[StoredRequest]:
        """Store many requests of one project in one object, in their order.

        Raises:
            ConflictError: Other requests are stored under this id.
        """
        return request_shelf.put_requests(self.pending, batch_id, records)

    def discard_request(self, key: str) -> None:
        """Remove a request whose acceptance was not committed.

        Only for ids that this acceptance made up itself: under an id that the client chose, another try may have
        adopted the object meanwhile, and committed.
        """
        self.pending.delete([key])

    def read_request(self, job: Job) -> RequestRecord:
        """What was asked: from the pending archive, or from the bundle once that is gone."""
        record = None if job.pending_removed else self._pending_request(job)
        if record is None:
            record = self._bundled_request(job)
        if (record.job_id, record.request_sha256) != (job.id, job.request_sha256):
            raise damaged(job.request_key, f"it holds another request than that of job {job.id}")
        return record

    def read_requests(self, jobs: Sequence[Job]) -> list[RequestRecord | QDepotError]:
        """As :meth:`read_request` for several jobs, with fewer reads; an error is the answer for its job alone."""
        together = request_shelf.read_together(self.pending, [job for job in jobs if not job.pending_removed])
        return [self._checked_request(job, together.get(job.id)) for job in jobs]

    def put_part(self, job: Job, results: Sequence[Outcome], *, count: int) -> StoredPart:
        """Store results of a job that goes on: of the ``count`` circuits behind those that are done by its row.

        The row is moved to what the answer says. If a part is there already, it is checked and adopted.

        Args:
            job: As the ledger holds it.
            results: Of these circuits, in order, each of one or more of them.
            count: How many circuits they are.

        Raises:
            ArchiveDamagedError: The part that is there is damaged, or begins elsewhere.
        """
        return part_shelf.put_part(self.pending, job, results, count=count, scratch=self.scratch)

    def stored_parts(self, job: Job) -> tuple[int, int]:
        """How many parts the archive holds, and how many circuits are done by them; more than the row says, or equal.

        Looks for what was stored and not committed; with 0 and 0 in the row, for everything. It ends at the first part
        that is missing or damaged, and needs no scan.
        """
        return part_shelf.stored_parts(self.pending, job)

    def discard_parts(self, job: Job, *, behind: int) -> None:
        """Remove the parts with numbers beyond ``behind``, which are damaged, so that they can be stored anew."""
        self.pending.delete([layout.part_key(job, number) for number in range(behind + 1, job.parts + 2)])

    def gathered(self, job: Job, rest: Sequence[Outcome]) -> Outcome | None:
        """The outcome of a job: its stored parts, and ``rest`` behind them; None if there is nothing at all.

        Raises:
            ArchiveDamagedError: A part is missing or damaged.
        """
        return part_shelf.gathered(self.pending, job, rest, scratch=self.scratch)

    def open_parts(self, job: Job) -> Iterator[bytes]:
        """The result document of the circuits that are done, of a job that goes on, in pieces.

        Raises:
            ObjectNotFoundError: A part is not there, or no longer: the job may have ended while it was read.
        """
        return part_shelf.part_document(self.pending, job)

    def open_part_arrays(self, job: Job) -> Iterator[bytes]:
        """As :meth:`open_arrays`, of the circuits that are done. Raises as :meth:`open_parts`."""
        return part_shelf.part_arrays(self.pending, job)

    def complete(
        self,
        job: Job,
        *,
        status: JobStatus,
        failure: Failure | None,
        ended_at: datetime,
        outcome: Outcome | None,
        events: Sequence[JobEvent],
        request: RequestRecord,
    ) -> StoredBundle:
        """Store everything about a job that ends; the row is moved to what the answer says.

        If a bundle is there already, it is checked and adopted: it says what is true.

        Raises:
            ArchiveDamagedError: The bundle that is there is damaged.
        """
        completion = Completion(
            job=job,
            status=status,
            failure=failure,
            ended_at=ended_at,
            outcome=outcome,
            events=events,
            request=request,
        )
        [stored] = self.complete_many([completion])
        if isinstance(stored, QDepotError):
            raise stored
        return stored

    def complete_many(self, completions: Sequence[Completion]) -> list[StoredBundle | QDepotError]:
        """As :meth:`complete` for several jobs, made durable together; an error is the answer for its job alone."""
        return store_bundles(self.completed, (self._packed(completion) for completion in completions))

    def _packed(self, completion: Completion) -> PackedBundle | QDepotError:
        try:
            return pack(completion, scratch=self.scratch)
        except QDepotError as error:
            return error
        except (ValueError, TypeError, OverflowError) as error:
            return InternalError(f"the bundle cannot be made of what came back: {type(error).__name__}")

    def open_result(self, job: Job) -> Iterator[bytes]:
        """The result document in pieces, as it was stored; checked at the latest behind the last piece.

        Raises:
            NotFoundError: The job ended without one.
        """
        return self._bundle(job).pieces(RESULT)

    def open_arrays(self, job: Job) -> Iterator[bytes]:
        """Per-shot outcomes as an ``.npz`` file, in pieces: arrays ``memory/<circuit>/<register>``.

        Raises:
            NotFoundError: There are none.
        """
        bundle = self._bundle(job)
        arrays = [member for name, member in bundle.manifest.items() if name.startswith("memory/")]
        if not arrays:
            raise NotFoundError(
                f"job {job.id} has no per-shot outcomes", solution='Submit with "options": {"memory": true}.'
            )
        return arrays_file((member, bundle.pieces(member.name)) for member in arrays)

    def open_export(self, job: Job) -> Iterator[bytes]:
        """All that is kept of a final job as the pieces of a zip file, laid out for people, with a README.

        Raises:
            ArchiveDamagedError: The bundle is missing or damaged; if that shows only behind the first pieces, it is
                raised there.
        """
        return exported(job, self._bundle(job))

    def open_bundle(self, job: Job) -> Iterator[bytes]:
        """The bundle of a final job, as it lies there, in pieces.

        Raises:
            ArchiveDamagedError: It is missing or damaged; if that shows only behind the first pieces, it is raised
                there, before the last one.
        """
        key = layout.bundle_key(job)
        try:
            yield from pieces_of(self.completed, key, sha256=job.result_sha256)
        except ObjectNotFoundError as error:
            raise damaged(key, "it is missing") from error

    def bundle_link(self, job: Job, *, valid_for: timedelta) -> str | None:
        """An address to fetch the bundle of a final job from, until the time is over; None if the store gives none.

        Whoever has it can read the bundle: a secret.
        """
        store = self.completed
        return store.url_of(layout.bundle_key(job), valid_for=valid_for) if isinstance(store, SignsUrls) else None

    def read_member(self, job: Job, name: str) -> bytes:
        """One file of the bundle.

        Raises:
            NotFoundError: There is no such file in it.
        """
        return self._bundle(job).read(name)

    def remove_pending(self, job: Job, *, shared_in_use: bool) -> None:
        """Remove what the pending archive holds of a final job.

        Args:
            job: A job whose bundle is stored and committed.
            shared_in_use: Another job that is not final still needs the request object, if several share it.
        """
        self.remove_pending_many([job], in_use={job.request_key} if shared_in_use else ())

    def remove_pending_many(
        self, jobs: Sequence[Job], *, in_use: Collection[str], ran_here: Collection[str] = ()
    ) -> None:
        """As :meth:`remove_pending` for several jobs in one call.

        Args:
            jobs: Whose bundles are stored and committed.
            in_use: Request objects of batches that must stay.
            ran_here: Ids of the jobs of which nothing was ever sent elsewhere.
        """
        requests = {job.request_key for job in jobs}
        keys = [key for key in requests if not (layout.is_batch(key) and key in in_use)]
        # Also of jobs whose row names no backend's id: a receipt may lie there from an attempt that was lost.
        keys += [key for job in jobs if job.id not in ran_here for key in _keys_elsewhere(job)]
        # Also behind the last part that the row tells of: who stored one may have been killed before it was committed.
        keys += [layout.part_key(job, number) for job in jobs for number in range(1, job.parts + 2)]
        self.pending.delete(keys)

    def put_prepared(self, job: Job, *, tag: str) -> bool:
        """Note what is about to be sent to a backend elsewhere, before anything is.

        A rebuilt ledger tells by it what may have been sent from what never was. A repeat for the same attempt is fine.

        Returns:
            True if this is news, False if it was noted before: then it may have been sent, and may have a receipt.

        Raises:
            ArchiveDamagedError: Something else is noted for this attempt.
        """
        return prepared.put_prepared(self.pending, job, tag=tag)

    def put_receipt(self, job: Job, *, provider_job_id: str) -> None:
        """Note the id that the backend gave this attempt of the job, before the row says so.

        Raises:
            ConflictError: Another id is noted: the backend has the attempt twice.
        """
        notes.put_receipt(self.pending, job, provider_job_id)

    def read_receipt(self, job: Job) -> str:
        """The id that the backend gave this attempt.

        Raises:
            ObjectNotFoundError: None is noted.
        """
        return notes.read_receipt(self.pending, job)

    def put_edit(self, change: JobChange) -> None:
        """Note a change of name or tags, before it is committed.

        Edits lie beside the bundle, whether or not the job is final, so that none is lost when it becomes so.
        """
        notes.put_edit(self.completed, change)

    def read_edits(self, job: Job) -> list[notes.Edit]:
        """The noted edits of a job, in the order in which they apply. Scans: not on the way of any job."""
        found = self.completed.scan(f"{layout.stem(job)}.edit-")
        return notes.in_order(notes.read_edit(self.completed, info.key) for info in found)

    def put_tombstone(self, job: Job, *, at: datetime) -> None:
        """Note that the job is deleted; this comes before its row and its objects go."""
        notes.put_tombstone(self.completed, job, at)

    def delete(self, job: Job, *, shared_in_use: bool) -> None:
        """Remove all objects of a deleted job but its tombstone; a repeat is fine.

        Args:
            job: Its row is gone.
            shared_in_use: Another job that is not final still needs the request object, if several share it.
        """
        prefix = f"{layout.stem(job)}."
        tombstone = layout.tombstone_key(job)
        self.completed.delete([info.key for info in self.completed.scan(prefix) if info.key != tombstone])
        pending = [info.key for info in self.pending.scan(prefix)]
        if layout.is_batch(job.request_key) and not shared_in_use:
            pending.append(job.request_key)
        self.pending.delete(pending)

    def objects(self, job: Job) -> list[dict[str, object]]:
        """What lies where: ``area``, ``key``, ``size_bytes``, ``sha256``; of the bundle also ``members``.

        Reads and scans: not on the way of any job.
        """
        return [
            *inspection.listed(self.pending, job, area="pending"),
            *inspection.listed(self.completed, job, area="completed"),
        ]

    def verify(self, job: Job) -> None:
        """Read everything that must be there of a job, and compare it with its checksums and its row.

        Raises:
            ArchiveDamagedError: Something is missing or changed.
        """
        if job.is_final:
            inspection.check_bundle(self.completed, job)
        else:
            self.read_request(job)
            part_shelf.check_parts(self.pending, job)

    def _checked_request(self, job: Job, found: RequestRecord | None) -> RequestRecord | QDepotError:
        if found is not None and (found.job_id, found.request_sha256) == (job.id, job.request_sha256):
            return found
        try:
            return self.read_request(job)
        except QDepotError as error:
            return error

    def _pending_request(self, job: Job) -> RequestRecord | None:
        try:
            return request_shelf.read_request(self.pending, job)
        except ObjectNotFoundError:
            return None

    def _bundled_request(self, job: Job) -> RequestRecord:
        try:
            bundle = self._bundle(job)
        except ArchiveDamagedError as error:
            if job.is_final:
                raise
            raise damaged(job.request_key, "it is missing") from error
        return read_request_document(bundle.read(REQUEST), key=bundle.key)

    def _bundle(self, job: Job) -> Bundle:
        try:
            return Bundle.open(self.completed, layout.bundle_key(job), sha256=job.result_sha256)
        except ObjectNotFoundError as error:
            raise damaged(layout.bundle_key(job), "it is missing") from error


def _keys_elsewhere(job: Job) -> list[str]:
    """What a backend elsewhere adds to a job's pending objects."""
    attempts = range(1, job.attempt + 1)
    return [key_of(job, attempt=it) for it in attempts for key_of in (layout.prepared_key, layout.receipt_key)]
