"""Parameter values, by name or in order, broadcast as Qiskit's PUBs are."""

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qdepot.errors import InvalidProgramError
from qdepot.quantum.parameters import bindings
from support.circuits import checked, counts, openqasm3, results


def _two(names=("b", "a")):
    circuit = QuantumCircuit(1, 1)
    for name in names:
        circuit.rx(Parameter(name), 0)
    circuit.measure(0, 0)
    return circuit


def _vector():
    angles = ParameterVector("phi", 3)
    circuit = QuantumCircuit(3, 3)
    for qubit, angle in enumerate(angles):
        circuit.rx(angle, qubit)
    circuit.measure(range(3), range(3))
    return circuit


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ({"a": 0.1, "b": 0.2}, ()),
        ([0.1, 0.2], ()),
        ([[0.1, 0.2]], (1,)),
        ({"a": [0.1, 0.3, 0.5], "b": [0.2, 0.4, 0.6]}, (3,)),
        ([[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6], [0.7, 0.8]]], (2, 2)),
    ],
)
def test_shapes_are_those_of_qiskit(values, shape):
    circuit = _two()
    found = bindings(circuit, values)
    theirs = SamplerPub.coerce((circuit, values)).parameter_values
    assert found.shape == shape == theirs.shape
    np.testing.assert_array_equal(found.as_array(circuit.parameters), theirs.as_array(circuit.parameters))
    assert checked(circuit, parameter_values=values)["circuits"][0]["shape"] == list(shape)


@pytest.mark.parametrize("shape", [(1,), (2, 1), (1, 1), (2, 3, 1)])
def test_an_axis_of_length_one_belongs_to_the_sets_where_values_are_given_by_name(shape):
    """Qiskit, left to guess, takes it for the axis of the parameters; told the shape, it agrees."""
    circuit = _two()
    values = {name: np.random.default_rng(number).random(shape).tolist() for number, name in enumerate("ab")}
    found = bindings(circuit, values)
    theirs = BindingsArray(values, shape=shape)
    assert found.shape == shape
    np.testing.assert_array_equal(found.as_array(circuit.parameters), theirs.as_array(circuit.parameters))


def test_an_array_is_in_qiskit_s_order_of_parameters():
    circuit = _two()
    assert checked(circuit, parameter_values=[0, 0])["circuits"][0]["parameters"] == ["a", "b"]
    found = bindings(circuit, [0.1, 0.2])
    assert found.as_array(["a", "b"]).tolist() == [0.1, 0.2]


def test_a_vector_takes_values_by_its_name_or_by_its_elements():
    circuit = _vector()
    by_vector = {"phi": [[0, math.pi, 0], [math.pi, 0, 0]]}
    by_elements = {"phi[0]": [0, math.pi], "phi[1]": [math.pi, 0], "phi[2]": [0, 0]}
    expected = [{"010": 4}, {"001": 4}]
    assert counts(circuit, parameter_values=by_vector, shots=4) == expected
    assert counts(circuit, parameter_values=by_elements, shots=4) == expected


def test_vectors_of_more_than_ten_elements_keep_their_order():
    angles = ParameterVector("t", 12)
    circuit = QuantumCircuit(12, 12)
    for qubit in reversed(range(12)):
        circuit.rx(angles[qubit], qubit)
    circuit.measure(range(12), range(12))
    values = [math.pi if index in (2, 10) else 0.0 for index in range(12)]
    assert counts(circuit, parameter_values=values, shots=4) == {"010000000100": 4}


def test_inputs_of_openqasm3_are_parameters():
    source = openqasm3("input float turn; input angle idle; qubit[1] q; bit[1] c; rx(turn / 2) q[0]; c = measure q;")
    values = {"turn": [0.0, 2 * math.pi], "idle": [0.3, 0.4]}
    (entry,) = results(source, parameter_values=values, shots=4)
    assert entry["counts"] == [{"0": 4}, {"1": 4}]
    assert entry["shape"] == [2]


def test_a_parameter_that_changes_nothing_still_makes_sets():
    circuit = QuantumCircuit(1, 1)
    circuit.rx(0.0 * Parameter("a") - math.pi, 0)
    circuit.measure(0, 0)
    for level in (None, 0, 1, 2, 3):
        found = counts(circuit, parameter_values={"a": [1, 2, 3]}, shots=4, options={"optimization_level": level})
        assert found == [{"1": 4}] * 3


def test_parameters_inside_control_flow():
    angle = Parameter("angle")
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.rx(angle, 1)
        circuit.crx(angle - math.pi, 0, 1)
    circuit.measure(1, 1)
    assert counts(circuit, parameter_values=[[0.0], [math.pi]], shots=4) == [{"11": 4}, {"11": 4}]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (None, "no values for the parameters 'a', 'b'"),
        ({}, "no values for the parameters 'a', 'b'"),
        ({"a": 1}, "no values for the parameter 'b'"),
        ({"a": 1, "b": 2, "c": 3}, "no parameter 'c'"),
        ([1], "1 values in its last axis"),
        ([1, 2, 3], "3 values in its last axis"),
        (5, "no values in its last axis"),
        ([[1, 2], [3]], "rows differ in length"),
        ([1, "x"], "not numbers"),
        ([1, None], "not numbers"),
        ([True, False], "not numbers"),
        ([True, 1], r"parameter_values are not numbers: at \[0\] there is true"),
        ([[0.5, 1], [1, False]], r"parameter_values are not numbers: at \[1, 1\] there is false"),
        ({"a": [1, 2.5], "b": [0, True]}, r"the values of 'b' are not numbers: at \[1\] there is true"),
        ({"a": True, "b": 1}, "the values of 'a' are not numbers: there is true"),
        ([[0.5, 1], [1, float("inf")]], r"not all finite numbers: at \[1, 1\] there is inf"),
        ([1, {}], "not numbers"),
        ("12", "not numbers"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "do not fit together"),
        ({"a": [], "b": []}, "no set of values"),
        ([], "0 values in its last axis"),
        ([float("nan"), 1.0], "not all finite"),
        ({"a": float("inf"), "b": 0}, "not all finite"),
        ([10**400, 1], "not all finite"),
        ({"a": [[[[1]]]], "b": [[1]]}, "do not fit together"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, words):
    with pytest.raises(InvalidProgramError, match=words):
        bindings(_two(), values)


def test_values_nested_too_deeply_are_refused():
    value = 0.5
    for _ in range(40):
        value = [value]
    with pytest.raises(InvalidProgramError, match="nested more than 32 deep"):
        bindings(_two(), {"a": value, "b": value})


def test_an_integer_beyond_64_bits_is_a_number():
    assert bindings(_two(), [10**30, 1]).as_array().tolist() == [1e30, 1.0]


def test_values_given_twice_are_refused():
    values = {"phi": [0, 0, 0], "phi[1]": 0}
    with pytest.raises(InvalidProgramError, match="twice"):
        bindings(_vector(), values)


@pytest.mark.parametrize("values", [[1.0], {"a": 1}, 3])
def test_values_for_a_circuit_without_parameters_are_refused(values):
    with pytest.raises(InvalidProgramError, match="no parameter"):
        bindings(_two(names=()), values)


@pytest.mark.parametrize("values", [None, [], {}])
def test_no_values_for_no_parameters_are_fine(values):
    assert bindings(_two(names=()), values).shape == ()
