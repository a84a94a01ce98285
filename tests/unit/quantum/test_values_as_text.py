"""Values that are sent as text say the same as values that are sent as data."""

from __future__ import annotations

import json

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Circuit, JsonText, Program, ProgramFormat, ProgramKind
from qdepot.ports.compute_pool import Limits
from qdepot.ports.operations import check_task, simulate_task, together_task
from qdepot.quantum.order import Order

VALUES = [None, {"t": [0.1, 1e300, -0.0]}, [[0.1, 2], [3, 5e-324]], [1, 2**53 + 1], {'é"': [1]}]
BACKEND = BackendInfo(name="aer", provider="aer", kinds=frozenset(ProgramKind), formats=frozenset(ProgramFormat))


def program(wrap) -> Program:
    circuits = [
        Circuit(
            format=ProgramFormat.OPENQASM3, source=b"x", parameter_values=wrap(value), observables=wrap({"ZZ": 1.0})
        )
        for value in VALUES
    ]
    return Program(kind=ProgramKind.ESTIMATOR, circuits=tuple(circuits))


def as_text(value):
    return None if value is None else JsonText(json.dumps(value).encode())


def tasks(wrap):
    common = {"options": {}, "backend": BACKEND, "owner": "ada", "limits": Limits()}
    yield check_task(program(wrap), max_total_shots=10, **common)
    yield simulate_task(program(wrap), threads=1, first_circuit=3, **common)


def test_an_order_is_the_same_whether_its_values_are_text_or_data():
    for plain, text in zip(tasks(lambda value: value), tasks(as_text), strict=True):
        assert Order.read(text.payload) == Order.read(plain.payload)
        assert [circuit.parameter_values for circuit in Order.read(text.payload).circuits] == VALUES


def test_text_is_no_part_of_what_is_encoded_as_data():
    [check, _] = tasks(as_text)
    assert "1e+300" not in json.dumps(dict(check.payload.meta))
    assert check.payload.parts["parameter_values/1"] == json.dumps(VALUES[1]).encode()


def test_tasks_that_go_together_keep_the_texts_of_each():
    [_, simulate] = tasks(as_text)
    together = together_task([simulate, simulate], limits=Limits(), budget_s=1.0)
    assert together.payload.parts["1/observables/4"] == b'{"ZZ": 1.0}'


@pytest.mark.parametrize("value", VALUES)
def test_a_document_holds_the_value_itself(value):
    circuit = Circuit(format=ProgramFormat.QPY, source=b"x", parameter_values=as_text(value))
    assert circuit.document().get("parameter_values") == value
