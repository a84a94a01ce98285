"""A ledger that is not sound is found out, rule by rule."""

from dataclasses import replace

import pytest

from qdepot.adapters.ledgers.memory import MemoryLedger
from qdepot.domain.job import JobStatus, Stage
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, accepted, ended, make_job, queued
from qdepot.testing.ledger import every_job, validate_ledger


@pytest.fixture
def ledger():
    """With one job that waits and one that has ended."""
    held = MemoryLedger(FrozenClock())
    held.add([accepted(make_job(number, idempotency_key_sha256=f"k{number}")) for number in (1, 2)])
    sent = queued(make_job(2, idempotency_key_sha256="k2"))
    held.save([sent, ended(sent.after)])
    return held


def entry_of(ledger, number):
    return ledger._entries[make_job(number).id]


def test_a_sound_ledger_passes(ledger):
    assert validate_ledger(ledger) == 2


def test_an_empty_ledger_passes():
    assert validate_ledger(MemoryLedger(FrozenClock())) == 0


@pytest.mark.parametrize(
    ("number", "fields", "says"),
    [
        (1, {"stage": Stage.DONE}, "stage is DONE"),
        (1, {"ended_at": MADE_AT}, "ended_at"),
        (2, {"ended_at": None}, "ended_at"),
        (2, {"result_key": None}, "result_key is set"),
        (1, {"result_key": "x"}, "result_key is set"),
        (2, {"result_sha256": None}, "result_sha256 goes with"),
        (1, {"outcome": JobStatus.FAILED}, "failure is set"),
        (1, {"outcome": JobStatus.QUEUED}, "outcome is a final status"),
        (2, {"outcome": JobStatus.CANCELLED}, "the status of its outcome"),
        (1, {"status": JobStatus.QUEUED}, "a queued job knows"),
        (1, {"status": JobStatus.RUNNING}, "a running job knows"),
        (1, {"pending_removed": True}, "pending objects"),
        (1, {"attempt": 0}, "attempts count"),
        (1, {"created_at": MADE_AT.replace(tzinfo=None)}, "aware"),
    ],
)
def test_a_record_that_contradicts_itself_is_found(ledger, number, fields, says):
    entry = entry_of(ledger, number)
    entry.job = replace(entry.job, **fields)
    if "created_at" in fields:
        del ledger._entries[make_job(2).id]  # such times do not compare with others
    with pytest.raises(AssertionError, match=says):
        validate_ledger(ledger)


def without_history(events):
    events.clear()


def with_a_false_start(events):
    events[0] = replace(events[0], from_status="QUEUED")


def with_another_end(events):
    events[-1] = replace(events[-1], to_status="FAILED")


def with_a_strangers_event(events):
    events[1] = replace(events[1], job_id="a stranger")


def with_a_gap(events):
    del events[1]


def with_a_forbidden_step(events):
    events[1] = replace(events[1], to_status="RUNNING")
    events[2] = replace(events[2], from_status="RUNNING")


def with_numbers_that_fall(events):
    events[1] = replace(events[1], number=99)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (without_history, "no history"),
        (with_a_false_start, "begins with QUEUED"),
        (with_another_end, "ends with FAILED"),
        (with_a_strangers_event, "another job's event"),
        (with_a_gap, "leaves QUEUED"),
        (with_a_forbidden_step, "goes from CREATED to RUNNING"),
        (with_numbers_that_fall, "comes behind"),
    ],
)
def test_a_history_that_does_not_lead_to_the_record_is_found(ledger, spoil, says):
    spoil(entry_of(ledger, 2).events)
    with pytest.raises(AssertionError, match=says):
        validate_ledger(ledger)


def test_counts_that_are_wrong_are_found(ledger, monkeypatch):
    monkeypatch.setattr(ledger, "counts", lambda: {JobStatus.CREATED: 2})
    with pytest.raises(AssertionError, match=r"counts\(\) says"):
        validate_ledger(ledger)


def test_a_key_that_leads_elsewhere_is_found(ledger):
    ledger._keys.clear()
    with pytest.raises(AssertionError, match="leads to nothing"):
        validate_ledger(ledger)


def test_all_that_is_wrong_is_told_at_once(ledger):
    for number in (1, 2):
        entry_of(ledger, number).events.clear()
    with pytest.raises(AssertionError) as caught:
        validate_ledger(ledger)
    assert str(caught.value).count("no history") == 2


def test_a_long_history_is_read_to_its_end(ledger):
    job = make_job(1, idempotency_key_sha256="k1")
    for _ in range(1001):
        change = job.edited(at=MADE_AT, by="test")
        assert ledger.save([change]) == [True]
        job = change.after
    assert validate_ledger(ledger) == 2
    entry_of(ledger, 1).events[-1] = replace(entry_of(ledger, 1).events[-1], from_status="RUNNING", to_status="FAILED")
    with pytest.raises(AssertionError, match="ends with FAILED"):
        validate_ledger(ledger)


def test_every_job_comes_once_in_small_pages(ledger):
    assert [job.id for job in every_job(ledger, page_size=1)] == [make_job(2).id, make_job(1).id]
