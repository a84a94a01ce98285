"""What a Qiskit circuit says arrives in the child that runs it, or the client refuses to send it, by name."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from qiskit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import (
    AnnotatedOperation,
    Annotation,
    Clbit,
    ControlModifier,
    Duration,
    Gate,
    InverseModifier,
    Parameter,
    ParameterVector,
    PowerModifier,
    Qubit,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    BitwiseXorGate,
    OrGate,
    PauliEvolutionGate,
    PermutationGate,
    QFTGate,
    SGate,
    UCGate,
    XGate,
)
from qiskit.quantum_info import Clifford, Operator, SparsePauliOp
from qiskit.synthesis import SuzukiTrotter
from qiskit.transpiler import generate_preset_pass_manager

from qdepot.client.circuits import wire_source
from qdepot.domain.program import ProgramFormat
from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.parse import read

A, B = Parameter("a"), Parameter("β")


def arrived(circuit, versions=None):
    """The circuit as the child reads it."""
    program_format, source = wire_source(circuit, qpy_versions=versions)
    assert program_format is ProgramFormat.QPY
    return read(base64.b64decode(source), program_format).circuit


class OwnGate(Gate):
    """A gate of a user's class."""

    def __init__(self, angle):
        super().__init__("own", 1, [angle])

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.rx(self.params[0], 0)


class OwnAnnotation(Annotation):
    """An annotation that nobody else knows."""

    namespace = "own.kind"


def built(*steps, qubits=2, clbits=2, **options):
    circuit = QuantumCircuit(qubits, clbits, **options)
    for step in steps:
        step(circuit)
    return circuit


def _gate(name="own", angle=A, **options):
    inner = QuantumCircuit(1, name=name, **options)
    inner.rx(angle, 0)
    return inner.to_gate()


def _if(circuit):
    with circuit.if_test((circuit.clbits[0], True)) as otherwise:
        circuit.rx(A, 0)
    with otherwise:
        circuit.x(1)


def _expressions(circuit):
    with circuit.if_test(expr.less(expr.bit_xor(circuit.cregs[0], 1), 2)):
        circuit.x(0)
    circuit.store(circuit.clbits[0], expr.logic_not(circuit.clbits[1]))


def _loops(circuit):
    with circuit.for_loop([0, 3, 7]) as index:
        circuit.rx(index * 0.3, 0)
    with circuit.while_loop((circuit.cregs[0], 2)):
        circuit.measure(0, 0)
    with circuit.for_loop(range(2, 9, 3)):
        circuit.break_loop()


def _switch(circuit):
    with circuit.switch(circuit.cregs[0]) as case:
        with case(1, 2):
            circuit.x(0)
        with case(case.DEFAULT):
            circuit.y(0)


def _variables(circuit):
    flag = circuit.add_var("flag", expr.lift(True))
    number = circuit.add_var("number", expr.lift(3, types.Uint(8)))
    circuit.store(number, expr.add(number, 1))
    with circuit.if_test(flag):
        circuit.x(0)


def _stretch(circuit):
    circuit.delay(circuit.add_stretch("s"), 0)


def _box(circuit):
    with circuit.box(duration=30, unit="us", label="here"):
        circuit.x(0)


def _overlapping():
    qubits, clbits = QuantumRegister(3, "q"), ClassicalRegister(3, "c")
    parts = QuantumRegister(bits=qubits[1:], name="part"), ClassicalRegister(bits=clbits[1:], name="bits")
    circuit = QuantumCircuit(qubits, parts[0], clbits, parts[1], AncillaRegister(2, "helpers"), [Qubit(), Clbit()])
    circuit.cx(0, 5)
    circuit.measure(5, 3)
    return circuit


def _transpiled():
    manager = generate_preset_pass_manager(1, coupling_map=[[0, 1], [1, 2]], basis_gates=["rz", "sx", "cx"])
    manager.layout = None
    return manager.run(built(lambda it: it.h(0), lambda it: it.cx(0, 1)))


EVOLUTION = SparsePauliOp(["XX", "ZI"], [1, 0.3])
KEPT = {
    "global phase": built(global_phase=1.25),
    "a parameter as global phase": built(global_phase=2 * A + B),
    "metadata": built(metadata={"key": [1, {"x": None}]}),
    "a name": built(name="ünï/\n"),
    "a vector": built(*(lambda it, e=e: it.rx(e, 0) for e in ParameterVector("θ", 3))),
    "expressions of parameters": built(
        lambda it: it.rx(A.sin() / (B + 1) ** 2 - 3 * A.exp(), 0), lambda it: it.p(abs(A), 1)
    ),
    "a complex product that is real": built(lambda it: it.rx(1j * (1j * A), 0)),
    "delays in dt": built(lambda it: it.delay(77, 0)),
    "an expression as duration": built(lambda it: it.delay(expr.mul(2.0, Duration.us(5.0)), 0)),
    "a stretch": built(_stretch),
    "an if": built(_if),
    "expressions at run time": built(_expressions),
    "loops": built(_loops),
    "a switch": built(_switch),
    "variables": built(_variables),
    "an input variable": built(lambda it: it.add_input("x", types.Bool())),
    "a box": built(_box),
    "overlapping registers": _overlapping(),
    "a layout": _transpiled(),
    "an own gate": built(lambda it: it.append(_gate(), [0])),
    "an own gate with the name of a standard gate": built(lambda it: it.append(_gate("h"), [0])),
    "an own gate with a phase": built(lambda it: it.append(_gate(global_phase=B), [0])),
    "a controlled own gate": built(lambda it: it.append(_gate(angle=0.5).control(1, ctrl_state=0), [0, 1])),
    "an open control": built(lambda it: it.append(XGate().control(1, ctrl_state=0), [0, 1])),
    "a label": built(lambda it: it.append(XGate(label="mine"), [0])),
    "annotated operations": built(
        lambda it: it.append(AnnotatedOperation(SGate(), [PowerModifier(2.5), InverseModifier()]), [0]),
        lambda it: it.append(AnnotatedOperation(XGate(), [ControlModifier(1, 0)]), [0, 1]),
    ),
    "initialize": built(lambda it: it.initialize([0.6, 0, 0, 0.8j], [0, 1]), lambda it: it.initialize("r", 0)),
    "state preparation": built(lambda it: it.prepare_state([0.6, 0, 0, 0.8j], [0, 1])),
    "an evolution": built(lambda it: it.append(PauliEvolutionGate(EVOLUTION, time=A), [0, 1])),
    "a synthesised evolution": built(
        lambda it: it.append(PauliEvolutionGate(EVOLUTION, time=0.5, synthesis=SuzukiTrotter(4, reps=3)), [0, 1])
    ),
    "a matrix": built(lambda it: it.unitary(np.array([[0, 1j], [1, 0]]), 0, label="m")),
    "a Clifford operator": built(lambda it: it.append(Clifford(SGate()), [0])),
    "library gates": built(
        lambda it: it.append(QFTGate(2), [0, 1]), lambda it: it.append(PermutationGate([1, 0]), [0, 1])
    ),
    "an opaque gate": built(lambda it: it.append(Gate("opaque", 1, [A]), [0])),
}


@pytest.mark.parametrize("circuit", KEPT.values(), ids=KEPT)
def test_it_arrives_as_it_was(circuit):
    there = arrived(circuit)
    assert there == circuit
    assert there.metadata == circuit.metadata
    assert there.name == circuit.name
    assert [parameter.name for parameter in there.parameters] == [parameter.name for parameter in circuit.parameters]
    assert there.cregs == circuit.cregs
    assert there.ancillas == circuit.ancillas
    assert (there.layout is None) == (circuit.layout is None)
    for before, after in zip(circuit.data, there.data, strict=True):
        assert after.label == before.label
        assert getattr(after.operation, "duration", None) == getattr(before.operation, "duration", None)


@pytest.mark.parametrize("name", ["a synthesised evolution", "an evolution", "annotated operations", "library gates"])
def test_what_is_broken_down_there_is_broken_down_the_same(name):
    circuit = KEPT[name]
    there = arrived(circuit)
    if circuit.parameters:
        circuit, there = circuit.assign_parameters([0.3]), there.assign_parameters([0.3])
    assert Operator(there.decompose(reps=3)).equiv(Operator(circuit.decompose(reps=3)))


def test_a_gate_of_a_user_s_class_arrives_with_its_definition():
    there = arrived(built(lambda it: it.append(OwnGate(0.25), [1])))
    assert Operator(there) == Operator(built(lambda it: it.rx(0.25, 1)))


@pytest.mark.parametrize("duration", [320, 0.5, 3.25])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "ps"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_delay_keeps_its_unit(duration, unit, inside):
    def delay(circuit):
        if inside:
            with circuit.if_test((circuit.clbits[0], True)):
                circuit.delay(duration, 1, unit)
        else:
            circuit.delay(duration, 1, unit)

    there = arrived(built(delay))
    (instruction,) = there.data[0].operation.blocks[0].data if inside else there.data
    assert instruction.operation.duration == expr.lift(getattr(Duration, unit)(float(duration)))


def test_a_duration_that_was_a_parameter_keeps_its_value():
    there = arrived(built(lambda it: it.delay(2 * A, 0, "us")).assign_parameters({A: 1.75}))
    assert there.data[0].operation.duration == expr.lift(Duration.us(3.5))


def _inner_delay(circuit):
    inner = QuantumCircuit(1, name="wait")
    inner.delay(5, 0, "us")
    circuit.append(inner.to_instruction(), [0])


def _annotated(circuit):
    with circuit.box([OwnAnnotation()]):
        circuit.x(0)


def _complex_loop(circuit):
    with circuit.for_loop(range(3)) as index:
        circuit.rx(1j * index, 0)


def _large_condition(circuit):
    circuit.add_register(ClassicalRegister(64, "wide"))
    with circuit.if_test((circuit.cregs[-1], 1 << 63)):
        circuit.x(0)


LOST = {
    "a parameter as duration": (lambda it: it.delay(A, 0, "us"), "delay of a us"),
    "a parameter as duration in dt": (lambda it: it.delay(A, 0), "delay of a dt"),
    "a unit inside an instruction": (_inner_delay, "'wait' has a delay"),
    "a complex parameter": (lambda it: it.rx(1j * A, 0), r"rx \("),
    "a complex part": (lambda it: it.p(A + 2j, 0), r"p \("),
    "a complex parameter inside": (lambda it: it.append(_gate(angle=1j * A), [0]), r"rx \("),
    "a complex parameter in a loop": (_complex_loop, r"rx \("),
    "a complex global phase": (lambda it: setattr(it, "global_phase", 1j * A), "global phase"),
    "an annotation": (_annotated, "annotation"),
    "a comparison with a large number": (_large_condition, "i64"),
}


@pytest.mark.parametrize(("step", "named"), LOST.values(), ids=LOST)
def test_what_would_not_arrive_is_not_sent(step, named):
    with pytest.raises(UnsupportedProgramError, match=named) as caught:
        arrived(built(step))
    assert caught.value.solution


@pytest.mark.parametrize("gate", [OrGate(2), BitwiseXorGate(2, 1), UCGate([np.eye(2), np.eye(2)])])
def test_a_gate_that_qiskit_writes_and_cannot_read_is_not_sent_and_arrives_broken_down(gate):
    circuit = built(lambda it: it.append(gate, range(gate.num_qubits)), qubits=gate.num_qubits)
    with pytest.raises(UnsupportedProgramError, match="cannot read") as caught:
        arrived(circuit)
    assert "decompose" in caught.value.solution
    assert Operator(arrived(circuit.decompose())) == Operator(circuit)


def test_a_unit_is_not_sent_in_a_version_that_has_no_place_for_it():
    circuit = built(lambda it: it.delay(5, 0, "us"))
    with pytest.raises(UnsupportedProgramError, match=r"delay of 5.* us"):
        arrived(circuit, versions=(13, 13))
    assert arrived(built(lambda it: it.delay(5, 0)), versions=(13, 13)).data[0].operation.duration == 5
