"""Results as people read them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qdepot.cli.bars import bars
from qdepot.cli.output import shows_blocks

if TYPE_CHECKING:
    from qdepot.client.results import EstimatorResult, Result, SamplerResult

_MOST_POINTS = 4


def result_lines(result: Result, *, circuit: int | None = None) -> Iterator[str]:
    """The result in lines: bars for counts, values with errors for estimates.

    Args:
        result: Of one job.
        circuit: Only this one; None: all.
    """
    for index, entry in enumerate(result):
        if circuit not in {None, index}:
            continue
        if len(result) > 1:
            yield f"circuit {index}"
        yield from _entry_lines(entry)


def _entry_lines(entry: SamplerResult | EstimatorResult) -> Iterator[str]:
    from qdepot.client.results import EstimatorResult

    if isinstance(entry, EstimatorResult):
        yield from _estimates(entry.evs, entry.stds, ())
        return
    points = entry.points()
    width = min(100, shutil.get_terminal_size().columns)
    for index, point in enumerate(points[:_MOST_POINTS]):
        if entry.shape:
            yield f"parameter set {index} of {len(points)}"
        assert isinstance(point.counts, dict)
        yield bars(point.counts, width=width, plain=not shows_blocks())
    if len(points) > _MOST_POINTS:
        yield f"... and {len(points) - _MOST_POINTS} more parameter sets (--json shows all)"


def _estimates(evs: object, stds: object, place: tuple[int, ...]) -> Iterator[str]:
    if isinstance(evs, list) and isinstance(stds, list):
        for index, (value, error) in enumerate(zip(evs, stds, strict=True)):
            yield from _estimates(value, error, (*place, index))
        return
    where = f"{list(place)}  " if place else ""
    yield f"{where}{evs:+.6f} ± {stds:.6f}" if shows_blocks() else f"{where}{evs:+.6f} +- {stds:.6f}"
