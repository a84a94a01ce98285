"""The first tables.

A migration is history: it says in its own words what it does, and never changes once it was released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Time = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create everything."""
    _create_jobs()
    _index_jobs()
    op.create_table(
        "job_tags",
        sa.Column("project", Name, nullable=False),
        sa.Column("tag", Name, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("job_id", Name, nullable=False),
        sa.PrimaryKeyConstraint("project", "tag", "created_at", "job_id", name="pk_job_tags"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_tags_job_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("job_tags_of_job", "job_tags", ["job_id"])
    op.create_table(
        "events",
        sa.Column("number", Number, sa.Identity(), nullable=False),
        sa.Column("job_id", Name, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("from_status", sa.Text, nullable=False),
        sa.Column("to_status", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_events_job_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_job", "events", ["job_id", "number"])
    op.create_table(
        "tombstones",
        sa.Column("job_id", Name, nullable=False),
        sa.Column("deleted_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_tombstones"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_state",
        sa.Column("name", Name, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_ledger_state"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", Name, nullable=False),
        sa.Column("project", Name, nullable=False),
        sa.Column("owner", Name, nullable=False),
        sa.Column("backend", Name, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", Name, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("queued_at", Time),
        sa.Column("running_at", Time),
        sa.Column("ended_at", Time),
        sa.Column("num_circuits", Number, nullable=False),
        sa.Column("shots", Number),
        sa.Column("name", Name, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("timeout_s", sa.Double),
        sa.Column("summary", sa.Text),
        sa.Column("request_sha256", sa.Text, nullable=False),
        sa.Column("idempotency_key_sha256", Name),
        sa.Column("request_key", Name, nullable=False),
        sa.Column("request_index", sa.Integer),
        sa.Column("prepared", sa.Boolean, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("provider_job_id", sa.Text),
        sa.Column("vendor_status", sa.Text),
        sa.Column("queue_position", Number),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("circuits_done", Number, nullable=False),
        sa.Column("last_poll_error", sa.Text),
        sa.Column("failures_in_row", sa.Integer, nullable=False),
        sa.Column("next_try_at", Time),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("result_key", sa.Text),
        sa.Column("result_size_bytes", Number),
        sa.Column("result_sha256", sa.Text),
        sa.Column("pending_removed", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("duty", Name),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("lease_holder", Name),
        sa.Column("lease_until", sa.Double),
        sa.Column("parked_until", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )


def _index_jobs() -> None:
    is_open = "status IN ('CREATED', 'QUEUED', 'RUNNING')"
    is_free = "duty IS NOT NULL AND parked_until IS NULL"
    turn: list[str | sa.TextClause] = [sa.text("priority DESC"), "created_at", "id"]
    op.create_index("jobs_by_age", "jobs", ["created_at", "id"])
    op.create_index("jobs_of_project", "jobs", ["project", "created_at", "id"])
    op.create_index("jobs_by_status", "jobs", ["project", "status", "created_at", "id"])
    op.create_index("jobs_by_backend", "jobs", ["project", "backend", "created_at", "id"])
    _partial("jobs_by_name", ["project", "name", "created_at", "id"], "name <> ''")
    _partial("jobs_cancelling", ["project", "created_at", "id"], f"cancel_requested AND {is_open}")
    _partial(
        "jobs_by_idempotency_key",
        ["project", "owner", "idempotency_key_sha256"],
        "idempotency_key_sha256 IS NOT NULL",
        unique=True,
    )
    _partial("jobs_open_by_request", ["request_key"], is_open)
    _partial("jobs_free", ["duty", *turn], is_free)
    _partial("jobs_free_at_backend", ["duty", "backend", *turn], is_free)
    _partial("jobs_parked", ["parked_until"], "parked_until IS NOT NULL")
    _partial("jobs_leased", ["lease_holder", "duty"], "lease_holder IS NOT NULL")


def _partial(name: str, columns: list[str | sa.TextClause], where: str, *, unique: bool = False) -> None:
    op.create_index(name, "jobs", columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
