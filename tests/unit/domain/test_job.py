import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.domain.job import CANCELLING, TRANSITIONS, Duty, JobStatus, Stage, canonical_job_id
from qdepot.errors import InternalError, InvalidTransitionError
from qdepot.testing.jobs import make_final_job, make_job, queued

NOW = datetime(2030, 6, 1, tzinfo=UTC)
C, Q, R = JobStatus.CREATED, JobStatus.QUEUED, JobStatus.RUNNING
DONE, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED
ALLOWED = {
    *[(C, Q), (C, FAILED), (C, CANCELLED)],
    *[(Q, C), (Q, R), (Q, DONE), (Q, FAILED), (Q, CANCELLED)],
    *[(R, C), (R, DONE), (R, FAILED), (R, CANCELLED)],
}
EVERY_PAIR = [(before, after) for before in JobStatus for after in JobStatus]


def job_at(status, **fields):
    if status.is_final:
        return make_final_job(status=status, **fields)
    times = {"queued_at": NOW, "running_at": NOW} if status is not C else {}
    return make_job(**{"status": status, **times, **fields})


def move(job, status, stage=Stage.WAITING, **fields):
    return job.moved_to(status, stage, at=NOW, by="test", **fields)


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
def test_only_the_moves_of_the_table_are_allowed(before, after):
    job = job_at(before)
    is_stay = before is after and before not in {DONE, FAILED, CANCELLED}
    if (before, after) in ALLOWED or is_stay:
        assert move(job, after).after.status is after
    else:
        with pytest.raises(InvalidTransitionError):
            move(job, after)


def test_the_table_knows_every_status():
    assert set(TRANSITIONS) == set(JobStatus)


def test_three_statuses_are_final():
    assert {status for status in JobStatus if status.is_final} == {DONE, FAILED, CANCELLED}


def test_every_status_can_be_reached_and_left_for_the_end():
    reached = {C}
    while (more := {after for before in reached for after in TRANSITIONS[before]} | reached) != reached:
        reached = more
    assert reached == set(JobStatus)
    assert all(TRANSITIONS[status] & {FAILED} for status in JobStatus if not status.is_final)


def test_a_refused_move_tells_the_story():
    job = make_final_job(attempt=3, version=7)
    with pytest.raises(InvalidTransitionError) as caught:
        move(job, R, why="the vendor said so")
    for part in (job.id, "COMPLETED", "RUNNING", "attempt 3", "version 7", "test", "the vendor said so"):
        assert part in caught.value.message
    assert isinstance(caught.value, InternalError)


def test_a_move_leaves_the_old_record_alone_and_counts_the_version():
    job = make_job(version=4)
    change = move(job, Q)
    assert change.before is job
    assert job.status is C
    assert change.after.version == 5


def test_a_move_writes_the_event():
    event = move(make_job(attempt=2), Q, Stage.WAITING, why="sent").event
    assert dataclasses.asdict(event) == {
        "job_id": make_job().id,
        "number": 0,
        "at": NOW,
        "from_status": "CREATED",
        "to_status": "QUEUED",
        "stage": "waiting",
        "attempt": 2,
        "by": "test",
        "why": "sent",
    }


def test_the_event_of_a_new_attempt_belongs_to_it():
    assert move(job_at(Q), C, attempt=2).event.attempt == 2


def test_a_move_may_change_other_fields_and_set_a_wait():
    change = move(make_job(), Q, retry_in_s=2.5, provider_job_id="v")
    assert change.after.provider_job_id == "v"
    assert change.retry_in_s == 2.5


def test_a_move_changes_nothing_else():
    before = make_job(name="n", tags=("t",))
    after = move(before, Q).after
    same = dataclasses.replace(after, status=C, queued_at=None, version=0)
    assert same == before


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (C, Q, "queued_at"),
        (Q, R, "running_at"),
        (Q, DONE, "ended_at"),
        (R, FAILED, "ended_at"),
        (C, CANCELLED, "ended_at"),
    ],
)
def test_a_change_of_status_notes_the_time(before, after, field):
    assert getattr(move(job_at(before, **{field: None} if field != "ended_at" else {}), after).after, field) == NOW


def test_a_job_that_goes_back_has_not_been_queued_or_run():
    after = move(job_at(R), C).after
    assert (after.queued_at, after.running_at) == (None, None)


def test_a_move_within_a_status_keeps_the_time():
    job = job_at(Q, queued_at=NOW - timedelta(hours=1))
    assert move(job, Q, Stage.HELD).after.queued_at == job.queued_at


def test_a_given_time_wins():
    assert move(make_job(), Q, queued_at=NOW - timedelta(1)).after.queued_at == NOW - timedelta(1)


def test_an_unknown_field_is_refused():
    with pytest.raises(TypeError):
        move(make_job(), Q, colour="red")


def test_a_change_of_fields_counts_the_version():
    change = make_job(version=1).edited(queue_position=4, retry_in_s=3)
    assert (change.after.queue_position, change.after.version, change.retry_in_s) == (4, 2, 3)
    assert change.event is None
    assert not change.is_edit


@pytest.mark.parametrize(("version", "edits", "number"), [(0, 0, 1), (7, 0, 8), (7, 9, 10)])
def test_an_edit_of_name_and_tags_leaves_the_version_and_has_a_greater_number(version, edits, number):
    change = make_job(version=version, edits=edits).relabelled(name="new", tags=("a",), at=NOW, by="owner")
    assert (change.after.name, change.after.tags) == ("new", ("a",))
    assert (change.after.version, change.after.edits) == (version, number)
    assert change.is_edit


def test_a_change_with_a_time_leaves_a_line():
    event = job_at(Q, stage=Stage.HELD).edited(at=NOW, by="owner", why="renamed", cancel_requested=True).event
    assert (event.from_status, event.to_status, event.stage, event.by, event.why) == (
        "QUEUED",
        "QUEUED",
        "held",
        "owner",
        "renamed",
    )


@pytest.mark.parametrize("field", ["status", "stage", "version", "name", "tags", "edits"])
def test_an_edit_does_not_move(field):
    with pytest.raises(InvalidTransitionError):
        make_job().edited(**{field: getattr(make_job(), field)})


def test_a_final_job_can_be_edited():
    assert make_final_job().edited(pending_removed=True).after.pending_removed


@pytest.mark.parametrize("status", JobStatus)
def test_cancelling_is_shown_while_the_wish_is_open(status):
    assert job_at(status).shown_status == status.value
    shown = job_at(status, cancel_requested=True).shown_status
    assert shown == (status.value if status.is_final else CANCELLING)


@pytest.mark.parametrize(
    ("job", "duty"),
    [
        (make_job(), Duty.PREPARE),
        (make_job(prepared=True), Duty.SUBMIT),
        (make_job(stage=Stage.SUBMITTING, prepared=True), Duty.RESCUE),
        (make_job(stage=Stage.SEARCHING, prepared=True), Duty.RESCUE),
        (queued(make_job()).after, Duty.POLL),
        (job_at(R, stage=Stage.RUNNING), Duty.POLL),
        (job_at(R, stage=Stage.COLLECTING), Duty.COLLECT),
        (make_job(stage=Stage.COLLECTING), Duty.COLLECT),
        (make_job(stage=Stage.HELD), None),
        (make_job(stage=Stage.HELD, cancel_requested=True), Duty.COLLECT),
        (make_job(stage=Stage.IN_DOUBT), None),
        (make_job(stage=Stage.IN_DOUBT, cancel_requested=True), None),
        (make_final_job(), Duty.CLEAN),
        (make_final_job(status=FAILED), Duty.CLEAN),
        (make_final_job(pending_removed=True), None),
    ],
)
def test_the_next_duty_follows_from_the_record(job, duty):
    assert job.next_duty is duty


@given(st.sampled_from(JobStatus), st.sampled_from(Stage), st.booleans(), st.booleans())
def test_a_job_that_nobody_acts_on_waits_for_a_person_or_is_done(status, stage, prepared, cancel_requested):
    if status.is_final != (stage is Stage.DONE):
        return
    job = job_at(status, stage=stage, prepared=prepared, cancel_requested=cancel_requested)
    assert (job.next_duty is None) == (stage is Stage.IN_DOUBT or (stage is Stage.HELD and not cancel_requested))


def test_a_record_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_job().status = Q


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        ("0190a1b2-0000-7000-8000-00000000abcd", "0190a1b2-0000-7000-8000-00000000abcd"),
        ("0190A1B2-0000-7000-8000-00000000ABCD", "0190a1b2-0000-7000-8000-00000000abcd"),
        ("0190a1b200007000800000000000abcd", "0190a1b2-0000-7000-8000-00000000abcd"),
        ("", None),
        ("../../etc/passwd", None),
        ("0190a1b2-0000-7000-8000-00000000abc", None),
        (None, None),
    ],
)
def test_a_job_id_has_one_form(text, job_id):
    assert canonical_job_id(text) == job_id
