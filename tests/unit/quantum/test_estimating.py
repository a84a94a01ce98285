"""Estimators: observables, precision, and what has an exact expectation value."""

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Clbit, Parameter

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from support.circuits import checked, openqasm2, openqasm3, results, simulated


def _entangled():
    circuit = QuantumCircuit(3)
    circuit.ry(0.3, 0)
    circuit.cx(0, 2)
    circuit.h(1)
    return circuit


def _estimate(*circuits, **how):
    entries = results(*(circuits or (_entangled(),)), kind="estimator", **how)
    return entries[0] if len(entries) == 1 else entries


EXACT = {"ZII": math.cos(0.3), "IIZ": math.cos(0.3), "ZIZ": 1.0, "IXI": 1.0, "IZI": 0.0, "III": 1.0}


@pytest.mark.parametrize("backend", ["aer", "aer_statevector", "aer_mps", "aer_density_matrix"])
def test_every_method_gives_exact_values(backend):
    entry = _estimate(observables=list(EXACT), backend=backend)
    np.testing.assert_allclose(entry["evs"], list(EXACT.values()), atol=1e-9)
    assert entry["stds"] == [0.0] * len(EXACT)
    assert entry["metadata"]["values"] == "exact"


def test_the_rightmost_letter_is_qubit_0():
    circuit = QuantumCircuit(3)
    circuit.x(0)
    assert _estimate(circuit, observables=["IIZ", "IZI", "ZII"])["evs"] == [-1.0, 1.0, 1.0]


def test_sums_of_terms_and_projectors():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    entry = _estimate(circuit, observables=[{"IX": 2.0, "II": 0.5, "ZI": -1}, "1+", "0+", {"0I": 1, "1I": 1}])
    np.testing.assert_allclose(entry["evs"], [1.5, 0.0, 1.0, 1.0], atol=1e-12)


def test_parameter_sets_and_observables_are_broadcast():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("t"), 0)
    entry = _estimate(circuit, observables=["Z", "X"], parameter_values=[[[0.0]], [[0.3]], [[math.pi / 2]]])
    assert entry["shape"] == [3, 2]
    expected = [[math.cos(t), math.sin(t)] for t in (0.0, 0.3, math.pi / 2)]
    np.testing.assert_allclose(entry["evs"], expected, atol=1e-9)
    assert checked(circuit, kind="estimator", observables=["Z", "X"], parameter_values=[[[0]], [[1]], [[2]]])[
        "circuits"
    ][0]["shape"] == [3, 2]


def test_a_single_observable_gives_numbers():
    entry = _estimate(observables="ZIZ")
    assert entry["shape"] == []
    assert entry["evs"] == pytest.approx(1.0)
    assert entry["stds"] == 0.0


def test_with_a_precision_values_scatter_as_qiskit_s_reference_has_it():
    observables = ["ZIZ"] * 400
    entry = _estimate(observables=observables, precision=0.1, options={"seed": 5})
    errors = (np.array(entry["evs"]) - 1.0) / 0.1
    assert entry["stds"] == [0.1] * 400
    assert abs(errors).max() < 8  # odds of 1.3e-15 each
    assert 0.6 < errors.std() < 1.5  # beyond, the odds are below 1e-16 (chi-squared, 400 degrees of freedom)
    assert entry["metadata"]["target_precision"] == 0.1
    assert _estimate(observables=observables, precision=0.1, options={"seed": 5})["evs"] == entry["evs"]
    assert _estimate(observables=observables, precision=0.1, options={"seed": 6})["evs"] != entry["evs"]


def test_each_circuit_has_its_own_observables_and_precision():
    one, two = QuantumCircuit(1), QuantumCircuit(2)
    two.x(1)
    first, second = _estimate(
        one, two, precision=0.5, each=[{"observables": "Z", "precision": 0.0}, {"observables": ["ZI", "IZ"]}]
    )
    assert (first["evs"], first["stds"]) == (1.0, 0.0)
    assert second["stds"] == [0.5, 0.5]


@pytest.mark.parametrize("unit", [1.0, 1e-8, 5e-9, 1.602176634e-19, 6.62607015e-34, 1e-150, 1e-300, 1e150])
def test_no_term_is_too_small_or_too_large_to_count(unit):
    circuit = QuantumCircuit(2)
    circuit.ry(0.3, 0)
    circuit.x(1)
    each = {"ZI": 2.0, "IZ": 0.5, "IX": -0.25, "I1": 1.5, "ZY": 7.0}
    expected = -2.0 + 0.5 * math.cos(0.3) - 0.25 * math.sin(0.3) + 1.5 * math.sin(0.15) ** 2
    found = _estimate(circuit, observables=[{term: unit * weight for term, weight in each.items()}, {"II": unit}])
    np.testing.assert_allclose(found["evs"], [unit * expected, unit], rtol=1e-9, atol=0)


def test_terms_count_beside_others_that_are_far_larger():
    circuit = QuantumCircuit(2)
    entry = _estimate(circuit, observables=[{"ZZ": 5e-9, "IZ": 5e-9, "II": 1}, {"ZZ": 1e-12, "XX": 1.0}])
    assert entry["evs"] == [1 + 1e-8, pytest.approx(1e-12, rel=1e-3)]


def test_an_observable_whose_coefficients_are_all_zero_has_the_value_zero():
    assert _estimate(observables=[{"ZZZ": 0.0}, {"ZIZ": 0, "III": 0}])["evs"] == [0.0, 0.0]


def _with_bits(kind):
    circuit = _entangled()
    if kind == "register":
        circuit.add_register(ClassicalRegister(2, "c"))
    elif kind == "two registers":
        circuit.add_register(ClassicalRegister(1, "evs"), ClassicalRegister(3, "counts"))
    elif kind == "loose bit":
        circuit.add_bits([Clbit()])
    else:
        circuit.add_register(ClassicalRegister(70, "wide"))
    return circuit


@pytest.mark.parametrize("kind", ["register", "two registers", "loose bit", "wide register"])
@pytest.mark.parametrize("backend", ["aer", "aer_statevector", "aer_mps", "aer_density_matrix"])
def test_classical_bits_do_not_matter(kind, backend):
    entry = _estimate(_with_bits(kind), observables=list(EXACT), backend=backend)
    np.testing.assert_allclose(entry["evs"], list(EXACT.values()), atol=1e-9)


@pytest.mark.parametrize("backend", ["aer", "aer_stabilizer"])
def test_classical_bits_of_a_text_do_not_matter(backend):
    source = openqasm2("qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1];")
    assert _estimate(source, observables=["ZZ", "IZ", "YY"], backend=backend)["evs"] == [1.0, 0.0, -1.0]


def test_classical_bits_do_not_matter_to_parameter_sets():
    circuit = QuantumCircuit(1, 1)
    circuit.ry(Parameter("t"), 0)
    entry = _estimate(circuit, observables="Z", parameter_values={"t": [0.0, 0.3]})
    np.testing.assert_allclose(entry["evs"], [1.0, math.cos(0.3)], atol=1e-9)


@pytest.mark.parametrize(
    ("backend", "num_qubits"),
    [("aer", 60), ("aer_statevector", 60), ("aer_density_matrix", 40), ("aer_mps", 60), ("aer_stabilizer", 60)],
)
def test_qubits_that_nothing_happens_to_take_no_memory(backend, num_qubits):
    circuit = QuantumCircuit(num_qubits)
    circuit.h(3)
    circuit.cx(3, 7)
    circuit.delay(100, 5)
    circuit.barrier()
    idle = num_qubits - 8

    def letters(at_7, at_3, others):
        return f"{others * idle}{at_7}{others * 3}{at_3}{others * 3}"

    wanted = [
        letters("Z", "Z", "Z"),
        letters("X", "X", "I"),
        letters("X", "X", "Z"),
        letters("X", "X", "X"),
        letters("I", "I", "Z"),
        letters("I", "I", "0"),
        letters("Y", "Y", "I"),
        {letters("Z", "Z", "I"): 2.0, letters("Z", "Z", "Z"): 3.0, letters("I", "I", "I"): 0.5},
    ]
    wanted[5] = {"I" * (num_qubits - 2) + "01": 1.0, "I" * (num_qubits - 2) + "+0": 4.0}
    assert checked(circuit, kind="estimator", observables=wanted, backend=backend)
    entry = _estimate(circuit, observables=wanted, backend=backend)
    np.testing.assert_allclose(entry["evs"], [1.0, 1.0, 1.0, 0.0, 1.0, 2.0, -1.0, 5.5], atol=1e-9)


def test_a_circuit_in_which_nothing_happens_has_values_too():
    assert _estimate(QuantumCircuit(50), observables=["Z" * 50, "X" * 50, "I" * 49 + "1"])["evs"] == [1.0, 0.0, 0.0]


def test_only_identities_need_no_run():
    assert _estimate(observables=["III", {"III": -2.0}])["evs"] == [1.0, -2.0]


@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
def test_a_layout_that_the_transpiler_changes_does_not_move_observables(level):
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.swap(0, 2)
    circuit.iswap(1, 2)
    circuit.swap(0, 1)
    reference = _estimate(circuit, observables=["IIZ", "IZI", "ZII"], options={"optimization_level": 0})["evs"]
    assert sorted(reference) == [-1.0, 1.0, 1.0]
    entry = _estimate(circuit, observables=["IIZ", "IZI", "ZII"], options={"optimization_level": level})
    np.testing.assert_allclose(entry["evs"], reference, atol=1e-9)


@pytest.mark.parametrize("backend", ["aer", "aer_density_matrix"])
def test_a_reset_of_an_entangled_qubit_is_exact_as_a_density_matrix(backend):
    circuit = QuantumCircuit(2)
    circuit.ry(0.3, 0)
    circuit.cx(0, 1)
    circuit.reset(1)
    entry = _estimate(circuit, observables=["IZ", "IX", "ZI"], backend=backend)
    np.testing.assert_allclose(entry["evs"], [math.cos(0.3), 0.0, 1.0], atol=1e-9)
    assert entry["metadata"]["method"] == "density_matrix"


def test_a_reset_at_the_start_changes_nothing():
    source = openqasm3("qubit[2] q; reset q; ry(0.3) q[0]; cx q[0], q[1];")
    entry = _estimate(source, observables="IZ", backend="aer_statevector")
    assert entry["evs"] == pytest.approx(math.cos(0.3))


def test_clifford_circuits_too_wide_for_a_state_vector():
    circuit = QuantumCircuit(80)
    circuit.h(0)
    for qubit in range(79):
        circuit.cx(qubit, qubit + 1)
    entry = _estimate(circuit, observables=["Z" * 80, "X" * 80, "I" * 79 + "Z"])
    assert entry["evs"] == [1.0, 1.0, 0.0]
    assert entry["metadata"]["method"] == "stabilizer"


def test_what_ran_is_kept_without_instructions_of_ours():
    answer = simulated(_entangled(), kind="estimator", observables="ZIZ")
    assert b"save_expval" not in answer.parts["prepared/0.qpy"]


def _refused(*circuits, error=InvalidProgramError, **how):
    with pytest.raises(error) as caught:
        checked(*(circuits or (_entangled(),)), kind="estimator", **how)
    return caught.value


@pytest.mark.parametrize(
    ("observables", "words"),
    [
        (None, "no observables"),
        ([], "empty"),
        ({}, "no terms"),
        ("ZZ", "of 2 qubits, and the circuit has 3"),
        (["ZZZ", "ZZ"], "of 2 qubits"),
        ("ZQZ", "'Q', which is not an operator"),
        ({"ZZZ": "1"}, "not a finite real number"),
        ({"ZZZ": True}, "not a finite real number"),
        ({"ZZZ": float("nan")}, "not a finite real number"),
        ({"ZZZ": [1.0]}, "not a finite real number"),
        ({"ZZZ": None}, "not a finite real number"),
        ({"ZZZ": 10**400}, "not a finite real number"),
        ({"ZZZ": 1e308, "XXX": 1e308}, "more than a double-precision number holds"),
        (["ZZZ", ["XXX"]], "side by side"),
        ([["ZZZ"], ["XXX", "YYY"]], "differ in length"),
        ([["ZZZ"], [["XXX"]]], "differ in length"),
        ([[], []], "empty"),
        (3, "not an observable"),
        ([None], "not an observable"),
    ],
)
def test_observables_that_are_none_are_refused(observables, words):
    assert words in _refused(observables=observables).message


LARGEST = 1.7976931348623157e308


@pytest.mark.parametrize(
    ("coefficient", "precision"), [(LARGEST, 1e292), (LARGEST, LARGEST), (1.0, LARGEST), (1e300, 3e307)]
)
def test_a_precision_with_which_no_number_may_come_out_is_refused(coefficient, precision):
    refused = _refused(observables={"ZZZ": coefficient}, precision=precision)
    assert "more than a double-precision number holds" in refused.message


@pytest.mark.parametrize(("coefficient", "precision"), [(LARGEST, 0.0), (LARGEST, 0.1), (1e308, 8e306), (1.0, 1e307)])
def test_the_largest_numbers_that_are_possible_come_out_as_numbers(coefficient, precision):
    circuit = QuantumCircuit(1)
    for seed in range(20):
        entry = _estimate(circuit, observables={"Z": coefficient}, precision=precision, options={"seed": seed})
        assert math.isfinite(entry["evs"])


def test_deeply_nested_observables_are_refused():
    nested = "ZZZ"
    for _ in range(40):
        nested = [nested]
    assert "nested" in _refused(observables=nested).message


def test_many_projectors_are_refused():
    error = _refused(QuantumCircuit(20), observables="+" * 20, error=UnsupportedProgramError)
    assert "20 projectors" in error.message


def test_shapes_that_do_not_fit_are_refused():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("t"), 0)
    error = _refused(circuit, observables=["Z", "X"], parameter_values=[[0], [1], [2]])
    assert "shape [3] and observables of shape [2]" in error.message


@pytest.mark.parametrize("precision", [-0.1, float("nan"), float("inf"), "0.1", True])
def test_a_precision_that_is_none_is_refused(precision):
    assert "precision" in _refused(observables="ZZZ", each=[{"precision": precision}]).message


def test_a_circuit_that_measures_is_refused_as_qiskit_does():
    circuit = _entangled()
    circuit.measure_all()
    error = _refused(circuit, observables="ZZZ", error=UnsupportedProgramError)
    assert "must not measure" in error.message
    assert "remove_final_measurements" in error.solution


@pytest.mark.parametrize("backend", ["aer_statevector", "aer_mps"])
def test_a_reset_in_the_middle_has_no_exact_value_in_a_pure_state(backend):
    circuit = _entangled()
    circuit.reset(0)
    error = _refused(circuit, observables="ZZZ", backend=backend, error=UnsupportedProgramError)
    assert "no exact expectation values" in error.message


def test_the_extended_stabilizer_method_is_refused():
    error = _refused(observables="ZZZ", options={"method": "extended_stabilizer"}, error=UnsupportedProgramError)
    assert "no expectation values" in error.message
