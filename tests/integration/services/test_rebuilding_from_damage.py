"""What is damaged is told of, hides nothing else, and makes nothing run again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdepot.archive import RequestRecord, layout
from qdepot.domain.job import Duty, Job, JobStatus
from qdepot.errors import NotFoundError
from qdepot.services.rebuild_report import Finding
from support.rebuilding import ended, rebuild, without_ledger
from support.world import ME, World, order


def test_a_damaged_bundle_is_told_of_and_its_job_is_not_run_again(repeatable: World):
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


def test_a_bundle_under_the_key_of_another_job_is_damaged(world: World):
    job = ended(world)
    content = world.completed.get(layout.bundle_key(job))
    other = layout.bundle_key(replace(job, id="0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"))
    world.completed.create(other, content)
    _, report = without_ledger(world)
    assert [error.details["key"] for error in report.damaged] == [other]
    assert report.counts == {Finding.ENDED: 1}


def test_each_damaged_object_is_told_of_once_and_hides_no_other(world: World):
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


def test_a_program_that_this_version_does_not_know_is_told_of(repeatable: World, monkeypatch):
    jobs = [repeatable.submit(), repeatable.submit()]
    program = RequestRecord.program

    def of_a_later_version(self):
        if self.job_id == jobs[0].id:
            raise ValueError("'annealer' is not a valid ProgramKind")
        return program(self)

    monkeypatch.setattr(RequestRecord, "program", of_a_later_version)
    _, report = without_ledger(repeatable)
    assert report.counts == {Finding.TO_RUN: 1}
    assert "annealer" in report.damaged[0].message


def test_what_is_none_of_ours_is_no_matter(world: World):
    world.completed.create("notes.txt", b"hello")
    world.pending.create("qdepot-check-1", b"hello")
    _, report = without_ledger(world)
    assert report.counts == {}
    assert report.damaged == []
