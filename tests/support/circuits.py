"""Circuits and orders for the tests of the room quantum."""

from __future__ import annotations

import io
import json
from typing import Any

from qiskit import QuantumCircuit, qasm2, qasm3, qpy

from qdepot.ports.compute_pool import Payload
from qdepot.quantum import operations

FORMATS = ("openqasm2", "openqasm3", "qpy")

BELL2 = b'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'
BELL3 = b'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'

METHODS = {
    "aer": "automatic",
    "aer_statevector": "statevector",
    "aer_mps": "matrix_product_state",
    "aer_stabilizer": "stabilizer",
    "aer_density_matrix": "density_matrix",
}


def written(circuit: QuantumCircuit, program_format: str) -> bytes:
    """A circuit in one of the formats."""
    if program_format == "openqasm2":
        return qasm2.dumps(circuit).encode()
    if program_format == "openqasm3":
        return qasm3.dumps(circuit).encode()
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    return buffer.getvalue()


def loaded(qpy_bytes: bytes) -> QuantumCircuit:
    """The circuit in a QPY file."""
    (circuit,) = qpy.load(io.BytesIO(qpy_bytes))
    return circuit


def openqasm2(text: str) -> bytes:
    """A program of OpenQASM 2 below its usual first lines; what follows starts on line 3."""
    return f'OPENQASM 2.0;\ninclude "qelib1.inc";\n{text}'.encode()


def openqasm3(text: str) -> bytes:
    """A program of OpenQASM 3 below its usual first lines; what follows starts on line 3."""
    return f'OPENQASM 3.0;\ninclude "stdgates.inc";\n{text}'.encode()


def payload(
    *sources: bytes | QuantumCircuit,
    program_format: str | None = None,
    kind: str = "sampler",
    backend: str | dict[str, Any] = "aer",
    options: dict[str, Any] | None = None,
    shots: int | None = 1024,
    precision: float | None = None,
    each: list[dict[str, Any]] | None = None,
    memory_mb: int | None = 2048,
    max_total_shots: int = 100_000_000,
    **circuit: Any,
) -> Payload:
    """What the service sends to a child.

    Args:
        *sources: Circuits; objects are sent as QPY.
        program_format: Of the bytes; guessed from their first line where it is None.
        kind, options, shots, precision, memory_mb, max_total_shots: As in the payload.
        backend: The name of one of Aer's, or the whole entry.
        each: Further fields of each circuit.
        **circuit: Further fields of all circuits.
    """
    contents = [written(source, "qpy") if isinstance(source, QuantumCircuit) else source for source in sources]
    circuits = [
        {"format": program_format or _guessed(content), "part": f"circuit/{index}", **circuit, **further}
        for index, (content, further) in enumerate(zip(contents, each or [{}] * len(contents), strict=True))
    ]
    meta = {
        "kind": kind,
        "shots": shots if kind == "sampler" else None,
        "precision": precision,
        "circuits": circuits,
        "options": options or {},
        "backend": _entry_of(backend) if isinstance(backend, str) else backend,
        "max_total_shots": max_total_shots,
        "threads": 1,
        "memory_mb": memory_mb,
    }
    return Payload(meta=json.loads(json.dumps(meta)), parts={f"circuit/{n}": it for n, it in enumerate(contents)})


def _entry_of(backend: str) -> dict[str, Any]:
    return {"name": backend, "method": METHODS[backend], "num_qubits": None, "max_shots": 1_000_000}


def checked(*sources: bytes | QuantumCircuit, **how: Any) -> dict[str, Any]:
    """The summary that ``check`` answers."""
    return json.loads(json.dumps(dict(operations.check(payload(*sources, **how)).meta)))


def simulated(*sources: bytes | QuantumCircuit, **how: Any) -> Payload:
    """The answer of ``simulate``."""
    return operations.simulate(payload(*sources, **how))


def results(*sources: bytes | QuantumCircuit, **how: Any) -> list[dict[str, Any]]:
    """The entries of the result document that ``simulate`` answers."""
    found = json.loads(bytes(simulated(*sources, **how).parts["result.json"]))
    assert list(found) == ["results"]
    return found["results"]


def counts(*sources: bytes | QuantumCircuit, **how: Any) -> Any:
    """The counts of a single circuit."""
    (entry,) = results(*sources, **how)
    return entry["counts"]


def _guessed(content: bytes) -> str:
    if content.startswith(b"QISKIT"):
        return "qpy"
    return "openqasm2" if content.lstrip().startswith(b"OPENQASM 2") else "openqasm3"
