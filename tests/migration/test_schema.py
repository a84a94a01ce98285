"""How a ledger's database comes to have the tables that it should have."""

import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import bindparam, column, create_engine, insert, inspect, table, text
from sqlalchemy.exc import OperationalError

from qdepot.adapters.ledgers.sql import impatience
from qdepot.adapters.ledgers.sql.columns import UtcTime
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.ledgers.sql.schema import MIGRATIONS, REVISION, VERSION_TABLE, Schema
from qdepot.adapters.ledgers.sql.tables import metadata, tokens
from qdepot.adapters.ledgers.sql.token_rows import row_of
from qdepot.errors import GoneError, NotFoundError, UnavailableError
from qdepot.ports.ledger import JobFilter
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, accepted, job_id_of, make_job
from qdepot.testing.ledger import validate_ledger
from qdepot.testing.token_register import make_token

CATALOGUE = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> :version_table",
    "postgresql": """
        SELECT 'column', table_name || '.' || column_name, concat_ws(' ', data_type, collation_name, is_nullable,
               column_default, is_identity, identity_generation)
          FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> :version_table
        UNION ALL
        SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND conrelid <> to_regclass(:version_table)
        UNION ALL
        SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> :version_table
    """,
}


def engine_of(url):
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def open_at(url, **options):
    return open_ledger(url, clock=FrozenClock(), **options)


def catalogue(url):
    """All that the database itself says about its tables; column order aside."""
    engine = engine_of(url)
    with engine.connect() as connection:
        rows = connection.execute(text(CATALOGUE[engine.dialect.name]), {"version_table": VERSION_TABLE}).all()
    engine.dispose()
    return {(kind, name): " ".join(definition.split()) for kind, name, definition in rows}


def version_of(url):
    engine = engine_of(url)
    with engine.connect() as connection:
        found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    engine.dispose()
    return found


def test_migrations_yield_exactly_the_tables_of_the_code(fresh_url):
    open_at(fresh_url).close()
    migrated = catalogue(fresh_url)
    engine = engine_of(fresh_url)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    engine.dispose()
    assert migrated == catalogue(fresh_url)
    assert len(migrated) > 10


def test_the_newest_migration_is_the_one_that_the_code_works_with():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_a_fresh_database_gets_the_schema(fresh_url):
    ledger = open_at(fresh_url)
    ledger.check()
    ledger.close()
    assert version_of(fresh_url) == REVISION


def test_a_second_opening_changes_nothing(fresh_url):
    first = open_at(fresh_url)
    first.add([accepted(make_job(1))])
    first.close()
    before = catalogue(fresh_url)
    second = open_at(fresh_url)
    assert second.get(make_job(1).id) == make_job(1)
    second.close()
    assert catalogue(fresh_url) == before


def test_many_open_a_fresh_database_at_once(fresh_url):
    with ThreadPoolExecutor(8) as pool:
        ledgers = list(pool.map(lambda _: open_at(fresh_url), range(8)))
    for number, ledger in enumerate(ledgers, start=1):
        ledger.add([accepted(make_job(number))])
    assert validate_ledger(ledgers[0]) == 8
    for ledger in ledgers:
        ledger.close()


OPENING = """
import sys
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.testing.clock import FrozenClock
from qdepot.testing.jobs import MADE_AT, accepted, job_id_of, make_job
ledger = open_ledger(sys.argv[1], clock=FrozenClock())
ledger.add([accepted(make_job(int(sys.argv[2])))])
ledger.close()
"""


def test_many_processes_open_a_fresh_database_at_once(fresh_url):
    started = [
        subprocess.Popen([sys.executable, "-c", OPENING, fresh_url, str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(1, 5)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 4
    ledger = open_at(fresh_url)
    assert validate_ledger(ledger) == 4
    ledger.close()


def test_an_older_schema_is_upgraded_with_its_data(fresh_url, next_schema):
    old = open_at(fresh_url)
    old.add([accepted(make_job(1, tags=("x",)))])
    old.close()
    new = open_at(fresh_url, schema=next_schema)
    new.check()
    assert new.page(JobFilter(tag="x"), limit=5).jobs == (make_job(1, tags=("x",)),)
    validate_ledger(new)
    new.close()
    assert version_of(fresh_url) == next_schema.revision


def test_an_older_schema_is_left_alone_where_an_upgrade_is_not_allowed(fresh_url, next_schema):
    open_at(fresh_url).close()
    before = catalogue(fresh_url)
    with pytest.raises(UnavailableError, match=rf"schema {REVISION}.*works with {next_schema.revision}") as caught:
        open_at(fresh_url, schema=next_schema, upgrade=False)
    assert "upgrad" in caught.value.solution
    assert catalogue(fresh_url) == before
    assert version_of(fresh_url) == REVISION


def test_who_comes_from_the_first_schema_keeps_deleted_jobs(fresh_url):
    """There was one project only, so a tombstone without one is that project's."""
    before = open_at(fresh_url, schema=Schema(revision="0001"))
    with before._database.writers.begin() as connection:
        connection.execute(
            text("INSERT INTO tombstones (job_id, deleted_at) VALUES (:job_id, :at)").bindparams(
                bindparam("at", type_=UtcTime)
            ),
            {"job_id": job_id_of(1), "at": MADE_AT},
        )
    before.close()
    ledger = open_at(fresh_url)
    with pytest.raises(GoneError, match="2030-01-01"):
        ledger.get(job_id_of(1), project="default")
    with pytest.raises(NotFoundError):
        ledger.get(job_id_of(1), project="elsewhere")
    assert ledger.token_register().list_all() == []
    ledger.close()


def test_who_comes_from_the_second_schema_keeps_tokens_as_made_without_another_one(fresh_url):
    before = open_at(fresh_url, schema=Schema(revision="0002"))
    row = row_of(make_token(1, expires_at=MADE_AT))
    del row["parent"]
    with before._database.writers.begin() as connection:
        connection.execute(insert(table("tokens", *(column(name, tokens.c[name].type) for name in row))).values(row))
    before.close()
    ledger = open_at(fresh_url)
    assert ledger.token_register().list_all() == [make_token(1, expires_at=MADE_AT)]
    ledger.close()


@pytest.mark.parametrize("upgrade", [True, False])
def test_a_newer_schema_is_refused(fresh_url, next_schema, upgrade):
    open_at(fresh_url, schema=next_schema).close()
    with pytest.raises(UnavailableError, match="newer"):
        open_at(fresh_url, upgrade=upgrade)
    assert version_of(fresh_url) == next_schema.revision


def test_a_ledger_whose_schema_changes_under_it_is_not_well(fresh_url, next_schema):
    ledger = open_at(fresh_url)
    open_at(fresh_url, schema=next_schema).close()
    with pytest.raises(UnavailableError, match="newer"):
        ledger.check()
    ledger.close()


def test_a_failed_upgrade_leaves_everything_as_it_was(fresh_url, next_schema):
    open_at(fresh_url).close()
    before = catalogue(fresh_url)
    (script,) = next_schema.migrations.glob("versions/9999*.py")
    script.write_text(script.read_text() + "    raise RuntimeError('half-way')\n")
    with pytest.raises(RuntimeError, match="half-way"):
        open_at(fresh_url, schema=next_schema)
    assert catalogue(fresh_url) == before
    open_at(fresh_url).close()


def test_an_upgrade_may_take_longer_than_any_statement_of_daily_work(postgres, next_schema, monkeypatch):
    """As an index over many jobs does. Neither the server nor we give it up; what comes after is hurried again."""
    name = postgres.create_database()
    url = postgres.url_of(name)
    open_at(url).close()
    (script,) = next_schema.migrations.glob("versions/9999*.py")
    script.write_text(script.read_text() + "    op.execute('SELECT pg_sleep(3)')\n")
    monkeypatch.setattr(impatience, "ANSWER_S", 2.0)
    new = open_at(f"{url}&options=-c%20statement_timeout%3D1500ms", schema=next_schema)
    new.check()
    with pytest.raises(OperationalError, match="statement timeout"), new._database.writers.connect() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    with new._database.writers.connect() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        with pytest.raises(OperationalError, match="did not answer"):
            connection.exec_driver_sql("SELECT pg_sleep(60)")
    new.close()
    postgres.drop_database(name)


def test_a_database_of_something_else_is_not_touched(fresh_url):
    engine = engine_of(fresh_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE jobs (id INTEGER)"))
    with pytest.raises(UnavailableError, match="not a ledger"):
        open_at(fresh_url)
    assert set(inspect(engine).get_table_names()) == {"jobs"}
    engine.dispose()


def test_a_ledger_without_its_tables_says_so(fresh_url):
    ledger = open_at(fresh_url)
    engine = engine_of(fresh_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
        connection.execute(text("DROP TABLE job_tags"))
        connection.execute(text("DROP TABLE jobs"))
    with pytest.raises(UnavailableError, match="tables") as caught:
        ledger.get(make_job(1).id)
    assert "SELECT" not in str(caught.value)
    ledger.close()
    engine.dispose()


def test_a_current_schema_is_opened_without_alembic(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.db"
    open_at(url).close()
    script = OPENING + "assert 'alembic' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", script, url, "1"], check=True, timeout=60)


@pytest.mark.slow
def test_wheels_hold_the_migrations(tmp_path):
    root = MIGRATIONS.parents[5]
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(root)]
    subprocess.run(build, check=True, capture_output=True, timeout=110)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(path.relative_to(root / "src")) for path in MIGRATIONS.rglob("*.py")}
    assert wanted <= names
    assert len(wanted) >= 2
    assert Schema().revision == REVISION
