"""A name in OpenQASM 2 means what its text declares, whatever Qiskit's reader knows under that name.

The programs move classical bits about, so what they do is followed here without any reader or simulator.
"""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from support.circuits import checked, counts, openqasm2

WIDTH = 4
LIBRARY = sorted(gate.name for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if not gate.builtin)
EXTRAS = sorted(gate.name for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if gate.builtin)
OTHERS = ["rzx", "ecr", "r", "dcx", "iswap", "mcx", "qft", "box", "unitary", "foo", "permutation", "clifford"]


@dataclass(frozen=True)
class Declared:
    """A gate of some text: the steps of its body, each the name of a gate and the places of its qubits."""

    name: str
    width: int
    params: int
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    opaque: bool = False

    def text(self):
        params = f"({', '.join(f'a{index}' for index in range(self.params))})" if self.params else ""
        head = f"{self.name}{params} {', '.join(f'b{index}' for index in range(self.width))}"
        if self.opaque:
            return f"opaque {head};"
        return f"gate {head} {{ {' '.join(_call(*step, of='b{}') for step in self.steps)} }}"


def _call(name, places, *, of):
    gate, *values = name.split("/")
    angles = f"({', '.join(['0.5'] * int(values[0]))})" if values and values[0] != "0" else ""
    written = {"X": "U(pi, 0, pi)", "CX": "CX"}.get(gate, gate + angles)
    return f"{written} {', '.join(of.format(place) for place in places)};"


@st.composite
def programs(draw):
    """A text, and the bits that it measures."""
    includes = draw(st.sampled_from(["", 'include "qelib1.inc";']))
    free = [*EXTRAS, *OTHERS] if includes else [*LIBRARY, *EXTRAS, *OTHERS]
    names = draw(st.lists(st.sampled_from(free), unique=True, min_size=1, max_size=8))
    known = {}
    for name in names:
        width = draw(st.integers(1, 3))
        steps = draw(st.lists(_steps(known, width), max_size=4))
        known[name] = Declared(name, width, draw(st.integers(0, 2)), tuple(steps), opaque=draw(st.booleans()))
    calls = draw(st.lists(_steps(known, WIDTH), min_size=1, max_size=6))
    declarations = [gate.text() for gate in known.values()]
    place = draw(st.integers(0, len(declarations)))
    qubits = "qreg q[4]; creg c[4];"
    return (
        "\n".join(["OPENQASM 2.0;", includes, *declarations[:place], qubits, *declarations[place:]])
        + "\n".join(_call(*call, of="q[{}]") for call in calls)
        + "measure q -> c;",
        _followed(calls, known),
    )


def _steps(known, width):
    able = [("X", 1), ("CX", 2)] + [(f"{g.name}/{g.params}", g.width) for g in known.values() if not g.opaque]
    fitting = [(name, needed) for name, needed in able if needed <= width]
    return st.sampled_from(fitting).flatmap(
        lambda gate: st.permutations(range(width)).map(lambda order: (gate[0], tuple(order[: gate[1]])))
    )


def _followed(calls, known):
    bits = [0] * WIDTH

    def apply(name, places):
        if name == "X":
            bits[places[0]] ^= 1
        elif name == "CX":
            bits[places[1]] ^= bits[places[0]]
        else:
            for inner, inside in known[name.split("/")[0]].steps:
                apply(inner, tuple(places[place] for place in inside))

    for call in calls:
        apply(*call)
    return "".join(map(str, reversed(bits)))


@settings(max_examples=200, deadline=None)
@given(programs())
def test_every_declared_name_means_what_its_declaration_says(program):
    text, bits = program
    assert counts(text.encode(), program_format="openqasm2", shots=3) == {bits: 3}


@pytest.mark.parametrize("name", [*EXTRAS, "delay", "rzx"])
@pytest.mark.parametrize("declaration", ["opaque {}(p) a;", "opaque {} a, b;", "gate {}(p) a {{ }}"])
def test_a_declaration_exchanges_no_other_gates(name, declaration):
    text = f"{declaration.format(name)} gate foo a {{ x a; }} gate bar a {{ id a; }} qreg q[2]; creg c[2]; bar q[0];"
    assert counts(openqasm2(f"{text} measure q -> c;"), shots=3) == {"00": 3}


@pytest.mark.parametrize("name", ["store", "pauli_product_measurement"])
def test_a_gate_with_the_name_of_an_instruction_of_qiskit_s_circuits_is_refused_with_its_place(name):
    with pytest.raises(UnsupportedProgramError, match=name) as caught:
        checked(openqasm2(f"gate {name} a {{ x a; }} qreg q[1]; creg c[1]; {name} q; measure q -> c;"))
    assert (caught.value.details["line"], caught.value.details["column"]) == (3, 6)


@pytest.mark.parametrize("name", ["swap", "rzz", "u0", "cu1", "foo"])
def test_the_call_of_an_opaque_gate_is_refused_by_its_name(name):
    head = "" if name in LIBRARY else 'include "qelib1.inc";'
    text = f"OPENQASM 2.0; {head} opaque {name} a, b; qreg q[2]; creg c[2]; {name} q[0], q[1]; measure q -> c;"
    with pytest.raises(UnsupportedProgramError, match=repr(name)):
        checked(text.encode(), program_format="openqasm2")


@pytest.mark.parametrize("call", ["magic(0.5) q[1];", "gate foo(t) a { magic(t) a; }\nfoo(0.5) q[1];"])
def test_the_call_of_an_opaque_gate_is_refused_with_its_place(call):
    with pytest.raises(UnsupportedProgramError, match="'magic'") as caught:
        checked(openqasm2(f"opaque magic(t) a;\nqreg q[2]; creg c[2];\n{call}\nmeasure q -> c;"))
    assert (caught.value.details["line"], caught.value.details["column"]) == (5, 1 + call.index("magic"))


def test_a_gate_that_is_opaque_and_never_called_is_no_fault():
    text = "opaque magic a; gate foo a { magic a; } qreg q[1]; creg c[1]; x q; measure q -> c;"
    assert counts(openqasm2(text), shots=3) == {"1": 3}


@pytest.mark.parametrize("name", EXTRAS)
def test_a_register_may_have_the_name_of_a_gate_that_is_not_in_the_library(name):
    assert counts(openqasm2(f"qreg q[1]; creg {name}[1]; x q; measure q -> {name};"), shots=3) == {"1": 3}


@pytest.mark.parametrize("name", ["id", "h"])
def test_a_gate_of_the_library_may_not_be_declared_again_beside_it(name):
    with pytest.raises(InvalidProgramError, match="already defined"):
        checked(openqasm2(f"gate {name} a {{ }} qreg q[1]; creg c[1]; measure q -> c;"))


def test_qiskit_s_own_writing_of_a_delay_is_a_delay():
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.delay(100, 0)
    circuit.measure(0, 0)
    assert counts(qasm2.dumps(circuit).encode(), program_format="openqasm2", shots=3) == {"1": 3}


@pytest.mark.parametrize("time", ["0.5", "-1", "1e999", "1e30"])
def test_a_delay_that_is_no_number_of_dt_is_refused(time):
    with pytest.raises(InvalidProgramError, match="delay"):
        checked(openqasm2(f"opaque delay(t) a; qreg q[1]; creg c[1]; delay({time}) q; measure q -> c;"))


@pytest.mark.parametrize("cycles", ["0.5", "-1", "1e999", "1e12"])
def test_a_wait_that_is_no_number_of_cycles_is_refused(cycles):
    with pytest.raises(InvalidProgramError, match="u0"):
        checked(openqasm2(f"qreg q[1]; creg c[1]; u0({cycles}) q; measure q -> c;"))


def test_a_gate_of_the_library_without_the_library_is_told_what_to_add():
    with pytest.raises(InvalidProgramError) as caught:
        checked(b"OPENQASM 2.0; qreg q[1]; creg c[1]; h q; measure q -> c;", program_format="openqasm2")
    assert "qelib1.inc" in caught.value.solution
    assert (caught.value.details["line"], caught.value.details["column"]) == (1, 37)
