"""Operations of the room quantum, played for circuits of X gates: no Qiskit, no child process.

A circuit with a line ``// takes: 0.1`` takes so many seconds. With ``// gives: names`` there are files whose names
would lead out of a folder, with ``// gives: rubbish`` the result is no JSON, with ``// gives: shots`` it has more shots
than were asked for.
"""

from __future__ import annotations

import json
import re
import time

from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.ports.compute_pool import Payload
from qdepot.testing.scripted_results import outcome_of, results_of


def check(payload: Payload) -> Payload:
    circuits = [{"num_qubits": len(outcome_of(it.source) or "")} for it in _program(payload).circuits]
    return Payload(meta={"num_qubits": max(it["num_qubits"] for it in circuits), "circuits": circuits})


def simulate(payload: Payload) -> Payload:
    program = _program(payload)
    for circuit in program.circuits:
        if found := _TAKES.search(circuit.source):
            time.sleep(float(found[1]))
    entries = results_of(program, otherwise={"0": 1})
    gives = {found[1] for circuit in program.circuits if (found := _GIVES.search(circuit.source))}
    if b"shots" in gives:
        entries = [{**entry, "shots": _more(entry["shots"])} for entry in entries]
    document = b"rubbish" if b"rubbish" in gives else json.dumps({"results": entries}).encode()
    members = {"memory/0/../x.npy": b"x", "memory/0/a\\b.npy": b"y", "job.json": b"z"} if b"names" in gives else {}
    return Payload(meta={"metadata": {}}, parts={"result.json": document, **members})


def _more(shots: object) -> object:
    return shots + 1 if isinstance(shots, int) else shots


def describe(payload: Payload) -> Payload:
    return Payload(meta={"packages": {}, "qpy_versions": [], "fake_devices": {}})


_GIVES = re.compile(rb"// gives: (\w+)")
_TAKES = re.compile(rb"// takes: ([0-9.]+)")

OPERATIONS = {"check": check, "simulate": simulate, "describe": describe}


def _program(payload: Payload) -> Program:
    circuits = tuple(
        Circuit(format=ProgramFormat(it["format"]), source=bytes(payload.parts[it["part"]]), shots=it["shots"])
        for it in payload.meta["circuits"]
    )
    return Program(kind=ProgramKind.SAMPLER, circuits=circuits, shots=payload.meta["shots"])
