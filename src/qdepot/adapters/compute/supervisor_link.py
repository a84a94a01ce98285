"""The supervisor as the pool sees it: a process and a control channel."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import BinaryIO

from qdepot.domain.framing import Frame, FrameDecoder, encoded

_CONTROL_BUFFER = 64 * 1024
_END_WITHIN_S = 2.0
_COMPLAINT_BYTES = 2000


def environment(*, threads: int) -> dict[str, str]:
    """All that a supervisor and its children find in their environment.

    Args:
        threads: Most threads that a simulation may use; what it does use is decided task by task.
    """
    return {
        "LANG": "C.UTF-8",
        "HOME": os.devnull,  # nobody's settings are read, and no folder for them can be made
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry),
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # threads of several children that wait actively take the cores from each other
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",  # each arena takes address space, which is what the memory limit counts
        "QISKIT_PARALLEL": "FALSE",
    }


class SupervisorLink:
    """A running supervisor. Used on the pool's thread alone: the kernel ties its life to the thread that starts it.

    Attributes:
        control: Readable when the supervisor has something to say, or has gone; does not block.
        said_hello: True once it has loaded and forks what it is asked to.
    """

    def __init__(self, module: str, *, threads: int, sandbox: str) -> None:
        """Start it.

        Args:
            module: What is started.
            threads: Most threads of a simulation.
            sandbox: How much of one is asked for: best, required or off.

        Raises:
            OSError: The system refuses.
        """
        self.said_hello = False
        self._complaints = _nameless_file()
        self.control, theirs = socket.socketpair()
        self.control.setblocking(False)
        self._decoder = FrameDecoder(max_body_bytes=0)
        command: Sequence[str] = (sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid()), sandbox)
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._complaints,
                    pass_fds=[theirs.fileno()],
                    env=environment(threads=threads),
                    cwd="/",
                    start_new_session=True,
                )
        except OSError:
            self.control.close()
            self._complaints.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fork(self, number: int, channel: socket.socket) -> None:
        """Order a child that talks through ``channel``, of which the supervisor gets a copy.

        Raises:
            OSError: The supervisor has gone, or takes no orders any more.
        """
        (order,) = encoded(Frame(kind="fork", number=number))
        socket.send_fds(self.control, [order], [channel.fileno()])

    def kill(self, number: int) -> None:
        """Order a child's death; one that has ended already is fine.

        Raises:
            OSError: The supervisor has gone, or takes no orders any more.
        """
        (order,) = encoded(Frame(kind="kill", number=number))
        self.control.send(order)

    def receive(self) -> list[Frame] | None:
        """What it said since; None if it has gone."""
        try:
            data = self.control.recv(_CONTROL_BUFFER)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self._decoder.feed(data) if data else None

    def end(self, *, gently: bool) -> str:
        """End it and, with it, all children; returns the end of what it complained about.

        Args:
            gently: Let it kill and reap its children first, if it is loaded. Otherwise it is killed at once, and the
                kernel kills its children.
        """
        self.control.close()
        if gently and self.said_hello:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_WITHIN_S)
        self._process.kill()
        self._process.wait()
        with self._complaints as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _COMPLAINT_BYTES))
            return file.read().decode(errors="replace").strip()


def _nameless_file() -> BinaryIO:
    """For a few lines of text. On Linux it needs no folder: a container may have none that can be written to."""
    needs_no_folder = sys.platform == "linux"
    return os.fdopen(os.memfd_create("complaints"), "w+b", buffering=0) if needs_no_folder else tempfile.TemporaryFile()
