"""The tables of the ledger, and the indexes that keep its questions cheap however many jobs there are.

The ledger's own columns of ``jobs``, in seconds of the ledger's clock:

* ``duty``: :attr:`Job.next_duty`, so that it can be searched.
* ``due_at``: the duty may not act before; 0 means at once.
* ``lease_holder``, ``lease_until``: who may act, how long.
* ``parked_until``: the later of ``due_at`` and ``lease_until`` while that lies ahead, else null. A job that is not
  parked is free for anybody, so that the jobs that are free lie in one index in the order in which they are claimed,
  and those that are not cost a claim nothing. Whoever claims first unparks the jobs whose time has come: each wait
  costs one such step, however many jobs wait.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TextClause,
    text,
)

from qdepot.adapters.ledgers.sql.columns import BigNumber, Name, UtcTime
from qdepot.domain.job import JobStatus

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"})

# A partial index serves a query only if the query says the index's condition in the index's own words, without bound
# parameters: hence text, used by both.
IS_OPEN = text(f"status IN ({', '.join(sorted(repr(status.value) for status in JobStatus if not status.is_final))})")
"""Not final."""
IS_CANCELLING = text(f"cancel_requested AND {IS_OPEN.text}")
"""Shown as such."""
IS_NOT_CANCELLING = text(f"NOT ({IS_CANCELLING.text})")
IS_NAMED = text("name <> ''")
IS_FREE = text("duty IS NOT NULL AND parked_until IS NULL")
"""Anybody may claim it now."""
IS_PARKED = text("parked_until IS NOT NULL")
IS_LEASED = text("lease_holder IS NOT NULL")

jobs = Table(
    "jobs",
    metadata,
    Column("id", Name, primary_key=True),
    Column("project", Name, nullable=False),
    Column("owner", Name, nullable=False),
    Column("backend", Name, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Name, nullable=False),
    Column("stage", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("queued_at", UtcTime),
    Column("running_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("num_circuits", BigNumber, nullable=False),
    Column("shots", BigNumber),
    Column("name", Name, nullable=False),
    Column("tags", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("timeout_s", Double),
    Column("summary", Text),
    Column("request_sha256", Text, nullable=False),
    Column("idempotency_key_sha256", Name),
    Column("request_key", Name, nullable=False),
    Column("request_index", Integer),
    Column("prepared", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("provider_job_id", Text),
    Column("vendor_status", Text),
    Column("queue_position", BigNumber),
    Column("parts", Integer, nullable=False),
    Column("circuits_done", BigNumber, nullable=False),
    Column("last_poll_error", Text),
    Column("failures_in_row", Integer, nullable=False),
    Column("next_try_at", UtcTime),
    Column("why", Text, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("outcome", Text),
    Column("failure", Text),
    Column("result_key", Text),
    Column("result_size_bytes", BigNumber),
    Column("result_sha256", Text),
    Column("pending_removed", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("duty", Name),
    Column("due_at", Double, nullable=False),
    Column("lease_holder", Name),
    Column("lease_until", Double),
    Column("parked_until", Double),
    Column("edits", Integer, nullable=False, server_default="0"),
)


def _partial(name: str, *columns: ColumnElement[Any] | Column[Any], where: TextClause, unique: bool = False) -> None:
    """An index of those rows only for which ``where`` holds."""
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


Index("jobs_by_age", jobs.c.created_at, jobs.c.id)
Index("jobs_of_project", jobs.c.project, jobs.c.created_at, jobs.c.id)
Index("jobs_by_status", jobs.c.project, jobs.c.status, jobs.c.created_at, jobs.c.id)
Index("jobs_by_backend", jobs.c.project, jobs.c.backend, jobs.c.created_at, jobs.c.id)
_partial("jobs_by_name", jobs.c.project, jobs.c.name, jobs.c.created_at, jobs.c.id, where=IS_NAMED)
_partial("jobs_cancelling", jobs.c.project, jobs.c.created_at, jobs.c.id, where=IS_CANCELLING)
_partial(
    "jobs_by_idempotency_key",
    jobs.c.project,
    jobs.c.owner,
    jobs.c.idempotency_key_sha256,
    where=text("idempotency_key_sha256 IS NOT NULL"),
    unique=True,
)
_partial("jobs_open_by_request", jobs.c.request_key, where=IS_OPEN)
_partial("jobs_free", jobs.c.duty, jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id, where=IS_FREE)
_partial(
    "jobs_free_at_backend",
    jobs.c.duty,
    jobs.c.backend,
    jobs.c.priority.desc(),
    jobs.c.created_at,
    jobs.c.id,
    where=IS_FREE,
)
_partial("jobs_parked", jobs.c.parked_until, where=IS_PARKED)
_partial("jobs_leased", jobs.c.lease_holder, jobs.c.duty, where=IS_LEASED)

job_tags = Table(
    "job_tags",
    metadata,
    Column("project", Name, primary_key=True),
    Column("tag", Name, primary_key=True),
    Column("created_at", UtcTime, primary_key=True),
    Column("job_id", Name, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("job_tags_of_job", job_tags.c.job_id)

events = Table(
    "events",
    metadata,
    Column("number", BigNumber, Identity(), primary_key=True),
    Column("job_id", Name, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("from_status", Text, nullable=False),
    Column("to_status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    sqlite_autoincrement=True,  # numbers are not used again after the newest event was deleted
)
Index("events_of_job", events.c.job_id, events.c.number)

tombstones = Table(
    "tombstones",
    metadata,
    Column("job_id", Name, primary_key=True),
    Column("project", Name, nullable=False),
    Column("deleted_at", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Name, primary_key=True),
    Column("project", Name, nullable=False),
    Column("owner", Name, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("secret_sha256", Text, nullable=False),
    Column("parent", Name),
)
Index("tokens_of_project", tokens.c.project, tokens.c.created_at, tokens.c.id)
Index("tokens_of_parent", tokens.c.parent)

ledger_state = Table(
    "ledger_state",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What concerns the ledger as a whole: ``boot_id``, the boot that the times in it belong to; ``first_token``, the token
that was made when there was none."""
