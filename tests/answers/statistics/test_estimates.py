"""Estimates scatter about the exact values by the standard error that they tell, and independently of each other.

The odds that any of these tests fails by chance are about 1e-6. The judge of the exact values is Qiskit's
``Statevector``.
"""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector
from scipy.stats import norm

from qdepot.domain.seeds import seed_of_chunk
from support.circuits import results
from support.goodness import assert_normal

A = Parameter("a")
OBSERVABLES = ["IZ", "ZI", "ZZ", "XX", "YX"]
ANGLES = np.linspace(0.2, 3.0, 16)
PRECISION = 0.05
SEEDS = (1, 2, 3, 4, seed_of_chunk(1, 1), seed_of_chunk(1, 2))


def turned():
    circuit = QuantumCircuit(2)
    circuit.ry(A, 0)
    circuit.cx(0, 1)
    circuit.rx(0.4, 1)
    return circuit


@pytest.fixture(scope="module")
def errors():
    """Of each seed, circuit, parameter set and observable, in standard errors."""
    circuit = turned()
    exact = [
        [
            Statevector(circuit.assign_parameters({A: angle})).expectation_value(SparsePauliOp(name)).real
            for name in OBSERVABLES
        ]
        for angle in ANGLES
    ]
    found = []
    for seed in SEEDS:
        entries = results(
            *[circuit] * 4,
            kind="estimator",
            precision=PRECISION,
            options={"seed": seed},
            parameter_values=[[[float(angle)]] for angle in ANGLES],
            observables=OBSERVABLES,
        )
        assert all(np.array(entry["stds"]).shape == np.array(exact).shape for entry in entries)
        found.append([(np.array(entry["evs"]) - exact) / np.array(entry["stds"]) for entry in entries])
    return np.array(found)


def test_values_scatter_by_the_standard_errors_that_are_told(errors):
    assert_normal(errors.ravel())


@pytest.mark.parametrize("axis", range(4), ids=["seeds", "circuits", "sets", "observables"])
def test_errors_are_not_correlated_at_any_distance(errors, axis):
    """A normal approximation, for sums of at least 20 products; the bound allows for their heavier tails."""
    lines = np.moveaxis(errors, axis, 0).reshape(errors.shape[axis], -1)
    number, length = lines.shape
    size = 2 * length
    spectra = np.fft.rfft(lines, n=size, axis=1)
    tests = number * (number - 1) // 2 * (2 * length - 1)
    bound = norm.isf(1e-6 / (2 * tests)) + 0.7
    for one in range(number):
        for other in range(one):
            sums = np.fft.irfft(spectra[one].conj() * spectra[other], n=size)
            distances = np.arange(1 - length, length)
            terms = length - np.abs(distances)
            z = np.abs(sums[distances]) / np.sqrt(terms)
            z[terms < 20] = 0.0
            assert z.max() < bound, f"{one} and {other}: z = {z.max():.1f} at {distances[z.argmax()]}"


def test_a_sampler_and_an_estimator_of_one_seed_have_no_random_numbers_in_common():
    """Each bit of the first outcome of fair coins against the size of an error; Wilcoxon's rank sum, odds of 1e-7."""
    coins, still = QuantumCircuit(6, 6), QuantumCircuit(1)
    coins.h(range(6))
    coins.measure(range(6), range(6))
    outcomes, sizes = [], []
    for seed in range(150):
        (sampled,) = results(coins, options={"seed": seed}, shots=1)
        (estimated,) = results(still, kind="estimator", observables="Z", precision=1.0, options={"seed": seed})
        outcomes.append([char == "1" for char in next(iter(sampled["counts"]))])
        sizes.append(abs(estimated["evs"] - 1.0))
    ranks, total = np.argsort(np.argsort(sizes)), len(sizes)
    for bit in np.array(outcomes).T:
        ones = int(bit.sum())
        z = (ranks[bit].sum() - ones * (total - 1) / 2) / np.sqrt(ones * (total - ones) * (total + 1) / 12)
        assert abs(z) < 5.7, f"errors follow the first shot: z = {z:.1f}"
