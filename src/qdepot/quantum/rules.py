"""What a circuit must be like to be sampled or estimated, whatever simulates it."""

from __future__ import annotations

import math
from collections import Counter

from qiskit import QuantumCircuit

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum.bits import Register
from qdepot.quantum.order import BackendOrder
from qdepot.quantum.precheck import MAX_BITS
from qdepot.quantum.survey import Survey

_SHOWN = 8


def check_width(circuit: QuantumCircuit, backend: BackendOrder) -> None:
    """Check the number of qubits and bits that a circuit declares.

    Raises:
        UnsupportedProgramError: It has none, or more than the backend has.
    """
    limit = MAX_BITS if backend.num_qubits is None else min(backend.num_qubits, MAX_BITS)
    if circuit.num_qubits > limit:
        raise UnsupportedProgramError(
            f"the circuit has {circuit.num_qubits} qubits, and {backend.name} takes at most {limit}",
            details={"num_qubits": circuit.num_qubits, "limit": limit},
        )
    if circuit.num_clbits > MAX_BITS:
        raise UnsupportedProgramError(
            f"the circuit has {circuit.num_clbits} classical bits; at most {MAX_BITS} are possible here"
        )
    if circuit.num_qubits == 0:
        raise UnsupportedProgramError("the circuit has no qubits")


def check_registers(registers: tuple[Register, ...], survey: Survey, *, storage: frozenset[int] = frozenset()) -> None:
    """Check that what is measured can be reported by register, without guessing.

    Args:
        registers: Those that are reported.
        survey: Of the circuit.
        storage: Classical bits that are not to be reported.

    Raises:
        UnsupportedProgramError: Nothing is measured; registers share bits; a bit that is measured is in no register.
    """
    if not survey.measured or not survey.has_measurement or not registers:
        raise UnsupportedProgramError(
            "nothing is measured, so there is nothing to count",
            solution="Measure into a register: `measure q -> c;` (OpenQASM 2), `c = measure q;` (OpenQASM 3), "
            "`circuit.measure_all()` (Qiskit).",
        )
    owners = Counter(bit for register in registers for bit in register.bits)
    shared = {bit for bit, number in owners.items() if number > 1}
    if shared:
        names = [register.name for register in registers if shared & set(register.bits)]
        raise UnsupportedProgramError(
            f"the classical registers {', '.join(map(repr, names[:_SHOWN]))} share bits, so counts by register would "
            "count them twice",
            solution="Give each register bits of its own.",
            details={"registers": names[:_SHOWN]},
        )
    loose = sorted(survey.measured - set(owners) - storage)
    if loose:
        raise UnsupportedProgramError(
            f"classical bits are measured that belong to no register (bit {', '.join(map(str, loose[:_SHOWN]))})",
            solution="Declare a register: `ClassicalRegister(1, 'c')` instead of `Clbit()`.",
            details={"bits": loose[:_SHOWN]},
        )


def check_no_measurement(survey: Survey) -> None:
    """Check that a circuit ends in a state whose observables can be estimated.

    Raises:
        UnsupportedProgramError: It measures, or branches.
    """
    if survey.has_measurement or survey.measured:
        raise UnsupportedProgramError(
            "an estimator's circuit must not measure: its observables say what is measured",
            solution="Leave the measurements out (Qiskit: `circuit.remove_final_measurements()`).",
        )
    if survey.has_control_flow:
        raise UnsupportedProgramError(
            "an estimator's circuit must not have control flow", solution="Write loops and branches out, or sample it."
        )


def checked_shots(shots: object, backend: BackendOrder) -> int:
    """The shots, if they are a number that the backend takes.

    Raises:
        InvalidProgramError: They are not a positive integer.
        UnsupportedProgramError: They are more than the backend takes.
    """
    if not isinstance(shots, int) or isinstance(shots, bool) or shots < 1:
        raise InvalidProgramError(f"shots are {str(shots)[:40]}, not a positive integer")
    if shots > backend.max_shots:
        raise UnsupportedProgramError(
            f"{shots} shots are asked for, and {backend.name} takes at most {backend.max_shots}",
            solution="Split them among several circuits or jobs.",
            details={"shots": shots, "limit": backend.max_shots},
        )
    return shots


def checked_precision(precision: object) -> float:
    """The precision, if it is one; None means exact.

    Raises:
        InvalidProgramError: It is not a number, or negative.
    """
    if precision is None:
        return 0.0
    is_number = isinstance(precision, (int, float)) and not isinstance(precision, bool)
    if not is_number or not math.isfinite(precision) or precision < 0:  # type: ignore[arg-type, operator] # a number
        raise InvalidProgramError(
            f"the precision is {str(precision)[:40]}, not a number from 0 (exact) upwards",
        )
    return float(precision)  # type: ignore[arg-type] # it is a number here
