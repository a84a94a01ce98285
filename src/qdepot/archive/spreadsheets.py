"""Results as tables that every spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_ROWS_AT_ONCE = 1000


def tables_of(result: Mapping[str, Any]) -> dict[str, Iterator[bytes]]:
    """A CSV file in pieces, by name, for each circuit of a result document.

    ``counts/<circuit>.csv`` holds bit strings and counts, ``values/<circuit>.csv`` expectation values and their
    standard errors. Several parameter sets are numbered in the first column, in C order of the shape.
    """
    tables: dict[str, Iterator[bytes]] = {}
    for index, entry in enumerate(result["results"]):
        if "counts" in entry:
            tables[f"counts/{index}.csv"] = _csv(_counts_rows(entry["counts"]))
        elif "evs" in entry:
            tables[f"values/{index}.csv"] = _csv(_values_rows(entry["evs"], entry["stds"]))
    return tables


def _counts_rows(counts: Mapping[str, int] | Sequence[Mapping[str, int]]) -> Iterator[Sequence[object]]:
    if isinstance(counts, Mapping):
        yield "bits", "count"
        yield from counts.items()
        return
    yield "parameter_set", "bits", "count"
    for place, point in enumerate(counts):
        for bits, count in point.items():
            yield place, bits, count


def _values_rows(evs: object, stds: object) -> Iterator[Sequence[object]]:
    yield "parameter_set", "value", "standard_error"
    for place, (value, error) in enumerate(zip(_flat(evs), _flat(stds), strict=True)):
        yield place, value, error


def _flat(nested: object) -> Iterator[object]:
    if isinstance(nested, list):
        for item in nested:
            yield from _flat(item)
    else:
        yield nested


def _csv(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _ROWS_AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
