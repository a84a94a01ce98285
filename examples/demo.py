"""Shows qdepot from end to end: circuits go in, run on Aer, and come back from the object store.

    python examples/demo.py            with a temporary data folder
    python examples/demo.py FOLDER     with one that stays

It starts the real service as a process of its own, talks to it as any user does, stops it, and starts it again.
Whatever is not as it should be ends it with an exit code other than 0.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import Progress

import qdepot
from qdepot.cli.bars import bars
from qdepot.wire.answers import StatusAnswer

EXAMPLES = Path(__file__).parent
QDEPOT = Path(sys.executable).with_name("qdepot")
PATIENCE_S = 60.0

Counts = dict[str, int]
console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """Something is not as it should be."""


@dataclass(frozen=True)
class Example:
    file: str
    about: str
    shots: int
    is_right: Callable[[Counts, int], bool]


def bell_is_right(counts: Counts, shots: int) -> bool:
    return set(counts) == {"00", "11"} and is_near(counts.get("00", 0), shots, 0.5)


def grover_is_right(counts: Counts, shots: int) -> bool:
    return is_near(counts.get("110", 0), shots, math.sin(5 * math.asin(8**-0.5)) ** 2)


def qft_is_right(counts: Counts, shots: int) -> bool:
    return counts == {"01011": shots}


def wstate_is_right(counts: Counts, shots: int) -> bool:
    return all(len(bits) == 20 and bits.count("1") == 1 and is_near(n, shots, 1 / 20) for bits, n in counts.items())


def is_near(count: int, shots: int, probability: float) -> bool:
    """Within six standard deviations: chance alone fails this once in 500 million tries."""
    return abs(count - shots * probability) < 6 * math.sqrt(shots * probability * (1 - probability))


CIRCUITS = [
    Example("bell.qasm", "a Bell pair, OpenQASM 2", 1024, bell_is_right),
    Example("grover.qasm", "Grover's search for 6 = 110, OpenQASM 3", 1024, grover_is_right),
    Example("qft.qasm", "11 = 01011 read back from its Fourier transform, OpenQASM 3", 1024, qft_is_right),
    Example("wstate.qpy", "a W state on 20 qubits from MQT Bench, QPY: each bit in turn", 4096, wstate_is_right),
]


def main() -> int:
    began = time.monotonic()
    try:
        if len(sys.argv) > 1:
            show(Path(sys.argv[1]))
        else:
            with tempfile.TemporaryDirectory(prefix="qdepot-demo-") as folder:
                show(Path(folder))
    except (DemoError, qdepot.QDepotError, httpx.HTTPError) as error:
        console.print(f"\n[bold red]The demo failed:[/] {error}")
        return 1
    console.print(f"\n[bold green]All is as it should be[/], in {time.monotonic() - began:.1f} s.")
    return 0


def show(folder: Path) -> None:
    heading("1  Start the service")
    with running_service(folder) as url, qdepot.Client(url) as client:
        heading("2  Submit four circuits")
        jobs = submit(client)
        heading("3  Wait, and look at the counts")
        counts = wait_and_show(client, jobs)
        heading("4  Where it all lies")
        bundles = show_objects(folder, jobs)
        heading("5  Stop the service, and start it again")
    with running_service(folder) as url, qdepot.Client(url) as client:
        compare(client, counts)
        heading("6  Open a bundle without qdepot")
        open_bundle(bundles[0], expected=counts[jobs[0].id])
        heading("7  Stop")


def heading(text: str) -> None:
    console.print(f"\n[bold]{text}[/]")


@contextmanager
def running_service(folder: Path) -> Iterator[str]:
    """Run ``qdepot serve`` on a free port; yields its address once it is ready."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(QDEPOT), "serve", "--port", "0", "--data", str(folder)]
    console.print(f"  $ qdepot {' '.join(command[1:])}")
    with (
        (folder / "service.log").open("a") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as service,
    ):
        try:
            url = announced_url(service, log=Path(log.name))
            console.print(f"  ready at {url} after {time.monotonic() - began:.1f} s")
            yield url
        finally:
            code = stopped(service)
    if code != 0:
        raise DemoError(f"the service stopped with exit code {code}; see {log.name}")
    console.print("  stopped (SIGTERM, exit code 0)")


def announced_url(service: subprocess.Popen[str], *, log: Path) -> str:
    """Wait until the service says where it is, and until it can take and run jobs."""
    assert service.stdout is not None
    found = re.search(r"https?://\S+", service.stdout.readline())
    if found is None:
        raise DemoError(f"the service did not start: {log.read_text()[-500:]}")
    until(lambda: httpx.get(f"{found[0]}/readyz").status_code == 200, what="the service to be ready")
    return found[0]


def stopped(service: subprocess.Popen[str]) -> int:
    """Ask the service to stop; its exit code."""
    service.send_signal(signal.SIGTERM)
    try:
        return service.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        service.kill()
        return service.wait()


def submit(client: qdepot.Client) -> list[qdepot.JobHandle]:
    jobs = []
    for example in CIRCUITS:
        began = time.monotonic()
        path = EXAMPLES / example.file
        jobs.append(client.submit(path, shots=example.shots, seed=7, name=path.stem, tags=["demo"]))
        took_ms = 1000 * (time.monotonic() - began)
        console.print(f"  {jobs[-1].id}  {example.file:12} accepted in {took_ms:4.0f} ms: {example.about}")
    return jobs


def wait_and_show(client: qdepot.Client, jobs: list[qdepot.JobHandle]) -> dict[str, Counts]:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("  running", total=len(jobs))

        def update(known: Mapping[str, StatusAnswer]) -> None:
            progress.update(bar, completed=sum(status.stage == "done" for status in known.values()))

        client.wait_all(jobs, PATIENCE_S, on_statuses=update)
    counts: dict[str, Counts] = {}
    for job, example in zip(jobs, CIRCUITS, strict=True):
        counts[job.id] = job.result()[0].counts
        console.print(f"\n  [bold]{job.name}[/]: {way_of(job)}")
        console.print(indented(bars(counts[job.id], width=72, most=8)), markup=False)
        if not example.is_right(counts[job.id], example.shots):
            raise DemoError(f"these are not the counts of {example.file}: {counts[job.id]}")
    return counts


def way_of(job: qdepot.JobHandle) -> str:
    """The statuses of a job with the milliseconds after its acceptance."""
    events = job.events()
    steps = [event for event in events if event.from_status != event.to_status]
    start = steps[0].at
    return " → ".join(f"{step.to_status} ({1000 * (step.at - start).total_seconds():.0f} ms)" for step in steps)


def show_objects(folder: Path, jobs: list[qdepot.JobHandle]) -> list[Path]:
    """The objects of the jobs; returns the bundles in the order of the jobs."""
    objects = folder / "objects"
    until(lambda: not [path for path in (objects / "pending").rglob("*") if path.is_file()], what="pending to be empty")
    console.print(f"  {objects}/\n    pending/      (empty: nothing waits any more)\n    completed/")
    bundles = []
    for job in jobs:
        [stored] = job.objects()
        bundles.append(objects / stored.area / stored.key)
        if hashlib.sha256(bundles[-1].read_bytes()).hexdigest() != stored.sha256:
            raise DemoError(f"{bundles[-1]} does not have the checksum that the service says")
        console.print(f"      {stored.key}  {stored.size_bytes:,} bytes ({job.name})")
    return bundles


def compare(client: qdepot.Client, expected: dict[str, Counts]) -> None:
    """A client that knows nothing finds the same results."""
    found = {job.id: job for job in client.jobs(tag="demo")}
    for job_id, counts in expected.items():
        if job_id not in found or found[job_id].result()[0].counts != counts:
            raise DemoError(f"job {job_id} did not come back as it was")
    console.print(f"  a new client lists the {len(expected)} jobs, with the same counts as before")


def open_bundle(path: Path, *, expected: Counts) -> None:
    """Read a bundle with the standard library alone."""
    with zipfile.ZipFile(path) as bundle:
        job = json.loads(bundle.read("job.json"))
        counts = json.loads(bundle.read("result.json"))["results"][0]["counts"]
        for member in job["manifest"]:
            if hashlib.sha256(bundle.read(member["name"])).hexdigest() != member["sha256"]:
                raise DemoError(f"{member['name']} in {path} is not what the manifest says")
    if counts != expected:
        raise DemoError(f"the bundle {path} holds {counts}")
    console.print(f"  {path.name}: job.json, {', '.join(member['name'] for member in job['manifest'])}")
    console.print(f"  {job['name']}, {job['status']} at {job['ended_at']}, counts {counts}")


def until(holds: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {PATIENCE_S:.0f} s for {what}")
        time.sleep(0.05)


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
