"""Archive and ledger are compared, and every byte with its checksum."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.adapters.object_stores.local import LocalStore
from qdepot.archive import layout
from qdepot.archive.archive import Archive
from qdepot.archive.places import Kind
from qdepot.archive.recovery import read_requests
from qdepot.domain.caller import Caller
from qdepot.domain.job import Duty, Job, JobStatus
from qdepot.errors import UnavailableError
from qdepot.ports.ledger import Page
from qdepot.ports.object_store import check_key
from qdepot.services.orphans import Orphans
from qdepot.services.verify_report import Flaw, VerifyReport
from qdepot.services.verifying import Verification
from qdepot.testing.jobs import accepted, make_job
from support.rebuilding import ledger_away
from support.world import ME, World, order


def verify(world: World, **options) -> VerifyReport:
    return Verification(ledger=world.ledger, archive=world.archive).run(at=world.clock.now(), **options)


def flaws(report: VerifyReport) -> list[tuple[Flaw, str]]:
    return sorted((it.flaw, it.key) for it in report.flaws)


@pytest.fixture
def busy(world: World) -> World:
    """Jobs in every state, all of them sound."""
    done, edited, deleted = (world.submit() for _ in range(3))
    world.bring_home(world.process(), seconds=20)
    world.jobs().edit(edited.id, caller=ME, name="x")
    world.jobs().delete(deleted.id, caller=ME)
    assert world.job(done).status is JobStatus.COMPLETED
    world.jobs().submit_many([order("a"), order("b")], caller=ME, atomic=True)
    sent = world.process()
    sent.run(Duty.PREPARE)
    sent.run(Duty.SUBMIT)
    world.submit()
    return world


def test_what_is_sound_is_found_so(busy: World):
    report = verify(busy)
    assert (report.flaws, report.rows, report.is_sound) == ([], 5, True)
    assert report.objects == {
        **{Kind.BUNDLE: 2, Kind.EDIT: 1, Kind.TOMBSTONE: 1},
        **{Kind.BATCH: 1, Kind.PREPARED: 2, Kind.RECEIPT: 2, Kind.REQUEST: 1},
    }


def objects(world: World) -> list[tuple[str, str]]:
    stores = {"pending": world.pending, "completed": world.completed}
    return [(area, info.key) for area, store in stores.items() for info in store.scan()]


def test_each_object_is_missed_or_found_damaged(busy: World):
    """Whatever is changed by one byte, or cut, or gone, is told of by its key."""
    stores = {"pending": busy.pending, "completed": busy.completed}
    for area, key in objects(busy):
        store = stores[area]
        content = store.get(key)
        for damage in (content[:-3], b"", content[:40] + b"\x00" + content[41:]):
            store.replace(key, damage)
            report = verify(busy)
            assert (Flaw.DAMAGED, key) in flaws(report), f"{key}: {damage!r:.60}"
            assert not report.is_sound
        store.delete([key])
        if key.endswith((".zip", ".request.json", ".batch.json")):
            assert (Flaw.DAMAGED, key) in flaws(verify(busy)), key
        store.create(key, content)
    assert verify(busy).is_sound


def test_a_bundle_that_is_sound_but_another_one_is_damaged(world: World):
    first, second = world.submit(), world.submit()
    world.bring_home(world.process(), seconds=20)
    content = world.completed.get(layout.bundle_key(first))
    world.completed.replace(layout.bundle_key(second), content)
    assert flaws(verify(world)) == [(Flaw.DAMAGED, layout.bundle_key(second))]


@pytest.fixture
def orphaned(world: World) -> World:
    """A request and a batch whose acceptances were interrupted."""
    with ledger_away(world):
        with pytest.raises(UnavailableError):
            world.submit()
        with pytest.raises(UnavailableError):
            world.jobs().submit_many([order("a"), order("b")], caller=ME, atomic=True)
    return world


def test_an_acceptance_that_nobody_was_told_of_is_an_orphan(orphaned: World):
    report = verify(orphaned, remove_left_over=True)
    assert [flaw for flaw, _ in flaws(report)] == [Flaw.ORPHAN] * 2
    assert report.is_sound
    assert len(objects(orphaned)) == 2, "it might have been a job after all"


WEEK = timedelta(days=7)


def test_old_orphans_can_be_removed(orphaned: World):
    orphaned.clock.advance(WEEK.total_seconds())
    kept = orphaned.submit()
    assert verify(orphaned, remove_orphans_older_than=WEEK).removed == 0, "they are not older than that"
    orphaned.clock.advance(1)
    assert verify(orphaned, remove_orphans_older_than=WEEK).removed == 2
    assert [key for _, key in objects(orphaned)] == [kept.request_key]
    assert verify(orphaned).flaws == []


def test_orphans_stay_while_the_ledger_may_have_lost_their_jobs(orphaned: World):
    ended(orphaned)
    orphaned.ledger = MemoryLedger(orphaned.clock)
    orphaned.clock.advance(2 * WEEK.total_seconds())
    report = verify(orphaned, remove_orphans_older_than=WEEK)
    assert (report.is_sound, report.removed) == (False, 0)
    assert [flaw for flaw, _ in flaws(report)].count(Flaw.ORPHAN) == 2


def test_an_orphan_that_is_adopted_while_it_is_removed_is_put_back(orphaned: World, monkeypatch):
    """Its caller repeats the submit under the id of its own at last."""
    [key] = [key for _, key in objects(orphaned) if key.endswith(".request.json")]
    content = orphaned.pending.get(key)
    [asked] = read_requests(orphaned.pending, key)
    delete = type(orphaned.pending).delete

    def adopt_then_delete(store, keys):
        orphaned.ledger.add([accepted(make_job(id=asked.record.job_id, request_key=key))])
        delete(store, keys)

    monkeypatch.setattr(type(orphaned.pending), "delete", adopt_then_delete)
    orphaned.clock.advance(1)
    orphans = Orphans(ledger=orphaned.ledger, store=orphaned.pending)
    assert not orphans.removed(key, before=orphaned.clock.now())
    assert orphaned.pending.get(key) == content


def test_a_batch_that_became_some_jobs_stays_until_they_have_ended(world: World):
    jobs = [it.job for it in world.jobs().submit_many([order("a"), order("b")], caller=ME, atomic=True)]
    lost = jobs[1]
    del world.ledger._entries[lost.id]
    world.clock.advance(2 * WEEK.total_seconds())
    report = verify(world, remove_orphans_older_than=WEEK)
    assert (report.removed, flaws(report)) == (0, [(Flaw.ORPHAN, jobs[0].request_key)])
    world.bring_home(world.process(), seconds=20)
    assert world.job(jobs[0]).pending_removed


def test_what_a_check_of_the_store_left_behind_can_be_removed(world: World):
    world.completed.create(check_key(world.clock.now(), nonce="ab"), b"x")
    assert verify(world).flaws == [], "somebody may be at it"
    world.clock.advance(2 * 3600)
    assert [flaw for flaw, _ in flaws(verify(world))] == [Flaw.LEFT_OVER]
    assert verify(world, remove_left_over=True).removed == 1
    assert objects(world) == []


def test_jobs_that_the_ledger_lost_are_unlisted(busy: World):
    busy.ledger = MemoryLedger(busy.clock)
    report = verify(busy)
    kinds = sorted((flaw, key.partition(".")[2].partition("-")[0]) for flaw, key in flaws(report))
    assert kinds == sorted(
        [
            *[(Flaw.UNLISTED, it) for it in ("zip", "zip", "edit", "prepared", "prepared", "receipt", "receipt")],
            *[(Flaw.ORPHAN, it) for it in ("batch.json", "request.json")],
        ]
    )
    assert not report.is_sound
    assert all("qdepot ledger rebuild" in it.message for it in report.flaws if it.flaw is Flaw.UNLISTED)


def ended(world: World) -> Job:
    job = world.submit()
    world.bring_home(world.process(), seconds=20)
    assert world.job(job).pending_removed
    return world.job(job)


def test_what_nobody_needs_is_told_of_and_can_be_removed(world: World):
    done, gone = ended(world), ended(world)
    bundle = world.completed.get(layout.bundle_key(gone))
    world.jobs().delete(gone.id, caller=ME)
    world.completed.create(layout.bundle_key(gone), bundle)
    for job in (done, gone):
        world.archive.put_prepared(replace(job, status=JobStatus.CREATED), tag="t")
    report = verify(world)
    left = [layout.bundle_key(gone), layout.prepared_key(done), layout.prepared_key(gone)]
    assert flaws(report) == sorted((Flaw.LEFT_OVER, key) for key in left)
    assert report.is_sound
    assert verify(world, remove_left_over=True).removed == 3
    assert verify(world).flaws == []
    assert world.archive.verify(done) is None


def test_a_batch_stays_as_long_as_one_of_its_jobs_needs_it(world: World):
    jobs = [it.job for it in world.jobs().submit_many([order("a"), order("b")], caller=ME, atomic=True)]
    batch = world.pending.get(jobs[0].request_key)
    world.jobs().cancel(jobs[0].id, caller=ME)
    process = world.process()
    world.bring_home(process, seconds=1)
    assert world.job(jobs[0]).pending_removed
    assert verify(world).flaws == []
    world.bring_home(process, seconds=20)
    assert world.job(jobs[1]).pending_removed
    world.pending.create(jobs[0].request_key, batch)
    assert flaws(verify(world)) == [(Flaw.LEFT_OVER, jobs[0].request_key)]


def test_a_deletion_that_was_interrupted_is_told_of(world: World):
    job = ended(world)
    world.archive.put_tombstone(job, at=world.clock.now())
    report = verify(world)
    assert flaws(report) == [(Flaw.HALF_DELETED, layout.tombstone_key(job))]
    assert not report.is_sound
    world.jobs().delete(job.id, caller=ME)
    assert verify(world).flaws == []


def test_one_project_is_looked_at_alone(world: World):
    other = Caller(project="chemistry")
    job = world.jobs().submit(order(), caller=other).job
    world.submit()
    world.pending.replace(job.request_key, b"")
    assert flaws(verify(world, project="chemistry")) == [(Flaw.DAMAGED, job.request_key)]
    report = verify(world, project="default")
    assert (report.flaws, report.rows) == ([], 1)
    assert verify(world, project="chem").rows == 0


def test_what_is_none_of_ours_is_told_of(world: World):
    world.completed.create("notes.txt", b"hello")
    report = verify(world)
    assert flaws(report) == [(Flaw.FOREIGN, "notes.txt")]
    assert report.is_sound


def test_drafts_are_counted(world: World, tmp_path):
    store = LocalStore(tmp_path)
    store.create("a/b", b"x")
    world.archive = Archive(pending=world.pending, completed=store)
    assert verify(world).drafts == 0
    (tmp_path / "~drafts" / "1-ab").write_bytes(b"half")
    assert verify(world).drafts == 1
    assert list(store.drafts()) == [4]


class TestBesideAService:
    """What is under way is not taken for a flaw."""

    def test_a_job_that_moves_on_while_it_is_looked_at(self, world: World, monkeypatch):
        job = world.submit()
        look = type(world.archive).verify
        process = world.process()

        def move_then_look(self, row):
            monkeypatch.undo()
            world.bring_home(process, seconds=20)
            look(self, row)

        monkeypatch.setattr(type(world.archive), "verify", move_then_look)
        assert verify(world).flaws == []
        assert world.job(job).is_final

    def test_a_job_that_is_accepted_after_its_request_was_seen(self, world: World, monkeypatch):
        world.submit()
        rows = type(world.ledger).get_many
        asked = []

        def not_yet(self, job_ids):
            asked.append(job_ids)
            return {} if len(asked) == 1 else rows(self, job_ids)

        monkeypatch.setattr(type(world.ledger), "page", lambda *_, **__: Page(jobs=(), next_cursor=None))
        monkeypatch.setattr(type(world.ledger), "get_many", not_yet)
        assert verify(world).flaws == []
        assert len(asked) == 2

    def test_objects_that_go_while_they_are_looked_at(self, world: World, monkeypatch):
        job = world.submit()
        process = world.process()
        process.run(Duty.PREPARE)
        process.run(Duty.SUBMIT)
        rows = type(world.ledger).get_many

        def finish_then_tell(self, job_ids):
            monkeypatch.undo()
            world.bring_home(process, seconds=20)
            return rows(self, job_ids)

        monkeypatch.setattr(type(world.ledger), "get_many", finish_then_tell)
        assert verify(world).flaws == []
        assert world.job(job).pending_removed
