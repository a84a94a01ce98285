"""The suite of ledgers is a law only if breaking it shows: one broken ledger for each rule."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from qdepot.adapters.ledgers import memory
from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.errors import QDepotError
from qdepot.ports.ledger import JobExistsError, Page
from qdepot.testing.clock import FrozenClock
from qdepot.testing.ledger import LedgerConformance, validate_ledger


class LosesAField(MemoryLedger):
    def get(self, job_id, *, project=None):
        return replace(super().get(job_id, project=project), queue_position=None)


class TellsAnotherOwnersJob(MemoryLedger):
    def find_by_idempotency_key(self, *, project, owner, key_sha256):
        found = [self._entries[job_id].job for key, job_id in self._keys.items() if key[2] == key_sha256]
        return found[0] if found else None


class TakesWhatItCan(MemoryLedger):
    def restore(self, jobs):
        for job in jobs:
            super().restore([job])


class OverwritesAnId(MemoryLedger):
    def restore(self, jobs):
        for job, _ in jobs:
            self._entries.pop(job.id, None)
        super().restore(jobs)


class ForgetsKeys(MemoryLedger):
    def restore(self, jobs):
        self._keys.clear()
        super().restore(jobs)


class DoesNotNameWhoIsInTheWay(MemoryLedger):
    def restore(self, jobs):
        try:
            super().restore(jobs)
        except JobExistsError as error:
            raise JobExistsError(error.message) from None


class PagesByOffset(MemoryLedger):
    def page(self, job_filter, *, limit, cursor=None):
        start = int(cursor or 0)
        found = super().page(job_filter, limit=10**9).jobs
        end = str(start + limit) if len(found) > start + limit else None
        return Page(jobs=found[start : start + limit], next_cursor=end)


class PagesByTimeAlone(MemoryLedger):
    def page(self, job_filter, *, limit, cursor=None):
        behind = None if cursor is None else memory.position_of(cursor).created_at
        found = [job for job in super().page(job_filter, limit=10**9).jobs if behind is None or job.created_at < behind]
        return self._cut(found, limit)

    def _cut(self, found, limit):
        if len(found) <= limit:
            return Page(jobs=tuple(found), next_cursor=None)
        last = memory.Position(created_at=found[limit - 1].created_at, job_id=found[limit - 1].id)
        return Page(jobs=tuple(found[:limit]), next_cursor=memory.cursor_of(last))


class IgnoresTheTag(MemoryLedger):
    def page(self, job_filter, **where):
        return super().page(replace(job_filter, tag=None), **where)


class ShowsEndedJobsAsCancelling(MemoryLedger):
    def page(self, job_filter, *, limit, cursor=None):
        if job_filter.cancelling is None:
            return super().page(job_filter, limit=limit, cursor=cursor)
        everything = super().page(replace(job_filter, cancelling=None), limit=10**9).jobs
        found = [job for job in everything if job.cancel_requested == job_filter.cancelling]
        return Page(jobs=tuple(found[:limit]), next_cursor=None)


class TellsOfOthersJobs(MemoryLedger):
    def get(self, job_id, *, project=None):
        return super().get(job_id)


class TellsOfOthersDeletedJobs(MemoryLedger):
    def get(self, job_id, *, project=None):
        return super().get(job_id, project=None if job_id in self._deleted else project)


class CountsEverybodysJobs(MemoryLedger):
    def count_open(self, project):
        return sum(not entry.job.is_final for entry in self._entries.values())


class CountsEndedJobsAsUnfinished(MemoryLedger):
    def unfinished_with_request(self, request_key):
        return sum(entry.job.request_key == request_key for entry in self._entries.values())


class GivesClaimedJobsAway(MemoryLedger):
    def claim(self, duty, **wish):
        for entry in self._entries.values():
            entry.holder = None
        return super().claim(duty, **wish)


class LocksOutTheHolder(MemoryLedger):
    claims = 0

    def claim(self, duty, *, holder, **wish):
        self.claims += 1
        return super().claim(duty, holder=f"{holder} {self.claims}", **wish)


class ServesTheOldestFirst(MemoryLedger):
    def claim(self, duty, *, limit, **wish):
        taken = super().claim(duty, limit=10**9, **wish)
        first = sorted(taken, key=lambda job: (job.created_at, job.id))[:limit]
        self.release(holder=wish["holder"], job_ids=[job.id for job in taken if job not in first])
        return first


class LeasesForEver(MemoryLedger):
    def claim(self, duty, *, lease_s, **wish):
        return super().claim(duty, lease_s=10**9, **wish)


class NeverWaits(MemoryLedger):
    def save(self, changes, **how):
        return super().save([replace(change, retry_in_s=0.0) for change in changes], **how)


class WaitsByTheTimeOfDay(MemoryLedger):
    def __init__(self, clock):
        super().__init__(TimeOfDay(clock))


class TimeOfDay:
    def __init__(self, clock):
        self.clock = clock

    def monotonic(self):
        return self.clock.now().timestamp()


class ClaimsNamedJobsOnlyWhenDue(MemoryLedger):
    def claim(self, duty, *, job_ids=None, **wish):
        now = self._clock.monotonic()
        if job_ids is not None:
            job_ids = [each for each in job_ids if each in self._entries and self._entries[each].due_at <= now]
        return super().claim(duty, job_ids=job_ids, **wish)


class RenewsWhatHasLapsed(MemoryLedger):
    def renew(self, job_ids, *, holder, lease_s):
        for job_id in job_ids:
            if job_id in self._entries and self._entries[job_id].holder == holder:
                self._entries[job_id].lease_until = 10**9
        return super().renew(job_ids, holder=holder, lease_s=lease_s)


class ReleasesForAnybody(MemoryLedger):
    def release(self, *, holder, job_ids=None):
        return sum(super(ReleasesForAnybody, self).release(holder=each, job_ids=job_ids) for each in ("ann", "bob"))


class ReleaseForgetsTheWait(MemoryLedger):
    def release(self, **whose):
        for entry in self._entries.values():
            entry.due_at = 0.0
        return super().release(**whose)


class LetsTheLastWriterWin(MemoryLedger):
    def save(self, changes, **how):
        current = [
            replace(change, before=self._entries[change.before.id].job)
            for change in changes
            if change.before.id in self._entries
        ]
        return super().save(current, **how)


class SavesWithoutALease(MemoryLedger):
    def save(self, changes, *, holder=None, keep_lease=False):
        return super().save(changes)


class SavesAllOrNone(MemoryLedger):
    def save(self, changes, **how):
        won = [self.get_many([c.before.id]).get(c.before.id) == c.before for c in changes]
        return super().save(changes, **how) if all(won) else [False] * len(changes)


class KeepsEveryLease(MemoryLedger):
    def save(self, changes, *, holder=None, keep_lease=False):
        return super().save(changes, holder=holder, keep_lease=True)


class EndsLeasesByEdits(MemoryLedger):
    def save(self, changes, *, holder=None, keep_lease=False):
        won = super().save(changes, holder=holder, keep_lease=keep_lease)
        if holder is None:
            for change in changes:
                self._entries[change.before.id].holder = None
        return won


class LosesEvents(MemoryLedger):
    def save(self, changes, **how):
        return super().save([replace(change, event=None) for change in changes], **how)


class NumbersEventsAnew(MemoryLedger):
    def events(self, job_id, *, after=0, limit=1000):
        return super().events(job_id, after=after, limit=limit)[::-1]


class LetsAnythingChange(MemoryLedger):
    def save(self, changes, **how):
        return [self._save_one(change, holder=None, now=0.0) for change in changes]


class LeavesNoTombstone(MemoryLedger):
    def delete(self, job, *, at):
        removed = super().delete(job, at=at)
        self._deleted.clear()
        return removed


class DeletesWhatIsNotOver(MemoryLedger):
    def delete(self, job, *, at):
        return self._entries.pop(job.id, None) is not None


class DeletesWhatChanged(MemoryLedger):
    def delete(self, job, *, at):
        return super().delete(self._entries[job.id].job, at=at)


class TellsNobody(MemoryLedger):
    def on_change(self, callback):
        pass


class TellsBeforeItIsThere(MemoryLedger):
    def restore(self, jobs):
        self._subscribers.tell()
        callbacks, self._subscribers._callbacks = self._subscribers._callbacks, []
        super().restore(jobs)
        self._subscribers._callbacks = callbacks


class FailsWithItsCallbacks(MemoryLedger):
    def on_change(self, callback):
        super().on_change(callback)
        self._subscribers.tell = lambda: [each() for each in self._subscribers._callbacks]


class WorksWhenClosed(MemoryLedger):
    def close(self):
        pass


CAUGHT = {
    LosesAField: "test_a_job_comes_back_as_it_was_added",
    TellsAnotherOwnersJob: "test_other_owners_and_projects_may_use_the_same_key",
    TakesWhatItCan: "test_a_batch_with_one_taken_id_leaves_nothing",
    OverwritesAnId: "test_an_id_is_given_once",
    ForgetsKeys: "test_an_idempotency_key_is_given_once",
    DoesNotNameWhoIsInTheWay: "test_an_id_is_given_once",
    PagesByOffset: "test_jobs_that_arrive_meanwhile_shift_nothing",
    PagesByTimeAlone: "test_a_page_tells_where_the_rest_begins",
    IgnoresTheTag: "test_edited_tags_are_what_is_found",
    ShowsEndedJobsAsCancelling: "test_a_filter_shows_what_matches_and_nothing_else",
    TellsOfOthersJobs: "test_to_another_project_a_job_is_as_one_that_never_was",
    TellsOfOthersDeletedJobs: "test_to_another_project_a_deleted_job_is_as_one_that_never_was",
    CountsEverybodysJobs: "test_open_jobs_of_a_project_are_counted",
    CountsEndedJobsAsUnfinished: "test_a_shared_request_object_is_counted_until_its_last_job_has_ended",
    GivesClaimedJobsAway: "test_a_claimed_job_is_not_given_to_another",
    LocksOutTheHolder: "test_the_holder_may_claim_its_own_jobs_again",
    ServesTheOldestFirst: "test_higher_priority_goes_first_then_the_older",
    LeasesForEver: "test_a_lapsed_lease_is_anybodys",
    NeverWaits: "test_a_job_is_due_once_its_wait_is_over",
    WaitsByTheTimeOfDay: "test_a_jump_of_the_time_of_day_changes_nothing",
    ClaimsNamedJobsOnlyWhenDue: "test_named_jobs_are_claimed_before_they_are_due",
    RenewsWhatHasLapsed: "test_only_leases_that_one_still_has_are_renewed",
    ReleasesForAnybody: "test_nobody_releases_what_another_holds",
    ReleaseForgetsTheWait: "test_a_release_leaves_the_wait",
    LetsTheLastWriterWin: "test_the_first_of_two_writers_wins",
    SavesWithoutALease: "test_a_save_after_the_lease_has_lapsed_is_refused",
    SavesAllOrNone: "test_a_change_that_loses_does_not_disturb_its_neighbours",
    KeepsEveryLease: "test_a_save_ends_the_lease",
    EndsLeasesByEdits: "test_an_owners_edit_does_not_end_the_holders_lease",
    LosesEvents: "test_events_are_numbered_in_order_and_read_in_pieces",
    NumbersEventsAnew: "test_events_are_numbered_in_order_and_read_in_pieces",
    LetsAnythingChange: "test_what_makes_a_job_this_job_never_changes",
    LeavesNoTombstone: "test_a_deleted_job_leaves_a_tombstone_and_nothing_else",
    DeletesWhatIsNotOver: "test_a_job_that_has_not_ended_is_not_deleted",
    DeletesWhatChanged: "test_a_job_that_changed_meanwhile_is_not_deleted",
    TellsNobody: "test_an_accepted_job_and_a_saved_change_are_told",
    TellsBeforeItIsThere: "test_callbacks_are_called_after_a_change_is_there_to_see",
    FailsWithItsCallbacks: "test_a_callback_that_fails_does_not_undo_a_change",
    WorksWhenClosed: "test_a_closed_ledger_says_so",
}


def cases_of(test):
    """The arguments of each case of a test of the suite."""
    for mark in getattr(test, "pytestmark", []):
        names, values = mark.args
        if isinstance(names, str):
            return [{names: value} for value in values]
        return [dict(zip(names, each, strict=True)) for each in values]
    return [{}]


def run(ledger_class, name, caplog):
    """Run all cases of one test of the suite on ledgers of this class, as pytest would."""
    test = getattr(LedgerConformance(), name)
    for case in cases_of(test):
        clock = FrozenClock()
        ledger = ledger_class(clock)
        offered = {"ledger": ledger, "fresh_ledger": ledger, "clock": clock, "caplog": caplog, **case}
        wanted = inspect.signature(test).parameters
        test(**{each: offered[each] for each in wanted})
        if "ledger" in wanted:
            validate_ledger(ledger)


@pytest.mark.parametrize("broken", CAUGHT, ids=lambda broken: broken.__name__)
def test_a_broken_ledger_fails_and_a_sound_one_passes(broken, caplog):
    run(MemoryLedger, CAUGHT[broken], caplog)
    with pytest.raises((AssertionError, pytest.fail.Exception, QDepotError, RuntimeError, ValueError, KeyError)):
        run(broken, CAUGHT[broken], caplog)
