"""How the log of a service looks: one line for each event, with all that is known of it."""

from __future__ import annotations

import json
import logging

_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
_OF_ANY_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class LogLine(logging.Formatter):
    """Behind an event of ours, what it is about: ``pool_cannot_load problem="..."``.

    Values are JSON, so that none can pretend to be a line of its own.
    """

    def __init__(self) -> None:
        super().__init__(_LINE)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The line, without traceback."""
        line = super().formatMessage(record)
        if not record.name.startswith("qdepot."):
            return line
        more = {name: value for name, value in record.__dict__.items() if name not in _OF_ANY_RECORD}
        return " ".join([line, *(f"{name}={json.dumps(value, default=str)}" for name, value in more.items())])


def set_up_log(level: str) -> None:
    """Write the log to standard error, without the libraries' small talk."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLine())
    logging.basicConfig(level=level, handlers=[handler])
    for chatty in ("alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
