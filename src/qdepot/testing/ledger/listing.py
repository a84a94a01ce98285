"""Jobs are listed."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdepot.domain.job import Job, JobStatus
from qdepot.errors import InvalidRequestError
from qdepot.ports.ledger import JobFilter, Ledger
from qdepot.testing.jobs import MADE_AT, ended, job_id_of, make_final_job, make_job, queued, relabelled
from qdepot.testing.ledger.fixtures import LedgerFixtures, add
from qdepot.testing.ledger.validate import every_job

EVERYTHING = JobFilter()
SECOND = timedelta(seconds=1)


def _shown(value: object) -> str:
    """A filter by its fields that are set, in the same words in every process."""
    if not isinstance(value, JobFilter):
        return str(value)
    given = ((field.name, getattr(value, field.name)) for field in fields(value))
    return " ".join(f"{name}={sorted(it) if isinstance(it, frozenset) else it}" for name, it in given if it is not None)


def _numbers(jobs: tuple[Job, ...]) -> list[int]:
    """Which of ``make_job(1)`` ... ``make_job(99)`` these are."""
    by_id = {job_id_of(number): number for number in range(1, 100)}
    return [by_id[job.id] for job in jobs]


class Listing(LedgerFixtures):
    """``page``, ``counts``, ``unfinished_with_request``."""

    def test_the_newest_comes_first(self, ledger: Ledger) -> None:
        for number, seconds in [(1, 5), (2, 9), (3, 1)]:
            add(ledger, make_job(number, created_at=MADE_AT + seconds * SECOND))
        assert _numbers(ledger.page(EVERYTHING, limit=10).jobs) == [2, 1, 3]

    def test_jobs_of_one_moment_come_by_id(self, ledger: Ledger) -> None:
        add(ledger, make_job(2), make_job(3), make_job(1))
        assert _numbers(ledger.page(EVERYTHING, limit=10).jobs) == [3, 2, 1]

    def test_a_page_tells_where_the_rest_begins(self, ledger: Ledger) -> None:
        add(ledger, *(make_job(number) for number in range(1, 6)))
        first = ledger.page(EVERYTHING, limit=2)
        second = ledger.page(EVERYTHING, limit=2, cursor=first.next_cursor)
        third = ledger.page(EVERYTHING, limit=2, cursor=second.next_cursor)
        assert [_numbers(page.jobs) for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
        assert third.next_cursor is None

    def test_jobs_that_arrive_meanwhile_shift_nothing(self, ledger: Ledger) -> None:
        add(ledger, *(make_job(number) for number in range(1, 5)))
        first = ledger.page(EVERYTHING, limit=2)
        add(ledger, make_job(9))
        assert _numbers(ledger.page(EVERYTHING, limit=9, cursor=first.next_cursor).jobs) == [2, 1]

    def test_a_page_that_ends_with_the_last_job_has_no_cursor(self, ledger: Ledger) -> None:
        add(ledger, make_job(1), make_job(2))
        assert ledger.page(EVERYTHING, limit=2).next_cursor is None

    def test_an_empty_ledger_has_an_empty_page(self, ledger: Ledger) -> None:
        page = ledger.page(EVERYTHING, limit=1)
        assert page.jobs == ()
        assert page.next_cursor is None

    def test_a_cursor_stays_good_when_its_job_is_deleted(self, ledger: Ledger) -> None:
        jobs = [make_final_job(number) for number in range(1, 5)]
        add(ledger, *jobs)
        first = ledger.page(EVERYTHING, limit=2)
        assert ledger.delete(first.jobs[-1], at=MADE_AT)
        assert _numbers(ledger.page(EVERYTHING, limit=2, cursor=first.next_cursor).jobs) == [2, 1]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_page_needs_room(self, ledger: Ledger, limit: int) -> None:
        with pytest.raises(InvalidRequestError):
            ledger.page(EVERYTHING, limit=limit)

    @pytest.mark.parametrize(
        "cursor",
        ["", "x", "é", "🙂", "=", "A" * 10_000, base64.urlsafe_b64encode(json.dumps([1, "x"]).encode()).decode()],
    )
    def test_a_foreign_cursor_is_refused(self, ledger: Ledger, cursor: str) -> None:
        with pytest.raises(InvalidRequestError):
            ledger.page(EVERYTHING, limit=2, cursor=cursor)

    def test_a_cursor_with_any_character_changed_is_refused(self, ledger: Ledger) -> None:
        add(ledger, make_job(1), make_job(2))
        cursor = ledger.page(EVERYTHING, limit=1).next_cursor
        assert cursor is not None
        for place, letter in enumerate(cursor):
            mangled = cursor[:place] + ("A" if letter != "A" else "B") + cursor[place + 1 :]
            with pytest.raises(InvalidRequestError):
                ledger.page(EVERYTHING, limit=1, cursor=mangled)

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (JobFilter(project="chemistry"), [2]),
            (JobFilter(project="nobody"), []),
            (JobFilter(backend="cloud/qpu"), [3]),
            (JobFilter(name="bell"), [4]),
            (JobFilter(name=""), [7, 6, 5, 3, 2, 1]),
            (JobFilter(tag="demo"), [5, 4]),
            (JobFilter(tag="dem"), []),
            (JobFilter(project="default", tag="demo", name="bell"), [4]),
            (JobFilter(status=frozenset({JobStatus.QUEUED})), [6]),
            (JobFilter(status=frozenset({JobStatus.COMPLETED, JobStatus.QUEUED})), [7, 6]),
            (JobFilter(status=frozenset()), []),
            (JobFilter(status=frozenset(JobStatus), backend="aer"), [7, 6, 5, 4, 2, 1]),
            (JobFilter(cancelling=True), [6]),
            (JobFilter(cancelling=False), [7, 5, 4, 3, 2, 1]),
            (JobFilter(cancelling=False, status=frozenset({JobStatus.QUEUED})), []),
            (JobFilter(cancelling=True, status=frozenset({JobStatus.QUEUED}), project="default"), [6]),
            (JobFilter(created_from=MADE_AT + 3 * SECOND, created_before=MADE_AT + 5 * SECOND), [4, 3]),
        ],
        ids=_shown,
    )
    def test_a_filter_shows_what_matches_and_nothing_else(
        self, ledger: Ledger, wanted: JobFilter, found: list[int]
    ) -> None:
        def at(number: int) -> dict[str, Any]:
            return {"created_at": MADE_AT + number * SECOND}

        sent = queued(make_job(6, **at(6)), cancel_requested=True).after
        add(
            ledger,
            make_job(1, **at(1)),
            make_job(2, project="chemistry", **at(2)),
            make_job(3, backend="cloud/qpu", **at(3)),
            make_job(4, name="bell", tags=("demo",), **at(4)),
            make_job(5, tags=("other", "demo", "demo"), **at(5)),
            sent,
            make_final_job(7, cancel_requested=True, **at(7)),
        )
        assert _numbers(ledger.page(wanted, limit=50).jobs) == found
        assert _numbers(tuple(every_job(ledger, wanted, page_size=1))) == found

    def test_edited_tags_are_what_is_found(self, ledger: Ledger) -> None:
        job = make_job(1, tags=("old", "both"))
        add(ledger, job)
        assert ledger.save([relabelled(job, tags=("both", "new"))]) == [True]
        found = {tag: len(ledger.page(JobFilter(tag=tag), limit=9).jobs) for tag in ("old", "both", "new")}
        assert found == {"old": 0, "both": 1, "new": 1}
        assert ledger.get(job.id).tags == ("both", "new")

    def test_a_long_list_is_read_without_gap_or_repeat_while_jobs_arrive(self, fresh_ledger: Ledger) -> None:
        old = [make_job(number, created_at=MADE_AT + (number % 500) * SECOND) for number in range(1, 10_001)]
        for start in range(0, len(old), 1000):
            add(fresh_ledger, *old[start : start + 1000])
        seen: list[Job] = []
        cursor = None
        for number in range(20_001, 20_201):
            page = fresh_ledger.page(EVERYTHING, limit=50 + number % 7, cursor=cursor)
            seen += page.jobs
            cursor = page.next_cursor
            if cursor is None:
                break
            add(fresh_ledger, make_job(number, created_at=MADE_AT + 1000 * SECOND))
        assert cursor is None
        assert seen == sorted(old, key=lambda job: (job.created_at, job.id), reverse=True)

    def test_what_matched_all_along_is_shown_exactly_once(self, ledger: Ledger) -> None:
        numbers = itertools.count(1)

        def arrive(seconds: int, tag: str, project: str) -> Job:
            job = make_job(next(numbers), project=project, tags=(tag,), created_at=MADE_AT + seconds * SECOND)
            add(ledger, job)
            return job

        @settings(deadline=None, max_examples=15)
        @given(
            there=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("xy")), max_size=20),
            page_size=st.integers(1, 5),
            data=st.data(),
        )
        def check(there: list[tuple[int, str]], page_size: int, data: st.DataObject) -> None:
            # One ledger serves all examples: each works in a project of its own.
            mine = JobFilter(project=f"project-{next(numbers)}", tag="x")
            assert mine.project is not None
            arrived = [arrive(seconds, tag, mine.project) for seconds, tag in there]
            matching = {job.id for job in arrived if "x" in job.tags}
            seen: list[str] = []
            cursor = None
            while True:
                page = ledger.page(mine, limit=page_size, cursor=cursor)
                seen += [job.id for job in page.jobs]
                cursor = page.next_cursor
                if cursor is None:
                    break
                arrive(data.draw(st.integers(0, 5)), "x", mine.project)
            assert len(seen) == len(set(seen))
            assert matching <= set(seen)

        check()

    def test_jobs_are_counted_by_status(self, ledger: Ledger) -> None:
        add(ledger, make_job(1), make_job(2), make_job(3, project="chemistry"), make_final_job(4))
        assert {**ledger.counts()} == {
            JobStatus.CREATED: 3,
            JobStatus.QUEUED: 0,
            JobStatus.RUNNING: 0,
            JobStatus.COMPLETED: 1,
            JobStatus.FAILED: 0,
            JobStatus.CANCELLED: 0,
        }
        assert ledger.counts(project="chemistry")[JobStatus.CREATED] == 1
        assert ledger.counts(project="chemistry")[JobStatus.COMPLETED] == 0

    def test_open_jobs_of_a_project_are_counted(self, ledger: Ledger) -> None:
        add(ledger, *(make_job(number, project="mine") for number in (1, 2, 3)))
        add(ledger, make_final_job(4, project="mine"), make_job(5, project="theirs"))
        ledger.save([queued(make_job(1, project="mine")), make_job(2, project="mine").edited(cancel_requested=True)])
        assert [ledger.count_open(project) for project in ("mine", "theirs", "nobody's")] == [3, 1, 0]

    def test_a_shared_request_object_is_counted_until_its_last_job_has_ended(self, ledger: Ledger) -> None:
        jobs = [make_job(number, request_key="pending/batch", request_index=number) for number in (1, 2)]
        add(ledger, *jobs, make_job(3))
        assert ledger.unfinished_with_request("pending/batch") == 2
        for left, job in [(1, jobs[0]), (0, jobs[1])]:
            assert ledger.save([ended(job, JobStatus.CANCELLED)]) == [True]
            assert ledger.unfinished_with_request("pending/batch") == left
        assert ledger.unfinished_with_request("pending/unknown") == 0
