"""Do two runs share random numbers? Their outcomes are compared shot by shot, at every distance between the shots.

A run is an array of shape ``(shots, bits)``. Runs that use one stream of random numbers, though from different points
on, are correlated at one distance; a stretch of shots that they share is found as such, too, however short the stretch
is beside the runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

ALARM = 1e-6
"""Odds that a scan of independent runs finds something, over all its pairs and distances."""


def assert_independent(runs: Mapping[object, NDArray[np.bool_]], *, alarm: float = ALARM) -> None:
    """Fail if any two of the runs, or two stretches of one, are correlated at any distance.

    The statistic at a distance is the sum of the products of the bits, centred, over its standard deviation. Given one
    of the runs, it is a sum of independent bounded terms, so Hoeffding's inequality bounds the odds of each value
    whatever the number of shots: ``2 exp(-z^2 / 2)``. They are added up over all distances and pairs. The bits of a run
    must be independent of each other for that, and their means are taken from the run itself, which adds less than
    ``1 / sqrt(shots)`` to the statistic.
    """
    found = list(_strongest(runs))
    tests = sum(count for count, *_ in found)
    bound = np.sqrt(2 * np.log(2 * tests / alarm))
    correlated = [(z, one, other, distance) for _, z, one, other, distance in found if z > bound]
    shown = [f"{one} and {other}, {distance} shots apart: z = {z:.0f}" for z, one, other, distance in correlated]
    assert not correlated, f"correlated beyond {bound:.1f} ({tests} tests): {'; '.join(shown[:6])}"


def assert_no_stretch_comes_twice(runs: Mapping[object, NDArray[np.bool_]], *, num_bits: int = 96) -> None:
    """Fail if consecutive shots of some run come again, in the same order, anywhere in the runs.

    Stretches have 96 bits. Of ``n`` stretches of fair, independent bits, two are equal with odds of ``n^2 / 2^97``:
    below 1e-16 for the 10^6 shots of the largest scan here, and below 1e-13 where a bit has 0.9 bits of entropy.
    """
    seen: dict[bytes, tuple[object, int]] = {}
    for name, bits in runs.items():
        length = -(-num_bits // bits.shape[1])
        for begin in range(len(bits) - length + 1):
            stretch = np.packbits(bits[begin : begin + length]).tobytes()
            assert stretch not in seen, f"{length} shots of {name} from {begin} on are those of {seen[stretch]}"
            seen[stretch] = (name, begin)


def _strongest(runs: Mapping[object, NDArray[np.bool_]]) -> Iterator[tuple[int, float, object, object, int]]:
    """For each pair of runs the number of tests, and the strongest correlation with its distance."""
    centred = {name: _centred(bits) for name, bits in runs.items()}
    longest = max(len(bits) for bits in runs.values())
    size = 1 << (2 * longest - 1).bit_length()
    spectra = {name: np.fft.rfft(bits, n=size, axis=0) for name, bits in centred.items()}
    for one, other in combinations_with_replacement(runs, 2):
        shots, others = len(centred[one]), len(centred[other])
        products = np.fft.irfft((spectra[one].conj() * spectra[other]).sum(axis=1), n=size)
        weights = np.concatenate([[0.0], np.cumsum((centred[other] ** 2).sum(axis=1))])
        distances = np.arange(1 - shots, others) if one != other else np.arange(1, others)
        overlap = weights[np.minimum(others, distances + shots)] - weights[np.maximum(0, distances)]
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(overlap > 0, np.abs(products[distances]) / np.sqrt(overlap), 0.0)
        strongest = int(np.argmax(z))
        yield len(distances), float(z[strongest]), one, other, int(distances[strongest])


def _centred(bits: NDArray[np.bool_]) -> NDArray[np.float64]:
    signs = np.where(bits, 1.0, -1.0)
    return signs - signs.mean(axis=0)
