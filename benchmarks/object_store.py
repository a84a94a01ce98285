"""What durability costs: creating objects in a local folder one by one, in batches, and plain writes beside them.

Run it on the disk in question: ``python benchmarks/object_store.py [FOLDER]``. Rounds of all candidates alternate, so
that a busy neighbour slows all of them; the ratios are what counts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.circuits import BELL

from qdepot.adapters.object_stores.local import LocalStore
from qdepot.adapters.object_stores.memory import MemoryStore
from qdepot.archive import Archive, Completion, RequestRecord
from qdepot.domain.event import JobEvent
from qdepot.domain.job import Job, JobStatus
from qdepot.domain.result import Outcome

BATCH = 50
ROUNDS = 15
CONTENT = bytes(range(200)) * 8
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RESULT = {
    "results": [
        {
            "shots": 1024,
            "shape": [],
            "counts": {"00": 510, "11": 514},
            "registers": {"c": {"num_bits": 2, "counts": {"00": 510, "11": 514}}},
            "metadata": {"method": "statevector", "seed": 7},
        }
    ]
}


def main() -> None:
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    folder = Path(tempfile.mkdtemp(prefix="qdepot-bench-", dir=parent))
    try:
        figures = measured(candidates(folder))
    finally:
        shutil.rmtree(folder)
    base = statistics.median(figures["create one by one"])
    print(f"{BATCH} objects of {len(CONTENT)} bytes a round, {ROUNDS} rounds; a Bell job's request or bundle likewise")
    print(f"{'':34} {'median':>9} {'least':>9} {'most':>9}   of one-by-one")
    for name, times in figures.items():
        median = statistics.median(times)
        cells = "".join(f"{1000 * value / BATCH:7.3f} ms" for value in (median, min(times), max(times)))
        print(f"{name:34} {cells}   {median / base:6.2f}")


def candidates(folder: Path) -> dict[str, Callable[[int], None]]:
    """What is measured, by name; each is told the round."""
    local = LocalStore(folder / "store")
    plain = folder / "plain"
    plain.mkdir()
    durable = Archive(pending=LocalStore(folder / "pending"), completed=LocalStore(folder / "completed"))
    memory = Archive(pending=MemoryStore(), completed=MemoryStore())

    def write_plainly(round_number: int) -> None:
        for at in range(BATCH):
            (plain / f"{round_number}-{at}").write_bytes(CONTENT)

    def create_each(round_number: int) -> None:
        for at in range(BATCH):
            local.create(f"each/{round_number}-{at}", CONTENT)

    def create_together(round_number: int) -> None:
        local.create_many([(f"many/{round_number}-{at}", CONTENT) for at in range(BATCH)])

    def read(round_number: int) -> None:
        for at in range(BATCH):
            local.get(f"each/{round_number}-{at}")

    return {
        "plain write, not durable": write_plainly,
        "create one by one": create_each,
        f"create_many, {BATCH} at once": create_together,
        "get": read,
        "put_requests, durable": lambda number: put_batch(durable, number),
        "complete_many, durable": lambda number: complete(durable, number),
        "complete_many, in memory": lambda number: complete(memory, number),
        "open_result, in memory": lambda number: read_results(memory, number),
    }


def measured(tried: dict[str, Callable[[int], None]]) -> dict[str, list[float]]:
    """Seconds a round, by candidate; one round before does not count."""
    figures: dict[str, list[float]] = {name: [] for name in tried}
    for round_number in range(ROUNDS + 1):
        for name, candidate in tried.items():
            start = time.perf_counter()
            candidate(round_number)
            if round_number:
                figures[name].append(time.perf_counter() - start)
    return figures


def records(round_number: int) -> list[RequestRecord]:
    program = {"kind": "sampler", "shots": 1024, "circuits": [{"format": "openqasm3", "source": BELL}]}
    body = json.dumps({"backend": "aer", "program": program}).encode()
    digest = hashlib.sha256(body).hexdigest()
    return [
        RequestRecord(
            job_id=f"job-{round_number}-{at}",
            project="default",
            owner="local",
            created_at=NOW,
            backend="aer",
            request_sha256=digest,
            body=body,
        )
        for at in range(BATCH)
    ]


def job_of(record: RequestRecord) -> Job:
    return Job(
        id=record.job_id,
        backend="aer",
        kind="sampler",
        created_at=record.created_at,
        num_circuits=1,
        shots=1024,
        request_sha256=record.request_sha256,
        request_key="none",
    )


def put_batch(archive: Archive, round_number: int) -> None:
    archive.put_requests(f"batch-{round_number}", records(round_number))


def complete(archive: Archive, round_number: int) -> None:
    statuses = ("CREATED", "QUEUED", "RUNNING", "RUNNING")
    archive.complete_many(
        [
            Completion(
                job=job_of(record),
                status=JobStatus.COMPLETED,
                failure=None,
                ended_at=NOW,
                outcome=Outcome(document=json.dumps(RESULT).encode(), metadata={"versions": {"qiskit": "2.1"}}),
                events=[
                    JobEvent(
                        job_id=record.job_id, at=NOW, from_status="", to_status=status, stage="waiting", by="submitter"
                    )
                    for status in statuses
                ],
                request=record,
            )
            for record in records(round_number)
        ]
    )


def read_results(archive: Archive, round_number: int) -> None:
    for record in records(round_number):
        for _ in archive.open_result(job_of(record)):
            pass


if __name__ == "__main__":
    main()
