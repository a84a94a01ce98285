"""Do many samples scatter as chance has it: neither more, nor less?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, kstest, norm

_LEAST_EXPECTED = 8.0
"""Outcomes that are expected less often are put together, so that chi-squared is nearly distributed as it should be."""


@dataclass(frozen=True)
class Fit:
    """Pearson's chi-squared of one sample.

    Attributes:
        statistic: The sum over the cells.
        cells: How many there are.
        variance: Of the statistic, exactly, for a multinomial sample.
    """

    statistic: float
    cells: int
    variance: float

    @property
    def p(self) -> float:
        """Odds of a worse fit."""
        return float(chi2.sf(self.statistic, self.cells - 1))


def fitted(counts: Mapping[str, int], exact: Mapping[str, float]) -> Fit | None:
    """The fit of a sample; None where nothing is left to chance.

    Raises:
        AssertionError: An outcome has come that cannot come.
    """
    shots = sum(counts.values())
    impossible = {bits: count for bits, count in counts.items() if exact.get(bits, 0.0) < 1e-10}
    assert not impossible, f"impossible outcomes: {impossible}"
    cells, rest = [], np.zeros(2)
    for bits, probability in sorted(exact.items(), key=lambda each: -each[1]):
        cell = np.array([counts.get(bits, 0), shots * probability])
        if cell[1] >= _LEAST_EXPECTED:
            cells.append(cell)
        else:
            rest += cell
    if rest[1] >= _LEAST_EXPECTED or (not cells and rest[1] > 0):
        cells.append(rest)
    elif rest[1] > 0:
        cells[-1] = cells[-1] + rest
    if len(cells) < 2:
        return None
    found, expected = np.array(cells).T
    number = len(cells)
    variance = 2 * (number - 1) + ((shots / expected).sum() - number**2 - 2 * number + 2) / shots
    return Fit(float(((found - expected) ** 2 / expected).sum()), number, float(variance))


def assert_as_by_chance(fits: Sequence[Fit], *, alarm: float = 1e-6) -> None:
    """Fail if samples fit too badly or too well, each or together.

    Three tests, each at about a third of ``alarm``: the worst fit; the distribution of the odds, which is to be uniform
    (Kolmogorov and Smirnov); and the sum of all, which is to scatter neither more nor less than the sum of independent
    samples does (a normal approximation with the exact mean and variance).
    """
    each = alarm / 3
    odds = np.array([fit.p for fit in fits])
    assert odds.min() > each / len(odds), f"a fit with odds of {odds.min():.1e} among {len(odds)}"
    excess = sum(fit.statistic - (fit.cells - 1) for fit in fits) / np.sqrt(sum(fit.variance for fit in fits))
    assert abs(excess) < norm.isf(each / 2), f"all {len(fits)} fits together: z = {excess:.1f}"
    uniform = kstest(odds, "uniform")
    assert uniform.pvalue > each, f"the odds of {len(odds)} fits are not uniform ({uniform.pvalue:.1e})"


def assert_normal(errors: Sequence[float], *, alarm: float = 1e-6) -> None:
    """Fail if these are not independent draws of the standard normal distribution, as far as three tests can tell.

    Their mean and the sum of their squares are exactly normal and chi-squared; Kolmogorov and Smirnov test the shape.
    Each has a third of ``alarm``.
    """
    values, each = np.asarray(errors), alarm / 3
    number = len(values)
    mean = values.sum() / np.sqrt(number)
    assert abs(mean) < norm.isf(each / 2), f"the mean of {number} errors is off: z = {mean:.1f}"
    total = (values**2).sum()
    odds = 2 * min(chi2.cdf(total, number), chi2.sf(total, number))
    assert odds > each, f"{number} errors have the mean square {total / number:.3f} ({odds:.1e})"
    shape = kstest(values, "norm")
    assert shape.pvalue > each, f"{number} errors are not normal ({shape.pvalue:.1e})"
