"""Which walls stand between a circuit and this machine: built once in the supervisor, tried out, raised in each child.

Before the first task a child raises the walls one by one and, after each, tries what it should have closed. A wall that
does not hold is reported as missing.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, Protocol

from qdepot.quantum import sandbox
from qdepot.quantum.wall_calls import CallWall
from qdepot.quantum.wall_escapes import can_signal, open_calls
from qdepot.quantum.wall_files import FileWall
from qdepot.quantum.wall_signals import SignalWall
from qdepot.quantum.wall_user import UserWall, is_spare

_REHEARSAL_S = 30.0
_PR_GET_SECCOMP = 21
_FILTERED = 2


class Mode(StrEnum):
    """How much an operator asks for."""

    BEST = "best"
    """Raise what this machine has, and say what is missing."""
    REQUIRED = "required"
    """Work on nothing unless files and system calls are closed."""
    OFF = "off"
    """Raise none of these walls; limits of time and memory stay."""


class Wall(StrEnum):
    """What a wall closes."""

    FILES = "files"
    CALLS = "system calls"
    SIGNALS = "signals"
    USER = "user"
    NETWORK = "network"


ESSENTIAL = (Wall.FILES, Wall.CALLS)
"""What :attr:`Mode.REQUIRED` requires; a child without system calls for sockets has no network either."""

_ORDER = (Wall.SIGNALS, Wall.USER, Wall.FILES, Wall.CALLS)
"""How they are raised: the last one refuses the calls that the others need."""


class Raisable(Protocol):
    """A wall that was put together."""

    def apply(self) -> None:
        """Limit this process. It cannot be undone."""


@dataclass(slots=True, kw_only=True)
class Walls:
    """Those of one supervisor.

    Attributes:
        built: What children raise.
        missing: Why the others are not there.
    """

    built: dict[Wall, Raisable] = field(default_factory=dict)
    missing: dict[Wall, str] = field(default_factory=dict)

    def apply(self, after: Callable[[Wall], None] = lambda _: None) -> None:
        """Limit this process, which has no threads yet, and tie its life to its parent's again.

        Args:
            after: Called with each wall once it is raised.
        """
        parent = os.getppid()
        for wall in _ORDER:
            if wall not in self.built:
                continue
            self.built[wall].apply()
            if wall is Wall.USER:  # the kernel forgets both when the user changes
                sandbox.close_memory()
                sandbox.die_with(parent)
            after(wall)

    def report(self) -> dict[str, str]:
        """By name of the wall: empty if it stands, or why not."""
        return {wall.value: self.missing.get(wall, "") for wall in Wall}

    def gap(self) -> str | None:
        """What essential walls are missing, and why; None if they stand."""
        gaps = [f"{wall.value}: {self.missing[wall]}" for wall in ESSENTIAL if wall in self.missing]
        return "; ".join(gaps) or None


def build(mode: Mode) -> Walls:
    """Put together what this machine has, and see in a rehearsal what of it holds."""
    walls = Walls(missing=dict.fromkeys(Wall, "switched off"))
    if mode is Mode.OFF:
        return walls
    walls.missing.clear()
    _put(walls, Wall.FILES, FileWall)
    _put(walls, Wall.CALLS, CallWall)
    _put(walls, Wall.SIGNALS, SignalWall)
    _put(walls, Wall.USER, lambda: UserWall(files_are_closed=Wall.FILES in walls.built))
    holds = _rehearse(walls)
    for wall in Wall:
        if not holds.get(wall.value, False):
            walls.built.pop(wall, None)
            walls.missing.setdefault(wall, "it does not hold here")
    return walls


def probe() -> dict[str, bool]:
    """Try what this process can do: by the name of each wall, whether it holds."""
    return {wall.value: _holds(wall) for wall in Wall}


def _holds(wall: Wall) -> bool:
    parent = os.getppid()
    match wall:
        case Wall.FILES:
            return _fails(lambda: os.listdir("/"))
        case Wall.CALLS:
            return _prctl_get(_PR_GET_SECCOMP) == _FILTERED and not open_calls(parent)
        case Wall.SIGNALS:
            return not can_signal(parent)
        case Wall.USER:
            return is_spare(os.getuid())
        case Wall.NETWORK:
            return _fails(lambda: socket.socket().close()) or [name for _, name in socket.if_nameindex()] == ["lo"]


def _put(walls: Walls, wall: Wall, make: Callable[[], Raisable]) -> None:
    try:
        if sys.platform != "linux":
            raise OSError(f"{sys.platform} has none that this program knows")
        walls.built[wall] = make()
    except (ImportError, RuntimeError, OSError) as error:
        walls.missing[wall] = getattr(error, "strerror", None) or str(error) or type(error).__name__


def _rehearse(walls: Walls) -> Mapping[str, bool]:
    """Which walls hold, as found by a child that raises and tries them; empty if that child fails half-way."""
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _play(walls, parent, writing)
    os.close(writing)
    try:
        told = os.read(reading, 4096) if select.select([reading], [], [], _REHEARSAL_S)[0] else b""
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    found = json.loads(told or b"{}")
    assert isinstance(found, dict)
    return found


def _play(walls: Walls, parent: int, channel: int) -> NoReturn:
    try:
        sandbox.die_with(parent)
        found: dict[str, bool] = {}
        walls.apply(after=lambda wall: found.update({wall.value: _holds(wall)}))  # each before the next one hides it
        found[Wall.NETWORK.value] = _holds(Wall.NETWORK)
        os.write(channel, json.dumps(found).encode())
    finally:
        os._exit(0)


def _fails(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return True
    return False


def _prctl_get(option: int) -> int:
    if sys.platform != "linux":
        return 0
    return int(ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(0) for _ in range(4))))
