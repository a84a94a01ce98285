"""A service in memory as a process of its own: ``python -m support.web_process``, which says where it is."""

from __future__ import annotations

import asyncio
import sys

from qdepot.server.serve import serve
from support.web import Bench
from support.world import make_world


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        bench = Bench(make_world(), runner)
        job = bench.submit()
        serve(bench.app, on_ready=lambda url: say(f"{url} {job.id}"))
        say("tidied up")
