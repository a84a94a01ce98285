"""Tables on standard output."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Sequence

from qdepot.cli.output import note, print_text

_STATUS_STYLES = {
    "COMPLETED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
    "CANCELLING": "yellow",
    "RUNNING": "cyan",
}
_NEVER_CUT = frozenset({"id", "backend", "status", "at", "sha256", "key", "fact", "bytes"})
_LEAST_WIDTH = 8
"""Narrowest that a column that may be cut is made."""
_GAP = 2
_WIDE_ENOUGH = 10_000


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, optional: Sequence[str] = ()
) -> None:
    """Print a table to standard output; if it has no row, print ``empty`` to standard error.

    A pipe gets everything. On a terminal that is too narrow, long texts are cut first. Then optional columns are left
    out, and standard error says which. If the rest is still too wide, each row becomes a list with one line per column.

    Args:
        columns: Their titles.
        rows: One text per column.
        empty: What to say if there are no rows.
        optional: Titles of columns that may be left out, the least important one last.
    """
    filled = [list(row) for row in rows]
    if not filled:
        note(empty)
        return
    if not sys.stdout.isatty():
        _print_whole(columns, filled)
        return
    width = shutil.get_terminal_size().columns
    kept = _kept(columns, filled, optional=optional, width=width)
    shown = [[row[index] for index in kept] for row in filled]
    titles = [columns[index] for index in kept]
    if _least_width(titles, shown) > width:
        _print_lists(columns, filled)
        return
    _print_cut(titles, shown, terminal=width)
    hidden = [title for index, title in enumerate(columns) if index not in kept]
    if hidden:
        note(f"Not shown, because the terminal is too narrow: {', '.join(hidden)}. --json shows everything.")


def _kept(columns: Sequence[str], rows: Sequence[Sequence[str]], *, optional: Sequence[str], width: int) -> list[int]:
    kept = list(range(len(columns)))
    for title in reversed(optional):
        if _least_width([columns[it] for it in kept], [[row[it] for it in kept] for row in rows]) <= width:
            break
        kept.remove(columns.index(title))
    return kept


def _natural_widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(cell_len(title), *(cell_len(row[index]) for row in rows)) for index, title in enumerate(columns)]


def _least_widths(columns: Sequence[str], natural: Sequence[int]) -> list[int]:
    return [
        width if _is_never_cut(title) else min(width, max(_LEAST_WIDTH, len(title)))
        for title, width in zip(columns, natural, strict=True)
    ]


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    return sum(_least_widths(columns, _natural_widths(columns, rows))) + _GAP * (len(columns) - 1)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], *, terminal: int) -> list[int]:
    """A width for each column: the widest columns that may be cut give way first."""
    widths = _natural_widths(columns, rows)
    least = _least_widths(columns, widths)
    while sum(widths) + _GAP * (len(columns) - 1) > terminal:
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        if not any(spare):
            break
        widest = max((index for index, it in enumerate(spare) if it), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _is_never_cut(title: str) -> bool:
    return title in _NEVER_CUT or title.startswith("created")


def _print_cut(columns: Sequence[str], rows: Sequence[Sequence[str]], *, terminal: int) -> None:
    from rich.console import Console

    Console().print(_table(columns, rows, widths=_widths(columns, rows, terminal=terminal)))


def _print_whole(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    whole = Console(width=_WIDE_ENOUGH, file=io.StringIO())
    with whole.capture() as shown:
        whole.print(_table(columns, rows, widths=_natural_widths(columns, rows)))
    print_text("\n".join(line.rstrip() for line in shown.get().splitlines()))


def _print_lists(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    longest = max(map(len, columns))
    lists = [[f"{title:<{longest}}  {cell}" for title, cell in zip(columns, row, strict=True) if cell] for row in rows]
    print_text("\n\n".join("\n".join(lines) for lines in lists))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[int]) -> object:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="", pad_edge=False, padding=(0, _GAP, 0, 0), collapse_padding=True)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        table.add_row(*(Text(cell, style=_STATUS_STYLES.get(cell, "")) for cell in row))
    return table
