"""What is done of a job is kept, whatever becomes of the process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdepot.adapters.providers.aer import AerProvider
from qdepot.archive import Archive
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.ports.provider import ProviderReport, ProviderStatus
from support.rebuilding import content, without_ledger
from support.shop import Shop


class Killed(BaseException):
    """The process dies on this line."""


def die_at(monkeypatch, where: type, verb: str, condition, *, after: bool = False) -> None:
    """Let the next call for which the condition holds be the last of its process."""
    call = getattr(where, verb)

    def deadly(self, *args, **kwargs):
        if not condition(*args):
            return call(self, *args, **kwargs)
        monkeypatch.undo()
        if after:
            call(self, *args, **kwargs)
        raise Killed

    monkeypatch.setattr(where, verb, deadly)


def has_parts(changes) -> bool:
    return any(change.after.parts != change.before.parts for change in changes)


def test_a_killed_process_costs_only_what_was_not_stored(shop: Shop):
    job = shop.submit(*[6] * 3, 1, *[6] * 3)
    process = shop.process()
    shop.work(process, 3)
    shop.let_run()
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, final.attempt, final.circuits_done) == (JobStatus.COMPLETED, 2, 7)
    assert shop.result(job) == list(range(7))
    assert [shop.ran[circuit] for circuit in range(7)] == [1, 1, 1, 2, 1, 1, 1]
    attempts = [(part["first"], part["attempt"]) for part in shop.about(job)["metadata"]["parts"]]
    assert attempts[:4] == [(0, 1), (1, 1), (2, 1), (3, 2)]


@pytest.mark.parametrize("after", [False, True], ids=["not stored", "stored"])
def test_a_process_killed_at_a_part_leaves_it_whole_or_not_at_all(shop: Shop, monkeypatch, after):
    job = shop.submit(6, 6)
    process = shop.process()
    die_at(monkeypatch, Archive, "put_part", lambda *_: True, after=after)
    with pytest.raises(Killed):
        shop.work(process)
    assert (len(shop.parts()), shop.job(job).circuits_done) == (int(after), 0)
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, shop.result(job)) == (JobStatus.COMPLETED, [0, 1])
    assert shop.ran[0] == (1 if after else 2), "what is stored is used, also where the row did not say so"


@pytest.mark.parametrize("after", [False, True], ids=["not committed", "committed"])
def test_a_process_killed_at_the_commit_of_a_part_leaves_it(shop: Shop, monkeypatch, after):
    job = shop.submit(6, 6)
    process = shop.process()
    die_at(monkeypatch, type(shop.world.ledger), "save", has_parts, after=after)
    with pytest.raises(Killed):
        shop.work(process)
    assert (len(shop.parts()), shop.job(job).circuits_done) == (1, int(after))
    shop.kill()
    shop.bring_home(shop.process(), job)
    assert (shop.result(job), shop.ran[0]) == ([0, 1], 1)


@pytest.mark.parametrize("after", [False, True], ids=["no bundle", "bundle"])
def test_a_process_killed_at_the_bundle_leaves_the_parts(shop: Shop, monkeypatch, after):
    job = shop.submit(6, 6, 1)
    process = shop.process()
    shop.work(process, 2)
    shop.let_run()
    process.run(Duty.POLL)
    die_at(monkeypatch, Archive, "complete_many", lambda *_: True, after=after)
    with pytest.raises(Killed):
        process.run(Duty.COLLECT)
    assert (shop.job(job).stage, shop.job(job).circuits_done) == (Stage.RUNNING, 2)
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, final.circuits_done, shop.result(job)) == (JobStatus.COMPLETED, 3, [0, 1, 2])
    assert shop.ran == {0: 1, 1: 1, 2: 2}
    # The row tells of the run whose result is stored, so that a rebuilt ledger says the same.
    rebuilt, _ = without_ledger(shop.world)
    assert content(rebuilt.job(job)) == content(final)
    assert final.attempt == (1 if after else 2)


def test_where_all_circuits_are_stored_none_is_run_again(shop: Shop, monkeypatch):
    job, process = shop.submit(6, 6), shop.process()
    shop.work(process)
    monkeypatch.setattr(AerProvider, "part", AerProvider.rest)
    monkeypatch.setattr(AerProvider, "status", lambda *_: replace(report, status=ProviderStatus.RUNNING))
    report = ProviderReport(status=ProviderStatus.RUNNING, vendor_status="late to notice that it is done")
    shop.work(process)
    assert (shop.job(job).circuits_done, shop.job(job).status) == (2, JobStatus.RUNNING)
    monkeypatch.undo()
    shop.kill()
    final = shop.bring_home(shop.process(), job)
    assert (final.status, final.attempt, shop.result(job)) == (JobStatus.COMPLETED, 2, [0, 1])
    assert shop.ran == {0: 1, 1: 1}


def test_a_part_that_comes_after_the_end_is_removed(shop: Shop, monkeypatch):
    job = shop.submit(6, 1)
    sleeper = shop.process()
    put_part = Archive.put_part

    def sleep_through_everything(self, job, *args, **kwargs):
        monkeypatch.undo()
        shop.kill()
        shop.bring_home(shop.process(), job)
        return put_part(self, job, *args, **kwargs)

    monkeypatch.setattr(Archive, "put_part", sleep_through_everything)
    shop.work(sleeper)
    assert shop.job(job).status is JobStatus.COMPLETED
    assert list(shop.world.pending.scan()) == []
