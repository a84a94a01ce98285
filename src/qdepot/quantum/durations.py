"""How long delays take. A device counts time in units of dt; without a device, a delay does nothing."""

from __future__ import annotations

import math
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import BoxOp, CircuitInstruction, ControlFlowOp, Delay
from qiskit.circuit.classical import expr

from qdepot.errors import InvalidProgramError, UnsupportedProgramError

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}
_LONGEST_DT = 2**53
_SOLUTION = "Give each delay a number of dt, ps, ns, us, ms or s."


def is_delay(instruction: CircuitInstruction) -> bool:
    """Whether it is a delay, and not a gate that its author called so."""
    if instruction.name != "delay":
        return False
    try:
        return isinstance(instruction.operation, Delay)
    except Exception:  # Qiskit makes no delay without a duration, which a file may have lost
        return True


def checked_delay(instruction: CircuitInstruction) -> Delay:
    """The delay that an instruction is.

    Raises:
        InvalidProgramError: Its duration was lost on the way here, or is negative or not finite.
    """
    try:
        delay = instruction.operation
        duration = delay.duration
    except Exception as error:  # Qiskit writes such delays to QPY, and refuses to make them from what it reads
        raise InvalidProgramError(
            f"a delay has the duration {str(instruction.params[0])[:80]}, and no unit: a QPY file keeps the units of "
            "no delays, and only whole numbers of dt can be read without one",
            solution="Give parameters of durations their values, and convert durations to dt before you write the file "
            "(the qdepot client sends delays with their units).",
        ) from error
    if isinstance(duration, (int, float)) and not (math.isfinite(duration) and duration >= 0):
        raise InvalidProgramError(f"a delay has the duration {duration}, which is not a number from 0 upwards")
    return delay


def check_can_be_timed(circuit: QuantumCircuit, *, device: str, has_dt: bool) -> None:
    """Check that all delays of a circuit can be given in units of a device's dt.

    Raises:
        UnsupportedProgramError: One depends on stretches or on what is measured, a box has a duration of its own, or
            the device has no dt.
    """
    for instruction in circuit.data:
        if instruction.name == "delay":
            if not has_dt:
                raise UnsupportedProgramError(
                    f"the circuit has a delay, and {device} does not say how long its unit of time (dt) is",
                    solution="Leave delays out, or choose another device.",
                )
            _seconds_or_dt(instruction.operation)
            continue
        if not instruction.is_control_flow():
            continue
        operation = instruction.operation
        if isinstance(operation, BoxOp) and operation.duration is not None:
            raise UnsupportedProgramError(
                "a box has a duration, and boxes are not scheduled here",
                solution="Leave the duration out, and put delays into the box.",
            )
        for block in getattr(operation, "blocks", ()):
            check_can_be_timed(block, device=device, has_dt=has_dt)


def without_delays(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit without delays and stretches, which have no effect where there is no noise."""
    kept = circuit.copy_empty_like(vars_mode="drop")
    for instruction in circuit.data:
        if instruction.name != "delay":
            kept.append(_with_bodies(instruction, without_delays))
    return kept


def with_delays_in_dt(circuit: QuantumCircuit, *, dt: float | None) -> QuantumCircuit:
    """The same circuit with the duration of each delay as a whole number of dt.

    Args:
        circuit: Checked by :func:`check_can_be_timed`.
        dt: The device's unit of time in seconds.

    Raises:
        UnsupportedProgramError: A delay is longer than can be counted.
    """
    timed = circuit.copy_empty_like(vars_mode="drop")
    for instruction in circuit.data:
        if instruction.name == "delay":
            delay = Delay(_in_dt(instruction.operation, dt), unit="dt")
            timed.append(instruction.replace(operation=delay, params=delay.params))
        else:
            timed.append(_with_bodies(instruction, lambda body: with_delays_in_dt(body, dt=dt)))
    return timed


def _with_bodies(instruction: CircuitInstruction, change: Any) -> CircuitInstruction:  # noqa: ANN401 - a function
    operation = instruction.operation if instruction.is_control_flow() else None
    if not isinstance(operation, ControlFlowOp):
        return instruction
    return instruction.replace(operation=operation.replace_blocks([change(block) for block in operation.blocks]))


def _in_dt(delay: Delay, dt: float | None) -> int:
    seconds, units = _seconds_or_dt(delay)
    total = units + (round(seconds / dt) if seconds and dt is not None else 0)
    if total > _LONGEST_DT:
        raise UnsupportedProgramError(f"a delay of {delay.duration} {delay.unit} is too long to be counted in dt")
    return total


def _seconds_or_dt(delay: Delay) -> tuple[float, int]:
    """How long a delay is: seconds, and units of dt on top."""
    if delay.unit == "dt":
        return 0.0, int(delay.duration)
    if delay.unit in _SECONDS:
        return float(delay.duration) * _SECONDS[delay.unit], 0
    if isinstance(delay.duration, expr.Value):
        duration = delay.duration.value
        unit = duration.unit()
        return (0.0, int(duration.value())) if unit == "dt" else (float(duration.value()) * _SECONDS[unit], 0)
    raise UnsupportedProgramError(
        "a delay has a duration that is not a plain number but an expression or a stretch, which is not resolved here",
        solution=_SOLUTION,
    )
