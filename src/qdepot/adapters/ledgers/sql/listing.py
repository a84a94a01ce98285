"""Pages of jobs, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, TextClause, literal, select, tuple_, union_all

from qdepot.adapters.ledgers.cursor import Position
from qdepot.adapters.ledgers.sql.rows import JOB_COLUMNS
from qdepot.adapters.ledgers.sql.tables import IS_CANCELLING, IS_NAMED, IS_NOT_CANCELLING, job_tags, jobs
from qdepot.domain.job import JobStatus
from qdepot.ports.ledger import JobFilter

_Condition: TypeAlias = ColumnElement[bool] | TextClause
_Age: TypeAlias = tuple[ColumnElement[Any], ColumnElement[Any]]


def page_statement(wanted: JobFilter, *, limit: int, behind: Position | None) -> Select[Any]:
    """The first ``limit`` jobs that match, behind a position.

    Each status is read from its own stretch of the index and the stretches are merged, so that jobs of other statuses
    cost nothing. A filter by tag reads the tag's own stretch.
    """
    statuses: Sequence[JobStatus | None] = [None]
    if wanted.status is not None and wanted.status != frozenset(JobStatus):
        statuses = sorted(wanted.status)
    stretches = [_stretch(wanted, status=status, limit=limit, behind=behind).subquery() for status in statuses]
    if len(stretches) == 1:
        shown: Any = stretches[0]
    else:
        together = union_all(*(select(stretch) for stretch in stretches)).subquery()
        shown = select(together).order_by(*_newest(together.c.created_at, together.c.id)).limit(limit).subquery()
    return (
        select(*JOB_COLUMNS)
        .join_from(shown, jobs, jobs.c.id == shown.c.id)
        .order_by(*_newest(shown.c.created_at, shown.c.id))
    )


def _stretch(wanted: JobFilter, *, status: JobStatus | None, limit: int, behind: Position | None) -> Select[Any]:
    """Age and id of the first jobs of one status, or of any."""
    age: _Age = (jobs.c.created_at, jobs.c.id)
    source: Select[Any] = select(jobs.c.created_at, jobs.c.id)
    if wanted.tag is not None:
        age = (job_tags.c.created_at, job_tags.c.job_id)
        source = select(age[0], age[1].label("id")).join_from(job_tags, jobs, jobs.c.id == job_tags.c.job_id)
    conditions = [*_record_conditions(wanted, status=status), *_tag_conditions(wanted), *_age_conditions(wanted, age)]
    if behind is not None:
        conditions.append(_older(age, than=behind))
    return source.where(*conditions).order_by(*_newest(*age)).limit(limit)


def _record_conditions(wanted: JobFilter, *, status: JobStatus | None) -> Iterator[_Condition]:
    """What the record itself must be."""
    if wanted.project is not None:
        yield jobs.c.project == wanted.project
    if status is not None:
        yield jobs.c.status == status.value
    if wanted.backend is not None:
        yield jobs.c.backend == wanted.backend
    if wanted.name is not None:
        yield jobs.c.name == wanted.name
        if wanted.name:
            yield IS_NAMED
    if wanted.cancelling is not None:
        yield IS_CANCELLING if wanted.cancelling else IS_NOT_CANCELLING


def _tag_conditions(wanted: JobFilter) -> Iterator[_Condition]:
    """Which tags are looked through."""
    if wanted.tag is not None:
        yield job_tags.c.tag == wanted.tag
        if wanted.project is not None:
            yield job_tags.c.project == wanted.project


def _age_conditions(wanted: JobFilter, age: _Age) -> Iterator[_Condition]:
    """When it was accepted."""
    if wanted.created_from is not None:
        yield age[0] >= wanted.created_from
    if wanted.created_before is not None:
        yield age[0] < wanted.created_before


def _older(age: _Age, *, than: Position) -> _Condition:
    """Behind a position, for an index to begin at."""
    created_at, job_id = age
    place = tuple_(literal(than.created_at, created_at.type), literal(than.job_id, job_id.type))
    return tuple_(created_at, job_id) < place


def _newest(created_at: ColumnElement[Any], job_id: ColumnElement[Any]) -> _Age:
    """The order of a list."""
    return created_at.desc(), job_id.desc()
