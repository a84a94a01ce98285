"""What the tests of this folder share."""

import shutil

import pytest

from qdepot.adapters.ledgers.sql.schema import MIGRATIONS, REVISION, Schema

NEXT = "9999"
NEXT_MIGRATION = f'''
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{REVISION}"


def upgrade():
    op.add_column("jobs", sa.Column("colour", sa.Text))
'''


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request, tmp_path):
    """A database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    server = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url_of(name)
    server.drop_database(name)


@pytest.fixture
def next_schema(tmp_path):
    """The schema of a version to come, which adds a column."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{NEXT}_colour.py").write_text(NEXT_MIGRATION)
    return Schema(revision=NEXT, migrations=folder)
