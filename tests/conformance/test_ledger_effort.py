"""What a question costs does not grow with the number of jobs that it is not about."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from qdepot.adapters.ledgers.sql import tables
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.job import Duty, JobStatus
from qdepot.ports.ledger import JobFilter
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, accepted, ended, job_id_of, make_job, queued

CROWD_OF = job_id_of(99)
MINE = {"project": "mine", "backend": "mine", "name": "n", "tags": ("t",), "created_at": MADE_AT - timedelta(days=1)}
"""Few jobs have these; the crowd comes before them, in every list and every queue."""

CROWD = {
    # Where the rest of the jobs stands, so that every index has its share of it.
    "ended": {"status": "'COMPLETED'", "duty": "NULL"},
    "parked": {"status": "'QUEUED'", "duty": "'poll'", "parked_until": "1e12", "due_at": "1e12"},
    "leased": {
        "status": "'QUEUED'",
        "duty": "'poll'",
        "parked_until": "1e12",
        "lease_until": "1e12",
        "lease_holder": "'x'",
    },
    "free": {"status": "'CREATED'", "duty": "'prepare'", "priority": "5"},
}


def fill(ledger, crowd_size):
    """Add my few jobs, and a crowd of copies of another one."""
    mine = [make_job(number, **MINE, idempotency_key_sha256=f"key {number}") for number in range(1, 41)]
    ledger.add([accepted(job) for job in mine])
    ledger.save([*(queued(job) for job in mine[:10]), *(job.edited(cancel_requested=True) for job in mine[10:20])])
    ledger.add([accepted(make_job(99, project="crowd", backend="crowd", tags=("t",), name="n"))])
    with ledger._database.writers.begin() as connection:
        for kind, fields in CROWD.items():
            connection.execute(text(copying(f"'{kind}-' || n", crowd_size // len(CROWD), fields)))
        connection.execute(
            text(
                'INSERT INTO events (job_id, at, from_status, to_status, stage, attempt, "by", why)'
                " SELECT id, created_at, '', status, stage, 1, '', '' FROM jobs WHERE project = 'crowd' AND id <> :one"
            ),
            {"one": CROWD_OF},
        )
        tagged = "SELECT project, 't', created_at, id FROM jobs WHERE project = 'crowd' AND id <> :one"
        connection.execute(text(f"INSERT INTO job_tags {tagged}"), {"one": CROWD_OF})
        connection.execute(text("UPDATE jobs SET project = 'mine' WHERE id LIKE 'ended-%'"))


def copying(job_id, how_many, fields):
    """SQL that copies a job, with other ids and other fields."""
    columns = [column.name for column in tables.jobs.columns]
    picked = ", ".join({"id": job_id, "request_key": job_id, **fields}.get(name, name) for name in columns)
    return (
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {how_many}) "
        f"INSERT INTO jobs ({', '.join(columns)}) SELECT {picked} FROM jobs, numbers WHERE id = '{CROWD_OF}'"
    )


def claim(ledger, **options):
    return ledger.claim(Duty.PREPARE, holder="me", lease_s=15, limit=3, **options)


def page(ledger, **fields):
    """The second page, since the first is the easier one."""
    first = ledger.page(JobFilter(**fields), limit=3)
    assert len(first.jobs) == 3
    return ledger.page(JobFilter(**fields), limit=3, cursor=first.next_cursor)


def restatus(ledger):
    """Take a job all the way."""
    job = ledger.get(job_id_of(30))
    sent = queued(job)
    assert ledger.save([sent]) == [True]
    assert ledger.save([ended(sent.after)]) == [True]
    assert ledger.delete(ended(sent.after).after, at=MADE_AT)


QUESTIONS = {
    "get": lambda ledger: ledger.get(job_id_of(1)),
    "get many": lambda ledger: ledger.get_many([job_id_of(number) for number in range(1, 9)]),
    "by key": lambda ledger: ledger.find_by_idempotency_key(project="mine", owner="local", key_sha256="key 7"),
    "history": lambda ledger: ledger.events(job_id_of(1)),
    "open jobs of a project": lambda ledger: ledger.count_open("mine"),
    "sharers of a request": lambda ledger: ledger.unfinished_with_request("parked-17"),
    "newest of all": page,
    "newest of a project": lambda ledger: page(ledger, project="mine"),
    "by status": lambda ledger: page(ledger, project="mine", status=frozenset({JobStatus.QUEUED})),
    "by statuses": lambda ledger: page(
        ledger, project="mine", status=frozenset({JobStatus.CREATED, JobStatus.QUEUED, JobStatus.FAILED})
    ),
    "by backend": lambda ledger: page(ledger, project="mine", backend="mine"),
    "by status and backend": lambda ledger: page(
        ledger, project="mine", status=frozenset({JobStatus.QUEUED}), backend="mine"
    ),
    "by name": lambda ledger: page(ledger, project="mine", name="n"),
    "by tag": lambda ledger: page(ledger, project="mine", tag="t"),
    "being cancelled": lambda ledger: page(ledger, project="mine", cancelling=True),
    "before": lambda ledger: page(ledger, project="mine", created_before=MADE_AT - timedelta(hours=1)),
    "claim": claim,
    "claim at a backend": lambda ledger: claim(ledger, backends=["mine"]),
    "claim at backends": lambda ledger: claim(ledger, backends=["mine", "another", "crowd"]),
    "claim what there is not": lambda ledger: ledger.claim(Duty.COLLECT, holder="me", lease_s=15, limit=3),
    "claim by name": lambda ledger: claim(ledger, job_ids=[job_id_of(31), job_id_of(32)]),
    "renew": lambda ledger: ledger.renew([job_id_of(31)], holder="me", lease_s=15),
    "release": lambda ledger: ledger.release(holder="me"),
    "add": lambda ledger: ledger.add([accepted(make_job(50, **MINE))]),
    "save and delete": restatus,
}


@pytest.fixture(scope="module")
def efforts(tmp_path_factory):
    """How many steps SQLite's machine takes for each question, among few jobs and among many."""
    found = {}
    for crowd_size in (400, 20_000):
        steps = [0]

        def count(steps=steps):
            steps[0] += 1

        url = f"sqlite:///{tmp_path_factory.mktemp('effort')}/ledger.db"
        ledger = open_ledger(url, clock=FrozenClock())
        fill(ledger, crowd_size)
        for engine in (ledger._database.readers, ledger._database.writers):
            engine.dispose()
            event.listen(engine, "connect", lambda driver, _, count=count: driver.set_progress_handler(count, 1))
        ledger.get(CROWD_OF)
        ledger.release(holder="nobody")  # connections are open now, and know the tables
        for name, ask in QUESTIONS.items():
            steps[0] = 0
            ask(ledger)
            found.setdefault(name, []).append(steps[0])
        ledger.close()
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_fifty_times_as_many_jobs_cost_sqlite_no_more_steps(efforts, question):
    few, many = efforts[question]
    assert few > 0
    assert many <= 1.2 * few + 100


@pytest.fixture(scope="module")
def plans(postgres):
    """PostgreSQL's plan of each statement that a question asks, among many jobs."""
    url = postgres.url_of(postgres.create_database())
    clock = FrozenClock()
    ledger = open_ledger(url, clock=clock, use_database_clock=False)
    fill(ledger, 20_000)
    with ledger._database.readers.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as PostgreSQL does by itself after a while
    found = {}
    asked = []

    def explain(_connection, cursor, statement, parameters, *context):
        _, is_many = context
        if is_many or "pg_notify" in statement:
            return
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        found.setdefault(asked[-1], []).extend(cursor.fetchall())

    event.listen(ledger._database.writers, "before_cursor_execute", explain)
    for name, ask in QUESTIONS.items():
        asked.append(name)
        ask(ledger)
    ledger.close()
    return found


def scans(plan):
    """All nodes of a plan that read a whole table."""
    for node in plan if isinstance(plan, list) else [plan]:
        if node.get("Node Type") == "Seq Scan":
            yield node["Relation Name"]
        for inner in ("Plan", "Plans"):
            yield from scans(node.get(inner, []))


@pytest.mark.parametrize("question", QUESTIONS)
def test_postgres_reads_no_table_as_a_whole(plans, question):
    assert plans[question]
    for (plan,) in plans[question]:
        found = set(scans(plan)) - {"tombstones"}
        assert not found, json.dumps(plan, indent=1)
