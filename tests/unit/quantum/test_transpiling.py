"""Making circuits fit: what is left alone, what is translated, and how quickly the room is ready."""

import sys

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import XXPlusYYGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator
from qiskit.transpiler import PassManager
from qiskit_aer import AerSimulator

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum import operations, transpile
from qdepot.quantum.methods import simulator_target
from qdepot.quantum.survey import surveyed
from qdepot.quantum.transpile import prepared
from support.circuits import counts, results, simulated

METHODS = ("automatic", "statevector", "matrix_product_state", "density_matrix")
WITH_ANGLES = sorted(
    name
    for name, gate in get_standard_gate_name_mapping().items()
    if gate.params and name not in ("delay", "global_phase")
)


def _prepared(circuit, *, method="automatic", level=None):
    return prepared(circuit, surveyed(circuit), method=method, level=level, on=None)


def test_what_fits_is_left_alone():
    circuit = QuantumCircuit(3, 1)
    circuit.h(0)
    circuit.cp(0.3, 0, 1)
    circuit.ccx(0, 1, 2)
    circuit.measure(2, 0)
    assert _prepared(circuit).circuit is circuit


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [None, 0, 1, 2, 3])
def test_what_is_translated_means_the_same(method, level):
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.rccx(0, 1, 2)
    circuit.cs(1, 3)
    circuit.cu(0.1, 0.2, 0.3, 0.4, 3, 0)
    circuit.append(XXPlusYYGate(0.4, 0.1), [1, 2])
    circuit.mcx([0, 1, 2], 3)
    ran = _prepared(circuit, method=method, level=level)
    assert set(ran.circuit.count_ops()) <= {*simulator_target(method).operation_names, "barrier"}
    assert ran.optimization_level == (1 if level is None else level)
    assert Operator.from_circuit(ran.circuit).equiv(Operator(circuit))


@pytest.mark.parametrize("name", WITH_ANGLES)
@pytest.mark.parametrize("method", METHODS)
def test_parameters_get_their_values_whatever_gate_they_are_in(name, method):
    gate = type(get_standard_gate_name_mapping()[name])
    number = len(get_standard_gate_name_mapping()[name].params)
    free = [Parameter(letter) for letter in "abcd"[:number]]
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.t([0, 1])
    made = gate(*free)
    circuit.append(made, range(made.num_qubits))
    circuit.append(gate(*(2 * each + 0.1 for each in free)), reversed(range(made.num_qubits)))
    values = [0.7, 1.9, 2.3, 0.4][:number]
    how = {
        "kind": "estimator",
        "observables": [a + b for a in "IXYZ" for b in "IXYZ"],
        "options": {"method": method},
        "precision": 0.0,
    }
    (swept,) = results(
        circuit, parameter_values=[values], **{**how, "observables": [[each] for each in how["observables"]]}
    )
    (bound,) = results(circuit.assign_parameters(values), **how)
    assert [value for (value,) in swept["evs"]] == pytest.approx(bound["evs"], abs=1e-9)


def test_an_expression_that_the_transpiler_trips_over_is_no_bug_of_ours():
    angle = Parameter("angle")
    circuit = QuantumCircuit(3, 1)
    circuit.cu(0.0, angle, angle, 0.25, 0, 2)
    circuit.cz(0, 1)
    circuit.ccx(0, 1, 2)
    circuit.measure(2, 0)
    assert counts(circuit, parameter_values=[0.5], shots=4, options={"optimization_level": 1}) == {"0": 4}
    with pytest.raises(UnsupportedProgramError, match="transpiler fails") as caught:
        simulated(circuit, parameter_values=[0.5], options={"optimization_level": 3})
    assert "lower optimization level" in caught.value.solution


def test_aer_still_misbinds_what_is_kept_from_it():
    """If this fails, a newer Aer needs no protection, and simulation of such circuits can be made faster."""
    angle = Parameter("angle")
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.h(1)
    circuit.cp(angle, 0, 1)
    circuit.h(1)
    circuit.measure([0, 1], [0, 1])
    result = AerSimulator().run(circuit, parameter_binds=[{angle: [3.141592653589793]}], shots=20).result()
    assert result.get_counts() == {"01": 20}  # the right outcome is "11"


def test_preloading_builds_pass_managers_and_runs_none(monkeypatch):
    monkeypatch.setattr(PassManager, "run", lambda *_, **__: pytest.fail("a pass manager ran"))
    monkeypatch.setattr(AerSimulator, "run", lambda *_, **__: pytest.fail("Aer ran"))
    transpile._simulator_pass_manager.cache_clear()
    operations.preload()
    built = transpile._simulator_pass_manager.cache_info().currsize
    assert built >= 6
    transpile.preload_pass_managers()
    assert transpile._simulator_pass_manager.cache_info().currsize == built


def test_building_a_pass_manager_imports_no_plugin_of_qiskit_ibm_runtime(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("qiskit_ibm_runtime")]:
        monkeypatch.delitem(sys.modules, name)
    transpile._simulator_pass_manager.cache_clear()
    transpile._simulator_pass_manager("automatic", 1, free=False)
    assert "qiskit_ibm_runtime" not in sys.modules


def test_a_pass_manager_is_built_once():
    first = transpile._simulator_pass_manager("automatic", 2, free=False)
    assert transpile._simulator_pass_manager("automatic", 2, free=False) is first
