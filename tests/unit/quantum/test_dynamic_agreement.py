"""Circuits that measure, reset and branch, against the exact distribution over all branches.

The odds that any comparison fails by chance are below 1e-6: 100 programs, each with odds of 1e-9.
"""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from support.branches import exact_distribution
from support.circuits import counts, written
from support.statistics import assert_sampled_from

SHOTS = 400
KINDS = ("h", "x", "ry", "cx", "swap", "measure", "measure", "reset", "if", "if", "if else", "for", "switch")


@st.composite
def programs(draw):
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(1, "a"), ClassicalRegister(2, "b"))
    draw(_steps(circuit, depth=0))
    circuit.measure(draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    return circuit


@st.composite
def _steps(draw, circuit, *, depth):
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=7 - 2 * depth)):
        draw(_step(circuit, kind, depth=depth))


@st.composite
def _step(draw, circuit, kind, *, depth):
    one, other, _ = draw(st.permutations(range(3)))
    bit = draw(st.integers(0, 2))
    if kind in ("h", "x", "reset"):
        getattr(circuit, kind)(one)
    elif kind in ("cx", "swap"):
        getattr(circuit, kind)(one, other)
    elif kind == "ry":
        circuit.ry(draw(st.floats(0.1, 3.0)), one)
    elif kind == "measure":
        circuit.measure(one, bit)
    elif depth < 2:
        draw(_branch(circuit, kind, depth=depth))


@st.composite
def _branch(draw, circuit, kind, *, depth):
    small, large = circuit.cregs
    if kind == "for":
        with circuit.for_loop(range(draw(st.integers(0, 2)))):
            draw(_steps(circuit, depth=depth + 1))
    elif kind == "switch":
        with circuit.switch(large) as case:
            with case(draw(st.integers(0, 3))):
                draw(_steps(circuit, depth=depth + 1))
            with case(case.DEFAULT):
                draw(_steps(circuit, depth=depth + 1))
    else:
        bit = circuit.clbits[draw(st.integers(0, 2))]
        condition = draw(st.sampled_from([(small, 1), (large, 1), (large, 2), (bit, 0), (bit, 1)]))
        with circuit.if_test(condition) as otherwise:
            draw(_steps(circuit, depth=depth + 1))
        if kind == "if else":
            with otherwise:
                draw(_steps(circuit, depth=depth + 1))


@pytest.mark.timeout(600)
@settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(programs(), st.sampled_from(["openqasm3", "qpy"]), st.integers(0, 2**53), st.sampled_from([None, 0, 1, 3]))
def test_dynamic_circuits_agree_with_the_exact_distribution(circuit, program_format, seed, level):
    source = written(circuit, program_format)
    if program_format == "openqasm3" and b"switch" in source:  # the reader knows none
        source = written(circuit, "qpy")
    found = counts(source, shots=SHOTS, options={"seed": seed, "optimization_level": level})
    assert_sampled_from(found, exact_distribution(circuit), alarm=1e-9)
