from __future__ import annotations

import io

from qdepot.client import progress
from qdepot.wire.answers import StatusAnswer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_where_nobody_looks(monkeypatch, capsys):
    monkeypatch.setattr(progress.sys, "stderr", io.StringIO())
    monkeypatch.delitem(progress.sys.modules, "ipykernel", raising=False)
    assert not progress.is_watched()
    with progress.job_progress("sweep", jobs=2, shown=False) as update:
        assert update is None


def test_a_terminal_shows_how_many_are_done(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    assert progress.is_watched()
    with progress.job_progress("sweep", jobs=2, shown=True) as update:
        assert update is not None
        words = ("COMPLETED", "RUNNING")
        update({word: StatusAnswer(id=word, status=word, stage="x") for word in words})
    shown = terminal.getvalue()
    assert "sweep" in shown
    assert "1/2" in shown
    assert "1 COMPLETED, 1 RUNNING" in shown


def test_of_one_job_a_terminal_shows_how_many_circuits_are_done(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress.job_progress("waiting", jobs=1, shown=True) as update:
        assert update is not None
        update({"x": StatusAnswer(id="x", status="RUNNING", stage="x", circuits_done=12, num_circuits=200)})
    assert "12/200" in terminal.getvalue()
    with progress.job_progress("waiting", jobs=1, shown=True) as update:
        assert update is not None
        update({"x": StatusAnswer(id="x", status="COMPLETED", stage="x", circuits_done=0, num_circuits=200)})
    assert "200/200" in terminal.getvalue()
