"""A gate that a program defines does what the program says, whatever it is called."""

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, InverseModifier
from qiskit.transpiler.passes.synthesis.plugin import HighLevelSynthesisPluginManager

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum.gate_names import _SYNTHESISED, reserved_names
from support.circuits import counts, loaded, openqasm2, openqasm3, simulated


def _flip(name):
    """A gate of two qubits that flips the first, whatever its name promises."""
    definition = QuantumCircuit(2, name=name)
    definition.x(0)
    return definition


@pytest.mark.parametrize("name", ["ecr", "swap", "rzz_", "iswap", "cz", "mcx", "unitary", "pauli", "dcx", "mark"])
def test_in_qpy(name):
    circuit = QuantumCircuit(2, 2)
    circuit.append(_flip(name).to_gate(), [1, 0])
    circuit.measure([0, 1], [0, 1])
    assert counts(circuit, shots=5) == {"10": 5}


@pytest.mark.parametrize("name", ["ecr", "iswap", "dcx", "ryy", "mcx", "sxdg", "rzz", "p"])
def test_in_openqasm2(name):
    source = openqasm2(f"gate {name} a, b {{ x a; }} qreg q[2]; creg c[2]; {name} q[1], q[0]; measure q -> c;")
    assert counts(source, shots=5) == {"10": 5}


@pytest.mark.parametrize("name", ["ecr", "iswap", "dcx", "ryy", "mcx", "sxdg", "rzz", "unitary"])
def test_in_openqasm3(name):
    source = openqasm3(f"gate {name} a, b {{ x a; }} qubit[2] q; bit[2] c; {name} q[1], q[0]; c = measure q;")
    assert counts(source, shots=5) == {"10": 5}


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("name", sorted(_SYNTHESISED))
def test_under_the_name_of_a_gate_that_the_transpiler_knows_how_to_break_down(name, level):
    circuit = QuantumCircuit(2, 2)
    circuit.append(_flip(name).to_gate(), [1, 0])
    circuit.measure([0, 1], [0, 1])
    assert counts(circuit, shots=5, options={"optimization_level": level}) == {"10": 5}


NOT_WORDS_OF_OPENQASM = {
    "openqasm2": {"barrier", "measure", "opaque", "reset"},
    "openqasm3": {"barrier", "box", "delay", "measure", "reset"},
}
TAKEN_BY_QISKIT = {"store", "pauli_product_measurement"}


@pytest.mark.parametrize("program_format", ["openqasm2", "openqasm3"])
@pytest.mark.parametrize("name", sorted({*reserved_names(), "snapshot", "store", "delay", "while_loop", "initialize"}))
def test_under_any_name_that_means_something_to_a_library_it_flips_its_qubit_or_is_refused(name, program_format):
    if program_format == "openqasm2":
        source = openqasm2(f"gate {name} a {{ x a; }} qreg q[1]; creg c[1]; {name} q[0]; measure q -> c;")
    else:
        source = openqasm3(f"gate {name} a {{ x a; }} qubit[1] q; bit[1] c; {name} q[0]; c = measure q;")
    found, refusal = None, ""
    try:
        found = counts(source, shots=5, options={"sampling": "aer"})
    except (InvalidProgramError, UnsupportedProgramError) as error:
        refusal = error.message
    cannot_be_defined = name in NOT_WORDS_OF_OPENQASM[program_format] | TAKEN_BY_QISKIT or name[0].isupper()
    assert found == {"1": 5} or (refusal and cannot_be_defined) or "already" in refusal


@pytest.mark.parametrize("name", ["delay", "snapshot", "measure", "reset"])
@pytest.mark.parametrize("level", [None, 2])
def test_a_gate_of_a_file_that_is_called_as_an_instruction_is_no_such_instruction(name, level):
    definition = QuantumCircuit(1, name=name)
    definition.x(0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(definition.to_gate(), [0])
    circuit.measure(0, 0)
    assert counts(circuit, shots=5, options={"sampling": "aer", "optimization_level": level}) == {"1": 5}


def test_the_transpiler_breaks_nothing_down_under_another_name():
    assert set(HighLevelSynthesisPluginManager().plugins_by_op) <= reserved_names()


def test_one_that_is_used_inside_another():
    for source in (
        openqasm2(
            "gate ecr a, b { x a; } gate own a, b { ecr b, a; } qreg q[2]; creg c[2]; own q[0], q[1]; measure q -> c;"
        ),
        openqasm3(
            "gate ecr a, b { x a; } gate own a, b { ecr b, a; } qubit[2] q; bit[2] c; own q[0], q[1]; c = measure q;"
        ),
    ):
        assert counts(source, shots=5) == {"10": 5}


def test_a_gate_with_the_legacy_gate_s_name_and_parameters_is_its_author_s():
    source = openqasm2("gate p(angle) a { rx(angle) a; } qreg q[1]; creg c[1]; p(pi) q[0]; measure q -> c;")
    assert counts(source, shots=5) == {"1": 5}


@pytest.mark.parametrize("modifier", ["", "inv @ inv @ "])
def test_parameters_of_a_gate_come_in_the_order_of_its_definition(modifier):
    source = openqasm3(
        "gate own(turn, idle, around) a { rx(turn) a; rz(around) a; } "
        f"qubit[1] q; bit[1] c; {modifier}own(pi, 0.3, 0.2) q[0]; c = measure q;"
    )
    assert counts(source, shots=5) == {"1": 5}


def test_inside_control_flow_and_boxes():
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)), circuit.box():
        circuit.append(_flip("ecr").to_gate(), [1, 0])
    circuit.measure(1, 1)
    assert counts(circuit, shots=5) == {"11": 5}


@pytest.mark.parametrize(
    ("modifiers", "expected"), [([InverseModifier()], "011"), ([ControlModifier(1)], "011"), ([], "011")]
)
def test_modified_as_a_whole(modifiers, expected):
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    controls = [0] if any(isinstance(each, ControlModifier) for each in modifiers) else []
    circuit.append(AnnotatedOperation(_flip("ecr").to_gate(), modifiers), [*controls, 1, 2])
    circuit.measure(range(3), range(3))
    assert counts(circuit, shots=5) == {expected: 5}


def test_what_ran_is_kept_and_says_the_same():
    source = openqasm2("gate ecr a, b { x a; } qreg q[2]; creg c[2]; ecr q[1], q[0]; measure q -> c;")
    ran = loaded(simulated(source, shots=5).parts["prepared/0.qpy"])
    assert dict(ran.count_ops()) == {"x": 1, "measure": 2}
    assert counts(ran, shots=5) == {"10": 5}
