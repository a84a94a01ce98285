"""A circuit is read once for whatever is then done with it: checked, fitted, run, stored, run again."""

from __future__ import annotations

import pytest

from qdepot.quantum import understood
from qdepot.quantum.parse import read
from qdepot.quantum.transpile import prepared
from support.circuits import FORMATS, checked, loaded, openqasm3, simulated, written

BELL = openqasm3("qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;")
TURNED = openqasm3("input float a; qubit[1] q; bit[1] c; rx(a) q[0]; c = measure q;")
LONG = BELL + b"// " + b"x" * 20_000
"""Too long to be kept for the next task."""


@pytest.fixture
def readings(monkeypatch):
    """The sources that were read since, and by ``readings.fitted`` how many circuits were made fit."""

    class Readings(list):
        fitted = 0

    seen = Readings()

    def noted(source, program_format):
        seen.append(source)
        return read(source, program_format)

    def fitting(*circuit, **how):
        seen.fitted += 1
        return prepared(*circuit, **how)

    monkeypatch.setattr(understood, "read", noted)
    monkeypatch.setattr(understood, "prepared", fitting)
    for kept in (understood._understood, understood._ready):
        kept.cache_clear()
    return seen


@pytest.mark.parametrize("source", [BELL, LONG], ids=["short", "long"])
def test_to_check_run_and_store_a_circuit_it_is_read_once(readings, source):
    answer = simulated(source, shots=10)
    assert answer.meta["summary"]["num_qubits"] == loaded(answer.parts["prepared/0.qpy"]).num_qubits == 2
    assert readings == [source]
    assert readings.fitted == 1


@pytest.mark.parametrize("program_format", FORMATS)
def test_in_each_format(readings, program_format):
    source = written(loaded(simulated(BELL).parts["prepared/0.qpy"]), program_format)
    readings.clear()
    simulated(source, program_format=program_format)
    simulated(source, program_format=program_format)
    assert readings == [source]


def test_many_sets_of_values_are_one_reading(readings):
    simulated(TURNED, parameter_values={"a": [0.1 * number for number in range(20)]}, shots=10)
    assert readings == [TURNED]


def test_a_child_that_knows_a_circuit_neither_reads_nor_fits_it_again(readings):
    checked(TURNED, parameter_values={"a": 0.1})
    for number in range(5):
        simulated(TURNED, parameter_values={"a": number}, shots=10 + number, options={"seed": number})
    assert readings == [TURNED]
    assert readings.fitted == 1


def test_a_circuit_that_a_job_holds_many_times_is_read_once(readings):
    simulated(BELL, TURNED, BELL, each=[{}, {"parameter_values": {"a": 1}}, {}])
    assert readings == [BELL, TURNED]


def test_a_long_text_is_read_for_each_task_anew_and_not_kept(readings):
    simulated(LONG, shots=10)
    simulated(LONG, shots=10)
    assert readings == [LONG, LONG]
