"""A lost ledger comes back from the archive: everything is there, and nothing is paid twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.archive import layout
from qdepot.domain.caller import Caller
from qdepot.domain.job import Duty, Job, JobStatus, Stage
from qdepot.errors import ConflictError, GoneError, NotFoundError, UnavailableError
from qdepot.services.doubts import Doubts
from qdepot.services.rebuild_report import Finding
from qdepot.testing.archive import validate_archive
from qdepot.testing.faulty_store import FaultyStore
from qdepot.testing.ledger.validate import every_job, validate_ledger
from support.rebuilding import history, rebuild, without_ledger
from support.world import ME, World, order

OURS_ALONE = {
    *("version", "request_key", "request_index", "prepared", "queue_position", "last_poll_error", "failures_in_row"),
    *("next_try_at", "pending_removed"),
}
"""Fields that coordinate work, which nobody misses of a job that has ended."""


def content(job: Job) -> dict[str, object]:
    return {name: getattr(job, name) for name in Job.__dataclass_fields__ if name not in OURS_ALONE}


def ended(world: World, **kwargs) -> Job:
    job = world.submit(**kwargs)
    world.bring_home(world.process(), seconds=20)
    assert world.job(job).is_final
    return world.job(job)


@pytest.fixture
def repeatable(world: World) -> World:
    world.cloud.repeatable, world.cloud.paid = True, False
    return world


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


def lose_the_answer(world: World) -> Job:
    """A job that the cloud has, while nobody here knows its id."""
    job = world.submit()
    process = world.process()
    process.run(Duty.PREPARE)
    world.cloud.script.lose_answer = True
    process.run(Duty.SUBMIT)
    world.cloud.script.lose_answer = False
    assert world.cloud.submissions == [f"{job.id}.1"]
    return job


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


def test_a_request_that_was_repeated_with_the_same_key_is_one_job(repeatable: World, monkeypatch):
    """The first try stored its request and died; the client repeated it."""
    world = repeatable
    with monkeypatch.context() as patched:
        patched.setattr(type(world.ledger), "add", lambda *_: (_ for _ in ()).throw(UnavailableError("away")))
        with pytest.raises(UnavailableError):
            world.jobs().submit(order(), caller=ME, idempotency_key="k")
    world.clock.advance(1)
    job = world.jobs().submit(order(), caller=ME, idempotency_key="k").job
    assert len(list(world.pending.scan())) == 2
    new, report = without_ledger(world)
    assert report.counts == {Finding.TO_RUN: 1, Finding.REPEAT: 1}
    assert new.jobs().submit(order(), caller=ME, idempotency_key="k").job.id == job.id
    assert sum(new.ledger.counts().values()) == 1


def test_a_repeat_of_a_job_that_has_ended_is_no_new_job(repeatable: World, monkeypatch):
    world = repeatable
    with monkeypatch.context() as patched:
        patched.setattr(type(world.ledger), "add", lambda *_: (_ for _ in ()).throw(UnavailableError("away")))
        with pytest.raises(UnavailableError):
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


class TestMerging:
    def test_what_is_missing_is_added_and_what_is_there_stays(self, world: World):
        known = ended(world)
        ledger = MemoryLedger(world.clock)
        rebuild(world, ledger)
        missing = ended(world)
        report = rebuild(world, ledger, merge=True)
        assert report.counts == {Finding.THERE: 1, Finding.ENDED: 1}
        assert [content(ledger.get(job.id)) for job in (known, missing)] == [content(known), content(missing)]
        assert rebuild(world, ledger, merge=True).counts == {Finding.THERE: 2}

    def test_a_current_ledger_is_not_changed(self, world: World):
        jobs = [lose_the_answer(world), world.submit()]
        process = world.process()
        process.run(Duty.PREPARE)
        world.cloud.script.away = True
        process.run(Duty.SUBMIT)  # notes an intent, and sends nothing
        before = [world.job(job) for job in jobs]
        assert (before[1].stage, before[1].failures_in_row) == (Stage.WAITING, 1)
        assert rebuild(world, world.ledger, merge=True).counts == {Finding.THERE: 2}
        assert [world.job(job) for job in jobs] == before

    def test_an_old_copy_learns_what_was_sent_meanwhile(self, world: World):
        """Else the jobs that it takes for new would be sent, and paid, again."""
        jobs = [world.submit() for _ in range(2)]
        old = copy_of(world)
        process = world.process()
        process.run(Duty.PREPARE)
        process.run(Duty.SUBMIT)
        receipt = layout.receipt_key(jobs[1], attempt=1)
        world.pending.delete([receipt])  # as if its sender had died
        restored = replace(world, ledger=old)
        assert rebuild(restored, old, merge=True).counts == {Finding.CAUGHT_UP: 2}
        assert [restored.job(job).stage for job in jobs] == [Stage.WAITING, Stage.SUBMITTING]
        world.cloud.finds_by_tag = True
        restored.bring_home(restored.process())
        assert {restored.job(job).status for job in jobs} == {JobStatus.COMPLETED}
        assert len(world.cloud.submissions) == 2
        validate_ledger(old)

    @pytest.mark.parametrize("until", [Duty.PREPARE, Duty.SUBMIT, Duty.POLL])
    def test_an_old_copy_learns_how_jobs_ended(self, world: World, until):
        job = world.submit()
        process = world.process()
        process.run(Duty.PREPARE)
        if until is not Duty.PREPARE:
            process.run(Duty.SUBMIT)
        if until is Duty.POLL:
            world.clock.advance(5)
            process.run(Duty.POLL)
        old = copy_of(world)
        world.bring_home(process, seconds=20)
        restored = replace(world, ledger=old)
        assert rebuild(restored, old, merge=True).counts == {Finding.CAUGHT_UP: 1}
        assert (restored.job(job).status, restored.job(job).result_sha256) == (
            JobStatus.COMPLETED,
            world.job(job).result_sha256,
        )
        assert b"".join(restored.jobs().result(job.id, caller=ME))
        restored.bring_home(restored.process(), seconds=5)
        assert len(world.cloud.submissions) == 1
        validate_ledger(old)
        validate_archive(restored.archive, old)

    @pytest.mark.parametrize("had_ended", [True, False])
    def test_an_old_copy_learns_what_was_deleted(self, world: World, had_ended):
        job = world.submit()
        old = copy_of(world)
        world.bring_home(world.process(), seconds=20)
        if had_ended:
            old = copy_of(world)
        world.jobs().delete(job.id, caller=ME)
        assert rebuild(world, old, merge=True).counts == {Finding.DELETED: 1}
        with pytest.raises(GoneError):
            old.get(job.id)

    @pytest.mark.parametrize("had_ended", [True, False])
    def test_an_old_copy_learns_of_edits(self, world: World, had_ended):
        job = ended(world) if had_ended else world.submit()
        old = copy_of(world)
        for name in ("first", "second", "third"):
            world.clock.advance(1)
            world.jobs().edit(job.id, caller=ME, name=name)
        restored = replace(world, ledger=old)
        assert rebuild(restored, old, merge=True).counts == {Finding.CAUGHT_UP: 1}
        assert restored.job(job).name == "third"
        world.clock.advance(1)
        restored.jobs().edit(job.id, caller=ME, name="fourth")
        assert without_ledger(restored)[0].job(job).name == "fourth"


class TestDamage:
    def test_a_damaged_bundle_is_told_of_and_its_job_is_not_run_again(self, repeatable: World):
        world = repeatable
        good, bad = world.submit(), world.submit()
        request = world.pending.get(bad.request_key)
        world.bring_home(world.process())
        world.pending.create(bad.request_key, request)
        key = layout.bundle_key(bad)
        content = world.completed.get(key)
        world.completed.replace(key, content.replace(b'"01"', b'"10"'))
        new, report = without_ledger(world)
        assert [error.details["key"] for error in report.damaged] == [key]
        assert report.counts == {Finding.ENDED: 1, Finding.LEFT_OVER: 1}
        assert new.job(good).status is JobStatus.COMPLETED
        with pytest.raises(NotFoundError):
            new.job(bad)
        world.completed.replace(key, content)  # from a backup
        report = rebuild(new, new.ledger, merge=True)
        assert report.damaged == []
        assert new.job(bad).status is JobStatus.COMPLETED

    def test_a_bundle_under_the_key_of_another_job_is_damaged(self, world: World):
        job = ended(world)
        content = world.completed.get(layout.bundle_key(job))
        other = layout.bundle_key(replace(job, id="0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"))
        world.completed.create(other, content)
        _, report = without_ledger(world)
        assert [error.details["key"] for error in report.damaged] == [other]
        assert report.counts == {Finding.ENDED: 1}

    def test_each_damaged_object_is_told_of_once_and_hides_no_other(self, world: World):
        jobs = [world.submit() for _ in range(3)]
        world.process().run(Duty.PREPARE)
        world.process().run(Duty.SUBMIT)
        batch = world.jobs().submit_many([order("a"), order("b")], caller=ME, atomic=True)
        edited = ended_elsewhere = jobs[2]
        world.jobs().edit(edited.id, caller=ME, name="x")
        assert isinstance(batch[0].job, Job)
        broken = {
            "request": jobs[0].request_key,
            "receipt": layout.receipt_key(jobs[1], attempt=1),
            "prepared": layout.prepared_key(ended_elsewhere, attempt=1),
            "edit": next(info.key for info in world.completed.scan() if "edit" in info.key),
        }
        for store in (world.pending, world.completed):
            for key in [info.key for info in store.scan() if info.key in broken.values()]:
                store.replace(key, store.get(key)[:-10])
        document = world.pending.get(batch[0].job.request_key)
        world.pending.replace(batch[0].job.request_key, document.replace(b'"source": "a"', b'"source": "A"'))
        new, report = without_ledger(world)
        keys = sorted(str(error.details["key"]) for error in report.damaged)
        assert keys == sorted([*broken.values(), batch[0].job.request_key])
        assert report.counts == {Finding.MAYBE_SENT: 1, Finding.AT_BACKEND: 1, Finding.HELD: 1}
        assert new.job(jobs[2]).name == ""

    def test_what_is_none_of_ours_is_no_matter(self, world: World):
        world.completed.create("notes.txt", b"hello")
        world.pending.create("qdepot-check-1", b"hello")
        _, report = without_ledger(world)
        assert report.counts == {}
        assert report.damaged == []


def copy_of(world: World) -> MemoryLedger:
    """A backup of the ledger as it is now."""
    copy = MemoryLedger(world.clock)
    copy.restore([(job, world.ledger.events(job.id)) for job in every_job(world.ledger)])
    return copy
