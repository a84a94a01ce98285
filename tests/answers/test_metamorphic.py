"""One circuit in several forms: what must not change does not change. No judge is needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter

from answers.examining import labels
from answers.pen import Pen
from support.circuits import FORMATS, results, written

QUBITS = 3
CLOSE = 1e-9
GATES = {  # qubits and angles by name; each of the languages has them
    "h": (1, 0), "x": (1, 0), "s": (1, 0), "t": (1, 0), "sx": (1, 0), "rx": (1, 1), "ry": (1, 1), "rz": (1, 1),
    "p": (1, 1), "cx": (2, 0), "cz": (2, 0), "ch": (2, 0), "swap": (2, 0), "cp": (2, 1), "crx": (2, 1), "ccx": (3, 0),
}  # fmt: skip
STABLE = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@st.composite
def circuits(draw, *, angles=(0.3, 1.1, -2.0, 0.7)):
    pen, circuit = Pen(draw), QuantumCircuit(QuantumRegister(QUBITS, "q"))
    for _ in range(pen.number(1, 10)):
        name = pen.one(list(GATES))
        width, num_angles = GATES[name]
        values = [pen.one(angles) for _ in range(num_angles)]
        getattr(circuit, name)(*values, *pen.some(range(QUBITS), width))
    return circuit


def values(source, wanted=None, **how):
    """Expectation values of all that tells states apart."""
    observables = [{label: 1.0} for label in wanted or labels(QUBITS)]
    (entry,) = results(source, kind="estimator", observables=observables, **how)
    return np.asarray(entry["evs"])


@STABLE
@given(circuits())
def test_a_circuit_has_the_same_values_in_three_languages(circuit):
    found = [values(written(circuit, language), program_format=language) for language in FORMATS]
    np.testing.assert_allclose(found[1:], [found[0]] * 2, atol=CLOSE)


@STABLE
@given(circuits(), st.permutations(range(QUBITS)))
def test_permuted_qubits_have_permuted_values(circuit, places):
    permuted = QuantumCircuit(QUBITS)
    permuted.compose(circuit, places, inplace=True)
    moved = []
    for label in labels(QUBITS):
        letters = ["I"] * QUBITS
        for place, letter in enumerate(reversed(label)):
            letters[places[place]] = letter
        moved.append("".join(reversed(letters)))
    np.testing.assert_allclose(values(permuted, moved), values(circuit), atol=CLOSE)


@STABLE
@given(circuits())
def test_a_circuit_and_its_inverse_leave_all_qubits_at_zero(circuit):
    both = circuit.compose(circuit.inverse())
    np.testing.assert_allclose(values(both, ["IIZ", "IZI", "ZII"]), 1.0, atol=CLOSE)


@STABLE
@given(circuits(angles=(Parameter("a"), Parameter("b"), 0.3)))
def test_a_sweep_has_the_values_of_its_single_jobs(circuit):
    if not circuit.parameters:
        return
    sets = [{each.name: 0.2 * (number + 1) * (place + 1) for place, each in enumerate(circuit.parameters)}
            for number in range(3)]  # fmt: skip
    columns = {name: [[one[name]] for one in sets] for name in sets[0]}
    swept = values(circuit, parameter_values=columns)
    single = [values(circuit, parameter_values=one) for one in sets]
    np.testing.assert_allclose(swept, single, atol=CLOSE)


@pytest.mark.parametrize("language", FORMATS)
@STABLE
@given(circuit=circuits())
def test_names_of_registers_change_no_counts(language, circuit):
    found = []
    for name in ("c", "other"):
        measured = QuantumCircuit(QuantumRegister(QUBITS, name + "q"), ClassicalRegister(QUBITS, name))
        measured.compose(circuit, inplace=True)
        measured.measure(range(QUBITS), range(QUBITS))
        (entry,) = results(written(measured, language), program_format=language, shots=200, options={"seed": 5})
        found.append(entry["counts"])
    assert found[0] == found[1]
