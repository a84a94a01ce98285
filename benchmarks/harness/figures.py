"""Figures: medians with their spread, and ratios within one run, since machines differ and drift."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def timed(action: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def interleaved(actions: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Time several actions in turn, so that a drift of the machine meets them all."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(timed(action))
    return times


def spread(seconds: Sequence[float]) -> str:
    """Median, and the middle nine tenths."""
    ordered = sorted(seconds)
    low, high = ordered[int(0.05 * len(ordered))], ordered[int(0.95 * (len(ordered) - 1))]
    return f"{statistics.median(ordered) * 1e3:9.2f} ms   ({low * 1e3:.2f} ... {high * 1e3:.2f})"


def show(name: str, text: str) -> None:
    """One line of a table."""
    print(f"  {name:<58} {text}", flush=True)
