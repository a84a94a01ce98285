"""Sampling from the exact distribution against Aer, over thousands of generated circuits.

What is drawn at random is compared with bounds whose odds of a false alarm are below 1e-9 for the whole file; what is
not must be equal.
"""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter, ParameterVector
from qiskit.circuit.library import DiagonalGate, PauliGate, U1Gate, U2Gate, U3Gate, UnitaryGate
from qiskit.quantum_info import random_unitary
from qiskit_aer import AerSimulator

from qdepot.quantum import exact_sampling
from qdepot.quantum.bits import Wording, registers_of
from qdepot.quantum.drawing import Drawer
from qdepot.quantum.exact_sampling import Shots, distribution, drawn
from qdepot.quantum.rotations import ROTATIONS
from support.circuits import BELL3, counts, openqasm2, openqasm3, payload, results, simulated
from support.statistics import assert_sampled_from

CIRCUITS = 2000
FIXED = {"h": 1, "x": 1, "y": 1, "z": 1, "s": 1, "sdg": 1, "t": 1, "tdg": 1, "sx": 1, "sxdg": 1, "id": 1,
         "cx": 2, "cy": 2, "cz": 2, "csx": 2, "swap": 2, "ecr": 2, "ccx": 3, "ccz": 3, "cswap": 3,
         "barrier": 2}  # fmt: skip
ANGLES = {"rx": (1, 1), "ry": (1, 1), "rz": (1, 1), "p": (1, 1), "r": (1, 2), "u": (1, 3),
          "cp": (2, 1), "crx": (2, 1), "cry": (2, 1), "crz": (2, 1), "cu": (2, 4),
          "rxx": (2, 1), "ryy": (2, 1), "rzz": (2, 1), "rzx": (2, 1)}  # fmt: skip


def _gates(rng, circuit, number):
    """Put so many random gates on random qubits."""
    for _ in range(number):
        name = str(rng.choice([*FIXED, *ANGLES, "unitary", "diagonal", "pauli", "mcx"]))
        width, angles = ANGLES.get(name, (FIXED.get(name, int(rng.integers(1, 4))), 0))
        if name == "mcx":
            width = 4
        if width > circuit.num_qubits:
            continue
        qubits = [int(qubit) for qubit in rng.permutation(circuit.num_qubits)[:width]]
        if name == "unitary":
            circuit.append(UnitaryGate(random_unitary(1 << width, seed=int(rng.integers(1 << 30)))), qubits)
        elif name == "diagonal":
            circuit.append(DiagonalGate(list(np.exp(1j * rng.uniform(0, 6, 1 << width)))), qubits)
        elif name == "pauli":
            circuit.append(PauliGate("".join(rng.choice(list("IXYZ"), width))), qubits)
        elif name == "mcx":
            circuit.mcx(qubits[:-1], qubits[-1])
        else:
            getattr(circuit, name)(*rng.uniform(-7, 7, angles), *qubits)


def _measurements(rng, circuit):
    """Measure at random: some qubits not at all, some twice, into any bits, some bits twice."""
    for index, width in enumerate(rng.integers(1, 4, int(rng.integers(1, 4)))):
        circuit.add_register(ClassicalRegister(int(width), f"c{index}"))
    for _ in range(int(rng.integers(1, circuit.num_qubits + 3))):
        circuit.measure(int(rng.integers(circuit.num_qubits)), int(rng.integers(circuit.num_clbits)))


def _exact(circuit):
    """Probability of each joined bit string of a circuit without parameters, by the code under test."""
    found = distribution(circuit)
    wording = Wording(registers_of(circuit))
    exact = {}
    for word, probability in zip(found.words, found.probabilities({}, sets=1)[0], strict=True):
        bits = wording.of(word)[0]
        exact[bits] = exact.get(bits, 0.0) + probability
    return exact


def _aer(circuits, **options):
    return AerSimulator(method="statevector").run(circuits, max_parallel_threads=1, **options).result()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(4))
def test_the_distribution_is_the_one_that_aer_calculates(seed):
    rng = np.random.default_rng(seed)
    ours, theirs = [], []
    for _ in range(CIRCUITS // 4):
        circuit = QuantumCircuit(int(rng.integers(1, 7)))
        _gates(rng, circuit, int(rng.integers(0, 25)))
        reference = circuit.copy()
        reference.save_probabilities()
        theirs.append(reference)
        circuit.measure_all()
        ours.append(_exact(circuit))
    result = _aer(theirs)
    for number, (exact, circuit) in enumerate(zip(ours, theirs, strict=True)):
        saved = result.data(number)["probabilities"]
        for state, probability in enumerate(saved):
            bits = format(state, f"0{circuit.num_qubits}b")
            assert abs(exact.get(bits, 0.0) - probability) < 1e-10, (number, bits)


@pytest.mark.timeout(600)
def test_every_bit_of_every_register_shows_the_qubit_that_it_read_last():
    rng = np.random.default_rng(11)
    circuits = []
    for _ in range(CIRCUITS):
        circuit = QuantumCircuit(int(rng.integers(1, 6)))
        for _ in range(6):
            flipped = [int(qubit) for qubit in rng.permutation(circuit.num_qubits)]
            circuit.x(flipped[0])
            if len(flipped) > 1:
                circuit.cx(flipped[0], flipped[1])
        _measurements(rng, circuit)
        circuits.append(circuit)
    result = _aer(circuits, shots=1, seed_simulator=1)
    for number, circuit in enumerate(circuits):
        (certain,) = [bits for bits, probability in _exact(circuit).items() if probability > 0.5]
        assert {certain: 1} == result.get_counts(number), circuit


@pytest.mark.timeout(600)
def test_samples_come_from_the_distribution_that_aer_samples_from():
    rng = np.random.default_rng(12)
    alarm = 1e-10 / 300
    for seed in range(300):
        circuit = QuantumCircuit(int(rng.integers(1, 5)))
        _gates(rng, circuit, 12)
        _measurements(rng, circuit)
        (entry,) = results(circuit, shots=2000, options={"seed": seed})
        assert entry["metadata"]["sampling"] == "exact-distribution"
        reference = _aer([circuit], shots=2000, seed_simulator=seed).get_counts()
        exact = _exact(circuit)
        assert_sampled_from(entry["counts"], exact, alarm=alarm)
        assert_sampled_from(reference, exact, alarm=alarm)


@pytest.mark.parametrize("name", sorted(ROTATIONS))
def test_each_gate_with_free_angles_does_what_it_does_with_fixed_ones(name):
    rng = np.random.default_rng(3)
    for _ in range(20):
        circuit = QuantumCircuit(3)
        _gates(rng, circuit, 6)
        angles = ROTATIONS[name].__code__.co_argcount
        operation = _gate(name, [Parameter(f"angle{index}") for index in range(angles)])
        qubits = [int(qubit) for qubit in rng.permutation(3)[: operation.num_qubits]]
        circuit.append(operation, qubits)
        _gates(rng, circuit, 6)
        circuit.measure_all()
        values = rng.uniform(-7, 7, (5, angles))
        columns = {each: values[:, index] for index, each in enumerate(circuit.parameters)}
        table = distribution(circuit).probabilities(columns, sets=5)
        for number, row in enumerate(values):
            fixed = distribution(circuit.assign_parameters(list(row))).probabilities({}, sets=1)[0]
            np.testing.assert_allclose(table[number], fixed, atol=1e-12)


def _gate(name, angles):
    circuit = QuantumCircuit(2)
    if name in {"u1", "u2", "u3"}:
        return {"u1": U1Gate, "u2": U2Gate, "u3": U3Gate}[name](*angles)
    two = name in {"rxx", "ryy", "rzz", "rzx"}
    getattr(circuit, name)(*angles, *([0, 1] if two else [0]))
    return circuit.data[0].operation


def test_expressions_of_parameters_are_evaluated_for_each_set():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.rx(2 * a - b + 0.25, 0)
    circuit.ry(a * b, 1)
    circuit.u(a.sin(), 0.5, b / 3, 0)
    circuit.rxx(-b, 0, 1)
    circuit.measure_all()
    values = np.random.default_rng(5).uniform(-3, 3, (7, 2))
    table = distribution(circuit).probabilities({a: values[:, 0], b: values[:, 1]}, sets=7)
    for number, row in enumerate(values):
        fixed = distribution(circuit.assign_parameters(dict(zip((a, b), row, strict=True))))
        np.testing.assert_allclose(table[number], fixed.probabilities({}, sets=1)[0], atol=1e-12)


def test_sets_are_drawn_one_behind_the_other_however_many_are_held_at_a_time(monkeypatch):
    angles = ParameterVector("angle", 3)
    circuit = QuantumCircuit(3)
    for qubit, angle in enumerate(angles):
        circuit.ry(angle, qubit)
    circuit.measure_all()
    found, wording = distribution(circuit), Wording(registers_of(circuit))
    values = np.random.default_rng(1).uniform(0, 3, (10, 3))
    columns = {angle: values[:, index] for index, angle in enumerate(angles)}
    shots = Shots(number=50, memory=True, seed=9)
    whole = drawn(found, columns, shots, sets=10, wording=wording)
    monkeypatch.setattr(exact_sampling, "_MOST_AMPLITUDES", 3 << 3)
    in_pieces = drawn(found, columns, shots, sets=10, wording=wording)
    assert [each.hex_memory for each in whole] == [each.hex_memory for each in in_pieces]
    alone = drawn(found, {angle: column[:1] for angle, column in columns.items()}, shots, sets=1, wording=wording)
    assert alone[0].hex_counts == whole[0].hex_counts


def test_the_outcomes_of_the_shots_are_those_that_are_counted(monkeypatch):
    probabilities = np.array([0.1, 0.0, 0.6, 0.3, 0.0])
    outcomes = Drawer(8).outcomes(probabilities, shots=1000)
    np.testing.assert_array_equal(np.bincount(outcomes, minlength=5), Drawer(8).counts(probabilities, shots=1000))
    monkeypatch.setattr("qdepot.quantum.drawing._AT_ONCE", 7)
    np.testing.assert_array_equal(Drawer(8).outcomes(probabilities, shots=1000), outcomes)


def test_what_is_impossible_is_never_drawn():
    probabilities = np.array([0.0, 0.5, 0.0, 0.5, 0.0])
    found = Drawer(1).counts(probabilities, shots=100_000)
    assert found[[0, 2, 4]].tolist() == [0, 0, 0]


def test_a_seed_gives_these_very_counts_in_every_release():
    source = openqasm3("qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; ry(1.0) q[2]; c = measure q;")
    assert counts(source, shots=1000, options={"seed": 20}) == GOLDEN
    swept = openqasm3("input float a; qubit[1] q; bit[1] c; rx(a) q[0]; c = measure q;")
    sets = counts(swept, shots=100, options={"seed": 2**63 - 1}, parameter_values={"a": [0.5, 1.5, 2.5]})
    assert sets == GOLDEN_SETS


GOLDEN = {"000": 396, "011": 369, "100": 115, "111": 120}
GOLDEN_SETS = [{"0": 93, "1": 7}, {"0": 42, "1": 58}, {"0": 11, "1": 89}]


def test_memory_changes_no_counts():
    (with_memory,) = results(BELL3, shots=300, options={"seed": 4, "memory": True})
    assert with_memory["counts"] == counts(BELL3, shots=300, options={"seed": 4})
    assert with_memory["metadata"]["sampling"] == "exact-distribution"
    assert len(with_memory["memory"]) == 300


def test_bits_that_are_never_written_are_zero_also_where_they_are_many():
    text = "qreg q[3]; creg a[70]; creg b[2]; x q[1]; measure q[1] -> a[69]; measure q[2] -> b[1];"
    assert counts(openqasm2(text), shots=5) == {"00 1" + "0" * 69: 5}


def test_qubits_that_nothing_happens_to_cost_nothing():
    text = "qreg q[60]; creg c[60]; h q[7]; cx q[7], q[59]; measure q -> c;"
    (entry,) = results(openqasm2(text), shots=64, options={"seed": 1}, backend={"name": "aer", "method": "automatic"})
    assert entry["metadata"]["sampling"] == "exact-distribution"
    assert set(entry["counts"]) == {"0" * 60, "1" + "0" * 51 + "1" + "0" * 7}


WITHIN = {
    "a reset": "reset q[0];",
    "a gate behind a measurement": "c[0] = measure q[0]; h q[0];",
    "a branch": "c[0] = measure q[0]; if (c[0]) { x q[1]; }",
    "a loop": "c[0] = measure q[0]; while (c[0]) { x q[0]; c[0] = measure q[0]; }",
}


@pytest.mark.parametrize("what", WITHIN)
def test_aer_runs_what_is_more_than_gates_and_measurements_at_the_end(what):
    source = openqasm3(f"qubit[2] q; bit[2] c; h q[0]; {WITHIN[what]} c = measure q;")
    (entry,) = results(source, options={"seed": 1})
    assert entry["metadata"]["sampling"] == "aer"


@pytest.mark.parametrize(
    "how",
    [
        {"options": {"sampling": "aer"}},
        {"options": {"method": "statevector"}},
        {"options": {"method": "stabilizer"}},
        {"options": {"noise": "fake_manila"}},
        {"backend": "aer_mps"},
        {"backend": "aer_statevector"},
        {"backend": "aer_density_matrix"},
    ],
)
def test_aer_runs_what_somebody_chose_it_for(how):
    (entry,) = results(BELL3, **how)
    assert entry["metadata"]["sampling"] == "aer"


def test_the_number_of_shots_decides_about_circuits_of_middle_width():
    width = exact_sampling._MOST_QUBITS + 1
    source = openqasm2(f"qreg q[{width}]; creg c[{width}]; h q; measure q -> c;")
    (few,) = results(source, shots=exact_sampling._MANY_SHOTS - 1)
    (many,) = results(source, shots=exact_sampling._MANY_SHOTS)
    assert (few["metadata"]["sampling"], many["metadata"]["sampling"]) == ("aer", "exact-distribution")
    wider = exact_sampling._MOST_QUBITS_WITH_MANY_SHOTS + 1
    assert distribution(QuantumCircuit.from_qasm_str(_flipped(wider))) is None


def _flipped(width):
    return openqasm2(f"qreg q[{width}]; creg c[{width}]; x q; measure q -> c;").decode()


def test_what_only_a_simulator_knows_is_no_distribution():
    circuit = QuantumCircuit(QuantumRegister(2), [Clbit()])
    circuit.initialize("01", [0, 1])
    circuit.measure(0, 0)
    assert distribution(circuit) is None
    assert distribution(QuantumCircuit(2, 2)) is None


def test_a_circuit_that_comes_again_gives_what_it_gave_the_first_time():
    first = simulated(BELL3, options={"seed": 3}, shots=100)
    again = [simulated(BELL3, options={"seed": 3}, shots=100) for _ in range(3)]
    assert len({bytes(each.parts["prepared/0.qpy"]) for each in (first, *again)}) == 1
    assert payload(BELL3).parts["circuit/0"] == BELL3
    assert {str(counts(BELL3, options={"seed": 3}, shots=100)) for _ in range(3)} == {
        str(counts(bytes(BELL3), options={"seed": 3}, shots=100))
    }
