"""Connections to PostgreSQL that do not wait for ever for a network that swallows what it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import OperationalError
from sqlalchemy import Connection

ANSWER_S = 20.0
"""Longest wait for an answer. Longer than the server works at a statement or waits for a lock: then it answers."""


class ImpatientConnection(psycopg.Connection[Any]):
    """Gives a statement up that has no answer in time, and the connection with it.

    Keepalives and TCP's own time limit see only whether bytes are taken, as a proxy or a hung server takes them.

    Attributes:
        is_patient: For now, statements may take as long as they need.
    """

    is_patient = False

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - the driver's
        """See psycopg. With a ``timeout``, its caller is one who waits for what may never come: a notice."""
        if self.is_patient or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, ANSWER_S)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - the driver has no public name for it
            self.close()
            raise OperationalError(f"the server did not answer within {ANSWER_S:g} s") from error


@contextmanager
def patience(connection: Connection) -> Iterator[None]:
    """For work that grows with the ledger: neither the server nor we give up a statement of this transaction.

    Its commit has to answer in time again.
    """
    driver: Any = connection.connection.driver_connection
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    driver.is_patient = True
    try:
        yield
    finally:
        driver.is_patient = False
