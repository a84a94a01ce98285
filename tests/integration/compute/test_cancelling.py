"""A task that is cancelled ends at once, whatever its child is doing; each of these would take minutes."""

from __future__ import annotations

import contextlib
import io
import os
import time
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit.library import quantum_volume

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.errors import TaskCancelledError
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task
from qdepot.testing.compute_pool import ends, wait_until
from support.processes import offspring

_WHILE_S = 0.5
HEAD3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[1] q;\nbit[1] c;\n'


def as_qpy(circuit: QuantumCircuit) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuit, file)
    return file.getvalue()


def wide() -> bytes:
    """Native code that holds Python's lock: state vectors of 24 qubits, again and again."""
    circuit = quantum_volume(24, 40, seed=1)
    circuit.measure_all()
    return as_qpy(circuit)


def entangled() -> bytes:
    """A circuit that takes very long to be laid out on a device."""
    circuit = quantum_volume(60, 60, seed=1)
    circuit.measure_all()
    return as_qpy(circuit)


WORK = {
    "simulating in native code": ("simulate", "qpy", wide, {}),
    "a loop that does not end": (
        "simulate",
        "openqasm3",
        lambda: f"{HEAD3}while (!c[0]) {{ c[0] = measure q[0]; }}".encode(),
        {},
    ),
    "transpiling": ("simulate", "qpy", entangled, {"device": "fake_torino", "optimization_level": 3}),
    "parsing": ("check", "openqasm3", lambda: f"{HEAD3}rx({'1+' * 400_000}1) q[0];".encode(), {}),
}


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(PoolOptions(children={Lane.CHECK: 1, Lane.RUN: 1}, threads=2)) as pool:
        wait_until(lambda: all(pool.ready(lane) for lane in Lane))
        yield pool


def task(name: str) -> Task:
    operation, program_format, source, how = WORK[name]
    method = "matrix_product_state" if "device" in how else "automatic"
    meta = {
        "kind": "sampler",
        "shots": 100_000,
        "circuits": [{"format": program_format, "part": "circuit/0"}],
        "options": {"seed": 1, "optimization_level": how.get("optimization_level")},
        "backend": {"name": "aer", "method": method, "max_shots": 10_000_000, "device": how.get("device")},
        "threads": 2,
        "memory_mb": 4096,
    }
    lane = Lane.CHECK if operation == "check" else Lane.RUN
    payload = Payload(meta=meta, parts={"circuit/0": source()})
    return Task(operation=operation, payload=payload, lane=lane, limits=Limits(time_s=600.0))


@pytest.mark.parametrize("name", WORK)
def test_a_cancel_ends_it_and_its_child(pool, name):
    handle = pool.submit(task(name))
    wait_until(lambda: handle.run_s > 0.7 or handle.done)
    assert not handle.done, handle.result(0)
    handle.cancel()
    with pytest.raises(TaskCancelledError):
        ends(handle)
    wait_until(nobody_works)


def nobody_works() -> bool:
    """True if no process below this one used more than a tenth of a processor for a while."""
    begun = _ticks_used()
    time.sleep(_WHILE_S)
    most = max((used - begun.get(pid, 0) for pid, used in _ticks_used().items()), default=0)
    return most <= _WHILE_S * os.sysconf("SC_CLK_TCK") / 10


def _ticks_used() -> dict[int, int]:
    used = {}
    for pid in offspring(os.getpid()):
        with contextlib.suppress(OSError):  # it has just ended
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[pid] = int(fields[11]) + int(fields[12])
    return used
