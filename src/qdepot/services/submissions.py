"""Submissions: how an order becomes a job, exactly once."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uuid6

from qdepot.archive.archive import Archive
from qdepot.archive.request import RequestRecord
from qdepot.archive.request_shelf import StoredRequest
from qdepot.domain.caller import Caller
from qdepot.domain.job import Job, canonical_job_id
from qdepot.errors import ConflictError, GoneError, NotFoundError, QDepotError
from qdepot.ports.clock import Clock
from qdepot.ports.ledger import JobExistsError, Ledger
from qdepot.services.acceptance import Acceptance, Accepted
from qdepot.services.in_flight import InFlight
from qdepot.services.orders import JobOrder, Submitted
from qdepot.services.registering import Entry, Registrar


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """Takes orders.

    Attributes:
        ledger, archive, clock: Where jobs are.
        acceptance: Decides what becomes a job.
        registrar: Makes jobs of what was accepted.
        in_flight: Knows how many more there may be.
    """

    ledger: Ledger
    archive: Archive
    clock: Clock
    acceptance: Acceptance
    registrar: Registrar
    in_flight: InFlight

    def submit(
        self, order: JobOrder, *, caller: Caller, job_id: str | None = None, idempotency_key: str | None = None
    ) -> Submitted:
        """Accept a job: check, archive the request, commit the row. A repeat of an accepted order gives the same job.

        Raises:
            NotFoundError: No such backend.
            InvalidRequestError: One of its subclasses says what is wrong with the order; nothing is left behind.
            ConflictError: The id or the key was used with another body.
            QuotaExceededError: The project has as many jobs on their way as it may.
            UnavailableError: Store or ledger do not answer; nothing was accepted. A repeat with the same key is safe.
        """
        ticket = _Ticket.of(order, job_id=canonical_job_id(job_id), idempotency_key=idempotency_key)
        earlier = self._earlier(ticket, caller)
        if earlier is not None:
            return Submitted(job=earlier, created=False)
        with self.in_flight.room_for(1, project=caller.project):
            return self._submit_new(ticket, caller)

    def _submit_new(self, ticket: _Ticket, caller: Caller) -> Submitted:
        [accepted] = self.acceptance.examine([ticket.order], owner=caller.project)
        if isinstance(accepted, QDepotError):
            raise accepted
        entry = self._entry(ticket, accepted, caller)
        register = self.registrar.register_alone if ticket.job_id else self.registrar.register
        registered = register(entry)
        if registered.refusal is not None:
            return self._lost_race(ticket, caller, registered.stored)
        return Submitted(job=registered.job, created=True)

    def submit_many(
        self, orders: Sequence[JobOrder], *, caller: Caller, atomic: bool, idempotency_key: str | None = None
    ) -> list[Submitted | QDepotError]:
        """Accept many jobs with one request object and one commit; the answers are in the order of the orders.

        With an idempotency key, each job gets a key of its own from it and its place, so that a repeat finds them all.

        Raises:
            InvalidRequestError: ``atomic`` and one of the orders is bad (``details["job"]`` says which).
            QuotaExceededError: The project may not have so many more jobs on their way; none was accepted.
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

    def _entry(self, ticket: _Ticket, accepted: Accepted, caller: Caller) -> Entry:
        order = ticket.order
        record = RequestRecord(
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
            resolved=order.program.figures,
            request_sha256=ticket.body_sha256,
            idempotency_key_sha256=ticket.key_sha256,
            body=order.body,
        )
        return Entry(record=record, accepted=accepted, order=order)

    def _earlier(self, ticket: _Ticket, caller: Caller) -> Job | None:
        """The job that this order made before, if it did.

        Raises:
            ConflictError: Its key or id was used for another order.
        """
        found = None
        if ticket.job_id is not None:
            found = self.ledger.get_many([ticket.job_id]).get(ticket.job_id)
            if found is None:
                self._refuse_tombstone(ticket.job_id, caller)
        if found is None and ticket.key_sha256 is not None:
            found = self.ledger.find_by_idempotency_key(
                project=caller.project, owner=caller.user, key_sha256=ticket.key_sha256
            )
        if found is None:
            return None
        if found.project != caller.project or found.owner != caller.user:
            raise _id_taken()
        if found.request_sha256 != ticket.body_sha256:
            raise ConflictError(
                f"this idempotency key or id was used for job {found.id} with another request body",
                solution="Use a new key for a new request; repeat a request to the letter.",
                details={"job_id": found.id},
            )
        return found

    def _refuse_tombstone(self, job_id: str, caller: Caller) -> None:
        """Refuse an id that was deleted: ids are never used twice. Only its own project learns that it was deleted.

        Raises:
            GoneError: It was this project's.
            ConflictError: It was another's.
        """
        try:
            self.ledger.get(job_id)
        except NotFoundError:
            return
        except GoneError:
            with contextlib.suppress(NotFoundError):
                self.ledger.get(job_id, project=caller.project)
            raise _id_taken() from None

    def _lost_race(self, ticket: _Ticket, caller: Caller, stored: StoredRequest) -> Submitted:
        """Another request with the same id or key was committed between our look and our insert."""
        winner = self._earlier(ticket, caller)
        # Under an id that the client chose, another try may hold the same object; one with an index is shared.
        is_ours = ticket.job_id is None and stored.index is None
        if is_ours and (winner is None or winner.request_key != stored.key):
            self.archive.discard_request(stored.key)
        if winner is None:
            raise ConflictError("another job took this id or key just now", solution="Repeat the call.")
        return Submitted(job=winner, created=False)

    def _add_batch(
        self, fresh: Mapping[int, tuple[_Ticket, Accepted]], caller: Caller
    ) -> dict[int, Submitted | QDepotError]:
        if not fresh:
            return {}
        entries = [self._entry(ticket, accepted, caller) for ticket, accepted in fresh.values()]
        try:
            with self.in_flight.room_for(len(entries), project=caller.project):
                registered = self.registrar.register_together(entries)
        except JobExistsError as error:
            raise ConflictError(
                "a batch with the same idempotency key was accepted just now", solution="Repeat the call."
            ) from error
        return {index: Submitted(job=each.job, created=True) for index, each in zip(fresh, registered, strict=True)}


def _id_taken() -> ConflictError:
    """An id that somebody else holds, or held: nothing is said about who, or what became of it."""
    return ConflictError("this job id cannot be used", solution="Choose another id.")


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


def _place_key(idempotency_key: str | None, index: int) -> str | None:
    return None if idempotency_key is None else f"{idempotency_key}/{index}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
