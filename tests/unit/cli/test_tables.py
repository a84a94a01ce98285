from __future__ import annotations

import io

import pytest

from qdepot.cli.tables import print_table

JOB_ID = "01a20386-0586-70b3-81f2-3e6ea81a1a1d"


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of a given width; what is printed on it."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def of_width(width: int) -> io.StringIO:
        shown = Terminal()
        monkeypatch.setattr("sys.stdout", shown)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        return shown

    return of_width


def test_a_narrow_terminal_shortens_names_and_never_ids(terminal):
    shown = terminal(60)
    print_table(("id", "status", "name"), [(JOB_ID, "COMPLETED", "n" * 40)], empty="")
    [_, row] = shown.getvalue().splitlines()
    assert row.split() == [JOB_ID, "COMPLETED", "n" * 10 + "…"]


def test_optional_columns_that_do_not_fit_are_left_out_and_named(terminal, capsys):
    columns = ("id", "status", "name", "shots", "tags")
    shown = terminal(62)
    print_table(columns, [(JOB_ID, "COMPLETED", "bell", "1024", "a b")], empty="", optional=("shots", "tags"))
    header, row = shown.getvalue().splitlines()
    assert header.split() == ["id", "status", "name", "shots"]
    assert row.split() == [JOB_ID, "COMPLETED", "bell", "1024"]
    assert "too narrow: tags" in capsys.readouterr().err


@pytest.mark.parametrize("width", [40, 80, 110])
def test_no_column_and_no_character_is_lost_silently(terminal, width):
    row = ("completed", "default/2026-11-28/" + JOB_ID + ".zip", "4023", "5e" * 32)
    shown = terminal(width)
    print_table(("area", "key", "bytes", "sha256"), [row], empty="")
    for cell in row:
        assert cell in shown.getvalue().replace("\n", "")


def test_a_pipe_gets_every_column(capsys):
    columns = tuple(f"column {number}" for number in range(30))
    print_table(columns, [tuple("x" * 30 for _ in columns)], empty="", optional=columns)
    header, row = capsys.readouterr().out.splitlines()
    assert header.count("column") == 30
    assert row.count("x" * 30) == 30


def test_no_color_is_kept(monkeypatch, capsys):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_table(("status",), [("FAILED",)], empty="")
    assert "\x1b" not in capsys.readouterr().out
