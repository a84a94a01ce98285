"""Submissions: how an order becomes a job, exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import uuid6

from qdepot.archive.archive import Archive
from qdepot.archive.request import RequestRecord
from qdepot.archive.request_shelf import StoredRequest
from qdepot.domain.caller import Caller
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, canonical_job_id
from qdepot.domain.program import Program
from qdepot.errors import ConflictError, NotFoundError, QDepotError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import JobExistsError, Ledger
from qdepot.services.acceptance import Acceptance, Accepted
from qdepot.services.orders import JobOrder, Submitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """Takes orders.

    Attributes:
        ledger, archive, clock: Where jobs are.
        acceptance: Decides what becomes a job.
        on_work: Called with jobs that somebody has to act on now.
    """

    ledger: Ledger
    archive: Archive
    clock: Clock
    acceptance: Acceptance
    on_work: Callable[[Sequence[Job]], None]

    def submit(
        self, order: JobOrder, *, caller: Caller, job_id: str | None = None, idempotency_key: str | None = None
    ) -> Submitted:
        """Accept a job: check, archive the request, commit the row. A repeat of an accepted order gives the same job.

        Raises:
            NotFoundError: No such backend.
            InvalidRequestError: One of its subclasses says what is wrong with the order; nothing is left behind.
            ConflictError: The id or the key was used with another body.
            UnavailableError: Store or ledger do not answer; nothing was accepted. A repeat with the same key is safe.
        """
        ticket = _Ticket.of(order, job_id=canonical_job_id(job_id), idempotency_key=idempotency_key)
        earlier = self._earlier(ticket, caller)
        if earlier is not None:
            return Submitted(job=earlier, created=False)
        [accepted] = self.acceptance.examine([order], owner=caller.project)
        if isinstance(accepted, QDepotError):
            raise accepted
        record = self._record(ticket, caller)
        stored = self.archive.put_request(record)
        job = _accepted_job(record, accepted, stored, order)
        try:
            self.ledger.add([(job, first_event(job))])
        except JobExistsError:
            return self._lost_race(ticket, caller, stored)
        self.on_work([job])
        return Submitted(job=job, created=True)

    def submit_many(
        self, orders: Sequence[JobOrder], *, caller: Caller, atomic: bool, idempotency_key: str | None = None
    ) -> list[Submitted | QDepotError]:
        """Accept many jobs with one request object and one commit; the answers are in the order of the orders.

        With an idempotency key, each job gets a key of its own from it and its place, so that a repeat finds them all.

        Raises:
            InvalidRequestError: ``atomic`` and one of the orders is bad (``details["job"]`` says which).
            UnavailableError: As for :meth:`submit`.
        """
        tickets = [_Ticket.of(order, idempotency_key=_place_key(idempotency_key, i)) for i, order in enumerate(orders)]
        answers: dict[int, Submitted | QDepotError] = {}
        fresh: dict[int, tuple[_Ticket, Accepted]] = {}
        for index, outcome in enumerate(self._examined(tickets, caller)):
            if isinstance(outcome, Accepted):
                fresh[index] = (tickets[index], outcome)
                continue
            if isinstance(outcome, QDepotError):
                outcome.details["job"] = index
                if atomic:
                    raise outcome
            answers[index] = outcome
        answers |= self._add_batch(fresh, caller)
        return [answers[index] for index in range(len(orders))]

    def _examined(self, tickets: Sequence[_Ticket], caller: Caller) -> list[Submitted | Accepted | QDepotError]:
        """Per ticket: the job that it made before, or what examining its order told."""
        outcomes: list[Submitted | Accepted | QDepotError | None] = []
        for ticket in tickets:
            try:
                earlier = self._earlier(ticket, caller)
                outcomes.append(Submitted(job=earlier, created=False) if earlier is not None else None)
            except ConflictError as error:
                outcomes.append(error)
        new = [ticket.order for ticket, outcome in zip(tickets, outcomes, strict=True) if outcome is None]
        examined = iter(self.acceptance.examine(new, owner=caller.project))
        return [next(examined) if outcome is None else outcome for outcome in outcomes]

    def _record(self, ticket: _Ticket, caller: Caller) -> RequestRecord:
        order = ticket.order
        return RequestRecord(
            job_id=ticket.job_id or str(uuid6.uuid7()),
            project=caller.project,
            owner=caller.user,
            created_at=self.clock.now(),
            backend=order.backend,
            name=order.name,
            tags=order.tags,
            priority=order.priority,
            timeout_s=order.timeout_s,
            options=order.options,
            request_sha256=ticket.body_sha256,
            idempotency_key_sha256=ticket.key_sha256,
            body=order.body,
        )

    def _earlier(self, ticket: _Ticket, caller: Caller) -> Job | None:
        """The job that this order made before, if it did.

        Raises:
            ConflictError: Its key or id was used for another order.
        """
        found = None
        if ticket.job_id is not None:
            found = self.ledger.get_many([ticket.job_id]).get(ticket.job_id)
            if found is None:
                self._refuse_tombstone(ticket.job_id)
        if found is None and ticket.key_sha256 is not None:
            found = self.ledger.find_by_idempotency_key(
                project=caller.project, owner=caller.user, key_sha256=ticket.key_sha256
            )
        if found is None:
            return None
        if found.project != caller.project or found.owner != caller.user:
            raise ConflictError("this job id cannot be used", solution="Choose another id.")
        if found.request_sha256 != ticket.body_sha256:
            raise ConflictError(
                f"this idempotency key or id was used for job {found.id} with another request body",
                solution="Use a new key for a new request; repeat a request to the letter.",
                details={"job_id": found.id},
            )
        return found

    def _refuse_tombstone(self, job_id: str) -> None:
        """Let GoneError through for an id that was deleted: ids are never used twice."""
        try:
            self.ledger.get(job_id)
        except NotFoundError:
            return

    def _lost_race(self, ticket: _Ticket, caller: Caller, stored: StoredRequest) -> Submitted:
        """Another request with the same id or key was committed between our look and our insert."""
        winner = self._earlier(ticket, caller)
        # Under an id that the client chose, another try may hold the same object.
        if ticket.job_id is None and (winner is None or winner.request_key != stored.key):
            self.archive.discard_request(stored.key)
        if winner is None:
            raise ConflictError("another job took this id or key just now", solution="Repeat the call.")
        return Submitted(job=winner, created=False)

    def _add_batch(
        self, fresh: Mapping[int, tuple[_Ticket, Accepted]], caller: Caller
    ) -> dict[int, Submitted | QDepotError]:
        if not fresh:
            return {}
        records = [self._record(ticket, caller) for ticket, _ in fresh.values()]
        stored = self.archive.put_requests(str(uuid6.uuid7()), records)
        jobs = [
            _accepted_job(record, accepted, place, ticket.order)
            for record, place, (ticket, accepted) in zip(records, stored, fresh.values(), strict=True)
        ]
        try:
            self.ledger.add([(job, first_event(job)) for job in jobs])
        except JobExistsError as error:
            self.archive.discard_request(stored[0].key)
            raise ConflictError(
                "a batch with the same idempotency key was accepted just now", solution="Repeat the call."
            ) from error
        self.on_work(jobs)
        return {index: Submitted(job=job, created=True) for index, job in zip(fresh, jobs, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ticket:
    """What tells a repeat of an order from a new one."""

    order: JobOrder
    job_id: str | None
    key_sha256: str | None
    body_sha256: str

    @classmethod
    def of(cls, order: JobOrder, *, job_id: str | None = None, idempotency_key: str | None = None) -> _Ticket:
        key_sha256 = _sha256(idempotency_key.encode()) if idempotency_key is not None else None
        return cls(order=order, job_id=job_id, key_sha256=key_sha256, body_sha256=_sha256(order.body))


def _accepted_job(record: RequestRecord, accepted: Accepted, stored: StoredRequest, order: JobOrder) -> Job:
    job = new_job(record, stored, program=order.program)
    # A simulator of our own reads and fits the circuits itself, in the same child that runs them.
    return replace(job, summary=accepted.summary, prepared=accepted.backend.runs_here)


def new_job(record: RequestRecord, stored: StoredRequest, *, program: Program) -> Job:
    """The job of a stored request, before anybody has done anything about it."""
    return Job(
        id=record.job_id,
        project=record.project,
        owner=record.owner,
        backend=record.backend,
        kind=program.kind.value,
        created_at=stored.created_at,
        num_circuits=len(program.circuits),
        shots=program.shots,
        name=record.name,
        tags=record.tags,
        options=record.options,
        priority=record.priority,
        timeout_s=record.timeout_s,
        request_sha256=record.request_sha256,
        idempotency_key_sha256=record.idempotency_key_sha256,
        request_key=stored.key,
        request_index=stored.index,
    )


def first_event(job: Job) -> JobEvent:
    """The first line in the history of a new job."""
    return JobEvent(
        job_id=job.id,
        at=job.created_at,
        from_status="",
        to_status=job.status.value,
        stage=job.stage.value,
        by="submit",
        why="accepted",
    )


def _place_key(idempotency_key: str | None, index: int) -> str | None:
    return None if idempotency_key is None else f"{idempotency_key}/{index}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
