"""Why a job waits is said in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from qdepot.domain.job import Failure, JobStatus, Stage
from qdepot.domain.waiting import why_waiting
from qdepot.testing.jobs import MADE_AT, make_job

LATER = MADE_AT + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "it has waited 5 min to be checked for aer"),
        ({"prepared": True}, "it has waited 5 min to be sent to aer"),
        (
            {"failures_in_row": 2, "why": "aer does not answer", "next_try_at": LATER + timedelta(seconds=30)},
            "aer does not answer; it has waited 5 min; next try in 30 s",
        ),
        ({"stage": Stage.SUBMITTING}, "it is being sent to aer; it has waited 5 min"),
        ({"stage": Stage.IN_DOUBT, "why": "nobody can tell"}, "nobody can tell; it has waited 5 min"),
        (
            {"status": JobStatus.QUEUED, "queued_at": LATER - timedelta(seconds=7), "queue_position": 3},
            "it has waited in the queue of aer at place 3 for 7 s",
        ),
        (
            {"status": JobStatus.QUEUED, "queued_at": MADE_AT, "last_poll_error": "no route", "next_try_at": MADE_AT},
            "it has waited in the queue of aer for 5 min; aer could not be asked: no route; next try now",
        ),
        (
            {"status": JobStatus.RUNNING, "stage": Stage.RUNNING, "running_at": MADE_AT, "cancel_requested": True},
            "its cancel is not confirmed yet: it has been running at aer for 5 min",
        ),
        (
            {"status": JobStatus.RUNNING, "running_at": MADE_AT, "num_circuits": 200, "circuits_done": 12},
            "it has been running at aer for 5 min; 12 of 200 circuits are done",
        ),
        (
            {"status": JobStatus.RUNNING, "stage": Stage.COLLECTING, "failures_in_row": 1, "why": "the disk is full"},
            "its end is being stored: the disk is full",
        ),
        ({"status": JobStatus.COMPLETED, "stage": Stage.DONE}, "its result is stored"),
        ({"status": JobStatus.CANCELLED, "stage": Stage.DONE}, "cancelled"),
        (
            {"status": JobStatus.FAILED, "stage": Stage.DONE, "failure": Failure(code="x", message="no such gate")},
            "failed: no such gate",
        ),
    ],
)
def test_a_job_says_what_it_waits_for(fields, sentence):
    assert why_waiting(replace(make_job(), **fields), now=LATER) == sentence


@pytest.mark.parametrize(
    ("waited", "length"),
    [
        (timedelta(seconds=119), "119 s"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=40), "40 d"),
        (-LATER.resolution, "0 s"),
    ],
)
def test_lengths_of_time_are_short(waited, length):
    assert why_waiting(make_job(), now=MADE_AT + waited) == f"it has waited {length} to be checked for aer"
