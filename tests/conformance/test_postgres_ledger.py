"""The ledger on PostgreSQL keeps the promises of the port."""

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import event

from qdepot.adapters.ledgers.sql import watch
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.job import Duty, JobStatus
from qdepot.errors import GoneError, InvalidRequestError, UnavailableError
from qdepot.ports.ledger import JobExistsError
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, accepted, job_id_of, make_final_job, make_job, queued
from qdepot.testing.ledger import LedgerConformance, validate_ledger
from qdepot.testing.ledger.crowding import at_once


class TestPostgresLedger(LedgerConformance):
    @pytest.fixture
    def fresh_ledger(self, clock, postgres_url):
        ledger = open_ledger(postgres_url, clock=clock, use_database_clock=False)
        yield ledger
        ledger.close()


def open_at(url, **options):
    return open_ledger(url, clock=FrozenClock(), **options)


@pytest.fixture
def ledger(postgres_url):
    """As in production: PostgreSQL's own clock judges."""
    opened = open_at(postgres_url)
    yield opened
    opened.close()


class TestDatabaseClock:
    """PostgreSQL's clock judges leases; our own means nothing."""

    def test_a_lease_holds_by_the_database_clock(self, ledger):
        ledger.add([accepted(make_job(1))])
        assert len(ledger.claim(Duty.PREPARE, holder="ann", lease_s=600, limit=1)) == 1
        assert ledger.claim(Duty.PREPARE, holder="bob", lease_s=600, limit=1) == []
        assert ledger.renew([job_id_of(1)], holder="ann", lease_s=600) == {job_id_of(1)}
        assert ledger.save([queued(make_job(1), retry_in_s=600)], holder="ann") == [True]
        assert ledger.claim(Duty.POLL, holder="bob", lease_s=600, limit=1) == []

    def test_a_lease_lapses_by_the_database_clock(self, ledger):
        ledger.add([accepted(make_job(1))])
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=0, limit=1)
        assert ledger.renew([job_id_of(1)], holder="ann", lease_s=600) == set()
        assert ledger.save([queued(make_job(1))], holder="ann") == [False]
        assert len(ledger.claim(Duty.PREPARE, holder="bob", lease_s=600, limit=1)) == 1

    def test_a_lease_that_lapses_while_a_row_is_locked_is_gone(self, ledger, postgres_url):
        """The time is read behind the lock, not when the statement was sent."""
        ledger.add([accepted(make_job(1))])
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=1, limit=1)
        with psycopg.connect(postgres_url) as other, ThreadPoolExecutor(1) as pool:
            other.execute("SELECT id FROM jobs FOR UPDATE")
            saved = pool.submit(ledger.save, [queued(make_job(1))], holder="ann")
            wait_for_lock(postgres_url)
            other.execute("SELECT pg_sleep_until(to_timestamp(max(lease_until))) FROM jobs")
            other.rollback()
            assert saved.result(20) == [False]

    def test_processes_with_different_clocks_agree(self, ledger, postgres_url):
        clock = FrozenClock()
        clock.advance(1e9)
        other = open_ledger(postgres_url, clock=clock)
        ledger.add([accepted(make_job(1))])
        ledger.claim(Duty.PREPARE, holder="ann", lease_s=600, limit=1)
        assert other.claim(Duty.PREPARE, holder="bob", lease_s=600, limit=1) == []
        other.close()


def wait_for_lock(url):
    """Return once somebody waits for a lock in this database."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.execute(waiting).fetchone()[0]:
            pass


class TestSideBySide:
    """Several processes, here several connections."""

    def test_claims_pass_over_what_another_is_just_claiming(self, ledger, postgres_url):
        ledger.add([accepted(make_job(number)) for number in (1, 2, 3)])
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT id FROM jobs ORDER BY id LIMIT 2 FOR UPDATE")
            taken = ledger.claim(Duty.PREPARE, holder="ann", lease_s=600, limit=9)
            assert [job.id for job in taken] == [job_id_of(3)]
            other.rollback()
        assert len(ledger.claim(Duty.PREPARE, holder="bob", lease_s=600, limit=9)) == 2

    def test_a_deadlock_is_run_again(self, ledger, postgres_url):
        jobs = [make_job(number) for number in (1, 2)]
        ledger.add([accepted(job) for job in jobs])
        with psycopg.connect(postgres_url) as other, ThreadPoolExecutor(1) as pool:
            other.execute("SET deadlock_timeout = '1h'")  # so that the ledger's own transaction is the victim
            other.execute("SELECT id FROM jobs WHERE id = %s FOR UPDATE", [job_id_of(2)])
            saved = pool.submit(ledger.save, [queued(job) for job in jobs])
            wait_for_lock(postgres_url)
            other.execute("SELECT id FROM jobs WHERE id = %s FOR UPDATE", [job_id_of(1)])
            other.rollback()
            assert saved.result(20) == [True, True]
        assert ledger.counts()[JobStatus.QUEUED] == 2
        validate_ledger(ledger)

    def test_an_id_that_is_deleted_while_it_is_given_again_stays_gone(self, ledger, postgres_url):
        job = make_final_job(1)
        ledger.add([accepted(job)])
        with psycopg.connect(postgres_url) as other, ThreadPoolExecutor(1) as pool:
            other.execute("DELETE FROM jobs")
            tombstone = "INSERT INTO tombstones (job_id, project, deleted_at) VALUES (%s, %s, now())"
            other.execute(tombstone, [job.id, job.project])
            added = pool.submit(ledger.add, [accepted(make_job(1))])
            wait_for_lock(postgres_url)
            other.commit()
            assert isinstance(added.exception(20), JobExistsError)
        with pytest.raises(GoneError):
            ledger.get(job.id)

    def test_histories_are_numbered_in_the_order_of_commits(self, ledger):
        ledger.add([accepted(make_job(1))])

        def work(thread):
            for _ in range(5):
                seen = ledger.get(job_id_of(1))
                ledger.save([seen.edited(at=MADE_AT, by="test", why=str(seen.version), vendor_status=str(thread))])

        at_once(work)
        told = [event.why for event in ledger.events(job_id_of(1))[1:]]
        assert told == [str(version) for version in range(len(told))]

    def test_another_ledgers_changes_are_heard_of(self, ledger, postgres_url):
        line_is_open, heard = threading.Event(), threading.Event()
        ledger.on_change(lambda: (heard if line_is_open.is_set() else line_is_open).set())
        assert line_is_open.wait(10)
        other = open_at(postgres_url)
        other.add([accepted(make_job(1))])
        assert heard.wait(10)
        other.close()

    def test_the_line_to_others_is_opened_again_when_it_was_cut(self, ledger, postgres, postgres_url, monkeypatch):
        monkeypatch.setattr(watch, "_PATIENCE_S", 0.01)
        line_is_open, is_open_again, heard = (threading.Event() for _ in range(3))
        order = [line_is_open, is_open_again, heard]
        ledger.on_change(lambda: next((each for each in order if not each.is_set()), heard).set())
        assert line_is_open.wait(10)
        postgres.cut_connections(postgres_url)
        assert is_open_again.wait(10)
        other = open_at(postgres_url)
        other.add([accepted(make_job(1))])
        assert heard.wait(10)
        other.close()


class TestFaults:
    """What goes wrong is said in our words, without SQL or passwords."""

    def test_work_goes_on_after_the_server_cut_all_connections(self, ledger, postgres, postgres_url):
        for number in (1, 2, 3):
            ledger.add([accepted(make_job(number))])
            postgres.cut_connections(postgres_url)
            assert ledger.get(job_id_of(number)) == make_job(number)
            postgres.cut_connections(postgres_url)

    def test_a_transaction_that_is_cut_off_is_run_again_and_counts_once(self, ledger, postgres, postgres_url):
        ledger.add([accepted(make_job(1))])
        cuts = iter([True])

        def cut(*_arguments):
            if next(cuts, False):
                postgres.cut_connections(postgres_url)

        event.listen(ledger._database.writers, "before_cursor_execute", cut)
        assert ledger.save([queued(make_job(1))]) == [True]
        assert [each.to_status for each in ledger.events(job_id_of(1))] == ["CREATED", "QUEUED"]

    def test_a_commit_whose_answer_is_lost_is_not_repeated(self, ledger, postgres, postgres_url):
        cuts = iter([True])

        def cut(_connection):
            if next(cuts, False):
                postgres.cut_connections(postgres_url)

        event.listen(ledger._database.writers, "commit", cut)
        with pytest.raises(UnavailableError):
            ledger.add([accepted(make_job(1))])
        ledger.add([accepted(make_job(1))])  # it had not happened
        assert len(ledger.events(job_id_of(1))) == 1

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("postgresql://ann:geheim@127.0.0.1:1/qdepot", "reached"),
            ("postgresql://ann:geheim@/qdepot?host=/nowhere", "reached"),
        ],
    )
    def test_a_server_that_is_not_there_is_an_error_without_the_password(self, url, says):
        with pytest.raises(UnavailableError, match=says) as caught:
            open_at(url)
        shown = "".join(traceback.format_exception(caught.value))
        assert "geheim" not in shown

    def test_a_database_that_is_not_there_is_an_error_that_says_so(self, postgres):
        with pytest.raises(UnavailableError, match="reached") as caught:
            open_at(postgres.url_of("nobody_made_this"))
        assert "nobody_made_this" in str(caught.value.__cause__)

    def test_a_password_is_never_shown(self, postgres_url):
        for url in (postgres_url.replace("postgres@", "postgres:geheim@"), f"{postgres_url}&password=geheim"):
            ledger = open_at(url)
            assert "geheim" not in f"{ledger!r} {ledger} {ledger._database!r}"
            ledger.close()

    def test_options_in_the_url_are_heeded_beside_our_own(self, postgres_url):
        ledger = open_at(f"{postgres_url}&options=-c%20work_mem%3D7MB%20-c%20statement_timeout%3D9s")
        with ledger._database.readers.connect() as connection:
            told = [
                connection.exec_driver_sql(f"SHOW {name}").scalar()
                for name in ("work_mem", "statement_timeout", "lock_timeout")
            ]
        assert told == ["7MB", "9s", "10s"]
        ledger.close()

    def test_a_read_only_database_is_an_error_that_says_so(self, ledger, postgres_url):
        event.listen(
            ledger._database.writers,
            "begin",
            lambda connection: connection.exec_driver_sql("SET TRANSACTION READ ONLY"),
        )
        with pytest.raises(UnavailableError, match="read-only") as caught:
            ledger.add([accepted(make_job(1))])
        assert "INSERT INTO" not in "".join(traceback.format_exception(caught.value))

    def test_a_text_that_no_index_holds_is_refused(self, ledger):
        noise = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(20_000))
        with pytest.raises(InvalidRequestError):
            ledger.add([accepted(make_job(1, name=noise))])

    def test_other_spellings_of_the_url_are_understood(self, postgres_url):
        for scheme in ("postgres", "postgresql+psycopg"):
            ledger = open_at(postgres_url.replace("postgresql", scheme, 1))
            ledger.check()
            ledger.close()
