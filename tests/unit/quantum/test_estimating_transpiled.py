"""Estimates of circuits that their authors transpiled: observables belong to the circuit as it was sent.

The judges are Qiskit's own ``Statevector`` of the circuit as it was sent, and, with noise, a density matrix from Aer
that is calculated without qdepot.
"""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap, generate_preset_pass_manager

from support.circuits import loaded, simulated

LINE = CouplingMap.from_line(5)
BASIS = ["rz", "sx", "x", "cx"]
LAYOUTS = {
    "5 to 5, reversed": (5, [4, 3, 2, 1, 0]),
    "5 to 5, permuted": (5, [2, 0, 4, 1, 3]),
    "5 to 5, chosen by the transpiler": (5, None),
    "2 to 5, apart": (2, [3, 1]),
    "2 to 5, neighbours": (2, [4, 3]),
    "3 to 5, chosen by the transpiler": (3, None),
}
METHODS = ["aer", "aer_statevector", "aer_density_matrix", "aer_mps", "aer_stabilizer"]
DEVICES = ["fake_manila", "fake_quito", "fake_jakarta", "fake_torino"]
needs_devices = pytest.mark.skipif(
    importlib.util.find_spec("qiskit_ibm_runtime") is None, reason="qiskit-ibm-runtime (fake devices) is not installed"
)


def _asymmetric(num_qubits: int, *, clifford: bool) -> QuantumCircuit:
    """No two qubits are alike, and qubits far from each other are entangled."""
    circuit = QuantumCircuit(num_qubits)
    if clifford:
        circuit.x(0)
        circuit.h(num_qubits - 1)
        circuit.cx(num_qubits - 1, 1 if num_qubits > 2 else 0)
        circuit.s(num_qubits - 1)
        return circuit
    for qubit in range(num_qubits):
        circuit.ry(0.1 + 0.4 * qubit, qubit)
    for qubit in range(1, num_qubits):
        circuit.cx(0, qubit)
        circuit.rx(0.3 * qubit, qubit)
    return circuit


def _by_its_author(layout: str, *, clifford: bool = False, level: int = 1, coupling: CouplingMap = LINE):
    num_qubits, initial = LAYOUTS[layout]
    manager = generate_preset_pass_manager(
        level, basis_gates=BASIS, coupling_map=coupling, initial_layout=initial, seed_transpiler=3
    )
    return manager.run(_asymmetric(num_qubits, clifford=clifford))


def _laid_out(circuit: QuantumCircuit) -> list[SparsePauliOp]:
    """Observables of the abstract circuit, laid out by its author, and some of the qubits by themselves."""
    num_qubits = circuit.layout.initial_index_layout(filter_ancillas=True)
    operators = [_letter(letter, place, len(num_qubits)) for place in range(len(num_qubits)) for letter in "XYZ"]
    own = [operator.apply_layout(circuit.layout) for operator in operators]
    return [*own, *(_letter("Z", place, circuit.num_qubits) for place in range(circuit.num_qubits))]


def _letter(letter: str, place: int, num_qubits: int) -> SparsePauliOp:
    return SparsePauliOp.from_sparse_list([(letter, [place], 1.0)], num_qubits=num_qubits)


def _wire(operators: list[SparsePauliOp]) -> list[dict[str, float]]:
    return [{label: float(weight.real) for label, weight in operator.to_list()} for operator in operators]


def _estimated(circuit: QuantumCircuit, operators: list[SparsePauliOp], **how):
    answer = simulated(circuit, kind="estimator", observables=_wire(operators), **how)
    (entry,) = json.loads(bytes(answer.parts["result.json"]))["results"]
    return np.array(entry["evs"]), loaded(bytes(answer.parts["prepared/0.qpy"]))


def _exact(circuit: QuantumCircuit, operators: list[SparsePauliOp]):
    state = Statevector(circuit)
    return np.array([state.expectation_value(operator).real for operator in operators])


@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layout_of_an_author_moves_no_observable(layout, method, level):
    circuit = _by_its_author(layout, clifford=method == "aer_stabilizer")
    operators = _laid_out(circuit)
    found, _ = _estimated(circuit, operators, backend=method, options={"optimization_level": level})
    np.testing.assert_allclose(found, _exact(circuit, operators), atol=1e-9)


@pytest.mark.parametrize("author_level", [0, 1, 2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_observables_of_the_abstract_circuit_have_the_values_that_they_have_there(layout, author_level):
    circuit = _by_its_author(layout, level=author_level)
    abstract = _asymmetric(LAYOUTS[layout][0], clifford=False)
    operators = [_letter(letter, place, abstract.num_qubits) for place in range(abstract.num_qubits) for letter in "XZ"]
    found, _ = _estimated(circuit, [operator.apply_layout(circuit.layout) for operator in operators])
    np.testing.assert_allclose(found, _exact(abstract, operators), atol=1e-9)


def _noisy(circuit: QuantumCircuit, name: str) -> DensityMatrix:
    """The state at the end of a circuit that fits a device, with the noise of the device."""
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel
    from qiskit_ibm_runtime import fake_provider

    (backend,) = (
        each()
        for each in vars(fake_provider).values()
        if isinstance(each, type) and vars(each).get("backend_name") == name
    )
    saved = circuit.copy()
    saved.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=NoiseModel.from_backend(backend))
    return DensityMatrix(simulator.run(saved).result().data(0)["density_matrix"])


@needs_devices
@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_with_noise_only_the_service_s_own_layout_is_applied(layout, level):
    circuit = _by_its_author(layout)
    operators = _laid_out(circuit)
    found, ran = _estimated(circuit, operators, options={"noise": "fake_manila", "optimization_level": level})
    if level is None:
        assert ran == circuit  # it fits, and stays as it is
        laid_out = operators
    else:
        laid_out = [operator.apply_layout(ran.layout) for operator in operators]
    state = _noisy(ran, "fake_manila")
    expected = np.array([state.expectation_value(operator).real for operator in laid_out])
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(found, _exact(circuit, operators), atol=0.3)  # noise disturbs, and exchanges nothing


@needs_devices
@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("name", DEVICES)
def test_the_layout_on_every_device_is_the_service_s_own(name, level):
    circuit = _by_its_author("2 to 5, apart")
    operators = _laid_out(circuit)
    backend = {
        "name": f"fake_devices/{name}",
        "method": "automatic",
        "num_qubits": None,
        "max_shots": 1,
        "device": name,
    }
    found, _ = _estimated(circuit, operators, backend=backend, options={"optimization_level": level})
    exact = _exact(circuit, operators)
    np.testing.assert_allclose(found, exact, atol=0.3)
    assert max(abs(exact)) > 0.9
    assert min(abs(exact)) < 0.1


@needs_devices
def test_noise_leaves_qubits_alone_that_only_wait():
    circuit = QuantumCircuit(5)
    circuit.x(0)
    circuit.delay(300_000, 3)
    circuit.delay(100_000, 0)
    circuit.sx(1)
    operators = [SparsePauliOp(label) for label in ("ZIIIZ", "IZIII", "IZIIZ", "IIIZI", "IXIII")]
    found, ran = _estimated(circuit, operators, options={"noise": "fake_manila"})
    state = _noisy(ran, "fake_manila")
    np.testing.assert_allclose(found, [state.expectation_value(operator).real for operator in operators], atol=1e-9)
    found, _ = _estimated(QuantumCircuit(5), operators, options={"noise": "fake_manila"})
    assert found.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]
