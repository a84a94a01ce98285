"""Jobs change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qdepot.domain.job import Duty, Job, JobChange, JobStatus, Stage
from qdepot.errors import InvalidTransitionError
from qdepot.ports.ledger import JobFilter, Ledger
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, ended, job_id_of, make_job, queued, relabelled
from qdepot.testing.ledger.accepting import FULL_JOB
from qdepot.testing.ledger.fixtures import LEASE_S, LedgerFixtures, add

ANN, BOB = "ann", "bob"


def _claimed(ledger: Ledger, job: Job, *, holder: str = ANN) -> Job:
    """The job, in the hands of the holder."""
    assert job.next_duty is not None
    (taken,) = ledger.claim(job.next_duty, holder=holder, lease_s=LEASE_S, limit=1, job_ids=[job.id])
    return taken


def _noted(job: Job, note: str) -> JobChange:
    """A change of something small, with a line in the history."""
    return job.edited(at=MADE_AT, by="test", why=note, vendor_status=note)


class Saving(LedgerFixtures):
    """``save`` and ``events``."""

    def test_a_saved_job_comes_back_as_it_was_saved(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        identity = {
            name: getattr(job, name)
            for name in ("id", "project", "owner", "backend", "kind", "created_at", "idempotency_key_sha256")
        }
        identity |= {name: getattr(job, name) for name in ("request_sha256", "request_key", "request_index")}
        after = replace(FULL_JOB, **identity, num_circuits=job.num_circuits, version=1)
        sent = queued(job)
        assert sent.event is not None
        event = replace(sent.event, to_status=after.status.value, stage=after.stage.value, from_status="QUEUED")
        assert ledger.save([sent, JobChange(before=sent.after, after=replace(after, version=2), event=event)]) == [
            True,
            True,
        ]
        assert ledger.get(job.id) == replace(after, version=2)

    def test_the_first_of_two_writers_wins(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        assert ledger.save([_noted(job, "first")]) == [True]
        assert ledger.save([_noted(job, "second")]) == [False]
        assert ledger.get(job.id).vendor_status == "first"
        assert [event.why for event in ledger.events(job.id)] == ["accepted", "first"]

    def test_a_change_that_loses_does_not_disturb_its_neighbours(self, ledger: Ledger) -> None:
        jobs = [make_job(number) for number in range(1, 4)]
        add(ledger, *jobs)
        ledger.save([_noted(jobs[1], "quicker")])
        assert ledger.save([_noted(job, "mine") for job in [*jobs, make_job(99)]]) == [True, False, True, False]
        assert [ledger.get(job.id).vendor_status for job in jobs] == ["mine", "quicker", "mine"]

    def test_a_chain_of_changes_is_saved_at_once(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        chain = [queued(job)]
        chain.append(_noted(chain[0].after, "seen"))
        chain.append(ended(chain[1].after))
        assert ledger.save(chain, holder=ANN) == [True, True, True]
        assert ledger.get(job.id) == chain[2].after
        assert [event.to_status for event in ledger.events(job.id)] == ["CREATED", "QUEUED", "QUEUED", "COMPLETED"]
        assert ledger.release(holder=ANN) == 0

    def test_a_chain_is_not_taken_up_behind_a_step_that_lost(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        step = queued(job)
        ledger.save([job.edited(cancel_requested=True)])
        assert ledger.save([step, ended(step.after)], holder=ANN) == [False, False]
        assert (ledger.get(job.id).cancel_requested, ledger.get(job.id).status) == (True, job.status)

    def test_an_edit_of_name_and_tags_makes_no_other_change_lose_and_is_kept(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        seen = _claimed(ledger, job)
        assert ledger.save([relabelled(job, name="new", tags=("mine",))]) == [True]
        sent = queued(seen)
        assert ledger.save([sent], holder=ANN, keep_lease=True) == [True]
        assert ledger.save([relabelled(ledger.get(job.id), name="newer")]) == [True]
        assert ledger.save([ended(sent.after)], holder=ANN) == [True]
        stored = ledger.get(job.id)
        assert (stored.status, stored.name, stored.tags) == (JobStatus.COMPLETED, "newer", ("mine",))
        assert [it.id for it in ledger.page(JobFilter(tag="mine", name="newer"), limit=2).jobs] == [job.id]
        assert [event.by for event in ledger.events(job.id)] == ["jobs", "owner", "submitter", "owner", "collector"]

    def test_of_two_edits_of_one_look_the_first_wins(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        assert ledger.save([relabelled(job, name="first")]) == [True]
        assert ledger.save([relabelled(job, tags=("second",))]) == [False]
        assert ledger.save([relabelled(ledger.get(job.id), tags=("second",))]) == [True]
        assert (ledger.get(job.id).name, ledger.get(job.id).tags) == ("first", ("second",))

    def test_an_edit_of_a_job_that_has_moved_on_loses_so_that_the_history_stays_a_chain(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job)])
        assert ledger.save([relabelled(job, name="late")]) == [False]
        assert ledger.save([relabelled(ledger.get(job.id), name="late")]) == [True]

    def test_the_numbers_of_edits_grow_whatever_happens_in_between(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        numbers = []
        for change in (queued, ended):
            assert ledger.save([relabelled(ledger.get(job.id), name=f"before {change.__name__}")]) == [True]
            numbers.append(ledger.get(job.id).edits)
            assert ledger.save([change(ledger.get(job.id))]) == [True]
        assert ledger.save([relabelled(ledger.get(job.id), name="at the end")]) == [True]
        numbers.append(ledger.get(job.id).edits)
        assert numbers == sorted(set(numbers))
        assert numbers[-1] > ledger.get(job.id).version

    def test_a_cancel_request_is_seen_by_every_change_after_it(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        seen = _claimed(ledger, job)
        assert ledger.save([relabelled(job, name="new")]) == [True]
        assert ledger.save([ledger.get(job.id).edited(cancel_requested=True)]) == [True]
        assert ledger.save([queued(seen)], holder=ANN) == [False]
        assert ledger.save([queued(_claimed(ledger, job))], holder=ANN) == [True]
        assert (ledger.get(job.id).cancel_requested, ledger.get(job.id).name) == (True, "new")

    def test_an_edit_leaves_the_time_at_which_a_job_is_due_as_it_is(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        ledger.save([queued(job, retry_in_s=60)])
        ledger.save([relabelled(ledger.get(job.id), name="new")])
        assert ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1) == []
        clock.advance(60)
        assert len(ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1)) == 1

    def test_of_two_changes_from_one_version_the_first_wins(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        assert ledger.save([_noted(job, "first"), _noted(job, "second")]) == [True, False]
        assert ledger.get(job.id).vendor_status == "first"

    def test_saving_nothing_is_fine(self, ledger: Ledger) -> None:
        assert ledger.save([]) == []
        assert ledger.save([], holder=ANN) == []

    def test_a_change_without_an_event_leaves_no_line(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        assert ledger.save([job.edited(queue_position=3)]) == [True]
        assert len(ledger.events(job.id)) == 1

    def test_events_are_numbered_in_order_and_read_in_pieces(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job, make_job(2))
        for note in ("a", "b", "c"):
            change = _noted(ledger.get(job.id), note)
            assert ledger.save([change]) == [True]
        events = ledger.events(job.id)
        assert [event.why for event in events] == ["accepted", "a", "b", "c"]
        assert [event.number for event in events] == sorted({event.number for event in events})
        assert ledger.events(job.id, after=events[1].number) == events[2:]
        assert ledger.events(job.id, after=events[0].number, limit=2) == events[1:3]
        assert ledger.events(job.id, after=events[-1].number) == []
        assert ledger.events(job_id_of(99)) == []
        assert ledger.histories([job_id_of(99), job.id]) == {job.id: events, job_id_of(99): []}
        assert ledger.histories([]) == {}

    def test_a_holder_saves_what_it_holds(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        assert ledger.save([queued(_claimed(ledger, job))], holder=ANN) == [True]

    def test_who_never_had_a_lease_saves_nothing(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        assert ledger.save([queued(job)], holder=ANN) == [False]
        _claimed(ledger, job, holder=BOB)
        assert ledger.save([queued(job)], holder=ANN) == [False]
        assert ledger.get(job.id) == job

    def test_a_save_after_the_lease_has_lapsed_is_refused(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        clock.advance(LEASE_S)
        assert ledger.save([queued(job)], holder=ANN) == [False]
        assert ledger.get(job.id) == job

    def test_a_save_after_another_took_over_is_refused(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        clock.advance(LEASE_S)
        _claimed(ledger, job, holder=BOB)
        assert ledger.save([queued(job)], holder=ANN) == [False]
        assert ledger.save([queued(job)], holder=BOB) == [True]

    def test_a_save_ends_the_lease(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        after = queued(_claimed(ledger, job)).after
        ledger.save([queued(job)], holder=ANN)
        assert ledger.renew([job.id], holder=ANN, lease_s=LEASE_S) == set()
        assert _claimed(ledger, after, holder=BOB) == after

    def test_a_save_may_keep_the_lease(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        after = queued(_claimed(ledger, job)).after
        ledger.save([queued(job)], holder=ANN, keep_lease=True)
        assert ledger.claim(Duty.POLL, holder=BOB, lease_s=LEASE_S, limit=1) == []
        assert ledger.save([_noted(after, "again")], holder=ANN) == [True]
        clock.advance(LEASE_S)
        assert len(ledger.claim(Duty.POLL, holder=BOB, lease_s=LEASE_S, limit=1)) == 1

    def test_a_kept_lease_still_lapses_when_it_would_have(self, ledger: Ledger, clock: FrozenClock) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        clock.advance(LEASE_S - 1)
        ledger.save([queued(job)], holder=ANN, keep_lease=True)
        clock.advance(1)
        assert len(ledger.claim(Duty.POLL, holder=BOB, lease_s=LEASE_S, limit=1)) == 1

    def test_a_change_that_loses_keeps_its_lease(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        ledger.save([job.edited(cancel_requested=True)])
        assert ledger.save([queued(job)], holder=ANN) == [False]
        assert ledger.save([queued(ledger.get(job.id))], holder=ANN) == [True]

    def test_an_owners_edit_goes_through_whoever_holds_the_job(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        assert ledger.save([job.edited(cancel_requested=True)]) == [True]
        assert ledger.get(job.id).shown_status == "CANCELLING"

    def test_an_owners_edit_does_not_end_the_holders_lease(self, ledger: Ledger) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        ledger.save([relabelled(job, name="new")])
        assert ledger.claim(Duty.PREPARE, holder=BOB, lease_s=LEASE_S, limit=1) == []
        assert ledger.renew([job.id], holder=ANN, lease_s=LEASE_S) == {job.id}

    def test_a_save_may_make_a_held_job_due(self, ledger: Ledger) -> None:
        job = make_job(1)
        held = job.moved_to(JobStatus.CREATED, Stage.HELD, at=MADE_AT, by="test", retry_in_s=60)
        add(ledger, job)
        ledger.save([held])
        assert ledger.claim(Duty.COLLECT, holder=ANN, lease_s=LEASE_S, limit=1) == []
        ledger.save([held.after.edited(cancel_requested=True)])
        assert len(ledger.claim(Duty.COLLECT, holder=ANN, lease_s=LEASE_S, limit=1)) == 1

    @pytest.mark.parametrize("keep_lease", [True, False])
    def test_a_wait_counts_from_the_save(self, ledger: Ledger, clock: FrozenClock, *, keep_lease: bool) -> None:
        job = make_job(1)
        add(ledger, job)
        _claimed(ledger, job)
        clock.advance(10)
        ledger.save([queued(job, retry_in_s=20)], holder=ANN, keep_lease=keep_lease)
        clock.advance(19)
        assert ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1) == []
        clock.advance(1)
        assert len(ledger.claim(Duty.POLL, holder=ANN, lease_s=LEASE_S, limit=1)) == 1

    @pytest.mark.parametrize("field", ["id", "project", "owner", "backend", "idempotency_key_sha256"])
    def test_what_makes_a_job_this_job_never_changes(self, ledger: Ledger, field: str) -> None:
        job = make_job(1)
        add(ledger, job)
        another: dict[str, Any] = {field: "another"}
        with pytest.raises(InvalidTransitionError, match=field):
            ledger.save([_noted(job, "mine"), job.edited(**another)])
        assert ledger.get(job.id) == job

    def test_a_big_batch_is_saved(self, ledger: Ledger) -> None:
        jobs = [make_job(number) for number in range(1, 1201)]
        add(ledger, *jobs)
        assert ledger.save([queued(job) for job in jobs]) == [True] * len(jobs)
        assert ledger.counts()[JobStatus.QUEUED] == len(jobs)
