"""A result of 100 MB leaves the service's memory flat while it is read."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from qdepot import Client

QUBITS, SHOTS = 100, 520_000
MOST_GROWTH_BYTES = 40_000_000

WIDE = f"""OPENQASM 2.0;
include "qelib1.inc";
qreg q[{QUBITS}];
creg c[{QUBITS}];
h q;
measure q -> c;
"""


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


class Watch(threading.Thread):
    """The largest memory that a process has while it is watched."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.ended = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.01):
            self.most = max(self.most, resident_bytes(self.pid))

    def stop(self) -> int:
        self.ended.set()
        self.join()
        return self.most


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_reading_a_large_result_leaves_memory_flat(services):
    service = services()
    job = Client(service.url).submit(WIDE, backend="aer_stabilizer", shots=SHOTS, memory=True, seed=1)
    job.wait(timeout_s=500)
    assert job.status() == "COMPLETED", job.details()
    assert service.process is not None
    pid = service.process.pid
    before = resident_bytes(pid)
    watch = Watch(pid)
    watch.start()
    read = {"json": 0, "npz": 0}
    for name, query in (("json", ""), ("npz", "?format=npz")):
        with httpx.stream("GET", f"{service.url}/v1/jobs/{job.id}/result{query}", timeout=120) as answer:
            assert answer.status_code == 200
            for piece in answer.iter_bytes():
                read[name] += len(piece)
    most = watch.stop()
    assert read["json"] > 100_000_000
    assert read["npz"] > SHOTS * QUBITS // 8
    assert most - before < MOST_GROWTH_BYTES, f"{(most - before) / 1e6:.0f} MB more than before"
