"""A ledger tells of changes, of its health, and of its end."""

from __future__ import annotations

from threading import Thread, current_thread

import pytest

from qdepot.domain.job import Duty
from qdepot.errors import UnavailableError
from qdepot.ports.ledger import JobExistsError, Ledger
from qdepot.testing.jobs import make_job, queued
from qdepot.testing.ledger.fixtures import LEASE_S, LedgerFixtures, add


class Telling(LedgerFixtures):
    """``on_change``, ``check``, ``close``."""

    def test_callbacks_are_called_after_a_change_is_there_to_see(self, ledger: Ledger) -> None:
        seen: list[int] = []
        ledger.on_change(lambda: seen.append(sum(ledger.counts().values())))
        add(ledger, make_job(1))
        assert seen[-1:] == [1]

    def test_an_accepted_job_and_a_saved_change_are_told(self, ledger: Ledger) -> None:
        told: list[str] = []
        ledger.on_change(lambda: told.append("first"))
        ledger.on_change(lambda: told.append("second"))
        add(ledger, make_job(1))
        assert {"first", "second"} <= set(told)
        told.clear()
        ledger.save([queued(make_job(1))])
        assert {"first", "second"} <= set(told)

    def test_what_was_refused_is_not_told(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        told_by: list[Thread] = []  # another thread may pass on what other processes did
        ledger.on_change(lambda: told_by.append(current_thread()))
        with pytest.raises(JobExistsError):
            add(ledger, make_job(1))
        ledger.save([queued(make_job(2))])
        assert current_thread() not in told_by

    def test_released_jobs_are_told(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=LEASE_S, limit=1)
        told: list[str] = []
        ledger.on_change(lambda: told.append("change"))
        ledger.release(holder="ann")
        assert told

    def test_a_callback_that_fails_does_not_undo_a_change(
        self, ledger: Ledger, caplog: pytest.LogCaptureFixture
    ) -> None:
        told: list[str] = []

        def fail() -> None:
            raise RuntimeError("a bug in a callback")

        ledger.on_change(fail)
        ledger.on_change(lambda: told.append("the next one"))
        add(ledger, make_job(1))
        assert ledger.get(make_job(1).id) == make_job(1)
        assert told
        assert "subscriber_failed" in caplog.text

    def test_a_ledger_in_good_health_passes_its_check(self, ledger: Ledger) -> None:
        ledger.check()

    def test_a_closed_ledger_says_so(self, fresh_ledger: Ledger) -> None:
        add(fresh_ledger, make_job(1))
        fresh_ledger.close()
        fresh_ledger.close()
        with pytest.raises(UnavailableError):
            fresh_ledger.check()
        with pytest.raises(UnavailableError):
            add(fresh_ledger, make_job(2))
        with pytest.raises(UnavailableError):
            fresh_ledger.get(make_job(1).id)
