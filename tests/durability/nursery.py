"""Starts real ``qdepot`` commands quickly: a process that has imported everything forks them.

``python -m durability.nursery`` takes orders as lines of JSON and reports starts and ends the same way. The commands
run as users run them, but for the circuits (a pool of functions plays them) and for what an order says should be
watched or killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NoReturn

import qdepot.cli
import qdepot.cli.reconcile
import qdepot.cli.server
import qdepot.server.serve
from durability.watching import Killer, Recorder, watched
from qdepot import wiring
from qdepot.config import Settings
from qdepot.testing.fake_pool import FunctionPool
from support.played_aer import OPERATIONS


def main() -> None:
    """Serve orders until there are no more."""
    _warm_up()
    _say({"ready": True})
    wakeup, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm)
    orders = b""
    while True:
        ready, _, _ = select.select([0, wakeup], [], [])
        if wakeup in ready:
            os.read(wakeup, 100)
            _report_ends()
        if 0 in ready:
            piece = os.read(0, 65536)
            if not piece:
                return
            *lines, orders = (orders + piece).split(b"\n")
            for line in lines:
                _say({"started": _fork(json.loads(line))})


def _warm_up() -> None:
    """Do once what each child would do anew: import, and read its own code. No thread may be left behind."""
    wiring.parts.ProcessPool = lambda options: FunctionPool(OPERATIONS)  # type: ignore[misc,assignment]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), providers={"scripted": {"url": "http://127.0.0.1:1"}})
        with contextlib.closing(wiring.build_parts(settings)) as parts:
            wiring.build_app(parts)
    assert threading.active_count() == 1


def _report_ends() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _say({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _say(document: dict[str, Any]) -> None:
    os.write(1, f"{json.dumps(document)}\n".encode())


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _run(order)
        finally:
            os._exit(70)
    return pid


def _run(order: dict[str, Any]) -> NoReturn:
    """Be a process that somebody started from a shell."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    _prepare(order)
    sys.argv = ["qdepot", *order["arguments"]]
    status = 0
    try:
        qdepot.cli.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    os._exit(status)


def _prepare(order: dict[str, Any]) -> None:
    """Watch the parts, if the order says so."""
    note = Killer(order["kill"]) if order["kill"] else Recorder(Path(order["record"])) if order["record"] else None
    if note is not None:
        build = wiring.build_parts
        wiring.build_parts = wiring.running.build_parts = lambda settings: watched(build(settings), note)


if __name__ == "__main__":
    main()
