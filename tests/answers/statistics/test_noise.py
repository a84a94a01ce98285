"""Counts with the noise of a device against a density matrix that is evolved apart from Aer and qdepot.

The judge is :mod:`support.noisy_evolution`. The circuits are asymmetric: each qubit has gates, angles, delays and
resets of its own, so that noise on the wrong qubit shows. The odds that any of these tests fails by chance are about
1e-6.
"""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Kraus

from qdepot.quantum import operations
from support.circuits import loaded, payload
from support.goodness import assert_as_by_chance, fitted
from support.noisy_evolution import NoisyDevice, fake_backend

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("qiskit_ibm_runtime") is None, reason="qiskit-ibm-runtime (fake devices) is not installed"
)
TIMED = ("fake_manila", "fake_lima", "fake_belem", "fake_quito", "fake_yorktown", "fake_ourense", "fake_santiago")
UNTIMED = ("fake_burlington", "fake_essex", "fake_london")
"""Their ``dt`` is not known, so a delay has no length."""


def circuit_of(seed, *, delays):
    rng = np.random.default_rng(seed)
    width = int(rng.integers(2, 6))
    circuit = QuantumCircuit(width, width)
    for _ in range(3):
        for qubit in range(width):
            circuit.u(*rng.uniform(0.2, 2.9, 3).tolist(), qubit)
            if delays and rng.random() < 0.4:
                circuit.delay(int(rng.integers(16, 3000)) * 64, qubit)
            if rng.random() < 0.15:
                circuit.reset(qubit)
        one, other = rng.permutation(width)[:2].tolist()
        circuit.cx(one, other)
    circuit.barrier()
    circuit.measure(range(width), rng.permutation(width).tolist())
    return circuit


def fits(device, seeds, *, shots, options):
    judge = NoisyDevice(fake_backend(device))
    return _judged(judge, *_simulated(device, seeds, shots=shots, options=options))


def _simulated(device, seeds, *, shots, options):
    """What ran, and the counts."""
    circuits = [circuit_of(seed, delays=device in TIMED) for seed in seeds]
    answer = operations.simulate(payload(*circuits, shots=shots, options={"seed": 8, "noise": device, **options}))
    entries = json.loads(bytes(answer.parts["result.json"]))["results"]
    prepared = [loaded(bytes(answer.parts[f"prepared/{index}.qpy"])) for index in range(len(entries))]
    return prepared, [entry["counts"] for entry in entries]


def _judged(judge, prepared, counts):
    found = [fitted(each, judge.distribution(circuit)) for each, circuit in zip(counts, prepared, strict=True)]
    return [fit for fit in found if fit is not None]


@pytest.fixture(scope="module")
def on_manila():
    return _simulated("fake_manila", range(6), shots=100_000, options={})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("device", ["fake_yorktown", "fake_burlington"])
def test_counts_with_noise_scatter_about_an_independent_density_matrix(device):
    assert_as_by_chance(fits(device, range(4), shots=100_000, options={}))


@pytest.mark.timeout(600)
def test_counts_of_trajectories_scatter_about_an_independent_density_matrix():
    assert_as_by_chance(fits("fake_lima", range(3), shots=1000, options={"method": "statevector"}))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("less", ["gates", "readout", "delays", "places"])
def test_a_density_matrix_with_less_noise_or_other_qubits_does_not_fit(less, on_manila, monkeypatch):
    judge = NoisyDevice(fake_backend("fake_manila"))
    assert_as_by_chance(_judged(judge, *on_manila))
    if less == "gates":
        monkeypatch.setattr(judge, "_errors", {})
    elif less == "readout":
        monkeypatch.setattr(judge, "_misreading", {})
    elif less == "delays":
        monkeypatch.setattr(judge, "_waiting", lambda *_: Kraus(np.eye(2)))
    else:
        monkeypatch.setattr(judge, "_misreading", {4 - qubit: each for qubit, each in judge._misreading.items()})
    with pytest.raises(AssertionError):
        assert_as_by_chance(_judged(judge, *on_manila))


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("device", [*TIMED, *UNTIMED])
def test_counts_with_the_noise_of_many_devices_scatter_about_an_independent_density_matrix(device):
    assert_as_by_chance(fits(device, range(100, 140), shots=200_000, options={}))
