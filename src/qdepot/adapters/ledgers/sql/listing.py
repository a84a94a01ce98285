"""Pages of jobs, newest first."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Integer, Select, Text, TextClause, bindparam, select, tuple_, union_all

from qdepot.adapters.ledgers.cursor import Position
from qdepot.adapters.ledgers.sql.columns import UtcTime
from qdepot.adapters.ledgers.sql.rows import JOB_COLUMNS
from qdepot.adapters.ledgers.sql.tables import IS_CANCELLING, IS_NAMED, IS_NOT_CANCELLING, job_tags, jobs
from qdepot.domain.job import JobStatus
from qdepot.ports.ledger import JobFilter

_Condition: TypeAlias = ColumnElement[bool] | TextClause
_Age: TypeAlias = tuple[ColumnElement[Any], ColumnElement[Any]]

_MOST = bindparam("most", type_=Integer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What a filter needs its statement to look like.

    Attributes:
        asks: Which of the filter's fields matter.
        num_statuses: How many statuses it shows; None for all.
        cancelling: As in the filter.
        is_named: It asks for a name that is not empty.
        goes_on: There is a position to begin behind.
    """

    asks: frozenset[str]
    num_statuses: int | None
    cancelling: bool | None
    is_named: bool
    goes_on: bool


def page_query(wanted: JobFilter, *, limit: int, behind: Position | None) -> tuple[Select[Any], dict[str, object]]:
    """Statement and parameters for the first ``limit`` jobs that match, behind a position.

    Each status is read from its own stretch of an index and the stretches are merged, so that jobs of other statuses
    cost nothing. A filter by tag reads the tag's own stretch.
    """
    statuses = None if wanted.status in {None, frozenset(JobStatus)} else sorted(wanted.status or ())
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    shape = _Shape(
        asks=frozenset(name for name, value in given.items() if value is not None),
        num_statuses=None if statuses is None else len(statuses),
        cancelling=wanted.cancelling,
        is_named=bool(wanted.name),
        goes_on=behind is not None,
    )
    parameters = {name: given[name] for name in shape.asks - {"status", "cancelling"}}
    parameters |= {f"status_{place}": status.value for place, status in enumerate(statuses or ())}
    if behind is not None:
        parameters |= {"behind_time": behind.created_at, "behind_id": behind.job_id}
    return _statement(shape), {**parameters, "most": limit}


@functools.lru_cache(maxsize=256)
def _statement(shape: _Shape) -> Select[Any]:
    """The page of any filter of this shape."""
    if shape.num_statuses is None:
        shown: Any = _stretch(shape, status=None).subquery()
    else:
        stretches = [_stretch(shape, status=f"status_{place}").subquery() for place in range(shape.num_statuses)]
        together = union_all(*(select(stretch) for stretch in stretches)).subquery()
        shown = select(together).order_by(*_newest(together.c.created_at, together.c.id)).limit(_MOST).subquery()
    return (
        select(*JOB_COLUMNS)
        .join_from(shown, jobs, jobs.c.id == shown.c.id)
        .order_by(*_newest(shown.c.created_at, shown.c.id))
    )


def _stretch(shape: _Shape, *, status: str | None) -> Select[Any]:
    """Age and id of the first jobs of the status in that parameter, or of any."""
    age: _Age = (jobs.c.created_at, jobs.c.id)
    source: Select[Any] = select(*age)
    if "tag" in shape.asks:
        age = (job_tags.c.created_at, job_tags.c.job_id.label("id"))
        source = select(*age).join_from(job_tags, jobs, jobs.c.id == job_tags.c.job_id)
        age = (job_tags.c.created_at, job_tags.c.job_id)
    if status is not None:
        source = source.where(jobs.c.status == bindparam(status, type_=Text))
    conditions = [*_record_conditions(shape), *_age_conditions(shape, age)]
    return source.where(*conditions).order_by(*_newest(*age)).limit(_MOST)


def _record_conditions(shape: _Shape) -> Iterator[_Condition]:
    """What the record itself must be."""
    tagged = "tag" in shape.asks
    columns = {"project": job_tags.c.project if tagged else jobs.c.project, "tag": job_tags.c.tag}
    columns |= {"backend": jobs.c.backend, "name": jobs.c.name}
    for name, column in columns.items():
        if name in shape.asks:
            yield column == bindparam(name, type_=Text)
    if shape.is_named:
        yield IS_NAMED
    if shape.cancelling is not None:
        yield IS_CANCELLING if shape.cancelling else IS_NOT_CANCELLING


def _age_conditions(shape: _Shape, age: _Age) -> Iterator[_Condition]:
    """When it was accepted, and where the page begins."""
    created_at, job_id = age
    if "created_from" in shape.asks:
        yield created_at >= bindparam("created_from", type_=UtcTime)
    if "created_before" in shape.asks:
        yield created_at < bindparam("created_before", type_=UtcTime)
    if shape.goes_on:
        behind = tuple_(bindparam("behind_time", type_=UtcTime), bindparam("behind_id", type_=Text))
        yield tuple_(created_at, job_id) < behind


def _newest(created_at: ColumnElement[Any], job_id: ColumnElement[Any]) -> _Age:
    """The order of a list."""
    return created_at.desc(), job_id.desc()
