"""Numbers at the ends of double precision: a job gives right and finite results, or is refused before it runs."""

import cmath
import json
import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum.arithmetic import LARGEST_ANGLE
from support.circuits import checked, counts, openqasm2, openqasm3, results, simulated

LARGEST, SMALLEST = 1.7976931348623157e308, 5e-324
ENDS = [LARGEST, -LARGEST, 1e308, 1e155, 1e18, SMALLEST, -SMALLEST, -0.0]
PRECISIONS = [None, SMALLEST, 0.1, 1e307, LARGEST]
SHOTS = 20_000
SPREAD = 5 * math.sqrt(SHOTS / 4)
NOISY = {"noise": "fake_manila"}


def _ends(*sources, **how):
    """How a job ends: True with finite numbers, False refused before it runs; else the test fails."""
    try:
        checked(*sources, **how)
    except (InvalidProgramError, UnsupportedProgramError):
        return False
    document = bytes(simulated(*sources, **how).parts["result.json"])
    json.loads(document, parse_constant=lambda word: pytest.fail(f"the result holds {word}"))
    return True


def _entangled():
    circuit = QuantumCircuit(2)
    circuit.ry(0.3, 0)
    circuit.cx(0, 1)
    circuit.t(1)
    return circuit


@pytest.mark.parametrize("backend", ["aer", "aer_mps", "aer_density_matrix"])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("coefficient", ENDS)
def test_coefficients_and_precisions(coefficient, precision, backend):
    for seed in range(3):
        options = {"seed": seed}
        how = {"kind": "estimator", "backend": backend, "precision": precision, "options": options}
        accepted = _ends(_entangled(), observables={"ZZ": coefficient, "XI": coefficient / 4}, **how)
        assert accepted or abs(coefficient) >= 1e308 or (precision or 0.0) >= 1e307


@pytest.mark.parametrize("coefficient", ENDS)
def test_coefficients_with_noise(coefficient):
    accepted = _ends(_entangled(), kind="estimator", observables={"ZZ": coefficient}, options=NOISY)
    assert accepted


WAYS = [{}, *({"sampling": "aer", "optimization_level": level} for level in (None, 0, 1, 2, 3))]


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("angle", [*ENDS, 1e17, 1e12, 1e10, -1e10, 123456789.25])
def test_angles_and_values_of_parameters(angle, options):
    """Beyond 1e10 the transpiler and Aer lose phases in sums of angles, and would give wrong counts."""
    theta = Parameter("theta")
    bound, free = QuantumCircuit(1, 1), QuantumCircuit(1, 1)
    for circuit, turn in ((bound, angle), (free, theta)):
        circuit.h(0)
        circuit.rz(turn, 0)
        circuit.rz(0.5, 0)
        circuit.u(1.0, turn, turn, 0)
        circuit.h(0)
        circuit.measure(0, 0)
    values = {"theta": [0.25, angle]}
    if abs(angle) > LARGEST_ANGLE:
        for source, more in ((bound, {}), (free, {"parameter_values": values})):
            with pytest.raises(InvalidProgramError, match="not exact enough"):
                checked(source, options=options, **more)
        return
    expected = _probability_of_1(angle)
    options = {**options, "seed": 1}
    assert counts(bound, shots=SHOTS, options=options).get("1", 0) == pytest.approx(SHOTS * expected, abs=SPREAD)
    (entry,) = results(free, shots=SHOTS, options=options, parameter_values=values)
    assert entry["counts"][1].get("1", 0) == pytest.approx(SHOTS * expected, abs=SPREAD)


def _probability_of_1(angle):
    """With each phase on its own; no angles are added up."""
    turn, half = cmath.exp(1j * angle), cmath.exp(0.5j)
    hadamard = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    cos, sin = math.cos(0.5), math.sin(0.5)
    gate = np.array([[cos, -turn * sin], [turn * sin, turn * turn * cos]])
    return abs((hadamard @ gate @ np.diag([1, turn * half]) @ hadamard)[1, 0]) ** 2


def test_a_large_angle_is_refused_wherever_it_comes_about():
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(theta * 1e6, 0)
    circuit.measure(0, 0)
    assert _ends(circuit, parameter_values={"theta": [1.0, 1e4]})
    assert not _ends(circuit, parameter_values={"theta": [1.0, 1.1e4]})
    assert not _ends(openqasm2("gate own a { rx(1e11) a; } qreg q[1]; creg c[1]; own q[0]; measure q -> c;"))
    loop = "for int i in {1, 100000000000} { rx(i) q[0]; }"
    assert not _ends(openqasm3(f"qubit[1] q; bit[1] c; {loop} c = measure q;"))


@pytest.mark.parametrize("duration", [1e9, 1e11])
def test_a_delay_is_no_angle(duration):
    circuit = QuantumCircuit(1, 1)
    circuit.delay(int(duration), 0)
    circuit.measure(0, 0)
    assert _ends(circuit)


@pytest.mark.parametrize(
    "angle", ["1e308", "1e308+1e308", "1e308^2", "1/0", "ln(0)", "exp(1000)", "sqrt(-1)", "0/0", "1e999", "tan(pi/2)"]
)
def test_arithmetic_of_openqasm2(angle):
    source = openqasm2(f"qreg q[1]; creg c[1]; rx({angle}) q[0]; measure q -> c;")
    assert not _ends(source)


@pytest.mark.parametrize(
    "statement",
    [
        "rx(1e308) q[0];", "rx(1e308 + 1e308) q[0];", "rx(1e308 ** 2) q[0];", "rx(1 / 0) q[0];", "rx(log(0.0)) q[0];",
        "rx(exp(1000.0)) q[0];", "rx(sqrt(-1.0)) q[0];", "rx(1 << 2000) q[0];", "rx(10 ** 4000) q[0];",
        "rx(5 % 0) q[0];", "gphase(1e308);", "pow(1e308) @ x q[0];", "pow(-1e308) @ h q[0];", "pow(1e18) @ t q[0];",
        "inv @ pow(0.3) @ t q[0];",
    ],
)  # fmt: skip
def test_arithmetic_of_openqasm3(statement):
    _ends(openqasm3(f"qubit[1] q; bit[1] c; {statement} c = measure q;"))
