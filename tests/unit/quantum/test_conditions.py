"""What a circuit decides at run time is evaluated right, or refused by name when it is checked."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Duration, Parameter
from qiskit.circuit.classical import expr, types

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from support.circuits import checked, counts, openqasm2

REGISTERS = tuple(ClassicalRegister(width, name) for width, name in ((3, "a"), (1, "b"), (4, "d")))
BITS = tuple(bit for register in REGISTERS for bit in register)
COMPARISONS = {
    expr.equal: lambda x, y: x == y,
    expr.not_equal: lambda x, y: x != y,
    expr.less: lambda x, y: x < y,
    expr.less_equal: lambda x, y: x <= y,
    expr.greater: lambda x, y: x > y,
    expr.greater_equal: lambda x, y: x >= y,
}
BITWISE = {
    expr.bit_and: lambda x, y: x & y,
    expr.bit_or: lambda x, y: x | y,
    expr.bit_xor: lambda x, y: x ^ y,
}
LOGICAL = {
    **BITWISE,
    expr.logic_and: lambda x, y: x and y,
    expr.logic_or: lambda x, y: x or y,
    expr.equal: lambda x, y: x == y,
    expr.not_equal: lambda x, y: x != y,
}


@st.composite
def integers(draw, values, depth):
    """An expression of integers, and what it comes to."""
    kind = draw(st.sampled_from(["register", "constant", "not", "cast", "bitwise"] if depth else ["register"]))
    if kind == "register":
        register = draw(st.sampled_from(REGISTERS))
        return expr.lift(register), sum(values[bit] << place for place, bit in enumerate(register))
    if kind == "constant":
        width = draw(st.integers(1, 8))
        value = draw(st.integers(0, (1 << width) - 1))
        return expr.lift(value, types.Uint(width)), value
    first, value = draw(integers(values, depth - 1))
    if kind == "not":
        return expr.bit_not(first), value ^ ((1 << first.type.width) - 1)
    if kind == "cast":
        width = draw(st.integers(1, 8))
        return expr.cast(first, types.Uint(width)), value & ((1 << width) - 1)
    second, other = draw(integers(values, depth - 1))
    wide = types.Uint(max(first.type.width, second.type.width))
    operator = draw(st.sampled_from(list(BITWISE)))
    return operator(expr.cast(first, wide), expr.cast(second, wide)), BITWISE[operator](value, other)


@st.composite
def truths(draw, values, depth):
    """An expression that is true or false, and which."""
    kind = draw(st.sampled_from(["bit", "constant", "not", "logical", "comparison"] if depth else ["bit"]))
    if kind == "bit":
        bit = draw(st.sampled_from(BITS))
        return expr.lift(bit), values[bit]
    if kind == "constant":
        value = draw(st.booleans())
        return expr.lift(value), value
    if kind == "not":
        inner, value = draw(truths(values, depth - 1))
        return draw(st.sampled_from([expr.logic_not, expr.bit_not]))(inner), not value
    some, table = (truths, LOGICAL) if kind == "logical" else (integers, COMPARISONS)
    (first, value), (second, other) = draw(some(values, depth - 1)), draw(some(values, depth - 1))
    operator = draw(st.sampled_from(list(table)))
    return operator(first, second), table[operator](value, other)


@st.composite
def decisions(draw):
    values = {bit: draw(st.booleans()) for bit in BITS}
    return values, *draw(truths(values, draw(st.integers(0, 4))))


def _measured(values):
    """A circuit whose bits hold ``values``, with a free qubit 1 and a register for it."""
    circuit = QuantumCircuit(QuantumRegister(2, "q"), *REGISTERS, ClassicalRegister(1, "out"))
    circuit.x(0)
    for bit, value in values.items():
        if value:
            circuit.measure(0, bit)
    circuit.measure(1, circuit.cregs[-1][0])
    return circuit


@settings(max_examples=150, deadline=None)
@given(decisions())
def test_an_expression_that_is_accepted_is_evaluated_right(decision):
    values, condition, wanted = decision
    circuit = _measured(values)
    with circuit.if_test(condition):
        circuit.x(1)
    circuit.measure(1, circuit.cregs[-1][0])
    (outcome,) = counts(circuit, shots=2)
    assert outcome.split()[0] == str(int(wanted))


@settings(max_examples=50, deadline=None)
@given(decisions())
def test_what_is_stored_in_a_bit_is_evaluated_right(decision):
    values, condition, wanted = decision
    circuit = _measured(values)
    circuit.store(circuit.cregs[-1][0], condition)
    (outcome,) = counts(circuit, shots=2)
    assert outcome.split()[0] == str(int(wanted))


@pytest.mark.parametrize("width", [3, 31, 32, 33, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("differs", [None, 0, -1])
def test_a_register_of_any_width_is_compared_with_a_constant(width, differs):
    value = (1 << (width - 1)) | 5
    measured = " ".join(f"measure q[0] -> c[{place}];" for place in range(width) if value >> place & 1)
    constant = value if differs is None else value ^ (1 << (differs % width))
    source = openqasm2(
        f"qreg q[2]; creg c[{width}]; creg out[1]; x q[0]; {measured} if(c=={constant}) x q[1]; measure q[1] -> out[0];"
    )
    (outcome,) = counts(source, shots=2)
    assert outcome.split()[0] == ("1" if differs is None else "0")


def _with(build):
    circuit = QuantumCircuit(2, 2)
    build(circuit)
    circuit.measure([0, 1], [0, 1])
    return circuit


def _if(condition):
    def build(circuit):
        with circuit.if_test(condition(circuit)):
            circuit.x(0)

    return build


def _wide(circuit):
    circuit.add_register(ClassicalRegister(33, "wide"))
    return expr.less(circuit.cregs[-1], 1 << 32)


def _variable(circuit):
    circuit.add_var("v", expr.lift(1.5))


def _input(circuit):
    variable = circuit.add_input("x", types.Bool())
    with circuit.if_test(variable):
        circuit.x(0)


def _wide_variable(circuit):
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.add_var("inner", expr.lift(3, types.Uint(33)))


def _switch_on_an_expression(circuit):
    with circuit.switch(expr.bit_xor(circuit.cregs[0], 1)) as case, case(1):
        circuit.x(0)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (_variable, "variable, 'v'"),
        (_input, "input variable, 'x'"),
        (_wide_variable, "variable, 'inner'"),
        (_switch_on_an_expression, "switch on an expression"),
        (_if(_wide), "33 bits"),
        (_if(lambda circuit: expr.equal(expr.add(circuit.cregs[0], 1), 1)), "operator add"),
        (_if(lambda circuit: expr.equal(expr.sub(circuit.cregs[0], 1), 1)), "operator sub"),
        (_if(lambda circuit: expr.equal(expr.mul(circuit.cregs[0], 1), 1)), "operator mul"),
        (_if(lambda circuit: expr.equal(expr.div(circuit.cregs[0], 1), 1)), "operator div"),
        (_if(lambda circuit: expr.equal(expr.shift_left(circuit.cregs[0], 1), 1)), "operator shift_left"),
        (_if(lambda circuit: expr.equal(expr.shift_right(circuit.cregs[0], 1), 1)), "operator shift_right"),
        (_if(lambda circuit: expr.index(circuit.cregs[0], 1)), "index"),
        (_if(lambda circuit: expr.cast(circuit.cregs[0], types.Bool())), "cast of an integer to bool"),
        (_if(lambda _: expr.less(Duration.us(1.0), Duration.ns(5.0))), "Duration"),
        (_if(lambda circuit: expr.less(expr.cast(circuit.cregs[0], types.Float()), 1.5)), "Float"),
    ],
)
def test_what_would_not_be_evaluated_right_is_refused_by_name(build, named):
    with pytest.raises(UnsupportedProgramError, match=named) as caught:
        checked(_with(build))
    assert caught.value.details["circuit"] == 0
    assert caught.value.solution


def test_a_loop_whose_parameter_has_no_effect_runs():
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(3)) as index:
        circuit.rx(0 * index + 3.141592653589793, 0)
    circuit.measure(0, 0)
    assert counts(circuit, shots=5) == {"1": 5}


def test_a_loop_over_a_parameter_that_its_body_does_not_have_runs():
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(3), Parameter("unused")):
        circuit.x(0)
    circuit.measure(0, 0)
    assert counts(circuit, shots=5) == {"1": 5}


def test_arithmetic_that_fails_in_a_round_of_a_loop_is_refused_with_the_round():
    circuit = QuantumCircuit(1, 1)
    index = Parameter("i")
    with circuit.for_loop(range(3), index):
        circuit.rx(3.14 / index, 0)
    circuit.measure(0, 0)
    with pytest.raises(InvalidProgramError, match="i = 0"):
        checked(circuit)


@st.composite
def steps(draw, depth, *, in_loop=False):
    """What a program does: gates, measurements, stores, branches and loops, nested."""
    kinds = ["flip", "measure", "store", "store register"] + (["if", "for", "while"] if depth else [])
    kinds += ["break", "continue"] if in_loop else []
    found = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(kinds))
        inner = []
        if kind == "if":
            inner = [draw(steps(depth - 1, in_loop=in_loop)) for _ in range(draw(st.integers(1, 2)))]
        elif kind in ("for", "while"):
            inner = [draw(steps(depth - 1, in_loop=True))]
        choices = draw(st.tuples(st.integers(0, 2), st.integers(0, 7), st.integers(0, 7), st.integers(0, 15)))
        found.append((kind, choices, inner))
    return found


class Machine:
    """Builds a circuit from steps; with variables for a number and for what branches depend on, if wanted."""

    def __init__(self, *, variables):
        self.circuit = QuantumCircuit(QuantumRegister(3, "q"), *REGISTERS)
        self.variables = variables
        self.number = self.circuit.add_var("number", expr.lift(0, types.Uint(4))) if variables else REGISTERS[2]
        self.flags = 0

    def build(self, found):
        for kind, (qubit, bit, other, number), inner in found:
            target, source = BITS[bit], BITS[other]
            if kind == "flip":
                self.circuit.x(qubit)
            elif kind == "measure":
                self.circuit.measure(qubit, target)
            elif kind == "store":
                self.circuit.store(target, expr.logic_not(source))
            elif kind == "store register":
                self.circuit.store(self.number, expr.bit_xor(self.number, number))
            elif kind == "if":
                self._if(source, inner)
            elif kind == "for":
                with self.circuit.for_loop(range(1 + number % 3)):
                    self.build(inner[0])
            elif kind == "while":
                with self.circuit.while_loop(expr.logic_not(source)):
                    self.build(inner[0])
                    self.circuit.store(source, expr.lift(True))
            else:
                with self.circuit.if_test(expr.equal(self.number, number)):
                    self.circuit.break_loop() if kind == "break" else self.circuit.continue_loop()

    def _if(self, source, inner):
        condition = expr.equal(source, True)
        if self.variables:
            self.flags += 1
            condition = self.circuit.add_var(f"flag_{self.flags}", condition)
        with self.circuit.if_test(condition) as otherwise:
            self.build(inner[0])
        if len(inner) > 1:
            with otherwise:
                self.build(inner[1])


class LeavesLoop(Exception):  # noqa: N818 - it is none
    """A loop is left, or its next round begun."""


class Followed:
    """What becomes of the bits."""

    def __init__(self, *, variables):
        self.qubits, self.bits, self.rounds = [False] * 3, dict.fromkeys(BITS, False), 0
        self.variable = 0 if variables else None

    def follow(self, found):
        for kind, (qubit, bit, other, number), inner in found:
            source = BITS[other]
            if kind in ("flip", "measure", "store", "store register"):
                self._step(kind, qubit, BITS[bit], source, number)
            elif kind == "if":
                if self.bits[source]:
                    self.follow(inner[0])
                elif len(inner) > 1:
                    self.follow(inner[1])
            elif kind in ("for", "while"):
                self._loop(kind, source, number, inner[0])
            elif self._register() == number:
                raise LeavesLoop(kind)

    def _step(self, kind, qubit, target, source, number):
        if kind == "flip":
            self.qubits[qubit] ^= True
        elif kind == "measure":
            self.bits[target] = self.qubits[qubit]
        elif kind == "store":
            self.bits[target] = not self.bits[source]
        else:
            self._set(self._register() ^ number)

    def _loop(self, kind, source, number, body):
        left = 1 + number % 3
        while left if kind == "for" else not self.bits[source]:
            left -= 1
            self.rounds += 1
            assume(self.rounds < 100)
            try:
                self.follow(body)
                if kind == "while":
                    self.bits[source] = True
            except LeavesLoop as leaving:
                if str(leaving) == "break":
                    return

    def _register(self):
        if self.variable is not None:
            return self.variable
        return sum(self.bits[bit] << place for place, bit in enumerate(REGISTERS[2]))

    def _set(self, value):
        if self.variable is not None:
            self.variable = value
            return
        self.set_register(value)

    def set_register(self, value):
        for place, bit in enumerate(REGISTERS[2]):
            self.bits[bit] = bool(value >> place & 1)


@settings(max_examples=150, deadline=None)
@given(
    steps(3),
    st.booleans(),
    st.sampled_from([{}, {"optimization_level": 1}, {"method": "stabilizer"}, {"method": "density_matrix"}]),
)
def test_branches_loops_and_stores_keep_their_order(found, variables, options):
    followed, machine = Followed(variables=variables), Machine(variables=variables)
    followed.follow(found)
    machine.build(found)
    circuit = machine.circuit
    if variables:
        circuit.store(REGISTERS[2], machine.number)
        followed.set_register(followed.variable)
    extra = ClassicalRegister(3, "end")
    circuit.add_register(extra)
    circuit.measure(range(3), extra)
    (outcome,) = counts(circuit, shots=2, options=options)
    bits = {**followed.bits, **dict(zip(extra, followed.qubits, strict=True))}
    words = ["".join(str(int(bits[bit])) for bit in reversed(register)) for register in (*REGISTERS, extra)]
    assert outcome == " ".join(reversed(words))
