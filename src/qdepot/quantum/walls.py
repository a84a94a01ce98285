"""Which walls stand between a circuit and this machine: built once in the supervisor, tried out, raised in each child.

What stands is not believed but seen: before the first task, a child that is good for nothing else tries to get through.
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
from qdepot.quantum.wall_files import FileWall
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
    USER = "user"
    NETWORK = "network"


ESSENTIAL = (Wall.FILES, Wall.CALLS)
"""What :attr:`Mode.REQUIRED` requires; a child without system calls for sockets has no network either."""


class Raisable(Protocol):
    """A wall that was put together."""

    def apply(self) -> None:
        """Raise it round this process, for good."""


@dataclass(slots=True, kw_only=True)
class Walls:
    """Those of one supervisor.

    Attributes:
        built: What children raise.
        missing: Why the others are not there.
    """

    built: dict[Wall, Raisable] = field(default_factory=dict)
    missing: dict[Wall, str] = field(default_factory=dict)

    def apply(self) -> None:
        """Raise them round this process, which has no threads yet, and tie its life to its parent's again."""
        parent = os.getppid()
        if (user := self.built.get(Wall.USER)) is not None:
            user.apply()
            sandbox.close_memory()
            sandbox.die_with(parent)
        for wall in (Wall.FILES, Wall.CALLS):  # the last one refuses the calls that the others need
            if wall in self.built:
                self.built[wall].apply()

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
    _put(walls, Wall.USER, lambda: UserWall(files_are_closed=Wall.FILES in walls.built))
    stands = _rehearse(walls)
    for wall in Wall:
        if not stands.get(wall.value, False):
            walls.built.pop(wall, None)
            walls.missing.setdefault(wall, "it does not hold here")
    return walls


def probe() -> dict[str, bool]:
    """Try the walls round this process: by name, whether there is one."""
    return {
        Wall.FILES.value: _fails(lambda: os.listdir("/")),
        Wall.CALLS.value: _prctl_get(_PR_GET_SECCOMP) == _FILTERED,
        Wall.USER.value: is_spare(os.getuid()),
        Wall.NETWORK.value: _fails(lambda: socket.socket().close())
        or [name for _, name in socket.if_nameindex()] == ["lo"],
    }


def _put(walls: Walls, wall: Wall, make: Callable[[], Raisable]) -> None:
    try:
        if sys.platform != "linux":
            raise OSError(f"{sys.platform} has none that this program knows")
        walls.built[wall] = make()
    except (ImportError, RuntimeError, OSError) as error:
        walls.missing[wall] = getattr(error, "strerror", None) or str(error) or type(error).__name__


def _rehearse(walls: Walls) -> Mapping[str, bool]:
    """What a child finds that raises all walls and tries them; empty if it does not come so far."""
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
        walls.apply()
        os.write(channel, json.dumps(probe()).encode())
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
