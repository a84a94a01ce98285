"""Torture: many jobs, many processes, everything breaks; then count.

    make torture MINUTES=10 JOBS=2000 KILLS=240 ON=servers CLOUD=key

On ``servers``, a real PostgreSQL and a real S3 server; on ``sqlite``, one SQLite file and one folder that all processes
share. The cloud is paid, and takes a ``key``, is searched by ``tag``, or can do ``neither``.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine

from durability.afterthoughts import Afterthoughts
from durability.audit import Audit, audited
from durability.chaos import Chaos
from durability.fleet import Fleet, complaints
from durability.lab import is_settled
from durability.processes import nursery
from durability.rebuilt import differences
from durability.users import Users
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.config import Settings
from qdepot.ports.ledger import Ledger
from qdepot.services.verifying import Verification
from qdepot.testing import seaweedfs
from qdepot.testing.archive import archive_problems
from qdepot.testing.fault_proxy import FaultProxy
from qdepot.testing.ledger.validate import every_job
from qdepot.testing.postgres import postgres_server
from qdepot.wiring import ledger_url, open_archive
from support.cloud_server import CloudServer, cloud_server

LEASE_S = 3.0
PATIENCE_S = 300.0
CLOUDS = {
    "key": ["--takes-key"],
    "tag": ["--finds-by-tag", "--visibility-delay-s", "0.5"],
    "neither": [],
}


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where it happens.

    Attributes:
        settings: Of a member of the fleet, by its name; what they reach lies behind proxies.
        direct: Settings past the proxies, to look at everything.
        proxies: By what lies behind.
        cloud: The paid one.
        crashes: Kills a server, by its name.
    """

    settings: Callable[[str], dict[str, Any]]
    direct: Settings
    proxies: dict[str, FaultProxy]
    cloud: CloudServer
    crashes: dict[str, Callable[[], None]]


@contextmanager
def prepared(folder: Path, *, on: str, cloud: str, seed: int) -> Iterator[Ground]:
    """Servers, and proxies before them."""
    with ExitStack() as stack:
        (folder / "cloud").mkdir()
        server = stack.enter_context(cloud_server(folder / "cloud", "--seed", str(seed), *CLOUDS[cloud]))
        server.change(fail_before=0.01, fail_after=0.01, latency_s=0.2)
        proxies = {"cloud": stack.enter_context(FaultProxy(_port(server.url)))}
        shared: dict[str, Any] = {
            "lease_s": LEASE_S,
            "idle_interval_s": 0.3,
            "send_deadline_s": 25.0,
            "log_level": "WARNING",
            "providers": {
                "scripted": {"url": f"http://127.0.0.1:{proxies['cloud'].port}", "timeout_s": 2.0},
                "aer": {"part_interval_s": 0.5},
            },
        }
        crashes: dict[str, Callable[[], None]] = {}
        storage, direct = _servers(stack, folder, proxies, crashes) if on == "servers" else ({}, {})
        (folder / "data").mkdir()

        def settings(name: str) -> dict[str, Any]:
            return {**shared, **storage, "data": str(folder / "data" / name if on == "servers" else folder / "data")}

        looked_at = Settings(data=folder / "data", **{**shared, **direct})
        yield Ground(settings=settings, direct=looked_at, proxies=proxies, cloud=server, crashes=crashes)


def _servers(
    stack: ExitStack, folder: Path, proxies: dict[str, FaultProxy], crashes: dict[str, Callable[[], None]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """PostgreSQL and S3: how the fleet reaches them, and how we do."""
    postgres = stack.enter_context(postgres_server(durable=True))
    (folder / "s3").mkdir()
    s3 = stack.enter_context(seaweedfs.running(folder / "s3"))
    crashes |= {"database": postgres.crash, "store": s3.crash}
    database, place = postgres.create_database(), uuid.uuid4().hex
    proxies["database"] = stack.enter_context(FaultProxy(Path(postgres.folder) / ".s.PGSQL.5432"))
    proxies["store"] = stack.enter_context(FaultProxy(s3.port))
    store = {
        "region": s3.options.region,
        "access_key_id": s3.options.access_key_id,
        "secret_access_key": s3.options.secret_access_key,
    }
    places = {"store_pending": s3.url(f"{place}/pending"), "store_completed": s3.url(f"{place}/completed")}
    through = {
        "ledger": f"postgresql://postgres@127.0.0.1:{proxies['database'].port}/{database}",
        "store": {**store, "endpoint": f"http://127.0.0.1:{proxies['store'].port}"},
    }
    past = {"ledger": postgres.url_of(database), "store": {**store, "endpoint": s3.options.endpoint}}
    return {**places, **through}, {**places, **past}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of it."""

    audit: Audit
    figures: dict[str, Any]


def tortured(folder: Path, *, given: argparse.Namespace) -> Report:
    """Do it."""
    chance = random.Random(given.seed)
    with ExitStack() as stack:
        ground = stack.enter_context(prepared(folder, on=given.on, cloud=given.cloud, seed=given.seed))
        url = ledger_url(ground.direct)
        open_ledger(url, clock=SystemClock()).close()
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        fleet = Fleet(
            stack.enter_context(nursery()), _made(folder / "logs"), ground.settings, ledger=engine, chance=chance
        )
        later = Afterthoughts(urls=fleet.urls, chance=random.Random(given.seed))
        users = Users(urls=fleet.urls, chance=chance, afterthoughts=later, poisonous=0.05)
        chaos = Chaos(fleet=fleet, proxies=ground.proxies, chance=chance, lease_s=LEASE_S, crashes=ground.crashes)
        seconds = given.minutes * 60
        fleet.start()
        submitting = threading.Thread(target=lambda: users.run(jobs=given.jobs, seconds=0.9 * seconds))
        submitting.start()
        began = time.monotonic()
        chaos.run(events=given.kills, seconds=seconds, go_on=lambda: time.monotonic() < began + seconds)
        submitting.join()
        time.sleep(2.0 * bool(ground.crashes))  # a server that was killed at the very end comes up
        quiet_at = time.monotonic()
        home = _brought_home(ground, users)
        home_s = time.monotonic() - quiet_at
        exits = fleet.stop()
        with _opened(ground) as (ledger, archive):
            audit = audited(ledger, archive, users=users, submissions=ground.cloud.submissions())
            unlike = differences(ledger, archive)
            audit.contradictions += unlike
            remains = _cleaned_up(ledger, archive)
            audit.contradictions += [f"it cannot be cleaned up: {line}" for line in remains]
        left = fleet.count()
        if left:
            audit.contradictions.append(f"{left} processes do not end")
        figures = _figures(audit, chaos, fleet, users) | {
            "jobs of which a rebuild tells otherwise": len(unlike),
            "last job home after the last fault, s": round(home_s, 1) if home else None,
            "exit statuses of the last processes": sorted(exits),
            "exit statuses of those before": dict(Counter(end for member in fleet.members for end in member.ends)),
            "processes at a time, at most": fleet.most_at_a_time,
            "processes left": left,
            "complaints in the logs": complaints(folder / "logs"),
        }
        return Report(audit=audit, figures=figures)


def _brought_home(ground: Ground, users: Users) -> bool:
    """Wait until nothing moves any more; False if nothing has come to its end for a long while."""
    settled, news_at = -users.asked, time.monotonic()
    with _opened(ground) as (ledger, _):
        while time.monotonic() < news_at + PATIENCE_S:
            moving = [job for job in every_job(ledger) if not is_settled(job)]
            now = -len(moving)
            if not moving:
                return True
            if now > settled:
                settled, news_at = now, time.monotonic()
            time.sleep(1.0)
    return False


def _cleaned_up(ledger: Ledger, archive: Archive) -> list[str]:
    """Remove what dead processes left behind, as an operator does a week later; what cannot be removed."""
    verification = Verification(ledger=ledger, archive=archive)
    at, age = datetime.now(UTC) + timedelta(days=8), timedelta(days=7)
    verification.run(at=at, remove_left_over=True, remove_orphans_older_than=age)
    return archive_problems(archive, ledger)


@contextmanager
def _opened(ground: Ground) -> Iterator[tuple[Ledger, Archive]]:
    ledger = open_ledger(ledger_url(ground.direct), clock=SystemClock())
    try:
        yield ledger, open_archive(ground.direct)
    finally:
        ledger.close()


def _figures(audit: Audit, chaos: Chaos, fleet: Fleet, users: Users) -> dict[str, Any]:
    recoveries = sorted(fleet.recoveries_s)
    faults = sum(times for what, times in chaos.done.items() if ":" in what)
    return {
        "kills": chaos.done["kill"],
        "stops": chaos.done["stop"],
        "faults": faults,
        "kills with work in hand": len(recoveries),
        "recovery median, s": round(statistics.median(recoveries), 2) if recoveries else None,
        "recovery p95, s": round(recoveries[int(0.95 * (len(recoveries) - 1))], 2) if recoveries else None,
        "recovery max, s": round(recoveries[-1], 2) if recoveries else None,
        "requests repeated": users.unanswered,
        "jobs": audit.jobs,
        "acknowledged": audit.acknowledged,
        "lost": len(audit.lost),
        "deleted": audit.deleted,
        "asked for later": dict(users.afterthoughts.done) if users.afterthoughts else {},
        "ended otherwise than asked": audit.otherwise,
        "submitted twice": len(audit.double_submitted),
        "accepted twice": len(audit.double_accepted),
        "wrong": len(audit.wrong),
        "in doubt": audit.in_doubt,
        "ends": dict(audit.ends),
        "orphaned requests, never acknowledged": audit.orphans,
        "objects of interrupted checks": audit.checks,
        "contradictions of ledger and archive": len(audit.contradictions),
        "events": dict(chaos.done),
    }


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Torture a fleet of services and reconcilers, then count.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=240, help="kills, stops and faults together")
    parser.add_argument("--on", choices=["servers", "sqlite"], default="servers")
    parser.add_argument("--cloud", choices=sorted(CLOUDS), default="key")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path, help="keep data and logs here")
    return parser.parse_args(arguments)


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a script


def main() -> int:
    """Do it, print the figures."""
    given = parsed(sys.argv[1:])
    began = time.monotonic()
    _tell(f"seed {given.seed}, on {given.on}, the cloud takes or can: {given.cloud}")
    with tempfile.TemporaryDirectory(prefix="qdepot-torture-") as temporary:
        report = tortured(_made(given.folder) if given.folder else Path(temporary), given=given)
    _tell(json.dumps(report.figures, indent=2))
    _tell(f"took {time.monotonic() - began:.0f} s")
    for problem in report.audit.problems:
        _tell(problem)
    _tell("THERE ARE PROBLEMS" if report.audit.problems else "nothing lost, nothing twice, nothing wrong")
    return 1 if report.audit.problems else 0


if __name__ == "__main__":
    sys.exit(main())
