"""qdepot reconcile."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from typing import Annotated

import typer

from qdepot.cli.extras import needs_server
from qdepot.cli.server import Data, read_settings
from qdepot.domain.moments import LONGEST_S
from qdepot.errors import InvalidRequestError

_UNITS_S = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(reconcile)


@needs_server
def reconcile(
    once: Annotated[
        bool, typer.Option("--once", help="Do what there is to do, wait for it, and end (for a cron).")
    ] = False,
    every: Annotated[str, typer.Option(help="Look for work this often, e.g. 5s.")] = "5s",
    longest: Annotated[str, typer.Option(help="With --once: end after this time at the latest, e.g. 50s.")] = "1h",
    data: Data = None,
) -> None:
    """Bring jobs home: submit, poll, collect, clean up. Any number may run at once."""
    if once:
        _run_once(data, seconds(longest))
    else:
        _run_loop(data, seconds(every))


def seconds(text: str) -> float:
    """Seconds of ``250ms``, ``5s``, ``2m``, ``1h``, ``7d`` or a plain number.

    Raises:
        InvalidRequestError: It is none of these, not positive, or longer than :data:`LONGEST_S`.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|)", text.strip())
    length = 0.0 if match is None else float(match[1]) * _UNITS_S[match[2]]
    if not 0 < length <= LONGEST_S:
        raise InvalidRequestError(
            f"{text[:100]!r} is not a length of time from above 0 to {LONGEST_S / _UNITS_S['d']:.0f}d",
            solution="Write it like 250ms, 5s, 2m or 1h.",
        )
    return length


def _run_once(data: Data, longest_s: float) -> None:
    from qdepot.wiring import build_one_pass, build_parts, new_holder

    settings = read_settings(data=data)
    holder = new_holder("reconcile")
    with contextlib.closing(build_parts(settings)) as parts:
        one_pass, leases = build_one_pass(parts, holder=holder)
        leases.start()
        try:
            met = one_pass.run(longest_s=longest_s)
        finally:
            leases.stop()
            parts.ledger.release(holder=holder)
        counts = parts.ledger.counts()
    shown = ", ".join(f"{counts.get(status, 0)} {status}" for status in counts) or "no jobs"
    typer.echo(f"reconciled: {met} steps; now {shown}")


def _run_loop(data: Data, every_s: float) -> None:
    from qdepot.wiring import build_loop, build_parts, new_holder

    settings = read_settings(data=data).model_copy(update={"idle_interval_s": every_s})
    holder = new_holder("reconcile")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with contextlib.closing(build_parts(settings)) as parts:
        loop = build_loop(parts, holder=holder)
        loop.start()
        typer.echo(f"reconciling every {every_s:g} s; stop with Ctrl-C")
        stopping.wait()
        loop.stop()
        parts.ledger.release(holder=holder)
