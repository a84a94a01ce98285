"""Gates under modifiers, against matrices that NumPy puts together from the definitions of the specification."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator

from qdepot.quantum.openqasm3.reader import read_openqasm3


def _u(theta, phi, lam):
    cos, sin = np.cos(theta / 2), np.sin(theta / 2)
    return np.array([[cos, -np.exp(1j * lam) * sin], [np.exp(1j * phi) * sin, np.exp(1j * (phi + lam)) * cos]])


def _turn(axis, angle):
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * axis


X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1]).astype(complex)
A, B, C = 0.7, -1.1, 2.3
MATRICES = {
    "x": X,
    "y": Y,
    "z": Z,
    "h": (X + Z) / np.sqrt(2),
    "s": np.diag([1, 1j]),
    "tdg": np.diag([1, np.exp(-0.25j * np.pi)]),
    "sx": np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
    f"p({A})": np.diag([1, np.exp(1j * A)]),
    f"rx({A})": _turn(X, A),
    f"ry({B})": _turn(Y, B),
    f"rz({C})": _turn(Z, C),
    f"U({A}, {B}, {C})": _u(A, B, C),
    f"u2({A}, {B})": np.exp(-0.5j * (A + B)) * _u(np.pi / 2, A, B),
    f"u3({A}, {B}, {C})": np.exp(-0.5j * (B + C)) * _u(A, B, C),
    f"own({A}, {C})": np.exp(1j * A) * Z @ _turn(X, C) @ _u(C, A, 0),
    "id": np.eye(2, dtype=complex),
}
OWN = "gate own(a, b) q { U(b, a, 0) q; rx(b) q; z q; gphase(a); }"


def _controlled(matrix, *, value):
    """The first qubit decides; qubit 0 is the least significant, and stands first in the statement."""
    size = len(matrix)
    found = np.zeros((2 * size, 2 * size), dtype=complex)
    on = np.diag([float(value == 0), float(value == 1)])
    return found + np.kron(matrix, on) + np.kron(np.eye(size), np.eye(2) - on)


def _power(matrix, exponent):
    values, vectors = np.linalg.eig(matrix)
    phases = np.angle(values)
    phases[np.isclose(phases, -np.pi)] = np.pi
    return vectors @ np.diag(np.exp(1j * exponent * phases)) @ np.linalg.inv(vectors)


modifiers = st.lists(
    st.sampled_from(["inv", "ctrl", "negctrl", "pow(2)", "pow(-3)", "pow(0.5)", "pow(1/4)", "pow(20)"]), max_size=3
)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(MATRICES)), modifiers)
def test_a_modified_gate_has_the_matrix_that_its_modifiers_say(gate, used):
    matrix, qubits = MATRICES[gate], 1
    for modifier in reversed(used):
        if modifier == "inv":
            matrix = matrix.conj().T
        elif modifier.startswith("pow"):
            exponent = 0.25 if "/" in modifier else float(modifier[4:-1])
            if not exponent.is_integer() and np.isclose(np.abs(np.angle(np.linalg.eigvals(matrix))), np.pi).any():
                return  # which of two roots is the principal one would be decided by rounding
            matrix = _power(matrix, exponent)
        else:
            matrix, qubits = _controlled(matrix, value=int(modifier == "ctrl")), qubits + 1
    operands = ", ".join(f"q[{place}]" for place in range(qubits))
    text = f"{' '.join(f'{each} @' for each in used)} {gate} {operands};"
    circuit = read_openqasm3(f'OPENQASM 3.0; include "stdgates.inc"; {OWN} qubit[{qubits}] q; {text}'.encode())[0]
    assert Operator(circuit).equiv(Operator(matrix), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "diagonal"),
    [
        ("ctrl @ gphase(0.4) q[0];", [1, np.exp(0.4j), 1, np.exp(0.4j)]),
        ("negctrl @ gphase(0.4) q[1];", [np.exp(0.4j), np.exp(0.4j), 1, 1]),
        ("ctrl(2) @ gphase(0.4) q[0], q[1];", [1, 1, 1, np.exp(0.4j)]),
        ("negctrl @ ctrl @ gphase(0.4) q[0], q[1];", [1, 1, np.exp(0.4j), 1]),
        ("ctrl @ inv @ pow(2) @ gphase(0.4) q[0];", [1, np.exp(-0.8j), 1, np.exp(-0.8j)]),
        ("inv @ ctrl @ gphase(0.4) q[0];", [1, np.exp(-0.4j), 1, np.exp(-0.4j)]),
    ],
)
def test_a_controlled_phase_is_a_gate_of_its_controls(text, diagonal):
    circuit = read_openqasm3(f'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; {text}'.encode())[0]
    assert Operator(circuit) == Operator(np.diag(diagonal))
