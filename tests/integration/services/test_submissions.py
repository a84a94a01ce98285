"""An order becomes a job exactly once, or leaves nothing behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest

from qdepot.archive.archive import Archive
from qdepot.domain.caller import Caller
from qdepot.errors import (
    ConflictError,
    GoneError,
    InvalidProgramError,
    InvalidRequestError,
    NotFoundError,
    QDepotError,
    UnavailableError,
    UnsupportedProgramError,
)
from qdepot.services.acceptance import Accepted
from qdepot.services.orders import Submitted
from qdepot.services.registering import Registered
from qdepot.services.submissions import _Ticket
from qdepot.testing.faulty_store import FaultyStore
from support.world import ME, World, order

AN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"
OTHER = Caller(user="mallory", project="elsewhere")


def nothing_is_left(world: World) -> bool:
    return (
        not list(world.pending.scan()) and not list(world.completed.scan()) and not sum(world.ledger.counts().values())
    )


def test_an_accepted_job_is_in_the_archive_and_in_the_ledger(world: World):
    job = world.submit()
    assert world.archive.read_request(job).body == order().body
    assert world.job(job).version == job.version == 0
    assert job.summary == {"num_qubits": 2, "circuits": [{"num_qubits": 2}]}


def test_ids_are_ordered_by_time(world: World):
    ids = [world.submit().id for _ in range(20)]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"source": "broken"}, InvalidProgramError),
        ({"backend": "nowhere"}, NotFoundError),
        ({"method": "stabilizer"}, UnsupportedProgramError),
    ],
)
def test_a_bad_order_is_refused_and_leaves_nothing(world: World, changes, error):
    with pytest.raises(error) as caught:
        world.submit(**changes)
    assert caught.value.message
    assert nothing_is_left(world)


def test_more_than_the_service_accepts_is_refused(world: World):
    with pytest.raises(InvalidRequestError, match="4 shots in a job are more than the 3"):
        world.jobs(max_total_shots=3).submit(order(), caller=ME)
    assert nothing_is_left(world)


def test_the_same_key_gives_the_same_job(world: World):
    first = world.jobs().submit(order(), caller=ME, idempotency_key="k")
    again = world.jobs().submit(order(), caller=ME, idempotency_key="k")
    assert (first.created, again.created) == (True, False)
    assert again.job == first.job
    assert len(list(world.pending.scan())) == 1


def test_the_same_key_with_another_body_is_a_conflict(world: World):
    first = world.jobs().submit(order(), caller=ME, idempotency_key="k")
    with pytest.raises(ConflictError) as caught:
        world.jobs().submit(order("other"), caller=ME, idempotency_key="k")
    assert caught.value.details["job_id"] == first.job.id


def test_the_key_of_somebody_else_is_another_key(world: World):
    mine = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    theirs = world.jobs().submit(order(), caller=OTHER, idempotency_key="k").job
    assert mine.id != theirs.id


def test_a_repeat_is_found_even_if_the_backend_is_gone(world: World):
    job = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    world.providers.clear()
    assert world.jobs().submit(order(), caller=ME, idempotency_key="k").job == job


def test_an_id_chosen_by_the_client_is_kept_and_repeatable(world: World):
    first = world.jobs().submit(order(), caller=ME, job_id=AN_ID.upper())
    again = world.jobs().submit(order(), caller=ME, job_id=AN_ID)
    assert first.job.id == again.job.id == AN_ID
    assert not again.created
    with pytest.raises(ConflictError):
        world.jobs().submit(order("other"), caller=ME, job_id=AN_ID)


def test_an_id_of_another_project_tells_nothing_about_its_job(world: World):
    world.jobs().submit(order(), caller=ME, job_id=AN_ID)
    with pytest.raises(ConflictError) as caught:
        world.jobs().submit(order(), caller=OTHER, job_id=AN_ID)
    assert "default" not in str(caught.value.message)
    with pytest.raises(NotFoundError):
        world.jobs().get(AN_ID, caller=OTHER)


def test_racing_repeats_make_one_job(world: World):
    barrier = threading.Barrier(8)
    answers: list[Submitted] = []

    def send():
        barrier.wait(timeout=10)
        answers.append(world.jobs().submit(order(), caller=ME, idempotency_key="k"))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert len(list(world.pending.scan())) == 1


def test_a_store_that_is_away_refuses_the_job_and_a_repeat_is_safe(world: World):
    store = FaultyStore(world.pending)
    world.archive = Archive(pending=store, completed=world.completed)
    store.fail_next("create", times=1)
    with pytest.raises(UnavailableError):
        world.jobs().submit(order(), caller=ME, idempotency_key="k")
    assert nothing_is_left(world)
    assert world.jobs().submit(order(), caller=ME, idempotency_key="k").created


def test_a_job_is_checked_later_if_nobody_can_check_it_now(world: World):
    class Away:
        def submit(self, task):
            raise UnavailableError("no children")

    job = world.jobs(checker=Away()).submit(order(), caller=ME).job
    assert job.summary is None


def test_a_batch_is_one_object_and_keeps_its_order(world: World):
    orders = [order(f"circuit {n}") for n in range(5)]
    jobs = [item.job for item in world.jobs().submit_many(orders, caller=ME, atomic=True)]
    assert [world.archive.read_request(job).body for job in jobs] == [it.body for it in orders]
    assert len(list(world.pending.scan())) == 1
    assert len({job.request_key for job in jobs}) == 1


def test_an_atomic_batch_with_one_bad_order_leaves_nothing(world: World):
    with pytest.raises(InvalidProgramError) as caught:
        world.jobs().submit_many([order(), order("broken")], caller=ME, atomic=True)
    assert caught.value.details["job"] == 1
    assert nothing_is_left(world)


def test_a_batch_that_is_not_atomic_takes_what_is_good(world: World):
    good, bad, other = world.jobs().submit_many(
        [order(), order("broken"), order(backend="nowhere")], caller=ME, atomic=False
    )
    assert isinstance(good, Submitted)
    assert isinstance(bad, InvalidProgramError)
    assert isinstance(other, NotFoundError)
    assert sum(world.ledger.counts().values()) == 1


def test_a_repeated_batch_gives_the_same_jobs(world: World):
    orders = [order(), order("other")]
    first = world.jobs().submit_many(orders, caller=ME, atomic=True, idempotency_key="k")
    again = world.jobs().submit_many(orders, caller=ME, atomic=True, idempotency_key="k")
    assert [item.job.id for item in again] == [item.job.id for item in first]
    assert not any(item.created for item in again)
    assert len(list(world.pending.scan())) == 1


def test_a_deleted_job_stays_deleted(world: World):
    job = world.jobs().submit(order(), caller=ME, job_id=AN_ID).job
    with pytest.raises(ConflictError):
        world.jobs().delete(job.id, caller=ME)
    world.jobs().cancel(job.id, caller=ME)
    world.bring_home(world.process(), seconds=3)
    world.jobs().delete(job.id, caller=ME)
    with pytest.raises(GoneError):
        world.jobs().get(job.id, caller=ME)
    with pytest.raises(GoneError):
        world.jobs().submit(order(), caller=ME, job_id=AN_ID)
    assert [info.key for info in world.completed.scan() if not info.key.endswith(".tombstone.json")] == []


def test_name_and_tags_can_be_edited_and_the_archive_knows_first(world: World):
    job = world.submit()
    edited = world.jobs().edit(job.id, caller=ME, name="better", tags=["a", "b"])
    assert (edited.name, edited.tags) == ("better", ("a", "b"))
    assert (world.job(job).name, world.job(job).version) == ("better", edited.version)
    assert len(world.archive.read_edits(job)) == 1
    world.jobs().edit(job.id, caller=ME, name="better")
    assert len(world.archive.read_edits(job)) == 1, "what changes nothing is not noted"


def test_a_cancel_can_be_repeated_and_a_job_that_ended_cannot_be_cancelled(world: World):
    job = world.submit()
    for _ in range(2):
        assert world.jobs().cancel(job.id, caller=ME).shown_status == "CANCELLING"
    world.bring_home(world.process(), seconds=3)
    assert world.jobs().cancel(job.id, caller=ME).shown_status == "CANCELLED"
    done = world.submit()
    world.bring_home(world.process())
    with pytest.raises(ConflictError):
        world.jobs().cancel(done.id, caller=ME)


@pytest.mark.parametrize("job_id", ["nonsense", "", AN_ID, "../../etc/passwd"])
def test_an_unknown_or_nonsense_id_is_not_found(world: World, job_id):
    with pytest.raises(QDepotError) as caught:
        world.jobs().get(job_id, caller=ME)
    assert isinstance(caught.value, NotFoundError)


def test_orders_that_come_together_share_objects_and_each_keeps_its_own_body(world: World):
    store = FaultyStore(world.pending)
    world.archive = Archive(pending=store, completed=world.completed)
    jobs, orders = world.jobs(), [order(f"circuit {number}") for number in range(40)]
    with ThreadPoolExecutor(20) as threads:
        made = list(threads.map(lambda it: jobs.submit(it, caller=ME).job, orders))
    assert len({job.id for job in made}) == 40
    assert [world.archive.read_request(world.job(job)).body for job in made] == [it.body for it in orders]
    assert len(list(world.pending.scan())) == len({job.request_key for job in made})


@pytest.mark.parametrize("with_another", [False, True])
def test_repeats_that_come_together_leave_nothing_that_no_job_takes_away(world: World, with_another):
    submissions = world.jobs().submissions
    first = submissions.submit(order(), caller=ME, idempotency_key="k").job
    ticket = _Ticket.of(order(), idempotency_key="k")
    [accepted] = submissions.acceptance.examine([order()], owner=ME.project)
    assert isinstance(accepted, Accepted)
    entries = [submissions._entry(ticket, accepted, ME) for _ in range(3)]
    if with_another:
        entries.append(submissions._entry(_Ticket.of(order()), accepted, ME))
    answers = submissions.registrar._gathered(entries)
    refusals = [it.refusal.details["job_id"] for it in answers if isinstance(it, Registered) and it.refusal]
    assert refusals == [first.id] * 3
    kept = {it.job.request_key for it in answers if isinstance(it, Registered) and not it.refusal}
    assert {info.key for info in world.pending.scan()} == {first.request_key} | kept


def test_what_is_committed_is_told_even_if_the_ledger_goes_away_behind_it(world: World):
    # The group is refused as a whole because of one repeat; then each is tried alone, and the last finds no ledger.
    submissions = world.jobs().submissions
    submissions.submit(order(), caller=ME, idempotency_key="k")
    [accepted] = submissions.acceptance.examine([order()], owner=ME.project)
    assert isinstance(accepted, Accepted)
    keys = ["k", None, None]
    entries = [submissions._entry(_Ticket.of(order(), idempotency_key=key), accepted, ME) for key in keys]
    add, calls = world.ledger.add, []

    def goes_away(jobs):
        calls.append(len(jobs))
        if len(calls) == 4:
            raise UnavailableError("the ledger is away")
        add(jobs)

    registrar = replace(submissions.registrar, ledger=SimpleNamespace(add=goes_away))
    repeat, made, failed = registrar._gathered(entries)
    assert calls == [3, 1, 1, 1]
    assert isinstance(repeat, Registered)
    assert repeat.refusal is not None
    assert isinstance(made, Registered)
    assert world.job(made.job) == made.job
    assert isinstance(failed, UnavailableError)


class Counting:
    """A pool that counts the checks it is given."""

    def __init__(self, pool):
        self.pool, self.checks = pool, 0

    def submit(self, task):
        self.checks += 1
        return self.pool.submit(task)


def test_a_program_that_passed_is_not_checked_again_for_the_same_owner(world: World):
    checker = Counting(world.pool)
    jobs = world.jobs(checker=checker)
    first, again = (jobs.submit(order(), caller=ME).job for _ in range(2))
    assert first.id != again.id
    assert first.summary == again.summary is not None
    assert checker.checks == 1
    jobs.submit(order(), caller=OTHER)
    assert checker.checks == 2


def test_a_program_that_failed_is_checked_again(world: World):
    checker = Counting(world.pool)
    jobs = world.jobs(checker=checker)
    for _ in range(2):
        with pytest.raises(InvalidProgramError):
            jobs.submit(order("broken"), caller=ME)
    assert checker.checks == 2


def test_equal_programs_of_a_batch_are_checked_once(world: World):
    checker = Counting(world.pool)
    made = world.jobs(checker=checker).submit_many([order(), order("other"), order()], caller=ME, atomic=True)
    assert checker.checks == 2
    assert all(isinstance(it, Submitted) and it.job.summary for it in made)
