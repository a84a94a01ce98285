"""A ledger from an old backup is brought forward to what the archive tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.archive import layout
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.errors import GoneError
from qdepot.services.rebuild_report import Finding
from qdepot.testing.archive import validate_archive
from qdepot.testing.ledger.validate import validate_ledger
from support.rebuilding import content, copy_of, ended, lose_the_answer, rebuild, without_ledger
from support.world import ME, World


def test_what_is_missing_is_added_and_what_is_there_stays(world: World):
    known = ended(world)
    ledger = MemoryLedger(world.clock)
    rebuild(world, ledger)
    missing = ended(world)
    report = rebuild(world, ledger, merge=True)
    assert report.counts == {Finding.THERE: 1, Finding.ENDED: 1}
    assert [content(ledger.get(job.id)) for job in (known, missing)] == [content(known), content(missing)]
    assert rebuild(world, ledger, merge=True).counts == {Finding.THERE: 2}


def test_a_current_ledger_is_not_changed(world: World):
    jobs = [lose_the_answer(world), world.submit()]
    process = world.process()
    process.run(Duty.PREPARE)
    world.cloud.script.away = True
    process.run(Duty.SUBMIT)  # notes an intent, and sends nothing
    before = [world.job(job) for job in jobs]
    assert (before[1].stage, before[1].failures_in_row) == (Stage.WAITING, 1)
    assert rebuild(world, world.ledger, merge=True).counts == {Finding.THERE: 2}
    assert [world.job(job) for job in jobs] == before


def test_an_old_copy_learns_what_was_sent_meanwhile(world: World):
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
def test_an_old_copy_learns_how_jobs_ended(world: World, until):
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
def test_an_old_copy_learns_what_was_deleted(world: World, had_ended):
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
def test_an_old_copy_learns_of_edits(world: World, had_ended):
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
