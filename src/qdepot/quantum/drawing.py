"""Drawing from exact distributions, so that a seed gives the same numbers in every version of NumPy.

NumPy promises equal streams of raw numbers from its bit generators, and nothing about what it makes of them. So only
the raw numbers are NumPy's: PCG64, with a seed for each set of parameter values; the 53 leading bits of each, as a
fraction, fall into one of the intervals that the cumulated probabilities make of [0, 1). A shot takes one number.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1 << 20
_UNIT = 2.0**-53
_NORMAL = NormalDist()

MOST_DEVIATIONS = 9.0
"""No number of :func:`standard_normal` is farther from 0: the 52 bits that it is made of end at 8.2."""


class Drawer:
    """The draws of one set of parameter values."""

    def __init__(self, seed: int) -> None:
        self._raw = np.random.PCG64(seed)

    def counts(self, probabilities: NDArray[np.float64], *, shots: int) -> NDArray[np.int64]:
        """How often each outcome is drawn: the same draws as :meth:`outcomes` would give."""
        total = np.zeros(len(probabilities), dtype=np.int64)
        for drawn in self._drawn(probabilities, shots):
            total += np.bincount(drawn, minlength=len(probabilities))
        return total

    def outcomes(self, probabilities: NDArray[np.float64], *, shots: int) -> NDArray[np.intp]:
        """The outcome of each shot, in order."""
        return np.concatenate(list(self._drawn(probabilities, shots)))

    def _drawn(self, probabilities: NDArray[np.float64], shots: int) -> Iterator[NDArray[np.intp]]:
        bounds = np.cumsum(probabilities)
        bounds /= bounds[-1]  # a state's norm is 1 but for rounding
        for start in range(0, shots, _AT_ONCE):
            raw = self._raw.random_raw(min(_AT_ONCE, shots - start))
            yield np.searchsorted(bounds, (raw >> np.uint64(11)) * _UNIT, side="right")


def standard_normal(seed: int) -> float:
    """A number from the standard normal distribution, for a seed of 63 random bits.

    The 52 leading bits are the middle of one of 2^52 intervals of (0, 1), of which the inverse of the cumulative
    distribution is taken.
    """
    return _NORMAL.inv_cdf(((seed >> 11) + 0.5) * 2.0**-52)
