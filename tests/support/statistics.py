"""Is a sample one of this distribution? Bounds whose false-alarm odds are stated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import binom

IMPOSSIBLE = 1e-10
"""Outcomes below this probability are taken to be impossible: rounding, not physics."""


def assert_sampled_from(counts: Mapping[str, int], exact: Mapping[str, float], *, alarm: float = 1e-9) -> None:
    """Fail if ``counts`` cannot come from ``exact``, with false-alarm odds of at most about ``alarm``.

    What is compared is chosen without looking at the sample: each likely outcome, the rest together, each bit on its
    own. Every comparison is an exact binomial test at ``alarm`` divided by their number.
    """
    shots = sum(counts.values())
    unlikely = {bits: count for bits, count in counts.items() if exact.get(bits, 0.0) < IMPOSSIBLE}
    assert not unlikely, f"impossible outcomes: {unlikely}"
    likely = sorted(exact, key=exact.__getitem__, reverse=True)[:500]
    tests = [(counts.get(bits, 0), exact[bits]) for bits in likely]
    tests.append((shots - sum(count for count, _ in tests), 1.0 - sum(p for _, p in tests)))
    width = len(likely[0])
    tests += [(_ones(counts, place), _ones(exact, place)) for place in range(width)]
    for count, probability in tests:
        p = min(1.0, max(0.0, probability))
        tail = 2 * min(binom.cdf(count, shots, p), binom.sf(count - 1, shots, p))
        assert tail > alarm / len(tests), f"{count} of {shots} where {p * shots:.1f} are expected (odds {tail:.1e})"


def assert_same_source(counts: Mapping[str, int], others: Mapping[str, int], *, alarm: float = 1e-9) -> None:
    """Fail if two samples do not come from one distribution, with false-alarm odds of at most about ``alarm``.

    Hoeffding's bound on the difference of two frequencies, for every outcome that either sample has.
    """
    shots, other_shots = sum(counts.values()), sum(others.values())
    outcomes = set(counts) | set(others)
    bound = np.sqrt(np.log(2 * len(outcomes) / alarm) / 2) * (shots**-0.5 + other_shots**-0.5)
    for bits in outcomes:
        difference = abs(counts.get(bits, 0) / shots - others.get(bits, 0) / other_shots)
        assert difference < bound, f"{bits}: frequencies differ by {difference:.4f}, more than {bound:.4f}"


def _ones(weights: Mapping[str, float], place: int) -> float:
    return sum(weight for bits, weight in weights.items() if bits[place] == "1")
