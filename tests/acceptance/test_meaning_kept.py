"""Through a real service a circuit means what its author wrote: register names, units of delays, constants."""

from __future__ import annotations

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qdepot import Client
from qdepot.errors import InvalidProgramError
from support.service import Service

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("meaning")).start()
    yield Client(running.url)
    running.stop()


def test_registers_of_any_name_have_counts_and_arrays(client):
    names = [r"c_\alpha", "α", "../../x", "..", " ", "a/b", "a\nb", "%41"]
    jobs = {}
    for name in names:
        circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "first"), ClassicalRegister(1, name))
        circuit.x(1)
        circuit.measure([0, 1], [0, 1])
        jobs[name] = client.submit(circuit, shots=3, memory=True)
    for name, job in jobs.items():
        (entry,) = job.result(timeout_s=PATIENCE_S)
        assert entry.counts == {"1 0": 3}
        assert list(entry.registers) == ["first", name]
        assert {key: array.tolist() for key, array in job.arrays().items()} == {"first": [[0]] * 3, name: [[1]] * 3}


@pytest.mark.parametrize(("duration", "unit"), [(320, "us"), (0.32, "ms"), (320e-6, "s"), (1_440_000, "dt")])
def test_a_delay_lasts_as_long_as_it_says(client, duration, unit):
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.delay(duration, 0, unit)
    circuit.measure(0, 0)
    (entry,) = client.submit(circuit, backend="fake_devices/manila", shots=2000).result(timeout_s=PATIENCE_S)
    assert 120 < entry.counts["1"] < 420


def test_a_result_whose_copy_cannot_be_written_arrives_with_a_note(client):
    text = (
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[64]; creg d[1]; x q[0]; measure q[0] -> c[63];'
        f"if(c=={1 << 63}) x q[1]; measure q[1] -> d[0];"
    )
    (entry,) = client.submit(text, shots=5).result(timeout_s=PATIENCE_S)
    assert entry.registers["d"].counts == {"1": 5}
    assert "prepared/0.qpy" in entry.metadata["left_out"]


def test_a_set_of_values_that_breaks_arithmetic_is_named_at_once(client):
    text = 'OPENQASM 3.0; include "stdgates.inc"; input float a; qubit[1] q; bit[1] c; rx(1 / a) q[0]; c = measure q;'
    with pytest.raises(InvalidProgramError, match="parameter set 1"):
        client.submit((text, {"a": [1.0, 0.0]}), shots=5)
