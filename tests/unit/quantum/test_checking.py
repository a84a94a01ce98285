"""What is refused before it runs, and with which reason."""

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Gate, Qubit
from qiskit.circuit.library import UnitaryGate

from qdepot.errors import InternalError, InvalidProgramError, UnsupportedProgramError
from qdepot.ports.compute_pool import Payload
from qdepot.quantum import operations
from support.circuits import BELL2, BELL3, checked, openqasm2, openqasm3, payload


def _refused(*sources, error=UnsupportedProgramError, **how):
    with pytest.raises(error) as caught:
        checked(*sources, **how)
    assert caught.value.message.startswith("circuit ")
    return caught.value


def test_the_summary_tells_what_there_is():
    source = openqasm3(
        "input float th; qubit[3] q; bit[1] a; bit[2] b; rx(th) q[0]; a[0] = measure q[0]; b[1] = measure q[2];"
    )
    found = checked(BELL2, source, each=[{}, {"parameter_values": {"th": [[1, 2, 3]]}}])
    assert found["num_qubits"] == 3
    assert found["circuits"][0] == {
        "num_qubits": 2,
        "num_clbits": 2,
        "registers": [{"name": "c", "num_bits": 2}],
        "parameters": [],
        "depth": 3,
        "size": 4,
        "shape": [],
    }
    assert found["circuits"][1] == {
        "num_qubits": 3,
        "num_clbits": 3,
        "registers": [{"name": "a", "num_bits": 1}, {"name": "b", "num_bits": 2}],
        "parameters": ["th"],
        "depth": 2,
        "size": 3,
        "shape": [1, 3],
    }


def test_the_circuit_at_fault_is_named():
    error = _refused(BELL3, BELL2, openqasm3("qubit[2] q;\n hh q;"), error=InvalidProgramError)
    assert error.details == {"circuit": 2, "line": 4, "column": 2}
    assert error.message.startswith("circuit 2: line 4, column 2: ")


@pytest.mark.parametrize(
    "source",
    [
        openqasm2("qreg q[2]; creg c[2]; h q;"),
        openqasm2("qreg q[2]; h q;"),
        openqasm3("qubit[2] q; bit[2] c; if (c == 1) { x q; }"),
    ],
)
def test_a_circuit_without_measurements_is_refused(source):
    error = _refused(source)
    assert "nothing is measured" in error.message
    assert "measure q -> c;" in error.solution


def test_registers_that_share_bits_are_refused():
    bits = [Clbit(), Clbit(), Clbit()]
    circuit = QuantumCircuit([Qubit()], bits)
    circuit.add_register(ClassicalRegister(bits=bits[:2], name="low"), ClassicalRegister(bits=bits[1:], name="high"))
    circuit.measure(0, 0)
    error = _refused(circuit)
    assert "'low', 'high' share bits" in error.message


def test_an_alias_of_bits_in_openqasm3_is_another_name_and_no_result():
    source = openqasm3("qubit[1] q; bit[1] a; bit[1] b; let both = a ++ b; both[0] = measure q[0];")
    assert [each["name"] for each in checked(source)["circuits"][0]["registers"]] == ["a", "b"]


def test_a_single_bit_in_openqasm3_is_a_result_of_its_own():
    source = openqasm3("qubit[1] q; bit spare; bit c; c = measure q;")
    assert checked(source)["circuits"][0]["registers"] == [
        {"name": "spare", "num_bits": 1},
        {"name": "c", "num_bits": 1},
    ]


def test_measured_bits_without_a_register_are_refused():
    circuit = QuantumCircuit([Qubit()], [Clbit(), Clbit()], ClassicalRegister(1, "c"))
    circuit.measure(0, 1)
    circuit.measure(0, 2)
    error = _refused(circuit)
    assert "no register (bit 1)" in error.message
    assert "ClassicalRegister" in error.solution


def test_unmeasured_bits_without_a_register_are_not_reported():
    circuit = QuantumCircuit([Qubit()], [Clbit()], ClassicalRegister(1, "c"))
    circuit.measure(0, 1)
    assert checked(circuit)["circuits"][0]["num_clbits"] == 2


def test_a_condition_on_a_part_of_a_register_is_no_register_of_its_own():
    source = openqasm3("qubit[2] q; bit[3] c; c[0] = measure q[0]; if (c[0:1] == 1) { x q[1]; } c[2] = measure q[1];")
    assert checked(source)["circuits"][0]["registers"] == [{"name": "c", "num_bits": 3}]


def test_a_gate_without_a_definition_is_refused():
    circuit = QuantumCircuit(2, 2)
    circuit.append(Gate("teleport", 2, []), [0, 1])
    circuit.measure([0, 1], [0, 1])
    assert "'teleport'" in _refused(circuit).message
    assert "'magic'" in _refused(openqasm2("opaque magic a; qreg q[1]; creg c[1]; magic q[0]; measure q -> c;")).message


def test_an_instruction_of_aer_s_own_is_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.append(Gate("save_statevector", 1, []), [0])
    circuit.measure(0, 0)
    assert "'save_statevector'" in _refused(circuit).message


@pytest.mark.parametrize(
    "source",
    [
        openqasm2("qreg q[1]; creg c[1]; rx(1e400) q[0]; measure q -> c;"),
        openqasm3("qubit[1] q; bit[1] c; rx(1e400) q[0]; c = measure q;"),
        openqasm2("gate own a { rx(1e400) a; } qreg q[1]; creg c[1]; own q[0]; measure q -> c;"),
        openqasm3("gate own a { rx(1e400) a; } qubit[1] q; bit[1] c; own q[0]; c = measure q;"),
    ],
)
def test_an_infinite_angle_is_refused(source):
    assert "not a finite number" in _refused(source, error=InvalidProgramError).message


def test_a_matrix_with_nan_is_refused():
    gate = UnitaryGate([[1, 0], [0, 1]])
    gate.params = [gate.params[0] * float("nan")]
    circuit = QuantumCircuit(1, 1)
    circuit.append(gate, [0])
    circuit.measure(0, 0)
    assert "not a finite number" in _refused(circuit, error=InvalidProgramError).message


@pytest.mark.parametrize("shots", [0, -1, None, "5", 1.5, True])
def test_shots_that_are_no_positive_integer_are_refused(shots):
    assert "not a positive integer" in _refused(BELL2, shots=shots, error=InvalidProgramError).message


def test_a_circuit_s_own_shots_come_first():
    error = _refused(BELL2, BELL2, each=[{}, {"shots": 2_000_000}])
    assert error.details == {"circuit": 1, "shots": 2_000_000, "limit": 1_000_000}


def test_shots_of_all_sets_and_circuits_are_added_up():
    source = openqasm3("input float th; qubit[1] q; bit[1] c; rx(th) q[0]; c = measure q;")
    how = {"each": [{"parameter_values": [[1], [2], [3]]}, {"shots": 10}]}
    assert checked(source, BELL2, shots=100, max_total_shots=310, **how)
    with pytest.raises(UnsupportedProgramError, match="310 shots"):
        checked(source, BELL2, shots=100, max_total_shots=309, **how)


def _wide(num_qubits):
    return openqasm3(f"qubit[{num_qubits}] q; bit[1] c; t q; c[0] = measure q[0];")


@pytest.mark.parametrize("backend", ["aer", "aer_statevector"])
def test_a_state_vector_that_does_not_fit_is_refused_with_the_figures(backend):
    assert checked(_wide(24), backend=backend, memory_mb=321)
    error = _refused(_wide(25), backend=backend, memory_mb=321)
    assert "25 qubits takes 512 MiB" in error.message
    assert "257 MiB can be used" in error.message
    assert error.details["required_bytes"] == 16 * 2**25


@pytest.mark.parametrize(
    ("circuit", "options", "shots", "memory_mb", "fits"),
    [
        ("end", {}, 10, 256 + 65, True),
        ("end", {}, 10, 256 + 63, False),
        ("end", {"noise": "fake_torino"}, 10, 256 + 641, True),
        ("end", {"noise": "fake_torino"}, 10, 256 + 639, False),
        ("wide", {}, 1_000_000, 256 + 65, False),
        ("wide", {}, 1_000_000, 256 + 65 + 334, True),
        ("end", {}, 1_000_000, 256 + 65, True),
    ],
)
def test_what_a_run_takes_besides_its_state_counts(circuit, options, shots, memory_mb, fits):
    bits = 24 if circuit == "wide" else 1
    source = openqasm3(f"qubit[24] q; bit[{bits}] c; t q; c = measure q[0:{bits - 1}];")
    how = {"options": options, "shots": shots, "memory_mb": memory_mb}
    if fits:
        assert checked(source, **how)
    else:
        assert "24 qubits" in _refused(source, **how).message


def test_a_density_matrix_that_does_not_fit_is_refused_with_the_figures():
    assert checked(_wide(12), backend="aer_density_matrix", memory_mb=321)
    assert "13 qubits takes 1 GiB" in _refused(_wide(13), backend="aer_density_matrix", memory_mb=321).message


def test_idle_qubits_take_no_memory():
    source = openqasm3("qubit[2000] q; bit[1] c; t q[7]; barrier q; c[0] = measure q[7];")
    assert checked(source, memory_mb=65)["num_qubits"] == 2000


def test_wide_circuits_are_fine_where_memory_is_not_the_limit():
    assert checked(_wide(200), backend="aer_mps")
    assert checked(openqasm3("qubit[9000] q; bit[9000] c; h q; c = measure q;"))
    assert checked(openqasm3("qubit[300] q; bit[300] c; h q; c = measure q;"), backend="aer_stabilizer")


def test_more_qubits_than_the_backend_has_are_refused():
    backend = {"name": "small", "method": "automatic", "num_qubits": 5, "max_shots": 100}
    assert checked(_wide(5), backend=backend, shots=1)
    error = _refused(_wide(6), backend=backend, shots=1)
    assert "small takes at most 5" in error.message


def test_more_bits_than_possible_are_refused():
    circuit = QuantumCircuit(QuantumRegister(1, "q"), *(ClassicalRegister(5001, name) for name in "ab"))
    circuit.measure(0, 0)
    assert "10002 classical bits" in _refused(circuit).message


def test_an_option_that_contradicts_the_backend_is_refused():
    error = _refused(BELL2, backend="aer_mps", options={"method": "statevector"})
    assert "always uses the method 'matrix_product_state'" in error.message
    assert checked(BELL2, backend="aer_mps", options={"method": "matrix_product_state"})


def test_a_device_that_does_not_exist_is_refused():
    with pytest.raises(UnsupportedProgramError, match="fake_nowhere") as caught:
        checked(BELL2, options={"noise": "fake_nowhere"})
    assert caught.value.details["device"] == "fake_nowhere"


def test_no_circuits_are_refused():
    with pytest.raises(InvalidProgramError, match="no circuits"):
        checked()


@pytest.mark.parametrize("meta", [{}, {"kind": "dance", "circuits": []}, {"kind": "sampler", "circuits": [{}]}])
def test_an_order_that_the_service_should_not_send_is_our_bug(meta):
    with pytest.raises(InternalError, match="cannot be read"):
        operations.check(Payload(meta=meta))


def test_parts_may_be_any_buffer():
    sent = payload(BELL2)
    parts = {"circuit/0": memoryview(bytearray(sent.parts["circuit/0"]))}
    assert operations.check(Payload(meta=sent.meta, parts=parts)).meta["num_qubits"] == 2


def test_describe_names_versions_and_devices():
    found = operations.describe(Payload()).meta
    assert found["qpy_versions"][0] == 13
    assert {"qiskit", "qiskit-aer", "qdepot", "numpy"} <= set(found["packages"])
