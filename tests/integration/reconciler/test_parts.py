"""What is done of a job is kept, whatever becomes of the job or of the store."""

from __future__ import annotations

from qdepot.archive import Archive
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.domain.result import Outcome
from qdepot.testing.faulty_store import FaultyStore
from support.shop import Shop
from support.world import ME


def test_a_long_job_is_stored_in_parts_that_become_one_result(shop: Shop):
    job, process = shop.submit(*[6] * 5), shop.process()
    shop.work(process, 3)
    stored = shop.job(job)
    assert (stored.status, stored.stage) == (JobStatus.RUNNING, Stage.RUNNING)
    assert (len(shop.parts()), stored.parts, stored.circuits_done) == (3, 3, 3)
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done, final.attempt) == (JobStatus.COMPLETED, 5, 1)
    assert shop.result(job) == [0, 1, 2, 3, 4]
    assert shop.ran == dict.fromkeys(range(5), 1)
    assert list(shop.world.pending.scan()) == []
    metadata = shop.about(job)["metadata"]
    assert metadata["seed"] == 1
    assert metadata["parts"] == [{"first": first, "count": 1, "attempt": 1} for first in range(4)]


def test_results_that_come_often_are_stored_together(shop: Shop):
    job, process = shop.submit(*[2] * 8), shop.process()
    shop.work(process, 6)
    assert shop.job(job).parts == 2
    assert shop.job(job).circuits_done >= 4


def test_a_job_that_is_over_soon_has_no_parts(shop: Shop):
    stores = [FaultyStore(store) for store in (shop.world.pending, shop.world.completed)]
    shop.world.archive = Archive(pending=stores[0], completed=stores[1])
    job, process = shop.submit(*[0.1] * 20), shop.process()
    process.run(Duty.SUBMIT)
    shop.let_run(20)
    process.run(Duty.POLL, Duty.COLLECT)
    assert (shop.job(job).status, shop.job(job).parts) == (JobStatus.COMPLETED, 0)
    assert "parts" not in shop.about(job)["metadata"]
    writes = ("create", "replace", "create_many")
    assert sum(store.calls[verb] for store in stores for verb in writes) == 2
    assert sum(store.calls["scan"] for store in stores) == 0


def test_each_part_is_one_write_more(shop: Shop):
    stores = [FaultyStore(store) for store in (shop.world.pending, shop.world.completed)]
    shop.world.archive = Archive(pending=stores[0], completed=stores[1])
    job, process = shop.submit(*[6] * 4), shop.process()
    shop.work(process, 3)
    shop.let_run()
    for duty in (Duty.POLL, Duty.COLLECT, Duty.CLEAN):
        process.run(duty)
    assert (shop.job(job).status, shop.job(job).parts) == (JobStatus.COMPLETED, 3)
    writes = ("create", "replace", "create_many")
    assert sum(store.calls[verb] for store in stores for verb in writes) == 2 + 3
    assert sum(store.calls["scan"] for store in stores) == 0


def test_a_cancelled_job_keeps_what_was_done(shop: Shop):
    job, process = shop.submit(6, 1, 6, 6), shop.process()
    shop.work(process, 2)
    assert shop.job(job).circuits_done == 1
    shop.world.jobs().cancel(job.id, caller=ME)
    process.run(Duty.POLL)
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done) == (JobStatus.CANCELLED, 2)
    assert shop.result(job) == [0, 1], "also what was not worth a part yet"
    assert shop.about(job)["circuits_done"] == 2


def test_a_failed_job_keeps_what_was_done(shop: Shop):
    job, process = shop.submit(6, 6, "unfit", 1), shop.process()
    final = shop.bring_home(process, job)
    assert (final.status, final.failure.message) == (JobStatus.FAILED, "this one does not fit")
    assert (final.circuits_done, shop.result(job)) == (2, [0, 1])
    assert final.result_size_bytes is not None


def test_a_job_that_failed_at_once_has_no_result(shop: Shop):
    job, process = shop.submit("unfit", 1), shop.process()
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done, final.result_size_bytes) == (JobStatus.FAILED, 0, None)


def test_a_lost_worker_costs_only_what_it_was_doing(shop: Shop):
    job, process = shop.submit(1, "deadly", 1), shop.process()
    shop.work(process, 2)
    assert (shop.job(job).attempt, shop.job(job).parts, shop.job(job).circuits_done) == (2, 1, 1)
    shop.deadly = False
    final = shop.bring_home(process, job)
    assert (final.status, shop.result(job)) == (JobStatus.COMPLETED, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 1, 2: 1}


def test_while_the_store_is_away_the_results_wait(shop: Shop):
    store = FaultyStore(shop.world.pending)
    shop.world.archive = Archive(pending=store, completed=shop.world.completed)
    job, process = shop.submit(6, 6, 6), shop.process()
    process.run(Duty.SUBMIT)
    store.go_down()
    shop.work(process, 2)
    assert (shop.job(job).status, shop.job(job).parts) == (JobStatus.RUNNING, 0)
    store.come_back()
    shop.world.clock.advance(5)
    process.run(Duty.POLL)
    final = shop.bring_home(process, job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 1, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 1, 2: 1}
    assert shop.about(job)["metadata"]["parts"] == [{"first": 0, "count": 2, "attempt": 1}]


def test_an_edit_in_between_costs_no_part(shop: Shop, monkeypatch):
    job, process = shop.submit(6, 6, 6), shop.process()
    put_part = Archive.put_part

    def edit_meanwhile(self, job, *args, **kwargs):
        monkeypatch.undo()
        stored = put_part(self, job, *args, **kwargs)
        shop.world.jobs().edit(job.id, caller=ME, name="renamed")
        return stored

    monkeypatch.setattr(Archive, "put_part", edit_meanwhile)
    shop.work(process, 2)
    final = shop.bring_home(process, job)
    assert (final.name, final.status, final.attempt) == ("renamed", JobStatus.COMPLETED, 1)
    assert (shop.result(job), shop.ran) == ([0, 1, 2], {0: 1, 1: 1, 2: 1})


def test_a_run_that_does_not_fit_to_what_is_stored_is_given_up(shop: Shop):
    job, process = shop.submit(1, 1, 1, 6, 6), shop.process()
    process.run(Duty.SUBMIT)
    of_another = Outcome(document=b'{"results": [{"circuit": 0, "shots": 4}, {"circuit": 1, "shots": 4}]}')
    shop.world.archive.put_part(shop.job(job), [of_another], count=2)
    shop.work(process, 4)
    final = shop.bring_home(process, job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 2, [0, 1, 2, 3, 4])
    assert process.desk.backends.providers["aer"].live_jobs() == []


def test_a_damaged_part_is_run_again(shop: Shop):
    job, process = shop.submit(6, 6, 6), shop.process()
    shop.work(process, 2)
    shop.world.pending.replace(shop.parts()[1], b"rubbish")
    final = shop.bring_home(process, job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 2, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 2, 2: 2}


def test_of_a_cancelled_job_the_parts_before_a_damaged_one_are_kept(shop: Shop):
    job, process = shop.submit(6, 6, 6, 6), shop.process()
    shop.work(process, 3)
    shop.world.pending.replace(shop.parts()[1], b"rubbish")
    shop.world.jobs().cancel(job.id, caller=ME)
    process.run(Duty.POLL)
    final = shop.bring_home(process, job)
    assert (final.status, final.circuits_done, shop.result(job)) == (JobStatus.CANCELLED, 1, [0])
