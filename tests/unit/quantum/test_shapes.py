"""Shapes of parameter values and observables: every promised combination, with the right number at every place."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qdepot.errors import InvalidProgramError
from qdepot.quantum.parameters import bindings
from support.circuits import checked, results
from support.shapes import FORMS, OBSERVABLES, SETS, angles, expected, observables


@pytest.mark.parametrize("sets", SETS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_each_set_meets_the_observables_that_it_is_broadcast_with(form, sets):
    a, b = angles(sets)
    circuit, values = FORMS[form].circuit, FORMS[form].values(a, b)
    for shape in OBSERVABLES:
        wanted = observables(shape)
        how = {"kind": "estimator", "parameter_values": values, "observables": wanted.tolist()}
        right = expected(a, b, wanted)
        if right is None:
            with pytest.raises(InvalidProgramError, match="do not fit together"):
                checked(circuit, **how)
            continue
        assert checked(circuit, **how)["circuits"][0]["shape"] == list(right.shape)
        (entry,) = results(circuit, **how)
        assert entry["shape"] == list(right.shape)
        assert np.shape(entry["stds"]) == right.shape
        np.testing.assert_allclose(np.array(entry["evs"]), right, atol=1e-9)


@pytest.mark.parametrize("sets", SETS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_a_sampler_lists_counts_and_memory_in_c_order_of_the_sets(form, sets):
    a, b = (np.pi * (np.arange(int(np.prod(sets))).reshape(sets) % each == 0) for each in (2, 3))
    circuit = FORMS[form].circuit.copy()
    circuit.measure_all()
    how = {"parameter_values": FORMS[form].values(a, b), "shots": 2, "options": {"memory": True}}
    right = [f"{int(second > 0)}{int(first > 0)}" for first, second in zip(a.flat, b.flat, strict=True)]
    (entry,) = results(circuit, **how)
    assert entry["shape"] == list(sets)
    register = entry["registers"]["meas"]
    assert entry["counts"] == register["counts"] == ([{bits: 2} for bits in right] if sets else {right[0]: 2})
    assert entry["memory"] == register["memory"] == ([[bits] * 2 for bits in right] if sets else right * 2)


def test_the_advice_of_the_error_text_gives_every_combination():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("t"), 0)
    with pytest.raises(InvalidProgramError) as caught:
        checked(circuit, kind="estimator", observables=["Z", "X"], parameter_values={"t": [0, 1, 2]})
    assert "[n, 1] and [m]" in caught.value.solution
    (entry,) = results(circuit, kind="estimator", observables=["Z", "X"], parameter_values={"t": [[0], [1], [2]]})
    np.testing.assert_allclose(np.array(entry["evs"]), [[np.cos(t), np.sin(t)] for t in (0, 1, 2)], atol=1e-9)


def _circuit(*parameters):
    circuit = QuantumCircuit(1)
    for parameter in parameters:
        circuit.rx(parameter, 0)
    return circuit


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (0.1, ()),
        ([0.1], ()),
        ([0.1, 0.2], (2,)),
        ([[0.1], [0.2]], (2,)),
        ([[0.1, 0.2]], (1, 2)),
        ([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], (2, 3)),
        ([[[0.1], [0.2]]], (1, 2)),
    ],
)
def test_an_array_for_the_only_parameter_is_read_as_qiskit_reads_it(values, shape):
    circuit = _circuit(Parameter("t"))
    found = bindings(circuit, values)
    theirs = SamplerPub.coerce((circuit, values)).parameter_values
    assert found.shape == shape == theirs.shape
    np.testing.assert_array_equal(found.as_array(), theirs.as_array())


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ({"v": [[0.1, 0.2], [0.3, 0.4]], "a": [[0.5], [0.6]]}, (2,)),
        ({"a": [[0.5], [0.6]], "v": [[0.1, 0.2], [0.3, 0.4]]}, (2,)),
        ({"v": [0.1, 0.2], "a": [0.5]}, ()),
        ({"v": [[[0.1, 0.2]], [[0.3, 0.4]]], "a": [[0.5], [0.6]]}, (2, 1)),
    ],
)
def test_an_axis_of_one_value_is_the_parameter_s_where_the_others_leave_no_doubt(values, shape):
    circuit = _circuit(*ParameterVector("v", 2), Parameter("a"))
    found = bindings(circuit, values)
    theirs = BindingsArray({("v[0]", "v[1]"): values["v"], "a": values["a"]}, shape=shape)
    assert found.shape == shape
    names = ["v[0]", "v[1]", "a"]
    np.testing.assert_array_equal(found.as_array(names), theirs.as_array(names))


@pytest.mark.parametrize("values", [{"v": 0.1}, {"v": [0.1, 0.2]}, {"v": [[0.1, 0.2]]}])
def test_a_vector_of_one_element_keeps_its_axis(values):
    with pytest.raises(InvalidProgramError, match="the vector has 1 elements"):
        bindings(_circuit(*ParameterVector("v", 1)), values)
