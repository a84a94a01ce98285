"""What circuits need is there behind the walls: every method, noise, estimation, several threads."""

from __future__ import annotations

import importlib.util
import json

import pytest
from qiskit import QuantumCircuit

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Lane, Task
from qdepot.testing.compute_pool import ends
from support.circuits import METHODS, payload

needs_devices = pytest.mark.skipif(
    importlib.util.find_spec("qiskit_ibm_runtime") is None, reason="fake devices are not installed"
)


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(PoolOptions(children=dict.fromkeys(Lane, 1), threads=2)) as pool:
        yield pool


def ghz(*, measured: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(5)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    if measured:
        circuit.measure_all()
    return circuit


def entry(pool, order) -> dict:
    answer = ends(pool.submit(Task(operation="simulate", payload=order)))
    (found,) = json.loads(bytes(answer.parts["result.json"]))["results"]
    return found


@pytest.mark.parametrize("backend", METHODS)
def test_every_method_works(pool, backend):
    assert entry(pool, payload(ghz(), backend=backend))["counts"].keys() <= {"00000", "11111"}


def test_an_expectation_value_is_exact(pool):
    order = payload(ghz(measured=False), kind="estimator", observables={"XXXXX": 1.0})
    assert entry(pool, order)["evs"] == pytest.approx(1.0)


@needs_devices
def test_a_fake_device_is_loaded_from_its_files(pool):
    device = {"name": "f", "method": "automatic", "num_qubits": 5, "max_shots": 10_000, "device": "fake_manila"}
    assert sum(entry(pool, payload(ghz(), backend=device))["counts"].values()) == 1024


def test_a_circuit_that_is_worth_several_threads_gets_its_right_result(pool):
    circuit = QuantumCircuit(18)
    for _ in range(4):
        circuit.h(range(18))
        circuit.t(range(18))
        circuit.tdg(range(18))
        circuit.h(range(18))
    circuit.x(3)
    circuit.measure_all()
    assert entry(pool, payload(circuit, backend="aer_statevector"))["counts"] == {f"{8:018b}": 1024}
