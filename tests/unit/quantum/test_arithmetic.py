"""Values with which an expression is no finite real number are refused with their set, before anything runs."""

import math

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qdepot.errors import InvalidProgramError
from support.circuits import checked, counts, results

A = Parameter("a")
FAILING = [
    (lambda: 1 / A, 0.0),
    (lambda: A.log(), -1.0),
    (lambda: A.log(), 0.0),
    (lambda: A.arcsin(), 2.0),
    (lambda: A.arccos(), -2.0),
    (lambda: A.exp(), 1000.0),
    (lambda: A**0.5, -1.0),
    (lambda: A**-1, 0.0),
    (lambda: A**400, 1e10),
    (lambda: A.exp().log(), 1000.0),
    (lambda: A * A / A, 0.0),
    (lambda: A.sign() + 1 / A, 0.0),
    (lambda: 1j * A, 0.5),
]


def _circuit(angle, *, own_gate=False, loop=False, phase=False):
    circuit = QuantumCircuit(1, 1)
    if phase:
        circuit.global_phase = angle
    elif own_gate:
        inner = QuantumCircuit(1, name="own")
        inner.rx(angle, 0)
        circuit.append(inner.to_gate(), [0])
    elif loop:
        with circuit.for_loop(range(2)):
            circuit.rx(angle, 0)
    else:
        circuit.rx(angle, 0)
    circuit.measure(0, 0)
    return circuit


@pytest.mark.parametrize(("angle", "value"), FAILING[:-1])
@pytest.mark.parametrize("where", [{}, {"own_gate": True}, {"loop": True}, {"phase": True}])
def test_the_set_of_a_sweep_at_fault_is_named(angle, value, where):
    with pytest.raises(InvalidProgramError, match="parameter set 2") as caught:
        checked(_circuit(angle(), **where), parameter_values={"a": [0.5, 0.25, value, 0.75, value]})
    assert caught.value.details["parameter_set"] == 2
    assert caught.value.details["circuit"] == 0


@pytest.mark.parametrize(("angle", "value"), FAILING[:-1])
def test_a_set_in_a_shape_is_named_by_its_index_too(angle, value):
    values = {"a": [[[0.5], [0.25]], [[0.75], [0.5]], [[value], [0.75]]]}
    with pytest.raises(InvalidProgramError, match=r"parameter set 4 \(index \[2, 0, 0\]\)") as caught:
        checked(_circuit(angle()), parameter_values=values)
    assert (caught.value.details["parameter_set"], caught.value.details["index"]) == (4, [2, 0, 0])


@pytest.mark.parametrize("sampling", ["automatic", "aer"])
def test_a_sign_has_no_slope_and_a_value(sampling):
    how = {"shots": 4, "options": {"sampling": sampling}}
    found = counts(_circuit(math.pi / 2 * (A.sign() + 1)), parameter_values={"a": [0.3, -7.0]}, **how)
    assert found == [{"1": 4}, {"0": 4}]


@pytest.mark.parametrize(("angle", "value"), FAILING[:-1])
def test_the_only_set_is_not_numbered(angle, value):
    with pytest.raises(InvalidProgramError, match="not a finite real number\n"):
        checked(_circuit(angle()), parameter_values={"a": value})


@pytest.mark.parametrize("estimator", [False, True])
@pytest.mark.parametrize("angle", [lambda: 1 / A, lambda: A.log(), lambda: A.arcsin(), lambda: A.exp(), lambda: A**0.5])
def test_values_that_are_possible_are_calculated(angle, estimator):
    circuit = _circuit(angle())
    value = 0.75
    exact = {"1/": 1 / value, "lo": math.log(value), "as": math.asin(value), "ex": math.exp(value), "a*": value**0.5}
    turned = exact[str(angle())[:2]]
    if estimator:
        circuit.remove_final_measurements()
        (entry,) = results(circuit, kind="estimator", observables={"Z": 1}, parameter_values={"a": value})
        assert entry["evs"] == pytest.approx(math.cos(turned))
    else:
        found = counts(circuit, shots=20_000, parameter_values={"a": value})
        assert found["1"] / 20_000 == pytest.approx(math.sin(turned / 2) ** 2, abs=0.02)
