from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from qdepot.client.values import looks_like_observables, observables, parameter_values
from qdepot.errors import InvalidRequestError


class Array:
    """What has ``tolist`` is an array, as NumPy's are."""

    def __init__(self, content):
        self.content = content

    def tolist(self):
        return self.content


class Parameter:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return hash(self.name)


class Vector(Parameter):
    def __init__(self, name, size):
        super().__init__(name)
        self.params = [Parameter(f"{name}[{i}]") for i in range(size)]


def test_names_and_parameters_become_names():
    assert parameter_values({"a": 1, Parameter("b"): (2.5, 3)}) == {"a": 1, "b": [2.5, 3]}


def test_arrays_become_lists():
    assert parameter_values(Array([[1.0, 2.0], [3.0, 4.0]])) == [[1.0, 2.0], [3.0, 4.0]]
    assert parameter_values({"a": Array(0.5)}) == {"a": 0.5}


def test_the_last_axis_of_a_vector_runs_along_its_parameters():
    values = {Vector("p", 2): [[1, 10], [2, 20], [3, 30]]}
    assert parameter_values(values) == {"p[0]": [1, 2, 3], "p[1]": [10, 20, 30]}


def test_a_tuple_of_parameters_is_like_a_vector():
    assert parameter_values({("a", Parameter("b")): [0.1, 0.2]}) == {"a": 0.1, "b": 0.2}


@pytest.mark.parametrize("values", [{Vector("p", 2): 0.1}, {("a", "b"): [1, 2, 3]}])
def test_values_that_do_not_fit_the_parameters_are_refused(values):
    with pytest.raises(InvalidRequestError, match="for 2 parameters"):
        parameter_values(values)


@pytest.mark.parametrize("value", ["0.1", None, True, 1j, math.nan, math.inf, [[0.1, None]]])
def test_what_is_no_finite_real_number_is_refused(value):
    with pytest.raises(InvalidRequestError, match="not a finite real number"):
        parameter_values({"a": value})


def test_a_key_that_is_no_parameter_is_refused():
    with pytest.raises(InvalidRequestError, match="7 is not a parameter"):
        parameter_values({7: 0.1})


def test_an_operator_becomes_its_terms_and_equal_terms_are_summed():
    operator = SimpleNamespace(to_list=lambda: [("ZZ", 1 + 0j), ("XI", 0.5 + 0j), ("ZZ", 2 + 0j)])
    assert observables(operator) == {"ZZ": 3.0, "XI": 0.5}


def test_an_imaginary_coefficient_is_refused():
    with pytest.raises(InvalidRequestError, match="coefficient of ZZ"):
        observables(SimpleNamespace(to_list=lambda: [("ZZ", 1j)]))
    with pytest.raises(InvalidRequestError, match=r"coefficient of XZ: .* is not real"):
        observables(SimpleNamespace(to_label=lambda: "-iXZ"))


@pytest.mark.parametrize("weight", [True, "1", None, math.nan, complex(1, math.inf), [1.0]])
def test_a_coefficient_that_is_not_a_number_is_refused(weight):
    for given in ({"ZZ": weight}, SimpleNamespace(to_list=lambda: [("ZZ", weight)])):
        with pytest.raises(InvalidRequestError, match="coefficient of ZZ"):
            observables(given)


@pytest.mark.parametrize("unit", [1.0, 1e-19, 1e12])
def test_imaginary_parts_that_are_rounding_or_cancel_are_left_out(unit):
    def operator(*terms):
        return SimpleNamespace(to_list=lambda: [(label, unit * weight) for label, weight in terms])

    assert observables(operator(("ZZ", 1 + 1e-17j), ("XX", 1e-16j))) == {"ZZ": unit, "XX": 0.0}
    assert observables(operator(("ZZ", 1 + 2j), ("ZZ", 1 - 2j))) == {"ZZ": 2 * unit}
    assert observables({"ZZ": unit * (2 - 1e-16j)}) == {"ZZ": 2 * unit}
    with pytest.raises(InvalidRequestError, match="not real"):
        observables(operator(("ZZ", 1 + 1e-6j)))


def test_an_observable_of_letters_on_some_qubits_is_spelled_out():
    operator = SimpleNamespace(
        to_sparse_list=lambda: [("ZX", [0, 2], 1.5 + 0j), ("", [], 2.0), ("+", [1], 1e-9)], num_qubits=3
    )
    assert observables(operator) == {"XIZ": 1.5, "III": 2.0, "I+I": 1e-9}
    assert observables([operator, "ZZZ"]) == [{"XIZ": 1.5, "III": 2.0, "I+I": 1e-9}, "ZZZ"]


def test_the_keys_of_a_sum_may_be_operators():
    key = SimpleNamespace(to_label=lambda: "-XZ")
    assert observables({"XX": 1.0} | _one(key, 2.0)) == {"XX": 1.0, "XZ": -2.0}
    with pytest.raises(InvalidRequestError, match="type int is not a term"):
        observables({3: 1.0})


def _one(key, value):
    class Hashable:
        to_label = staticmethod(key.to_label)

    return {Hashable(): value}


@pytest.mark.parametrize(("label", "wire"), [("XZ", "XZ"), ("-XZ", {"XZ": -1.0})])
def test_a_pauli_keeps_its_sign(label, wire):
    assert observables(SimpleNamespace(to_label=lambda: label)) == wire


def test_lists_and_arrays_of_observables_are_nested_lists():
    paulis = SimpleNamespace(to_labels=lambda: ["ZZ", "-XX"])
    assert observables([paulis, "II"]) == [["ZZ", {"XX": -1.0}], "II"]
    assert observables(Array([{"ZZ": 1.0}, "X0"])) == [{"ZZ": 1.0}, "X0"]
    assert observables(Array({"ZZ": 1})) == {"ZZ": 1}


def test_what_is_no_observable_is_named():
    with pytest.raises(InvalidRequestError, match="an object of type int is not an observable"):
        observables([3])


def test_only_what_cannot_be_parameter_values_looks_like_observables():
    operator = SimpleNamespace(to_list=list)
    sparse = SimpleNamespace(to_sparse_list=list)
    yes = ("ZZ", ["ZZ"], operator, [[operator]], sparse, [sparse], [{"ZZ": 1.0}], [[{"ZZ": 1.0}]])
    no = (0.1, [0.1], {"ZZ": 1.0}, [], None, b"ZZ", Array([0.1]))
    assert [looks_like_observables(one) for one in yes] == [True] * len(yes)
    assert [looks_like_observables(one) for one in no] == [False] * len(no)
