"""The questions that are asked again and again, built once: building a statement takes longer than running it."""

from __future__ import annotations

from sqlalchemy import Integer, Text, bindparam, func, select

from qdepot.adapters.ledgers.sql.rows import EVENT_COLUMNS, JOB_COLUMNS
from qdepot.adapters.ledgers.sql.tables import IS_OPEN, events, jobs, tombstones

_JOB_ID = bindparam("job_id", type_=Text)
_IDS = bindparam("ids", type_=Text, expanding=True)

JOB_BY_ID = select(*JOB_COLUMNS).where(jobs.c.id == _JOB_ID)
"""Asks for ``job_id``."""

JOBS_BY_ID = select(*JOB_COLUMNS).where(jobs.c.id.in_(_IDS))
"""Asks for ``ids``."""

JOB_BY_KEY = select(*JOB_COLUMNS).where(
    jobs.c.project == bindparam("project", type_=Text),
    jobs.c.owner == bindparam("owner", type_=Text),
    jobs.c.idempotency_key_sha256 == bindparam("key", type_=Text),
)
"""Asks for ``project``, ``owner``, ``key``."""

HISTORY = (
    select(*EVENT_COLUMNS)
    .where(events.c.job_id == _JOB_ID, events.c.number > bindparam("after", type_=Integer))
    .order_by(events.c.number)
    .limit(bindparam("most", type_=Integer))
)
"""Asks for ``job_id``, ``after``, ``most``."""

HISTORIES = select(*EVENT_COLUMNS).where(events.c.job_id.in_(_IDS)).order_by(events.c.job_id, events.c.number)
"""Asks for ``ids``."""

TOMBSTONE = select(tombstones.c.project, tombstones.c.deleted_at).where(tombstones.c.job_id == _JOB_ID)
"""Asks for ``job_id``."""

DELETED = select(tombstones.c.job_id).where(tombstones.c.job_id.in_(_IDS)).limit(1)
"""Asks for ``ids``."""

COUNTS = select(jobs.c.status, func.count()).group_by(jobs.c.status)
COUNTS_OF_PROJECT = COUNTS.where(jobs.c.project == bindparam("project", type_=Text))
"""Asks for ``project``."""

NUM_OPEN = select(func.count()).where(jobs.c.project == bindparam("project", type_=Text), IS_OPEN)
"""Asks for ``project``."""

NUM_OPEN_WITH_REQUEST = select(func.count()).where(jobs.c.request_key == bindparam("request_key", type_=Text), IS_OPEN)
"""Asks for ``request_key``."""
