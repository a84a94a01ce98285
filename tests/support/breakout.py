"""``python -m support.breakout SANDBOX``: start a pool, have a child try to reach other processes, and tell as JSON.

A program of its own, so that tests can run it as another user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.testing.compute_pool import ends, start
from support.escapes import REACHING
from support.processes import facts


def tell(sandbox: str) -> dict[str, object]:
    """What the child found, by attempt and then by the process that it was tried on."""
    errors: dict[str, dict[str, object]] = {}
    with ProcessPool(PoolOptions(module="support.burglary", sandbox=sandbox)) as pool:
        told = facts(pool)
        for act in REACHING:
            victim = subprocess.Popen(["sleep", "600"])
            # what kills is tried on the bystander only
            others = {} if act == "signal by a pipe" else {"service": os.getpid(), "supervisor": told["parent"]}
            targets = {"bystander": victim.pid, **others}
            try:
                errors[act] = {name: _tried(pool, act, pid) for name, pid in targets.items()}
                if victim.poll() is not None:
                    errors[act]["bystander"] = None
            finally:
                victim.kill()
                victim.wait()
        after = facts(pool)
    return {"user": os.getuid(), "walls": told["walls"], "errors": errors, "same": after["parent"] == told["parent"]}


def _tried(pool: ProcessPool, act: str, process: int) -> object:
    return ends(start(pool, "attempt", {"act": act, "target": str(process)})).meta["error"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(tell(sys.argv[1])))
