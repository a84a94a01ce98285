"""A lost ledger comes back from the archive: everything is there, and nothing is paid twice."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.archive import layout
from qdepot.domain.caller import Caller
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.domain.program import Program
from qdepot.domain.result import Outcome
from qdepot.errors import ConflictError, GoneError, InvalidRequestError, UnavailableError
from qdepot.services.doubts import Doubts
from qdepot.services.orders import JobOrder
from qdepot.services.rebuild_report import Finding
from qdepot.testing.archive import validate_archive
from qdepot.testing.faulty_store import FaultyStore
from qdepot.testing.ledger.validate import every_job, validate_ledger
from support.rebuilding import content, ended, history, ledger_away, lose_the_answer, rebuild, without_ledger
from support.world import ME, World, order


def test_a_job_that_has_ended_is_there_with_result_and_history(world: World):
    job = ended(world, seed=3)
    new, report = without_ledger(world)
    assert content(new.job(job)) == content(job)
    assert history(new.ledger, job.id) == history(world.ledger, job.id)
    result = b"".join(new.jobs().result(job.id, caller=ME))
    assert result == b"".join(world.jobs().result(job.id, caller=ME))
    assert report.counts == {Finding.ENDED: 1}
    validate_ledger(new.ledger)
    validate_archive(new.archive, new.ledger)


@pytest.mark.parametrize("how", ["refused", "cancelled"])
def test_a_job_without_a_result_is_there_with_its_reason(world: World, how):
    job = world.submit()
    world.cloud.script.refuse = how == "refused"
    if how == "cancelled":
        world.jobs().cancel(job.id, caller=ME)
    world.bring_home(world.process(), seconds=5)
    new, _ = without_ledger(world)
    assert content(new.job(job)) == content(world.job(job))
    assert new.job(job).status is (JobStatus.FAILED if how == "refused" else JobStatus.CANCELLED)


def test_later_edits_are_there_and_the_next_one_comes_behind_them(world: World):
    job = ended(world)
    for name in ("first", "second"):
        world.clock.advance(1)
        world.jobs().edit(job.id, caller=Caller(user="ada"), name=name)
    world.clock.advance(1)
    world.jobs().edit(job.id, caller=ME, tags=["a", "b"])
    new, _ = without_ledger(world)
    assert (new.job(job).name, new.job(job).tags) == ("second", ("a", "b"))
    assert history(new.ledger, job.id) == history(world.ledger, job.id)
    new.clock.advance(1)
    new.jobs().edit(job.id, caller=ME, name="third")
    newest, _ = without_ledger(new)
    assert newest.job(job).name == "third"


def test_an_edit_before_the_end_is_told_once(world: World):
    job = world.submit()
    world.clock.advance(1)
    world.jobs().edit(job.id, caller=ME, name="early")
    world.clock.advance(1)
    world.bring_home(world.process(), seconds=20)
    new, _ = without_ledger(world)
    assert new.job(job).name == "early"
    assert history(new.ledger, job.id) == history(world.ledger, job.id)


def test_what_was_deleted_stays_deleted(world: World):
    job = ended(world)
    world.jobs().delete(job.id, caller=ME)
    new, report = without_ledger(world)
    with pytest.raises(GoneError):
        new.jobs().get(job.id, caller=ME)
    assert report.counts == {Finding.DELETED: 1}


def test_what_was_deleted_stays_deleted_even_if_its_objects_come_back(world: World):
    job = world.submit()
    request = world.pending.get(job.request_key)
    world.bring_home(world.process(), seconds=20)
    bundle = world.completed.get(layout.bundle_key(job))
    world.jobs().delete(job.id, caller=ME)
    world.completed.create(layout.bundle_key(job), bundle)
    world.pending.create(job.request_key, request)
    new, report = without_ledger(world)
    with pytest.raises(GoneError):
        new.jobs().get(job.id, caller=ME)
    assert report.counts == {Finding.DELETED: 1, Finding.LEFT_OVER: 1}
    assert report.is_whole


def test_a_job_at_its_backend_is_asked_for_there(world: World):
    job = world.submit()
    world.process().run(Duty.PREPARE, Duty.SUBMIT)
    world.process().run(Duty.SUBMIT)
    before = world.job(job)
    assert before.status is JobStatus.QUEUED
    new, report = without_ledger(world)
    after = new.job(job)
    assert report.counts == {Finding.AT_BACKEND: 1}
    assert (after.status, after.provider_job_id, after.queued_at) == (
        JobStatus.QUEUED,
        before.provider_job_id,
        before.queued_at,
    )
    assert (after.request_key, after.summary, after.attempt) == (before.request_key, before.summary, 1)
    new.bring_home(new.process())
    assert new.job(job).status is JobStatus.COMPLETED
    assert len(new.cloud.submissions) == 1


@pytest.mark.parametrize(
    ("ability", "stage"), [("finds_by_tag", Stage.DONE), ("takes_key", Stage.DONE), ("", Stage.IN_DOUBT)]
)
def test_a_job_that_may_have_been_sent_is_never_sent_blindly(world: World, ability, stage):
    if ability:
        setattr(world.cloud, ability, True)
    job = lose_the_answer(world)
    new, report = without_ledger(world)
    assert report.counts == {Finding.MAYBE_SENT: 1}
    assert new.job(job).stage is Stage.SUBMITTING
    new.bring_home(new.process())
    assert new.job(job).stage is stage
    assert len(new.cloud.submissions) == 1


def test_a_job_that_never_set_out_is_held_where_a_run_costs_money(world: World):
    job = world.submit()
    new, report = without_ledger(world)
    assert report.counts == {Finding.HELD: 1}
    new.bring_home(new.process())
    held = new.jobs().get(job.id, caller=ME)
    assert (held.status, held.stage) == (JobStatus.CREATED, Stage.HELD)
    assert "a run at scripted_qpu may cost money" in held.why
    assert f"qdepot resolve {job.id} --resubmit | --fail" in held.why
    assert new.cloud.submissions == []
    jobs = new.jobs()
    doubts = Doubts(jobs=jobs, ledger=new.ledger, archive=new.archive, clock=new.clock, on_work=lambda jobs: None)
    doubts.resubmit(job.id, caller=ME)
    new.bring_home(new.process())
    assert new.job(job).status is JobStatus.COMPLETED
    assert new.cloud.submissions == [f"{job.id}.1"]


def test_a_held_job_can_be_cancelled(world: World):
    job = world.submit()
    new, _ = without_ledger(world)
    new.jobs().cancel(job.id, caller=ME)
    new.bring_home(new.process(), seconds=5)
    assert new.job(job).status is JobStatus.CANCELLED


def test_a_job_that_never_set_out_is_run_where_that_costs_nothing(repeatable: World):
    job = repeatable.submit(seed=1)
    new, report = without_ledger(repeatable)
    assert report.counts == {Finding.TO_RUN: 1}
    new.bring_home(new.process())
    assert new.job(job).status is JobStatus.COMPLETED
    assert new.job(job).summary == job.summary
    assert new.cloud.submissions == [f"{job.id}.1"]


@pytest.mark.parametrize("trouble", ["unknown", "silent"])
def test_a_job_for_a_backend_that_nobody_knows_now_is_held(repeatable: World, trouble):
    job = repeatable.submit()
    if trouble == "unknown":
        repeatable.providers.clear()
    else:
        repeatable.cloud.script.away = True
    new, report = without_ledger(repeatable)
    assert report.counts == {Finding.HELD: 1}
    why = new.jobs().get(job.id, caller=ME).why
    assert ("there is no backend scripted_qpu now" if trouble == "unknown" else "nobody can tell what a run") in why


def test_a_lost_attempt_is_followed_by_the_next_one(repeatable: World):
    world = repeatable
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    process.run(Duty.SUBMIT)
    world.cloud.script.forget_all = True
    world.clock.advance(5)
    process.run(Duty.POLL)
    assert world.job(job).attempt == 2
    world.cloud.script.forget_all = False
    process.run(Duty.SUBMIT)
    assert world.job(job).status is JobStatus.QUEUED
    new, _ = without_ledger(world)
    assert (new.job(job).attempt, new.job(job).provider_job_id) == (2, "cloud-2")


def test_jobs_of_a_batch_come_back_from_their_one_object(repeatable: World):
    world = repeatable
    orders = [order(f"circuit {number}") for number in range(5)]
    jobs = [it.job for it in world.jobs().submit_many(orders, caller=ME, atomic=True, idempotency_key="k")]
    world.jobs().cancel(jobs[0].id, caller=ME)
    process = world.process()
    process.run(Duty.PREPARE)
    process.run(Duty.SUBMIT)
    world.clock.advance(5)
    process.run(Duty.PREPARE, Duty.COLLECT)
    process.run(Duty.COLLECT)
    assert world.job(jobs[0]).status is JobStatus.CANCELLED
    new, report = without_ledger(world)
    assert report.counts == {Finding.ENDED: 1, Finding.AT_BACKEND: 4}
    assert [new.archive.read_request(new.job(job)).body for job in jobs] == [it.body for it in orders]
    again = new.jobs().submit_many(orders, caller=ME, atomic=True, idempotency_key="k")
    assert [it.job.id for it in again] == [job.id for job in jobs]
    new.bring_home(new.process())
    assert list(new.pending.scan()) == []
    validate_archive(new.archive, new.ledger)


def test_a_request_that_was_repeated_with_the_same_key_is_one_job(repeatable: World):
    """The first try stored its request and died; the client repeated it."""
    world = repeatable
    with ledger_away(world), pytest.raises(UnavailableError):
        world.jobs().submit(order(), caller=ME, idempotency_key="k")
    world.clock.advance(1)
    job = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    assert len(list(world.pending.scan())) == 2
    new, report = without_ledger(world)
    assert report.counts == {Finding.TO_RUN: 1, Finding.REPEAT: 1}
    assert new.jobs().submit(order(), caller=ME, idempotency_key="k").job.id == job.id
    assert sum(new.ledger.counts().values()) == 1


def test_a_repeat_of_a_job_that_has_ended_is_no_new_job(repeatable: World):
    world = repeatable
    with ledger_away(world), pytest.raises(UnavailableError):
        world.jobs().submit(order(), caller=ME, idempotency_key="k")
    job = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    world.bring_home(world.process())
    new, report = without_ledger(world)
    assert report.counts == {Finding.ENDED: 1, Finding.REPEAT: 1}
    assert new.job(job).status is JobStatus.COMPLETED


def test_the_same_key_of_another_owner_is_another_job(repeatable: World):
    world = repeatable
    for caller in (ME, Caller(user="ada"), Caller(project="chemistry")):
        world.jobs().submit(order(), caller=caller, idempotency_key="k")
    _, report = without_ledger(world)
    assert report.counts == {Finding.TO_RUN: 3}


def test_a_job_that_ended_and_was_not_cleaned_up_is_cleaned_up_then(world: World):
    job = world.submit()
    process = world.process()
    process.duties = [(name, duty) for name, duty in process.duties if name is not Duty.CLEAN]
    world.bring_home(process, seconds=20)
    assert world.job(job).status is JobStatus.COMPLETED
    assert not world.job(job).pending_removed
    new, report = without_ledger(world)
    assert report.counts == {Finding.ENDED: 1}
    new.bring_home(new.process(), seconds=3)
    assert list(new.pending.scan()) == []
    assert new.job(job).pending_removed


def test_finished_parts_of_a_job_are_kept(repeatable: World):
    world = repeatable
    program = {"kind": "sampler", "shots": 4, "circuits": [{"format": "openqasm3", "source": it} for it in "abc"]}
    body = {"backend": "scripted_qpu", "program": program}
    wanted = JobOrder(body=json.dumps(body).encode(), backend="scripted_qpu", program=Program.from_document(program))
    job = world.jobs().submit(wanted, caller=ME).job
    outcome = Outcome(document=b'{"results": [{}, {}]}')
    part = world.archive.put_part(job, [outcome], count=2)
    new, _ = without_ledger(world)
    assert (new.job(job).parts, new.job(job).circuits_done) == (1, part.behind)
    new.jobs().cancel(job.id, caller=ME)
    new.bring_home(new.process(), seconds=5)
    assert new.job(job).status is JobStatus.CANCELLED
    assert list(new.pending.scan()) == []


def test_parts_that_outlived_their_job_are_cleaned_up(world: World):
    job = ended(world)
    for number in (1, 2, 3):
        world.pending.create(layout.part_key(job, number), b"a part")
    new, _ = without_ledger(world)
    new.bring_home(new.process(), seconds=3)
    assert list(new.pending.scan()) == []


def test_two_jobs_that_ended_with_one_key_are_both_kept(repeatable: World):
    """The first was lost with the ledger; its client repeated the request before the ledger was rebuilt."""
    jobs = []
    world = repeatable
    for _ in range(2):
        world = replace(world, ledger=MemoryLedger(world.clock))
        jobs.append(world.jobs().submit(order(), caller=ME, idempotency_key="k").job)
        world.bring_home(world.process(), seconds=20)
    new, report = without_ledger(world)
    assert report.counts == {Finding.ENDED: 2}
    assert {new.job(job).status for job in jobs} == {JobStatus.COMPLETED}
    assert len(report.remarks) == 1
    assert "has lost its idempotency key" in report.remarks[0]
    assert report.is_whole
    assert new.jobs().submit(order(), caller=ME, idempotency_key="k").job.id in {job.id for job in jobs}


def test_many_jobs_come_back_into_a_database(repeatable: World, tmp_path):
    world = repeatable
    key = "the key of one of them"
    orders = [order(f"circuit {number}") for number in range(450)]
    batch = [it.job for it in world.jobs().submit_many(orders, caller=ME, atomic=True, idempotency_key=key)]
    world.bring_home(world.process(), seconds=20)
    single = [world.submit() for _ in range(450)]
    with closing(open_ledger(f"sqlite:///{tmp_path}/ledger.db", clock=world.clock)) as ledger:
        report = rebuild(world, ledger)
        assert report.counts == {Finding.ENDED: 450, Finding.TO_RUN: 450}
        assert {job.id for job in every_job(ledger)} == {job.id for job in (*batch, *single)}
        assert content(ledger.get(batch[-1].id)) == content(world.job(batch[-1]))
        assert history(ledger, batch[-1].id) == history(world.ledger, batch[-1].id)
        validate_ledger(ledger)
        assert rebuild(world, ledger, merge=True).counts == {Finding.THERE: 900}


def test_what_the_database_does_not_take_is_told_of_and_keeps_out_no_other(repeatable: World, monkeypatch):
    jobs = [repeatable.submit() for _ in range(3)]
    restore = MemoryLedger.restore

    def picky(self, found):
        if any(job.id == jobs[1].id for job, _ in found):
            raise InvalidRequestError("a text that this database cannot hold")
        restore(self, found)

    monkeypatch.setattr(MemoryLedger, "restore", picky)
    new, report = without_ledger(repeatable)
    assert report.counts == {Finding.TO_RUN: 2}
    assert not report.is_whole
    assert jobs[1].id in report.left_out[0]
    assert new.job(jobs[2]).status is JobStatus.CREATED


def test_a_ledger_that_is_not_empty_is_left_alone(world: World):
    ended(world)
    with pytest.raises(ConflictError, match="it has 1 jobs"):
        rebuild(world, world.ledger)


def test_a_store_that_does_not_answer_is_no_reason_to_forget_jobs(world: World):
    ended(world)
    store = FaultyStore(world.completed)
    store.go_down()
    world.archive = replace(world.archive, completed=store)
    with pytest.raises(UnavailableError):
        without_ledger(world)


@pytest.mark.parametrize("merges", [False, True])
def test_an_earlier_try_of_a_deleted_job_does_not_come_back_under_its_own_id(world: World, merges):
    """The first try's row was never written, its repeat under the same key was run and deleted."""
    first = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    request = world.pending.get(first.request_key)
    process = world.process()
    world.bring_home(process, seconds=30)
    world.jobs().delete(first.id, caller=ME)
    # The same request under another id, as an acceptance leaves it that is killed before its commit.
    other = "00000000-0000-7000-8000-000000000000"
    world.pending.create(
        layout.request_key(first.project, first.created_at, other), request.replace(first.id.encode(), other.encode())
    )
    ledger = world.ledger if merges else MemoryLedger(world.clock)
    report = rebuild(world, ledger, merge=merges)
    assert report.counts[Finding.ORPHAN] == 1
    assert any(other in remark for remark in report.remarks)
    assert list(every_job(ledger)) == []


def test_the_key_of_a_deleted_job_may_have_been_used_for_another_one_since(world: World):
    first = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    world.bring_home(world.process(), seconds=30)
    world.jobs().delete(first.id, caller=ME)
    world.clock.advance(1)
    second = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    new, report = without_ledger(world)
    assert report.counts[Finding.ORPHAN] == 0
    assert new.job(second).id == second.id
