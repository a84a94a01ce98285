"""Types of columns that the two databases store each in its own way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Integer, Label, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

BigNumber = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits; in SQLite the one spelling that may count up by itself."""

Name = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared byte by byte, as Python and SQLite compare it."""


class UtcTime(TypeDecorator[datetime]):
    """A moment, to the microsecond: ``timestamptz`` in PostgreSQL, microseconds since 1970 in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type in this database."""
        stored: TypeEngine[Any] = BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(stored)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        """To the database."""
        if value is None or dialect.name != "sqlite":
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: datetime | int | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return moment_of(value)


def in_microseconds(column: Column[datetime]) -> Label[int]:
    """A column of type :class:`UtcTime`, selected under its own name as microseconds since 1970.

    Python can express fewer moments than a database can store; this number can always be fetched.
    """
    return _Microseconds(column).label(column.name)


def moment_of(microseconds: int) -> datetime:
    """The moment that lies this number of microseconds after 1970.

    Raises:
        OverflowError: Python cannot express it.
    """
    return _EPOCH + microseconds * _MICROSECOND


class _Microseconds(FunctionElement[int]):
    type = BigInteger()
    inherit_cache = True


@compiles(_Microseconds, "sqlite")
def _stored(element: _Microseconds, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the compiler's own
    return compiler.process(element.clauses, **options)


@compiles(_Microseconds, "postgresql")
def _counted(element: _Microseconds, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the compiler's own
    return f"CAST(EXTRACT(epoch FROM {compiler.process(element.clauses, **options)}) * 1000000 AS BIGINT)"
