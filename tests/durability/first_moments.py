"""Jobs that are renamed, tagged, cancelled and deleted in their first moments, on two services and two reconcilers.

Nothing is broken here on purpose: what is looked for are races between owners and duties. The torture run has fewer
jobs at a time, and its faults slow the duties down, so that an owner is seldom as fast as a duty there.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from durability.afterthoughts import Afterthoughts
from durability.audit import Audit, audited
from durability.lab import environment_of, is_settled, until
from durability.processes import Nursery
from durability.users import Users
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.config import Settings
from qdepot.testing.ledger.validate import every_job
from qdepot.wiring import ledger_url, open_archive

KINDS = {"rename": 40, "tag": 30, "cancel": 15, "delete": 15}
COMMANDS = [("serve", "--port", "0"), ("serve", "--port", "0"), ("reconcile", "--every", "0.1s")]
COMMANDS.append(COMMANDS[-1])


def raced(
    nursery: Nursery,
    folder: Path,
    settings: Mapping[str, Any],
    *,
    jobs: int,
    submissions: Any,
    seconds: float,
    shares_folder: bool,
) -> tuple[Audit, Users]:
    """Submit jobs, think again about each at once, wait for all ends, and look at everything."""
    processes = []
    with ExitStack() as stack:
        for number, command in enumerate(COMMANDS):
            place = folder if shares_folder else folder / str(number)
            place.mkdir(exist_ok=True)
            process = nursery.start(
                *command,
                folder=place,
                log=folder / f"{number}.log",
                environment=environment_of({"data": str(place), "idle_interval_s": 0.1, **settings}),
            )
            stack.callback(process.end)
            processes.append(process)
        urls = [url for process in processes[:2] if (url := process.url())]
        assert len(urls) == 2
        later = Afterthoughts(urls=lambda: urls, chance=random.Random(jobs), kinds=KINDS)
        users = Users(urls=lambda: urls, chance=random.Random(jobs + 1), afterthoughts=later, simulated=0.8)
        users.run(jobs=jobs, seconds=seconds)
        looked_at = Settings(data=folder, **settings)
        ledger = open_ledger(ledger_url(looked_at), clock=SystemClock())
        stack.callback(ledger.close)
        until(lambda: all(is_settled(job) for job in every_job(ledger)), "all have ended", patience_s=600)
        archive = open_archive(looked_at)
        return audited(ledger, archive, users=users, submissions=submissions()), users
