"""An idle service: how soon it is ready, and what it costs while nobody asks for anything.

Memory is what the processes have for themselves and their share of what they have in common (PSS). The start is set
against that of a bare interpreter with the web framework alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from harness.figures import interleaved, show, spread
from harness.service import running

ROUNDS = 5
WATCHED_S = 20.0
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all below it."""
    children = [
        child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(below for child in children for below in family(int(child)))]


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def pss_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def started() -> None:
    with running() as (url, _):
        assert httpx.get(f"{url}/readyz").status_code == 200


def bare() -> None:
    subprocess.run([sys.executable, "-c", "import fastapi, uvicorn"], check=True)


def main() -> None:
    print(__doc__)
    for name, seconds in interleaved(
        {"import fastapi, uvicorn": bare, "qdepot serve, until ready, and stopped again": started}, rounds=ROUNDS
    ).items():
        show(name, spread(seconds))
    with running() as (_, pid):
        time.sleep(5)  # children that warm up are not idle
        before = {it: cpu_s(it) for it in family(pid)}
        time.sleep(WATCHED_S)
        used = {it: cpu_s(it) - before.get(it, 0.0) for it in family(pid)}
        memory = {it: pss_bytes(it) for it in used}
    below = [it for it in used if it != pid]
    show("service: processor, memory", f"{used[pid] / WATCHED_S:7.2%} of a core, {memory[pid] / 1e6:.0f} MB")
    show(
        f"its {len(below)} children together",
        f"{sum(used[it] for it in below) / WATCHED_S:7.2%} of a core, {sum(memory[it] for it in below) / 1e6:.0f} MB",
    )


if __name__ == "__main__":
    main()
