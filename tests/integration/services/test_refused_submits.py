"""A submit that was refused leaves no request that a rebuild would find; one that may have been accepted keeps it."""

from __future__ import annotations

from functools import partial

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.domain.caller import Caller
from qdepot.errors import InvalidRequestError, QDepotError, UnavailableError
from qdepot.services.acceptance import Accepted
from qdepot.services.registering import Registered
from qdepot.services.submissions import _Ticket
from support.world import ME, World, order

SURE = UnavailableError("the database is away")
UNSURE = UnavailableError("the commit had no answer", details={"maybe_committed": True})


def requests(world: World) -> list[str]:
    return [info.key for info in world.pending.scan() if info.key.endswith(("request.json", "batch.json"))]


def break_ledger(monkeypatch, error):
    def refuse(_ledger, _jobs):
        raise error

    monkeypatch.setattr(MemoryLedger, "add", refuse)


@pytest.mark.parametrize("as_batch", [False, True])
@pytest.mark.parametrize(("error", "left"), [(SURE, 0), (InvalidRequestError("nothing it can hold"), 0), (UNSURE, 1)])
def test_what_the_ledger_did_not_take_is_removed_where_that_is_certain(
    world: World, monkeypatch, error, left, as_batch
):
    break_ledger(monkeypatch, error)
    jobs = world.jobs()
    submit = partial(jobs.submit_many, [order(), order()], atomic=False) if as_batch else partial(jobs.submit, order())
    with pytest.raises(QDepotError):
        submit(caller=ME)
    assert len(requests(world)) == left


def test_under_an_id_of_the_client_the_request_stays_for_the_repeat(world: World, monkeypatch):
    """Another try may have adopted the object meanwhile, and committed."""
    break_ledger(monkeypatch, SURE)
    job_id = "00000000-0000-7000-8000-000000000001"
    with pytest.raises(UnavailableError):
        world.jobs().submit(order(), caller=ME, job_id=job_id)
    assert len(requests(world)) == 1
    monkeypatch.undo()
    assert world.jobs().submit(order(), caller=ME, job_id=job_id).created


def test_what_cannot_be_written_of_one_caller_keeps_no_other_from_its_job(world: World, monkeypatch):
    """Two callers of one project come together; what one of them sends fits neither the archive nor the ledger."""
    add = MemoryLedger.add

    def add_unless_poisonous(ledger, jobs):
        if any(job.name == "poison" for job, _ in jobs):
            raise ValueError("POISON")
        add(ledger, jobs)

    monkeypatch.setattr(MemoryLedger, "add", add_unless_poisonous)
    submissions = world.jobs().submissions
    backend = world.backends.get("scripted_qpu")
    entries = []
    for user, name in (("mallory", "poison"), ("ada", "fine"), ("mallory", "poison")):
        ticket = _Ticket.of(order())
        entry = submissions._entry(ticket, Accepted(backend=backend, summary=None), Caller(user=user))
        object.__setattr__(entry.record, "name", name)
        entries.append(entry)
    first, mine, last = submissions.registrar._gathered(entries)
    assert isinstance(mine, Registered)
    assert world.ledger.get(mine.job.id).owner == "ada"
    assert [type(first), type(last)] == [ValueError, ValueError]
    process = world.process()
    world.bring_home(process, seconds=60)
    assert world.job(mine.job).pending_removed
