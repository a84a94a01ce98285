"""Bit 0 is rightmost, always: told by circuits that look different from either end."""

import io

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit
from qiskit.primitives.containers import BitArray
from qiskit_aer import AerSimulator

from qdepot.domain.result import check_sampler_entry
from support.circuits import FORMATS, METHODS, counts, openqasm2, openqasm3, results, simulated, written

_SIZES = (("a", 1), ("b", 2), ("d", 3))


def _with_ones(num_qubits, ones):
    circuit = QuantumCircuit(num_qubits)
    circuit.x(ones)
    return circuit


@pytest.mark.parametrize("program_format", FORMATS)
@pytest.mark.parametrize("backend", METHODS)
def test_qubit_0_is_the_rightmost_character(program_format, backend):
    circuit = _with_ones(4, [0, 1])
    circuit.add_register(ClassicalRegister(4, "c"))
    circuit.measure(range(4), range(4))
    assert counts(written(circuit, program_format), backend=backend, shots=10) == {"0011": 10}


@pytest.mark.parametrize("program_format", FORMATS)
def test_registers_are_joined_with_the_one_declared_last_leftmost(program_format):
    circuit = QuantumCircuit(QuantumRegister(6, "q"), *(ClassicalRegister(n, name) for name, n in _SIZES))
    circuit.x([0, 3])
    circuit.measure(range(6), range(6))
    source = written(circuit, program_format)
    (entry,) = results(source, shots=7)
    assert entry["counts"] == {"001 00 1": 7} == AerSimulator().run(circuit, shots=7).result().get_counts()
    assert list(entry["registers"]) == ["a", "b", "d"]
    assert {name: register["counts"] for name, register in entry["registers"].items()} == {
        "a": {"1": 7},
        "b": {"00": 7},
        "d": {"001": 7},
    }
    check_sampler_entry(entry)


@pytest.mark.parametrize("program_format", FORMATS)
def test_permuted_and_partial_measurement(program_format):
    circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(3, "c"))
    circuit.x([1, 3])
    circuit.measure([3, 0], [0, 2])
    source = written(circuit, program_format)
    assert counts(source, shots=5) == {"001": 5}


def test_one_qubit_measured_into_several_bits():
    source = openqasm3("qubit[2] q; bit[3] c; x q[1]; c[2] = measure q[1]; c[0] = measure q[1]; c[1] = measure q[0];")
    assert counts(source, shots=5) == {"101": 5}


def test_a_bit_that_is_measured_twice_keeps_the_last_outcome():
    source = openqasm2("qreg q[2]; creg c[1]; x q[0]; measure q[0] -> c[0]; measure q[1] -> c[0];")
    assert counts(source, shots=5) == {"0": 5}


def test_a_register_that_is_never_written_reads_zero():
    source = openqasm3("qubit[1] q; bit[1] a; bit[3] unused; x q[0]; a = measure q;")
    assert counts(source, shots=5) == {"000 1": 5}


def test_registers_whose_bits_lie_apart_and_in_another_order():
    bits = [Clbit() for _ in range(4)]
    front, back = (
        ClassicalRegister(bits=[bits[3], bits[0]], name="front"),
        ClassicalRegister(bits=bits[1:3], name="back"),
    )
    circuit = QuantumCircuit(4)
    circuit.add_bits(bits)
    circuit.add_register(front, back)
    circuit.x([1, 3])
    circuit.measure(range(4), bits)
    (entry,) = results(circuit, shots=5)
    assert entry["registers"]["front"]["counts"] == {"01": 5}
    assert entry["registers"]["back"]["counts"] == {"01": 5}
    assert entry["counts"] == {"01 01": 5}


def test_registers_bear_the_names_that_their_author_gave_them():
    (entry,) = results(openqasm3("qubit[2] q; bit[1] Upper; bit[1] _low; x q[1]; Upper[0] = measure q[1];"), shots=5)
    assert list(entry["registers"]) == ["Upper", "_low"]
    assert entry["counts"] == {"0 1": 5}


def test_a_register_without_bits_is_left_out():
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(0, "empty"), ClassicalRegister(1, "c"))
    circuit.x(0)
    circuit.measure(0, 0)
    (entry,) = results(circuit, shots=5)
    assert entry["counts"] == {"1": 5}
    assert list(entry["registers"]) == ["c"]


def _spread_out():
    circuit = QuantumCircuit(QuantumRegister(12, "q"), ClassicalRegister(10, "wide"), ClassicalRegister(3, "slim"))
    circuit.h([0, 5])
    circuit.cx(0, 9)
    circuit.x(2)
    circuit.measure(range(12), [*range(10), 10, 12])
    return circuit


def test_memory_lists_every_shot_and_adds_up_to_the_counts():
    (entry,) = results(_spread_out(), shots=300, options={"memory": True, "seed": 1})
    assert len(entry["memory"]) == 300
    assert {bits: entry["memory"].count(bits) for bits in set(entry["memory"])} == entry["counts"]
    wide, slim = (entry["registers"][name]["memory"] for name in ("wide", "slim"))
    assert [f"{left} {right}" for left, right in zip(slim, wide, strict=True)] == entry["memory"]


def test_packed_memory_is_what_qiskit_s_bit_array_takes():
    answer = simulated(_spread_out(), shots=300, options={"memory": True, "seed": 1})
    (entry,) = results(_spread_out(), shots=300, options={"memory": True, "seed": 1})
    for name, width in (("wide", 10), ("slim", 3)):
        array = np.load(io.BytesIO(answer.parts[f"memory/0/{name}.npy"]), allow_pickle=False)
        bits = BitArray(array, width)
        assert bits.get_bitstrings() == entry["registers"][name]["memory"]
        assert bits.get_counts() == entry["registers"][name]["counts"]


def test_memory_of_a_sweep_has_a_list_for_each_set_in_c_order():
    source = openqasm3("input float turn; qubit[1] q; bit[1] c; rx(turn) q[0]; c = measure q;")
    values = {"turn": [[0.0, np.pi], [np.pi, 0.0], [0.0, 0.0]]}
    how = {"parameter_values": values, "shots": 2, "options": {"memory": True}}
    (entry,) = results(source, **how)
    assert entry["shape"] == [3, 2]
    assert entry["memory"] == [["0", "0"], ["1", "1"], ["1", "1"], ["0", "0"], ["0", "0"], ["0", "0"]]
    assert entry["registers"]["c"]["memory"] == entry["memory"]
    assert entry["counts"] == [{"0": 2}, {"1": 2}, {"1": 2}, {"0": 2}, {"0": 2}, {"0": 2}]
    packed = np.load(io.BytesIO(simulated(source, **how).parts["memory/0/c.npy"]), allow_pickle=False)
    assert packed.shape == (3, 2, 2, 1)
    assert packed[..., 0].tolist() == [[[0, 0], [1, 1]], [[1, 1], [0, 0]], [[0, 0], [0, 0]]]


def test_without_the_option_there_is_no_memory():
    answer = simulated(_spread_out(), shots=10)
    assert not [name for name in answer.parts if name.startswith("memory")]
    assert b'"memory"' not in answer.parts["result.json"]
