"""Counts of many circuits against exact probabilities that Qiskit calculates, as a whole: chi-squared.

The odds that any of these tests fails by chance are about 1e-6 (see :mod:`support.goodness`). The judge is Qiskit's
``Statevector``, for circuits that measure and branch applied branch by branch (:mod:`support.branches`).
"""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.random import random_circuit, random_clifford_circuit
from qiskit.quantum_info import Statevector
from scipy.stats import chi2

from support.branches import exact_distribution
from support.circuits import results
from support.goodness import assert_as_by_chance, fitted

SHOTS = 500


def unitary(seed):
    return random_circuit(2 + seed % 3, 4, max_operands=2, seed=seed)


def clifford(seed):
    return random_clifford_circuit(2 + seed % 4, 20, gates=["h", "s", "cx", "x"], seed=seed)


def measured(circuit):
    """With its qubits measured at the end, and the exact distribution."""
    exact = Statevector(circuit).probabilities_dict()
    return circuit.measure_all(inplace=False), exact


def dynamic(seed):
    """Measurements and resets between gates, and gates that depend on them."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(4, "c"))
    for bit in range(3):
        one, other = rng.permutation(3)[:2].tolist()
        circuit.ry(float(rng.uniform(0.3, 2.8)), one)
        circuit.cx(one, other)
        circuit.measure(one, bit)
        with circuit.if_test((circuit.clbits[bit], int(rng.integers(2)))):
            circuit.ry(float(rng.uniform(0.3, 2.8)), other)
        if rng.random() < 0.5:
            circuit.reset(one)
    circuit.measure(int(rng.integers(3)), 3)
    return circuit, exact_distribution(circuit)


METHODS = {
    "drawn": (unitary, {}),
    "statevector": (unitary, {"method": "statevector"}),
    "density matrix": (unitary, {"method": "density_matrix"}),
    "product state": (unitary, {"method": "matrix_product_state"}),
    "stabilizer": (clifford, {"method": "stabilizer"}),
}


def _fits(circuits, options, *, shots=SHOTS):
    """One job of all circuits, with one seed."""
    sent, exact = zip(*circuits, strict=True)
    entries = results(*sent, options={"seed": 5, **options}, shots=shots)
    fits = [fitted(entry["counts"], known) for entry, known in zip(entries, exact, strict=True)]
    return [fit for fit in fits if fit is not None]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", METHODS)
def test_counts_scatter_about_the_exact_probabilities_as_chance_has_it(what):
    make, options = METHODS[what]
    fits = _fits([measured(make(seed)) for seed in range(60)], options)
    assert len(fits) > 30
    assert_as_by_chance(fits)


@pytest.mark.timeout(600)
def test_counts_of_circuits_that_measure_reset_and_branch_scatter_as_chance_has_it():
    fits = _fits([dynamic(seed) for seed in range(60)], {})
    assert len(fits) > 55
    assert_as_by_chance(fits)


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("what", METHODS)
def test_counts_of_hundreds_of_circuits_scatter_as_chance_has_it(what):
    make, options = METHODS[what]
    fits = _fits([measured(make(seed)) for seed in range(1000, 1600)], options, shots=3000)
    assert len(fits) > 400
    assert_as_by_chance(fits)


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("method", "number", "shots"), [(None, 400, 3000), ("matrix_product_state", 80, 1000), ("density_matrix", 80, 1000)]
)
def test_counts_of_many_dynamic_circuits_scatter_as_chance_has_it(method, number, shots):
    circuits = [dynamic(seed) for seed in range(1000, 1000 + number)]
    fits = _fits(circuits, {"method": method} if method else {}, shots=shots)
    assert len(fits) > 0.95 * number
    assert_as_by_chance(fits)


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
def test_equal_points_of_a_sweep_scatter_as_a_binomial_distribution_does():
    """Shot by shot, with more shots than the distance of Aer's seeds; neighbours are compared, too.

    The squares of the differences of neighbours have the mean 2 and, together, the variance ``4 (3 n - 4)``; where
    neighbours share shots, the mean is smaller. That sum is nearly normal, and the bound has odds below 1e-6.
    """
    sets, shots, bits = 80, 6000, 8
    circuit = QuantumCircuit(2, bits)
    for begin in range(0, bits, 2):
        circuit.h([0, 1])
        circuit.measure([0, 1], [begin, begin + 1])
    circuit.rz(Parameter("a"), 0)
    (entry,) = results(circuit, options={"seed": 4}, shots=shots, parameter_values={"a": [0.1] * sets})
    ones = np.array([[_ones(counts, bit) for bit in range(bits)] for counts in entry["counts"]])
    z = (ones - shots / 2) / np.sqrt(shots / 4)
    spread = float((z**2).sum())
    odds = 2 * min(chi2.cdf(spread, z.size), chi2.sf(spread, z.size))
    assert odds > 1e-7, f"the points scatter as no binomial distribution does: {spread / z.size:.2f} ({odds:.1e})"
    squares = (np.diff(z, axis=0) ** 2).sum()
    neighbours = (squares - 2 * (sets - 1) * bits) / np.sqrt(4 * (3 * sets - 4) * bits)
    assert abs(neighbours) < 6, f"neighbours are not independent: z = {neighbours:.1f}"


def _ones(counts, bit):
    return sum(count for outcome, count in counts.items() if outcome[-1 - bit] == "1")
