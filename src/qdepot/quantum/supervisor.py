"""The process that loads Qiskit once and forks children; it never looks at a circuit itself.

It is started by module name with an empty environment and the number of its control channel. It takes two orders from
the service, ``fork`` (which brings the child's end of its channel) and ``kill``, and sends ``hello`` once it is loaded
and knows its walls, and ``gone`` for each child that ended. When the control channel ends, it kills all children and
ends.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import socket
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from qdepot.domain.framing import Frame, FrameDecoder, encoded
from qdepot.quantum import sandbox, walls
from qdepot.quantum.worker import EXIT_OUT_OF_MEMORY, Table, Worker, named

_MAX_FDS = 32
_COMPLAINTS_BYTES = 64 * 1024
_OUT_OF_MEMORY_WORDS = (
    b"memory allocation of",  # Rust
    b"bad_alloc",  # C++
    b"allocate memory",  # the C library's text for ENOMEM
    b"Thread creation failed",  # OpenMP, when there is no room for a stack
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    """A child as its parent keeps it.

    Attributes:
        number: The service's name for it.
        complaints_fd: Where to read what native code wrote to file descriptor 2.
        oom_kills: How often this machine had run out of memory when the child was forked.
    """

    number: int
    complaints_fd: int
    oom_kills: int


class Supervisor:
    """Forks, kills and buries children on the service's orders."""

    def __init__(self, control: socket.socket, table: Table, mode: walls.Mode) -> None:
        self._control = control
        self._table = table
        self._mode = mode
        self._walls = walls.Walls()
        self._children: dict[int, _Child] = {}  # by process id; none is reaped, so each id is still its own
        self._decoder = FrameDecoder(max_body_bytes=0)
        self._channels: deque[int] = deque()
        self._problem: str | None = None

    def run(self) -> None:
        """Load, say hello, and work until the service closes the control channel."""
        self._preload()
        self._build_walls()
        signals, woken = socket.socketpair()
        for end in (signals, woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        self._say("hello", problem=self._problem, walls=self._walls.report(), gap=self._walls.gap())
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(signals, selectors.EVENT_READ)
            while self._turn({key.fileobj for key, _ in selector.select()}, signals):
                pass
        for pid in self._children:
            _kill_group(pid)
        while self._children:
            self._bury(*os.wait4(-1, 0))

    def _turn(self, readable: set[object], signals: socket.socket) -> bool:
        if signals in readable:
            signals.recv(4096)
            self._bury_all()
        return self._control not in readable or self._take_orders()

    def _preload(self) -> None:
        if self._table.preload is not None:
            try:
                named(self._table.preload)()
            except Exception as error:  # whatever is wrong with the installation is told to those who ask for work
                self._problem = f"{type(error).__name__}: {error}"
        sandbox.freeze()

    def _build_walls(self) -> None:
        self._walls = walls.build(self._mode)
        gap = self._walls.gap()
        if gap is not None and self._mode is walls.Mode.REQUIRED and self._problem is None:
            self._problem = f"the sandbox that the settings require cannot be built: {gap}"

    def _take_orders(self) -> bool:
        """Carry out what the service asks for; False once it is gone."""
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 65536, _MAX_FDS)
        except ConnectionError:
            return False
        self._channels.extend(fds)
        for frame in self._decoder.feed(data):
            if frame.kind == "fork":
                self._fork(frame.number, self._channels.popleft())
            else:
                self._kill(frame.number)
        return bool(data)

    def _kill(self, number: int) -> None:
        for pid, child in self._children.items():
            if child.number == number:
                _kill_group(pid)

    def _fork(self, number: int, channel_fd: int) -> None:
        complaints_fd, childs_fd = os.pipe()
        for fd in (complaints_fd, childs_fd):
            os.set_blocking(fd, False)
        parent = os.getpid()
        child = _Child(number=number, complaints_fd=complaints_fd, oom_kills=_oom_kills())
        try:
            pid = os.fork()
        except OSError as error:
            os.close(complaints_fd)
            self._say("gone", number, failed=error.strerror or "fork failed")
        else:
            if pid == 0:
                self._live(parent, channel_fd, childs_fd)
            self._children[pid] = child
        finally:
            os.close(channel_fd)
            os.close(childs_fd)

    def _live(self, parent: int, channel_fd: int, complaints_fd: int) -> NoReturn:
        """The child's whole life; nothing of the supervisor's code may run in it after that."""
        try:
            sandbox.die_with(parent)
            sandbox.settle(channel_fd, complaints_fd, raise_walls=self._walls.apply)
            channel = socket.socket(fileno=sandbox.CHANNEL_FD)
            Worker(channel=channel, table=self._table, problem=self._problem).serve()
            os._exit(0)
        except MemoryError:
            os._exit(EXIT_OUT_OF_MEMORY)
        except OSError:
            os._exit(0)  # the service has gone, or has let go of this child
        finally:
            os._exit(1)

    def _bury_all(self) -> None:
        """Reap all that have ended."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                self._bury(*ended)

    def _bury(self, pid: int, status: int, usage: resource.struct_rusage) -> None:
        """End what a child that was reaped has left behind, and tell the service how it ended."""
        child = self._children.pop(pid, None)
        if child is None:
            return  # an orphan of one of them
        _kill_group(pid)
        for orphan in sandbox.adopted() - self._children.keys():
            _kill_group(orphan)
        complaints = _complaints(child.complaints_fd)
        code = os.waitstatus_to_exitcode(status)
        self._say(
            "gone",
            child.number,
            signal=-code if code < 0 else None,
            exit=code if code >= 0 else None,
            out_of_memory=_ran_out_of_memory(code, complaints, oom_killed=_oom_kills() > child.oom_kills),
            most_resident_bytes=usage.ru_maxrss * (1024 if sys.platform == "linux" else 1),
        )

    def _say(self, kind: str, number: int = 0, **meta: object) -> None:
        with contextlib.suppress(ConnectionError):  # the service is gone; reading from the channel will show it
            for piece in encoded(Frame(kind=kind, number=number, meta=meta)):
                self._control.sendall(piece)


def main(table: Table) -> None:
    """Be the supervisor.

    Arguments of the process: the control channel's file descriptor, the service's process id, and how much of a sandbox
    is asked for (see :class:`qdepot.quantum.walls.Mode`).
    """
    control_fd, service_pid = (int(argument) for argument in sys.argv[1:3])
    mode = walls.Mode(sys.argv[3])
    sandbox.die_with(service_pid)
    sandbox.quieten()
    sandbox.adopt_orphans()
    with socket.socket(fileno=control_fd) as control:
        Supervisor(control, table, mode).run()


def _kill_group(pid: int) -> None:
    """Kill a process and its group. Before a child has made a group of its own, it is alone."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _complaints(fd: int) -> bytes:
    """What was written to a child's file descriptor 2: its beginning, and only to look for known words in it."""
    try:
        return os.read(fd, _COMPLAINTS_BYTES)
    except BlockingIOError:
        return b""
    finally:
        os.close(fd)


def _oom_kills() -> int:
    """How often the kernel has killed a process for want of memory; 0 where it does not tell."""
    try:
        text = Path("/proc/vmstat").read_bytes()
    except OSError:
        return 0
    _, _, rest = text.partition(b"oom_kill ")
    return int(rest.split(None, 1)[0]) if rest else 0


def _ran_out_of_memory(code: int, complaints: bytes, *, oom_killed: bool) -> bool:
    if code == -signal.SIGKILL:
        return oom_killed
    said_so = code != 0 and any(words in complaints for words in _OUT_OF_MEMORY_WORDS)
    return said_so or code == EXIT_OUT_OF_MEMORY
