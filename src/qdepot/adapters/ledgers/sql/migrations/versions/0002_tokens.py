"""Tokens; and whose job a deleted job was, so that nobody else is told that there was one.

Up to here nobody could log in, so that every job was of the project "default".
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Time = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of tokens, and make that of tombstones anew."""
    op.create_table(
        "tokens",
        sa.Column("id", Name, nullable=False),
        sa.Column("project", Name, nullable=False),
        sa.Column("owner", Name, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time),
        sa.Column("last_used_at", Time),
        sa.Column("revoked_at", Time),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
    op.create_index("tokens_of_project", "tokens", ["project", "created_at", "id"])
    _give_tombstones_a_project()


def _give_tombstones_a_project() -> None:
    op.execute("CREATE TABLE tombstones_before AS SELECT job_id, deleted_at FROM tombstones")
    op.drop_table("tombstones")
    op.create_table(
        "tombstones",
        sa.Column("job_id", Name, nullable=False),
        sa.Column("project", Name, nullable=False),
        sa.Column("deleted_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_tombstones"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO tombstones (job_id, project, deleted_at) "
        "SELECT job_id, 'default', deleted_at FROM tombstones_before"
    )
    op.drop_table("tombstones_before")
