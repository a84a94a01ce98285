"""Fake devices: their noise, their layout, their calibration kept with the job. Skipped where not installed."""

import importlib.util
import json
import sys

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit_aer.noise import NoiseModel

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum import devices
from qdepot.quantum.compact import compacted
from qdepot.quantum.survey import surveyed
from qdepot.quantum.transpile import prepared
from support.circuits import BELL2, checked, counts, loaded, openqasm3, results, simulated
from support.statistics import assert_same_source

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("qiskit_ibm_runtime") is None, reason="qiskit-ibm-runtime (fake devices) is not installed"
)
MANILA = {
    "name": "fake_devices/fake_manila",
    "method": "automatic",
    "num_qubits": 5,
    "max_shots": 100_000,
    "device": "fake_manila",
}


def _ghz():
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    circuit.measure(range(3), range(3))
    return circuit


def _on(name, circuit):
    found = devices.device(name)
    return prepared(circuit, surveyed(circuit), method="automatic", level=None, on=found).circuit


def test_names_are_those_that_the_package_has():
    import qiskit_ibm_runtime.fake_provider as provider

    classes = [each for each in vars(provider).values() if isinstance(each, type)]
    assert set(devices.device_names()) == {
        vars(each)["backend_name"] for each in classes if vars(each).get("backend_name")
    }
    assert "fake_torino" in devices.device_names()


def test_names_are_told_without_importing_the_package(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("qiskit_ibm_runtime")]:
        monkeypatch.delitem(sys.modules, name)
    devices.device_names.cache_clear()
    assert devices.device_names()
    assert checked(BELL2, options={"noise": "fake_torino"})
    assert "qiskit_ibm_runtime" not in sys.modules


def test_a_device_runs_what_it_can_and_keeps_its_calibration():
    answer = simulated(_ghz(), backend=MANILA, options={"seed": 1})
    ran = loaded(answer.parts["prepared/0.qpy"])
    assert ran.num_qubits == 5
    assert set(ran.count_ops()) <= {"rz", "sx", "x", "cx", "measure", "barrier"}
    target = devices.device("fake_manila").target
    for instruction in ran.data:
        places = tuple(ran.find_bit(qubit).index for qubit in instruction.qubits)
        assert instruction.name == "barrier" or target.instruction_supported(instruction.name, places)
    about = answer.meta["metadata"]["device"]
    assert about["name"] == "fake_manila"
    assert about["num_qubits"] == 5
    calibration = json.loads(answer.parts[about["calibration"]])
    assert len(calibration["qubits"]) == 5
    assert calibration["last_update_date"] == about["last_update_date"]


def test_noise_disturbs_but_does_not_drown():
    (entry,) = results(_ghz(), options={"noise": "fake_manila", "seed": 1}, shots=4000)
    right = entry["counts"].get("000", 0) + entry["counts"].get("111", 0)
    assert 0.7 * 4000 < right < 4000
    assert counts(_ghz(), options={"noise": "fake_manila", "seed": 1}, shots=4000) == entry["counts"]


def test_noise_is_that_of_the_whole_device_where_the_circuit_feels_it():
    import qiskit_ibm_runtime.fake_provider as provider

    ran = _on("fake_manila", _ghz())
    compact = compacted(ran, surveyed(ran).qubits)
    excerpt = devices.noise_for(devices.device("fake_manila"), compact).to_dict(serializable=True)
    whole = NoiseModel.from_backend(provider.FakeManilaV2()).to_dict(serializable=True)
    assert excerpt["errors"]
    for error in excerpt["errors"]:
        places = [[compact.qubits[qubit] for qubit in each] for each in error["gate_qubits"]]
        (same,) = (
            each for each in whole["errors"] if each["operations"] == error["operations"] and _places(each) == places
        )
        assert _effect(same) == _effect(error)


def _places(error):
    return [list(each) for each in error["gate_qubits"]]


def _effect(error):
    return {name: value for name, value in error.items() if name not in ("id", "gate_qubits")}


def test_noise_depends_on_where_the_circuit_lies():
    plain = openqasm3("bit[1] c; x $0; c[0] = measure $0;"), openqasm3("bit[1] c; x $3; c[0] = measure $3;")
    ran = [loaded(simulated(source, backend=MANILA).parts["prepared/0.qpy"]) for source in plain]
    assert [sorted(surveyed(circuit).qubits) for circuit in ran] == [[0], [3]]


@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
def test_bits_stay_in_place_whatever_the_layout(level):
    circuit = QuantumCircuit(4, 3)
    circuit.x([0, 3])
    circuit.cx(0, 2)
    circuit.measure([3, 1, 2], [0, 1, 2])
    found = counts(circuit, backend=MANILA, options={"optimization_level": level, "seed": 3}, shots=2000)
    assert max(found, key=found.get) == "101"


def test_density_matrix_and_trajectories_agree():
    how = {"shots": 4000, "backend": "aer"}
    exact = counts(_ghz(), options={"noise": "fake_manila", "method": "density_matrix", "seed": 1}, **how)
    sampled = counts(_ghz(), options={"noise": "fake_manila", "method": "statevector", "seed": 2}, **how)
    assert_same_source(exact, sampled)


def test_expectation_values_with_noise_are_exact_and_smaller():
    circuit = _ghz().remove_final_measurements(inplace=False)
    how = {"kind": "estimator", "observables": ["ZZI", "ZIZ", "IZI", "III"]}
    (noisy,) = results(circuit, options={"noise": "fake_manila"}, **how)
    again = results(circuit, backend=MANILA, **how)[0]["evs"]
    assert noisy["metadata"]["method"] == "density_matrix"
    assert 0.5 < noisy["evs"][0] < 1.0
    assert noisy["evs"][3] == 1.0
    np.testing.assert_allclose(again, noisy["evs"], atol=1e-12)


def test_a_circuit_wider_than_the_device_is_refused():
    source = openqasm3("qubit[6] q; bit[6] c; c = measure q;")
    with pytest.raises(UnsupportedProgramError, match="fake_manila has 5"):
        simulated(source, options={"noise": "fake_manila"})
    with pytest.raises(UnsupportedProgramError, match="at most 5"):
        checked(source, backend=MANILA)


def test_parameters_and_memory_on_a_device():
    source = openqasm3("input float turn; qubit[2] q; bit[2] c; rx(turn) q[0]; c = measure q;")
    (entry,) = results(
        source, parameter_values=[[0.0], [3.14159]], backend=MANILA, options={"memory": True, "seed": 2}, shots=500
    )
    assert [max(each, key=each.get) for each in entry["counts"]] == ["00", "01"]
    assert [len(each) for each in entry["memory"]] == [500, 500]


def test_without_the_package_there_are_no_devices(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    devices.device_names.cache_clear()
    try:
        with pytest.raises(UnsupportedProgramError) as caught:
            checked(BELL2, options={"noise": "fake_torino"})
        assert "extra `fake-devices`" in caught.value.solution
    finally:
        devices.device_names.cache_clear()


def test_each_device_tells_how_many_qubits_it_has():
    sizes = devices.device_qubits()
    assert sizes.keys() == set(devices.device_names())
    assert sizes["fake_torino"] == devices.device("fake_torino").num_qubits
