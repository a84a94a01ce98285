"""What a line of the log holds."""

from __future__ import annotations

import logging

from qdepot.cli.log_lines import LogLine


def line(event: str, *, name: str = "qdepot.some.room", **extra: object) -> str:
    record = logging.getLogger(name).makeRecord(name, logging.WARNING, "file", 1, event, (), None, extra=extra)
    return LogLine().format(record)


def test_what_an_event_is_about_stands_behind_it():
    told = line("pool_sandbox", closed=["files"], open={"calls": "no libseccomp"})
    assert told.endswith(' WARNING qdepot.some.room pool_sandbox closed=["files"] open={"calls": "no libseccomp"}')


def test_an_event_alone_is_shown_as_it_is():
    assert line("dask_cluster_back").endswith(" WARNING qdepot.some.room dask_cluster_back")


def test_no_value_can_pretend_to_be_a_line():
    assert "\n" not in line("request_failed", why="none\n2026-01-01 ERROR qdepot all is lost")


def test_what_is_no_json_is_shown_all_the_same():
    assert line("odd", thing=ValueError("no")).endswith(' thing="no"')


def test_what_libraries_attach_is_not_shown():
    assert line("Started", name="uvicorn.error", color_message="\x1b[36mStarted").endswith("Started")
    assert "36m" not in line("Started", name="uvicorn.error", color_message="\x1b[36mStarted")
