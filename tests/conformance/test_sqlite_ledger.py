"""The ledger on SQLite keeps the promises of the port."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from qdepot.adapters.ledgers.sql.claims import Leases
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.job import Duty, JobStatus
from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.ports.ledger import JobExistsError, JobFilter
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import accepted, job_id_of, make_job, queued
from qdepot.testing.ledger import LedgerConformance, validate_ledger


class TestSqliteLedger(LedgerConformance):
    @pytest.fixture
    def fresh_ledger(self, clock, sqlite_url):
        ledger = open_ledger(sqlite_url, clock=clock)
        yield ledger
        ledger.close()


def open_at(url, clock=None, **options):
    return open_ledger(url, clock=clock or FrozenClock(), **options)


@pytest.fixture
def ledger(sqlite_url):
    opened = open_at(sqlite_url, busy_timeout_s=0.2)
    yield opened
    opened.close()


class Gate:
    """Holds the writer thread, so that what comes meanwhile is committed as one group."""

    def __init__(self, ledger):
        self._entered, self._opened = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(16)
        self._transactions = ledger._database.transactions
        self._pool.submit(self._transactions.run, self._wait)
        assert self._entered.wait(10)

    def _wait(self, _connection):
        self._entered.set()
        assert self._opened.wait(10)

    def group(self, *calls):
        """Let these calls meet in one transaction; returns what each returned or raised."""
        waiting = []
        for number, call in enumerate(calls, start=1):
            waiting.append(self._pool.submit(call))
            while self._transactions._queue.qsize() < number:
                assert not waiting[-1].done(), waiting[-1].exception()
        self._opened.set()
        outcomes = [future.exception(10) or future.result() for future in waiting]
        self._pool.shutdown()
        return outcomes


class TestGroupedCommits:
    """Waiting commits share a transaction, and nothing else."""

    def test_a_unit_that_fails_leaves_its_neighbours_alone(self, ledger):
        ledger.add([accepted(make_job(1))])
        outcomes = Gate(ledger).group(
            lambda: ledger.add([accepted(make_job(2))]),
            lambda: ledger.add([accepted(make_job(3)), accepted(make_job(1))]),
            lambda: ledger.save([queued(make_job(1))]),
            lambda: ledger.add([accepted(make_job(4, name="half a \ud83d pair"))]),
            lambda: ledger.add([accepted(make_job(5))]),
        )
        assert [type(outcome) for outcome in outcomes] == [
            type(None),
            JobExistsError,
            list,
            InvalidRequestError,
            type(None),
        ]
        assert set(ledger.get_many([job_id_of(number) for number in range(1, 6)])) == {
            job_id_of(number) for number in (1, 2, 5)
        }
        assert ledger.get(job_id_of(1)).status is JobStatus.QUEUED
        validate_ledger(ledger)

    def test_of_two_additions_of_one_id_in_a_group_one_wins(self, ledger):
        outcomes = Gate(ledger).group(
            *(lambda name=name: ledger.add([accepted(make_job(1, name=name))]) for name in ("a", "b"))
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["JobExistsError", "NoneType"]
        winner = "ab"[outcomes.index(None)]
        assert ledger.get(job_id_of(1)).name == winner

    def test_a_group_is_one_commit(self, ledger):
        commits = []
        event.listen(ledger._database.writers, "commit", lambda _connection: commits.append(1))
        gate = Gate(ledger)
        gate.group(*(lambda number=number: ledger.add([accepted(make_job(number))]) for number in range(1, 13)))
        assert len(commits) == 2  # the gate's own, and that of the group
        assert sum(ledger.counts().values()) == 12

    def test_a_commit_that_fails_fails_for_all_and_leaves_nothing(self, ledger):
        def fail(_connection):
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

        gate = Gate(ledger)
        event.listen(ledger._database.writers, "commit", fail)
        outcomes = gate.group(*(lambda n=number: ledger.add([accepted(make_job(n))]) for number in (1, 2)))
        event.remove(ledger._database.writers, "commit", fail)
        assert [type(outcome) for outcome in outcomes] == [UnavailableError] * 2
        assert sum(ledger.counts().values()) == 0
        ledger.add([accepted(make_job(1))])

    def test_what_waits_when_the_ledger_is_closed_is_still_committed(self, ledger, sqlite_url):
        gate = Gate(ledger)
        closing = ThreadPoolExecutor(1)

        def close_after_add():
            closed = closing.submit(ledger.close)
            while not ledger._closed:
                pass
            return closed

        added = gate._pool.submit(ledger.add, [accepted(make_job(1))])
        while not gate._transactions._queue.qsize():
            pass
        closed = close_after_add()
        gate._opened.set()
        added.result(10)
        closed.result(10)
        reopened = open_at(sqlite_url)
        assert reopened.get(job_id_of(1)) == make_job(1)
        reopened.close()

    def test_a_writer_that_is_stuck_is_not_waited_for_for_ever(self, sqlite_url):
        ledger = open_at(sqlite_url, busy_timeout_s=0.05)
        gate = Gate(ledger)
        with pytest.raises(UnavailableError, match="did not write"):
            ledger.add([accepted(make_job(1))])
        gate.group()
        assert sum(ledger.counts().values()) == 0  # given up before it began
        ledger.close()


ADDING = """
import sys
from qdepot.adapters.ledgers.sql.claims import Leases
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.domain.job import Duty
from qdepot.testing.jobs import accepted, job_id_of, make_job, queued
url, me = sys.argv[1], int(sys.argv[2])
ledger = open_ledger(url, clock=SystemClock(), busy_timeout_s=60)
for number in range(100):
    ledger.add([accepted(make_job(me * 1000 + number))])
    taken = ledger.claim(Duty.PREPARE, holder=str(me), lease_s=600, limit=1)
    assert ledger.save([queued(job, vendor_status=str(me)) for job in taken], holder=str(me)) == [True] * len(taken)
ledger.close()
"""


class TestSeveralProcesses:
    """On one file."""

    def test_processes_add_and_claim_side_by_side(self, sqlite_url):
        started = [
            subprocess.Popen([sys.executable, "-c", ADDING, sqlite_url, str(me)], stderr=subprocess.PIPE, text=True)
            for me in (1, 2, 3)
        ]
        ended = [(process.communicate(timeout=100)[1], process.returncode) for process in started]
        assert ended == [("", 0)] * 3
        ledger = open_at(sqlite_url)
        assert ledger.counts()[JobStatus.QUEUED] == 300
        validate_ledger(ledger)
        ledger.close()

    def test_what_a_killed_process_was_told_is_stored_is_there(self, sqlite_url):
        script = ADDING.replace("    taken =", "    print(number, flush=True)\n    taken =").replace(
            "range(100)", "range(900)"
        )
        with subprocess.Popen([sys.executable, "-c", script, sqlite_url, "1"], stdout=subprocess.PIPE) as process:
            told = [process.stdout.readline() for _ in range(50)]
            process.kill()
            told += process.stdout.readlines()
        ledger = open_at(sqlite_url)
        assert set(ledger.get_many([job_id_of(1000 + int(number)) for number in told])) == {
            job_id_of(1000 + int(number)) for number in told
        }
        validate_ledger(ledger)
        ledger.close()

    def test_a_lock_that_is_held_too_long_is_an_error_that_says_so(self, ledger, sqlite_url):
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(UnavailableError, match="busy") as caught:
                ledger.add([accepted(make_job(1))])
            assert caught.value.retry_after_s
            assert ledger.page(JobFilter(), limit=1).jobs == ()  # reading goes on
            other.execute("ROLLBACK")
        ledger.add([accepted(make_job(1))])

    def test_a_lock_that_is_held_briefly_is_waited_for(self, sqlite_url):
        ledger = open_at(sqlite_url, busy_timeout_s=30)
        with (
            closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other,
            ThreadPoolExecutor(1) as pool,
        ):
            other.execute("BEGIN IMMEDIATE")
            added = pool.submit(ledger.add, [accepted(make_job(1))])
            other.execute("ROLLBACK")
            added.result(30)
        assert ledger.get(job_id_of(1)) == make_job(1)
        ledger.close()

    def test_another_ledgers_changes_are_heard_of(self, ledger, sqlite_url):
        heard = threading.Event()
        other = open_at(sqlite_url)
        heard_first = threading.Event()
        ledger.on_change(lambda: (heard if heard_first.is_set() else heard_first).set())
        assert heard_first.wait(10)  # the line is open
        other.add([accepted(make_job(1))])
        assert heard.wait(10)
        other.close()


class TestFaults:
    """What goes wrong is said in our words, without SQL."""

    def test_a_full_disk_is_an_error_that_says_so_and_leaves_nothing_torn(self, ledger):
        ledger.add([accepted(make_job(1))])
        with ledger._database.writers.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        batch = [accepted(make_job(number, name="n" * 500)) for number in range(2, 500)]
        with pytest.raises(UnavailableError, match="disk is full") as caught:
            ledger.add(batch)
        assert "INSERT" not in f"{caught.value} {caught.value.__cause__}"
        assert validate_ledger(ledger) == 1
        with ledger._database.writers.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        ledger.add(batch)
        assert validate_ledger(ledger) == 499

    def test_a_group_meets_a_full_disk_as_one(self, ledger):
        gate = Gate(ledger)
        with closing(sqlite3.connect(ledger._database.writers.url.database)) as other:
            pages = other.execute("PRAGMA page_count").fetchone()[0]
        event.listen(
            ledger._database.writers,
            "begin",
            lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}"),
        )
        large = [accepted(make_job(number, name="n" * 500)) for number in range(2, 500)]
        outcomes = gate.group(lambda: ledger.add([accepted(make_job(1))]), lambda: ledger.add(large))
        assert [type(outcome) for outcome in outcomes] == [UnavailableError] * 2
        assert sum(ledger.counts().values()) == 0

    def test_a_folder_that_is_not_there_is_an_error_that_says_so(self, tmp_path):
        with pytest.raises(UnavailableError, match="cannot be opened"):
            open_at(f"sqlite:///{tmp_path}/missing/ledger.db")

    def test_a_file_that_is_no_database_is_an_error_that_says_so(self, tmp_path):
        (tmp_path / "ledger.db").write_bytes(b"something else entirely" * 100)
        with pytest.raises(UnavailableError, match="not a database"):
            open_at(f"sqlite:///{tmp_path}/ledger.db")

    def test_a_file_that_cannot_be_written_is_an_error_that_says_so(self, ledger):
        with ledger._database.writers.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")  # root may write to any file
        with pytest.raises(UnavailableError, match="read-only"):
            ledger.add([accepted(make_job(1))])

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:geheim@h/d", "nonsense:geheim", ""])
    def test_an_unknown_url_is_refused_without_showing_it(self, url):
        with pytest.raises(InvalidRequestError) as caught:
            open_at(url)
        assert "geheim" not in f"{caught.value} {caught.value.solution}"

    def test_a_number_that_is_too_large_is_refused(self, ledger):
        with pytest.raises(InvalidRequestError):
            ledger.add([accepted(make_job(1, shots=10**30))])

    def test_readers_cannot_write(self, ledger):
        with ledger._database.readers.connect() as connection, pytest.raises(OperationalError, match="readonly"):
            connection.exec_driver_sql("DELETE FROM jobs")

    def test_a_commit_is_on_the_disk(self, ledger):
        with ledger._database.writers.connect() as connection:
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("synchronous", "journal_mode", "foreign_keys")
            ]
        assert settings == [2, "wal", 1]


class TestUnparking:
    """Jobs whose time has come are noted by the next claim."""

    def test_after_a_long_stop_those_that_waited_longest_go_first(self, sqlite_url):
        clock = FrozenClock()
        ledger = open_at(sqlite_url, clock)
        ledger._leases = Leases(ledger._database.time, most_unparked=2)
        jobs = [make_job(number, priority=number) for number in range(1, 6)]
        ledger.add([accepted(job) for job in jobs])
        ledger.save([queued(job, retry_in_s=job.priority) for job in jobs])
        clock.advance(100)
        taken = [
            [job.priority for job in ledger.claim(Duty.POLL, holder=holder, lease_s=15, limit=9)]
            for holder in ("ann", "bob", "eve", "dan")
        ]
        assert taken == [[2, 1], [4, 3], [5], []]
        ledger.close()


class TestBoots:
    """Times of the machine's clock mean nothing after a reboot."""

    def test_leases_and_waits_of_another_boot_are_over(self, sqlite_url):
        clock = FrozenClock()
        ledger = open_at(sqlite_url, clock)
        jobs = [make_job(number) for number in (1, 2)]
        ledger.add([accepted(job) for job in jobs])
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=1e9, limit=1)
        ledger.save([queued(jobs[1], retry_in_s=1e9)])
        ledger.close()
        clock.reboot()
        ledger = open_at(sqlite_url, clock)
        assert len(ledger.claim(Duty.PREPARE, holder="bob", lease_s=15, limit=9)) == 1
        assert len(ledger.claim(Duty.POLL, holder="bob", lease_s=15, limit=9)) == 1
        assert ledger.save([queued(jobs[0])], holder="ann") == [False]
        ledger.close()

    def test_leases_of_this_boot_outlive_a_restart(self, sqlite_url):
        clock = FrozenClock()
        ledger = open_at(sqlite_url, clock)
        ledger.add([accepted(make_job(1))])
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=15, limit=1)
        ledger.close()
        ledger = open_at(sqlite_url, clock)
        assert ledger.claim(Duty.PREPARE, holder="bob", lease_s=15, limit=1) == []
        assert ledger.renew([job_id_of(1)], holder="ann", lease_s=15) == {job_id_of(1)}
        ledger.close()

    def test_the_lock_is_waited_for_before_the_time_is_read(self, sqlite_url):
        """A save whose lease lapses while it waits for the write lock is refused."""
        clock = FrozenClock()
        ledger = open_at(sqlite_url, clock)
        ledger.add([accepted(make_job(1))])
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=15, limit=1)
        gate = Gate(ledger)
        saved = gate._pool.submit(ledger.save, [queued(make_job(1))], holder="ann")
        while not gate._transactions._queue.qsize():
            pass
        clock.advance(15)
        gate._opened.set()
        assert saved.result(10) == [False]
        ledger.close()
