"""What there is in a circuit, found in one walk over it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, CircuitInstruction, ForLoopOp, Parameter, ParameterExpression

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum.arithmetic import check_angle, check_in_loops
from qdepot.quantum.conditions import check_control_flow, check_store, check_variables
from qdepot.quantum.durations import checked_delay, is_delay
from qdepot.quantum.gate_names import reserved_names

MAX_GATES = 1_000_000
"""Most gates that a circuit may stand for, once its own gates and its `for` loops are written out."""

_HOMEMADE = ("qiskit.circuit.gate", "qiskit.circuit.instruction", "qiskit.circuit.controlledgate", "qiskit.qasm2.parse")
_HOMEMADE_HERE = "qdepot.quantum.openqasm3.gates"
_IDLE = frozenset({"barrier", "delay"})
_RESETTING = frozenset({"reset", "initialize"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found.

    Attributes:
        names: Names of all instructions, also of those inside control flow; not of what gates are made of.
        qubits: Indices of the qubits that anything happens to.
        measured: Indices of the classical bits that a measurement writes to.
        has_measurement, has_control_flow: As they say.
        has_durations: There are delays or stretches.
        has_reset: A qubit is reset that may have been entangled with others before.
        free_names: Names of the instructions that have a parameter without a value.
        must_be_written_out: Some gates bear names that mean something else to the simulator, or there are boxes, or
            expressions that stand for a number.
    """

    names: frozenset[str]
    qubits: frozenset[int]
    measured: frozenset[int]
    has_measurement: bool
    has_reset: bool
    has_control_flow: bool
    has_durations: bool
    free_names: frozenset[str]
    must_be_written_out: bool

    @property
    def is_random(self) -> bool:
        """Whether the state at its end differs from shot to shot."""
        return self.has_measurement or self.has_reset


def surveyed(circuit: QuantumCircuit) -> Survey:
    """Walk over a circuit.

    Raises:
        InvalidProgramError: A parameter of a gate is not a finite number.
        UnsupportedProgramError: It holds an instruction without a definition or a condition that the simulator does not
            evaluate right, or stands for too many gates.
    """
    walk = _Walk()
    _check_finite("the global phase", [circuit.global_phase])
    walk.block(circuit, qubits=range(circuit.num_qubits), clbits=range(circuit.num_clbits))
    return Survey(
        names=frozenset(walk.names),
        qubits=frozenset(walk.qubits),
        measured=frozenset(walk.measured),
        has_measurement="measure" in walk.names or "measure" in walk.inner_names,
        has_reset=walk.has_reset or bool(_RESETTING & walk.inner_names),
        has_control_flow=walk.has_control_flow,
        has_durations=walk.has_durations,
        free_names=frozenset(walk.free_names),
        must_be_written_out=walk.must_be_written_out or number_in_disguise(circuit.global_phase) is not None,
    )


def is_homemade(operation: object) -> bool:
    """Whether it is a gate or instruction that the circuit's author put together, and not one of a library."""
    return type(operation).__module__ in (*_HOMEMADE, _HOMEMADE_HERE)


def number_in_disguise(value: object) -> float | None:
    """The number that an expression stands for, whatever the parameters in it: ``0 * theta + 0.5`` is 0.5."""
    if not isinstance(value, ParameterExpression):
        return None
    try:
        return float(value.numeric(strict=False))
    except TypeError:  # it depends on its parameters, or is complex
        return None


@dataclass(slots=True)
class _Walk:
    names: set[str] = field(default_factory=set)
    inner_names: set[str] = field(default_factory=set)
    free_names: set[str] = field(default_factory=set)
    qubits: set[int] = field(default_factory=set)
    measured: set[int] = field(default_factory=set)
    has_reset: bool = False
    has_control_flow: bool = False
    has_durations: bool = False
    must_be_written_out: bool = False
    gates: int = 0
    _loops: dict[Parameter, Sequence[int]] = field(default_factory=dict)
    _sizes: dict[object, int] = field(default_factory=dict)

    def block(self, circuit: QuantumCircuit, *, qubits: Sequence[int], clbits: Sequence[int], times: int = 1) -> None:
        """Look at the body of a program; ``qubits`` and ``clbits`` are its bits' places in the whole circuit."""
        check_variables(circuit)
        self.has_durations |= bool(circuit.num_stretches)
        qubit_at: Mapping[Any, int] = dict(zip(circuit.qubits, qubits, strict=True))
        clbit_at: Mapping[Any, int] = dict(zip(circuit.clbits, clbits, strict=True))
        for instruction in circuit.data:
            name = instruction.name
            self.names.add(name)
            touched = {qubit_at[bit] for bit in instruction.qubits} if name not in _IDLE else set()
            if name in _RESETTING and (self.has_control_flow or not touched.isdisjoint(self.qubits)):
                self.has_reset = True
            self.qubits |= touched
            if instruction.is_control_flow():
                self._control_flow(instruction, qubit_at=qubit_at, clbit_at=clbit_at, times=times)
                continue
            if instruction.clbits:
                self.measured.update(clbit_at[bit] for bit in instruction.clbits)
            self._count(times * self._size(instruction))

    def _control_flow(
        self,
        instruction: CircuitInstruction,
        *,
        qubit_at: Mapping[Any, int],
        clbit_at: Mapping[Any, int],
        times: int,
    ) -> None:
        operation = instruction.operation
        check_control_flow(operation)
        if instruction.name == "box":
            self.must_be_written_out = True
        else:
            self.has_control_flow = True
        if isinstance(operation, ForLoopOp):
            times *= len(operation.params[0])
            self._enter_loop(operation)
        self._count(times)
        for body in getattr(operation, "blocks", ()):  # `break` and `continue` have none
            self.block(
                body,
                qubits=[qubit_at[bit] for bit in instruction.qubits],
                clbits=[clbit_at[bit] for bit in instruction.clbits],
                times=times,
            )

    def _enter_loop(self, loop: ForLoopOp) -> None:
        indices, parameter, body = loop.params
        if parameter is not None:
            self._loops[parameter] = indices
            if parameter not in body.parameters:  # Aer would look for it there
                self.must_be_written_out = True

    def _count(self, gates: int) -> None:
        self.gates += gates
        if self.gates > MAX_GATES:
            raise UnsupportedProgramError(
                f"the circuit stands for more than {MAX_GATES} gates, once its own gates and loops are written out",
                solution="Look for gates that are defined by gates, again and again, and for long loops.",
            )

    def _size(self, instruction: CircuitInstruction) -> int:
        """How many gates an instruction stands for; 1 for a gate of a library."""
        if is_delay(instruction):
            self._delay(instruction)
        operation = None if instruction.is_standard_gate() else instruction.operation
        params = instruction.params if operation is None else getattr(operation, "params", ())
        _check_finite(instruction.name, params)
        if self._loops:
            check_in_loops(instruction.name, params, self._loops)
        if instruction.name == "store":
            check_store(operation)
        if instruction.is_parameterized():
            self.free_names.add(instruction.name)
        if any(number_in_disguise(value) is not None for value in params):
            self.must_be_written_out = True
        return 1 if operation is None else self._operation_size(operation)

    def _delay(self, instruction: CircuitInstruction) -> None:
        checked_delay(instruction)
        self.has_durations = True

    def _operation_size(self, operation: Any) -> int:  # noqa: ANN401 - Qiskit has no types
        if isinstance(operation, AnnotatedOperation):
            return self._operation_size(operation.base_op)
        if not is_homemade(operation):
            return 1
        if operation.name in reserved_names():
            self.must_be_written_out = True
        key = _same_for_equal_definitions(operation)
        if key not in self._sizes:
            self._sizes[key] = self._definition_size(operation)
        return self._sizes[key]

    def _definition_size(self, operation: Any) -> int:  # noqa: ANN401 - Qiskit has no types
        definition = getattr(operation, "template", None) or operation.definition
        if definition is None:
            raise UnsupportedProgramError(
                f"nothing says what {operation.name!r} does: it has no definition, and is not one of the known gates",
                solution="Define it by known gates, or put its unitary matrix into the circuit.",
                details={"instruction": operation.name},
            )
        size = 0
        for instruction in definition.data:
            self.inner_names.add(instruction.name)
            if instruction.name == "delay":  # so that it can be timed
                self.must_be_written_out = True
            if instruction.is_control_flow():
                raise UnsupportedProgramError(f"{operation.name!r} has control flow inside an instruction of its own")
            size = min(size + self._size(instruction), MAX_GATES + 1)
        return max(1, size)


def _same_for_equal_definitions(operation: Any) -> object:  # noqa: ANN401 - Qiskit has no types
    """A key under which a definition need be looked at once only, whatever values its parameters have."""
    if type(operation).__module__ == "qiskit.qasm2.parse":
        return operation.name, operation.num_qubits  # a text defines a name once
    return id(getattr(operation, "template", operation))  # alive as long as the circuit is


def _check_finite(name: str, params: Iterable[object]) -> None:
    for param in params:
        number = number_in_disguise(param)
        plain = param if number is None else number
        if isinstance(plain, (float, complex)):
            finite = math.isfinite(plain.real) and math.isfinite(plain.imag)
        elif isinstance(param, np.ndarray):
            finite = param.dtype.kind not in "fc" or bool(np.isfinite(param).all())
        else:
            continue
        if not finite:
            raise InvalidProgramError(
                f"{name!r} has the parameter {param}, which is not a finite number",
                solution="Look for a division by zero, or for a number too large for double precision.",
            )
        if isinstance(plain, float) and name != "delay":
            check_angle(name, plain)
