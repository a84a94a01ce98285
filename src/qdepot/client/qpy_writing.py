"""Qiskit circuits written as QPY, with nothing of their meaning lost on the way.

Qiskit writes no units of delays and no imaginary parts in expressions, and says nothing about it. So durations are
written as expressions that carry their unit, and what was written is read again and compared.

Qiskit is never imported here: a process that holds a circuit has loaded it already, and it is found by its name.
"""

from __future__ import annotations

import io
import math
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from qdepot.errors import InvalidRequestError, UnsupportedProgramError

_UNITS = ("s", "ms", "us", "ns", "ps")
_FIRST_WITH_DURATIONS = 14
_CLOSE = 1e-9
_PLAIN = frozenset({"measure", "barrier", "reset"})


def qpy_bytes(circuit: Any, qpy_versions: tuple[int, int] | None) -> bytes:  # noqa: ANN401 - Qiskit has no types
    """A circuit as a QPY file of one circuit.

    Args:
        circuit: Qiskit's ``QuantumCircuit``.
        qpy_versions: Oldest and newest QPY version that the service reads; None: the user's Qiskit decides.

    Raises:
        InvalidRequestError: The user's Qiskit is not loaded.
        UnsupportedProgramError: The user's Qiskit cannot write what the service reads, or would lose a part of it.
    """
    qpy: Any = sys.modules.get("qiskit.qpy")
    if qpy is None:
        raise InvalidRequestError(
            "the circuit comes from a Qiskit that is not loaded here", solution="Write `import qiskit.qpy` first."
        )
    version = _common_version(qpy, qpy_versions)
    _check_calibrations(circuit)
    is_plain = _is_plain(circuit)
    timed = _with_units(circuit, version) if not is_plain and any(_with_unit(circuit)) else circuit
    file = io.BytesIO()
    try:
        qpy.dump(timed, file, version=version)
    except Exception as error:  # Qiskit raises many kinds; each means that this circuit has no QPY form
        raise UnsupportedProgramError(
            f"Qiskit cannot write the circuit as QPY version {version}: {error}",
            solution="Remove what it names, or hand in OpenQASM 3.",
        ) from error
    if not is_plain:
        _check_same(timed, _read_back(qpy, file.getvalue()))
    return file.getvalue()


def _read_back(qpy: Any, content: bytes) -> Any:  # noqa: ANN401 - a module found by name
    try:
        return qpy.load(io.BytesIO(content))[0]
    except Exception as error:  # Qiskit fails in many ways on some gates of its own library
        raise UnsupportedProgramError(
            f"Qiskit writes the circuit as QPY, but cannot read it: {error}",
            solution="Break the gate that it names down first: `circuit.decompose()`.",
        ) from error


def _common_version(qpy: Any, readable: tuple[int, int] | None) -> int:  # noqa: ANN401 - a module found by name
    newest = int(qpy.QPY_VERSION)
    if readable is None:
        return newest
    oldest_written = int(getattr(qpy.common, "QPY_COMPATIBILITY_VERSION", newest))
    version = min(newest, readable[1])
    if version < max(oldest_written, readable[0]):
        raise UnsupportedProgramError(
            f"this Qiskit writes QPY versions {oldest_written} to {newest}, the service reads {readable[0]} to "
            f"{readable[1]}",
            solution="Hand in OpenQASM 3 (qiskit.qasm3.dumps), or use a Qiskit nearer to the service's.",
        )
    return version


def _is_plain(circuit: Any) -> bool:  # noqa: ANN401 - as above
    """Whether there is nothing in a circuit but standard gates with numbers, measurements and the like."""
    return not circuit.num_parameters and all(
        instruction.name in _PLAIN or _is_standard_gate(instruction) for instruction in circuit.data
    )


def _is_standard_gate(instruction: Any) -> bool:  # noqa: ANN401 - as above
    tell = getattr(instruction, "is_standard_gate", None)  # Qiskit 1.3 has none
    return tell is not None and tell()


def _check_calibrations(circuit: Any) -> None:  # noqa: ANN401 - as above
    calibrations = getattr(circuit, "calibrations", None)  # Qiskit 1 alone has them
    if calibrations:
        names = ", ".join(sorted(map(str, calibrations)))
        raise UnsupportedProgramError(
            f"the circuit has pulse calibrations, of {names}, which no backend runs",
            solution="Remove them: `circuit.calibrations = {}`.",
        )


def _with_unit(circuit: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """All delays in units other than dt, wherever they are in a circuit."""
    for instruction in circuit.data:
        operation = instruction.operation
        if operation.name == "delay":
            if operation.unit != "dt" or not isinstance(operation.duration, int):
                yield operation
            continue
        for body in _bodies(operation):
            yield from _with_unit(body)


def _bodies(operation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as above
    """What an operation is made of, by its author."""
    blocks = getattr(operation, "blocks", ())
    module = type(operation).__module__  # None for Qiskit's singletons
    if blocks or module is None or module.startswith("qiskit.circuit.library"):
        return tuple(blocks)
    definition = getattr(operation, "definition", None)
    return () if definition is None else (definition,)


def _with_units(circuit: Any, version: int) -> Any:  # noqa: ANN401 - as above
    """The same circuit with durations that carry their unit."""
    timed = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        blocks = getattr(operation, "blocks", ())
        if operation.name == "delay":
            timed.append(_delay(operation, version), instruction.qubits, instruction.clbits)
        elif blocks:
            changed = operation.replace_blocks([_with_units(block, version) for block in blocks])
            timed.append(changed, instruction.qubits, instruction.clbits)
        elif any(delay for body in _bodies(operation) for delay in _with_unit(body)):
            raise UnsupportedProgramError(
                f"the instruction {operation.name!r} has a delay inside whose unit would be lost: QPY keeps none",
                solution="Decompose it (`circuit.decompose()`), or give the delay in units of dt.",
            )
        else:
            timed.append(instruction)
    return timed


def _delay(delay: Any, version: int) -> Any:  # noqa: ANN401 - as above
    if delay.unit == "expr" and not getattr(delay.duration, "parameters", None):
        return delay
    if delay.unit not in _UNITS:
        if isinstance(delay.duration, int):
            return delay
        raise _lost(delay)
    duration_type = getattr(sys.modules["qiskit.circuit"], "Duration", None)
    is_free = bool(getattr(delay.duration, "parameters", ()))
    value = None if is_free else _number(delay.duration)
    if value is None or duration_type is None or version < _FIRST_WITH_DURATIONS:
        raise _lost(delay)
    expr: Any = sys.modules["qiskit.circuit.classical.expr"]
    return type(delay)(expr.lift(getattr(duration_type, delay.unit)(value)))


def _lost(delay: Any) -> UnsupportedProgramError:  # noqa: ANN401 - as above
    return UnsupportedProgramError(
        f"a delay of {delay.duration} {delay.unit} would be lost: QPY keeps neither the units of delays nor parameters "
        "in them",
        solution="Give parameters of durations their values. Convert other units to dt, or use Qiskit 2 or newer.",
    )


def _check_same(sent: Any, read: Any) -> None:  # noqa: ANN401 - as above
    """Check that a circuit that was read says what the one that was written said.

    Raises:
        UnsupportedProgramError: It does not; the message names the instruction.
    """
    if len(sent.data) != len(read.data) or not _same(sent.global_phase, read.global_phase):
        raise _changed("global phase", sent.global_phase)
    for before, after in zip(sent.data, read.data, strict=True):
        if before.name != after.name:
            raise _changed(before.name, before.params)
        _check_params(before.name, before.params, after.params)
        for param, other in zip(before.params, after.params, strict=False):
            if _is_circuit(param):
                _check_same(param, other)
        for body, other in zip(_definitions(before), _definitions(after), strict=False):
            _check_same(body, other)


def _check_params(name: str, before: list[Any], after: list[Any]) -> None:
    if before and len(before) != len(after):  # some kinds of instructions get parameters when they are read
        raise _changed(name, before)
    for param, other in zip(before, after, strict=False):
        if not _same(param, other):
            raise _changed(name, param)


def _definitions(instruction: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as above
    """What an instruction of a user's own with free parameters is made of."""
    if not instruction.params:
        return ()
    return tuple(body for body in _bodies(instruction.operation) if _is_circuit(body) and body.num_parameters)


def _is_circuit(value: object) -> bool:
    return hasattr(value, "data") and hasattr(value, "qubits")


def _changed(name: str, param: object) -> UnsupportedProgramError:
    return UnsupportedProgramError(
        f"{name} ({str(param)[:80]}) would be changed on its way: QPY does not keep all of it (complex parameters, for "
        "example)",
        solution="Write it in another way: real numbers, bound values, standard gates.",
    )


def _same(before: Any, after: Any) -> bool:  # noqa: ANN401 - as above
    if hasattr(before, "parameters"):
        return _close(_number(before), _number(after)) if hasattr(after, "parameters") else False
    if isinstance(before, (int, float, complex)):
        return _close(before, after)
    return True  # QPY writes arrays, texts and expressions of run time as they are


def _number(value: Any) -> Any:  # noqa: ANN401 - as above
    """A number for an expression, which differs for expressions that differ; None where it has none."""
    parameters: Mapping[Any, float] = {
        parameter: 0.25 + zlib.crc32(parameter.name.encode(errors="replace")) / 2**33
        for parameter in getattr(value, "parameters", ())
    }
    try:
        return value.bind(parameters).numeric() if hasattr(value, "parameters") else float(value)
    except Exception:  # Qiskit raises several kinds where it comes to infinity
        return None


def _close(before: Any, after: Any) -> bool:  # noqa: ANN401 - as above
    if before is None or after is None or before == after:
        return True
    difference = abs(complex(before) - complex(after))
    return math.isnan(difference) or difference <= _CLOSE * max(1.0, abs(complex(before)))
