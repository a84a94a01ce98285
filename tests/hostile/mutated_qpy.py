"""QPY files that are almost right: changed names, flipped bytes, cut ends, and counts that are lies.

``python -m hostile.mutated_qpy FIRST NUMBER`` checks so many of them in one process, with limited memory as in a child,
and tells as lines of JSON which one is next, and which one ended with anything but a summary or an error of qdepot's.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import resource
import struct
import subprocess
import sys
import traceback
from functools import cache
from pathlib import Path

import qiskit.circuit
from qiskit import QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit import library as gates
from qiskit.circuit.classical import expr, types
from qiskit.qpy.formats import CIRCUIT_INSTRUCTION_V2_SIZE

from qdepot.errors import QDepotError
from qdepot.quantum import operations
from support.circuits import payload

_ROOM_BYTES = 1 << 30
_OUT_OF_MEMORY = "memory allocation of"
"""What native code says before it aborts; the supervisor tells it as a limit of memory."""

_NAME = re.compile(rb"[A-Za-z_]{2,}")
_INSTRUCTIONS = [name.encode() for name in (*dir(gates), *dir(qiskit.circuit), "PauliEvolutionGate", "Clifford")]
_NAME_SIZE = struct.Struct("!H")
_LIES = [bytes(n) for n in (1, 2, 4, 8)] + [b"\xff" * n for n in (1, 2, 4, 8)]
_LIES += [
    b"\x01",
    b"\x00\x00\x00\x01",
    b"\x00\x01\x00\x00",
    b"\x7f\xff\xff\xff",
    bytes(7) + b"\x01",
    bytes(3) + b"\x7f" * 5,
]
_BEHIND_MAGIC = 6


def wrong_ends(first: int, number: int) -> dict[int, str]:
    """Check mutations in processes of their own.

    Returns:
        By the number of a mutation: how it ended, if that was with neither a summary nor an error of qdepot's, and no
        limit of memory.
    """
    wrong: dict[int, str] = {}
    at, end = first, first + number
    while at < end:
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "hostile.mutated_qpy", str(at), str(end - at)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        lines = [json.loads(line) for line in told.stdout.splitlines()]
        wrong |= {line["wrong"]: line["why"] for line in lines if "wrong" in line}
        begun = [line["begun"] for line in lines if "begun" in line]
        assert begun, told.stderr
        if told.returncode != 0 and _OUT_OF_MEMORY not in told.stderr:
            wrong[begun[-1]] = f"exit {told.returncode}: {told.stderr[-2000:]}"
        at = begun[-1] + 1
    return wrong


def seeds() -> list[QuantumCircuit]:
    """Circuits that hold between them most of what a file can."""
    return [_plain(), _with_parameters(), _with_control_flow(), _with_own_gates(), _with_data()]


def _plain() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def _with_parameters() -> QuantumCircuit:
    theta, angles = Parameter("theta"), ParameterVector("angles", 3)
    circuit = QuantumCircuit(QuantumRegister(3, "ancilla"), name="parameters", global_phase=theta / 2)
    circuit.rx(theta, 0)
    circuit.u(angles[0], angles[1] * 2 + theta.sin(), angles[2] ** 2, 1)
    circuit.crz(theta, 0, 2, ctrl_state=0)
    circuit.measure_all()
    return circuit


def _with_control_flow() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    value = circuit.add_var("value", expr.lift(5, types.Uint(8)))
    circuit.measure(0, 0)
    with circuit.if_test(expr.bit_or(circuit.clbits[0], circuit.clbits[1])) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.store(value, expr.bit_and(value, 3))
    with circuit.for_loop(range(3)):
        circuit.h(1)
        circuit.break_loop()
    with circuit.switch(value) as case, case(1, 2):
        circuit.z(2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def _with_own_gates() -> QuantumCircuit:
    theta = Parameter("theta")
    inner = QuantumCircuit(2, name="inner")
    inner.rx(theta, 0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(3, 3, metadata={"made": [1, 2]})
    circuit.append(inner.assign_parameters([0.5]).to_gate(), [0, 1])
    circuit.append(inner.assign_parameters([0.25]).to_gate().control(1), [0, 1, 2])
    circuit.append(gates.XGate().control(2, ctrl_state=1), [0, 1, 2])
    circuit.append(gates.RZGate(0.5).to_mutable(), [0])
    circuit.delay(100, 1)
    circuit.barrier(label="here")
    circuit.reset(2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def _with_data() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.initialize([0.6, 0.8], 0)
    circuit.unitary([[0, 1], [1, 0]], [1])
    circuit.append(gates.PauliGate("XYZ"), [0, 1, 2])
    circuit.append(gates.PermutationGate([2, 0, 1]), [0, 1, 2])
    circuit.append(gates.MCXGate(2), [0, 1, 2])
    circuit.append(gates.DiagonalGate([1, -1]), [0])
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


@cache
def files() -> list[bytes]:
    """Each circuit in each version that can hold it."""
    found = []
    for circuit in seeds():
        for version in (13, 14, 15, 16, qpy.QPY_VERSION):
            file = io.BytesIO()
            try:
                qpy.dump(circuit, file, version=version)
            except qpy.QpyError:
                continue  # an older version has no words for it
            found.append(file.getvalue())
    return found


def mutation(number: int) -> bytes:
    """The mutation with this number; the same each time."""
    chance = random.Random(number)
    data = bytearray(chance.choice(files()))
    change = chance.choice([_another_instruction, _renamed, _flipped, _cut, _lying])
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        change(data, chance)
    return bytes(data)


def _another_instruction(data: bytearray, chance: random.Random) -> None:
    """The name of another instruction, or of something that is none, in the place of an instruction's."""
    places = [
        place for place in (found.start() for found in _NAME.finditer(bytes(data))) if _is_instruction(data, place)
    ]
    if places:
        place, name = chance.choice(places), chance.choice(_INSTRUCTIONS)
        header = place - CIRCUIT_INSTRUCTION_V2_SIZE
        (size,) = _NAME_SIZE.unpack_from(data, header)
        data[place : place + size] = name
        _NAME_SIZE.pack_into(data, header, len(name))


def _is_instruction(data: bytearray, place: int) -> bool:
    """Whether the size of a name stands where that of an instruction's name does, in front of it."""
    if place < CIRCUIT_INSTRUCTION_V2_SIZE:
        return False
    (size,) = _NAME_SIZE.unpack_from(data, place - CIRCUIT_INSTRUCTION_V2_SIZE)
    return 2 < size < 40 and data[place : place + size].isalnum()


def _renamed(data: bytearray, chance: random.Random) -> None:
    """Another name of the same length in the place of one that stands in the file."""
    names = list(_NAME.finditer(bytes(data), _BEHIND_MAGIC))
    if not names:
        return
    found = chance.choice(names)
    old = found[0]
    odd = [bytes([letter]) * len(old) for letter in b"_x\x00\xff"] + [old[::-1], old.upper()]
    odd.append(bytes(chance.randrange(32, 127) for _ in old))
    data[found.start() : found.end()] = chance.choice([name for name in _INSTRUCTIONS if len(name) == len(old)] + odd)


def _flipped(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= chance.randrange(1, 256)


def _cut(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(1, len(data))
    del data[start : chance.choice([len(data), start + chance.randrange(1, 9)])]


def _lying(data: bytearray, chance: random.Random) -> None:
    lie = chance.choice(_LIES)
    at = chance.randrange(len(data))
    data[at : at + len(lie)] = lie


def wrong_end(source: bytes) -> str | None:
    """What was raised when the file was checked, if it is neither an error of qdepot's nor a limit of memory."""
    try:
        operations.check(payload(source, program_format="qpy"))
    except (QDepotError, MemoryError):
        return None
    except BaseException as error:  # a panic of native code is no Exception
        return "".join(traceback.format_exception(error)[-4:])
    return None


def main() -> None:
    """Check, and tell."""
    first, number = map(int, sys.argv[1:3])
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    room = pages * resource.getpagesize() + _ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    for each in range(first, first + number):
        sys.stdout.write(json.dumps({"begun": each}) + "\n")
        sys.stdout.flush()
        if (wrong := wrong_end(mutation(each))) is not None:
            sys.stdout.write(json.dumps({"wrong": each, "why": wrong}) + "\n")


if __name__ == "__main__":
    main()
