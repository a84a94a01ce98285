"""Operations that know nothing of circuits and behave well or badly on command, to try a pool out.

``python -m qdepot.testing.drill CONTROL_FD SERVICE_PID SANDBOX`` is a supervisor whose children can do these and
nothing else; the children of a service never can.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from qdepot.domain.framing import Frame, encoded
from qdepot.errors import error_classes
from qdepot.ports.compute_pool import Payload

_NAME = "qdepot.testing.drill"
_Value = TypeVar("_Value")
_PR_GET_PDEATHSIG = 2
_PR_GET_DUMPABLE = 3
_PR_GET_NO_NEW_PRIVS = 39
_PAGE = 4096
_CHANNEL_FD = 3  # where a child finds its channel to the service

_kept: list[bytearray] = []


def preload() -> None:
    """Have this module loaded in the supervisor under its own name, so that children need not read it."""


class Panic(BaseException):
    """What native code raises when it panics: not an ``Exception``."""


def echo(payload: Payload) -> Payload:
    """Give back what came."""
    return payload


def sleep(payload: Payload) -> Payload:
    """Do nothing for ``seconds``."""
    time.sleep(_get(payload, "seconds", 0.0))
    return Payload()


def burn(payload: Payload) -> Payload:
    """Keep a processor busy for ``seconds`` of CPU time."""
    until = time.process_time() + _get(payload, "seconds", 0.0)
    while time.process_time() < until:
        pass
    return Payload()


def allocate(payload: Payload) -> Payload:
    """Take and touch ``bytes`` of memory, and let go of it; with ``keep`` hold on to it."""
    block = bytearray(_get(payload, "bytes", 0))
    block[::_PAGE] = b"\1" * len(range(0, len(block), _PAGE))
    if _get(payload, "keep", False):
        _kept.append(block)
    return Payload(meta={"bytes": len(block)})


def big(payload: Payload) -> Payload:
    """Give back a part ``data`` of ``bytes`` bytes, each megabyte filled with its own number."""
    size = _get(payload, "bytes", 0)
    blocks = (bytes([at % 251]) * min(1 << 20, size - (at << 20)) for at in range((size + (1 << 20) - 1) >> 20))
    return Payload(parts={"data": b"".join(blocks)})


def refuse(payload: Payload) -> Payload:
    """Raise the error with ``code``, with ``message``, ``solution`` and ``details``."""
    error_class = error_classes()[_get(payload, "code", "invalid_request")]
    details: dict[str, object] = _get(payload, "details", {})
    raise error_class(_get(payload, "message", ""), solution=_get(payload, "solution", ""), details=details)


def fail(payload: Payload) -> Payload:
    """Raise a ValueError with ``message``, as a mistake in an operation would."""
    raise ValueError(_get(payload, "message", ""))


def panic(payload: Payload) -> Payload:
    """Raise what is no ``Exception``."""
    raise Panic(_get(payload, "message", ""))


def nonsense(payload: Payload) -> Payload:
    """Give back what cannot be sent."""
    return Payload(meta={"bad": object(), "from": dict(payload.meta)})


def chatter(payload: Payload) -> Payload:
    """Print ``bytes`` bytes to standard output and standard error, through Python and below it."""
    text = "x" * _get(payload, "bytes", 1000)
    for stream in (sys.stdout, sys.stderr):
        stream.write(text)
        stream.flush()
    os.write(1, text.encode())
    return Payload(meta={"printed": len(text)})


def grumble(payload: Payload) -> Payload:
    """Write ``bytes`` bytes to file descriptor 2, as native code does; tells how many were taken."""
    written = 0
    with contextlib.suppress(BlockingIOError):
        while written < _get(payload, "bytes", 1000):
            written += os.write(2, b"x" * 1000)
    return Payload(meta={"written": written})


def leave(payload: Payload) -> Payload:
    """End the process with exit status ``status``, without an answer."""
    os._exit(_get(payload, "status", 0))


def die(payload: Payload) -> Payload:
    """Send ``signal`` to the own process; with ``words``, complain to file descriptor 2 first, as native code does."""
    os.write(2, _get(payload, "words", "").encode())
    os.kill(os.getpid(), _get(payload, "signal", int(signal.SIGKILL)))
    signal.pause()
    return Payload()


def spill(payload: Payload) -> Payload:
    """Write the part ``data`` to the channel as it is, in place of an answer, and wait."""
    os.write(_CHANNEL_FD, payload.parts["data"])
    signal.pause()
    return Payload()


def mumble(payload: Payload) -> Payload:
    """Write the first half of a large answer to the channel and end the process."""
    pieces = encoded(Frame(kind="result", number=1, meta={"meta": dict(payload.meta)}, parts={"data": bytes(1 << 23)}))
    for piece in (pieces[0], pieces[1][: 1 << 22]):
        while piece:
            piece = piece[os.write(_CHANNEL_FD, piece) :]
    os._exit(0)


def hang_up(payload: Payload) -> Payload:
    """Close the channel and go on for ``seconds``."""
    os.close(_CHANNEL_FD)
    return sleep(payload)


def beget(payload: Payload) -> Payload:
    """Start a process of its own that sleeps for ``seconds``, and tell its id; with ``detached``, it runs away."""
    pid = os.fork()
    if pid == 0:
        if _get(payload, "detached", False):
            os.setsid()
        time.sleep(_get(payload, "seconds", 0.0))
        os._exit(0)
    return Payload(meta={"pid": pid})


def overspend(payload: Payload) -> Payload:
    """Write a file of ``bytes`` bytes to ``path``."""
    Path(_get(payload, "path", "")).write_bytes(b"x" * _get(payload, "bytes", 1))
    return Payload()


def hoard(payload: Payload) -> Payload:
    """Open ``files`` files, and keep them open until all are; tells how many there were."""
    with contextlib.ExitStack() as opened:
        for _ in range(_get(payload, "files", 0)):
            opened.enter_context(open(os.devnull, "rb"))
    return Payload(meta={"opened": _get(payload, "files", 0)})


def facts(payload: Payload) -> Payload:
    """Tell what this process is and may do."""
    del payload
    limits = {name: list(resource.getrlimit(getattr(resource, name))) for name in dir(resource) if "RLIMIT_" in name}
    return Payload(
        meta={
            "pid": os.getpid(),
            "parent": os.getppid(),
            "session": os.getsid(0),
            "folder": os.getcwd(),
            "environment": dict(os.environ),  # noqa: TID251 - it shows that nothing of the service's is in it
            "limits": limits,
            "files": _open_files(),
            "modules": sorted(sys.modules),
            **_process_attributes(),
        }
    )


def _open_files() -> list[int]:
    found = []
    for fd in range(64):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found


def _process_attributes() -> dict[str, object]:
    if sys.platform != "linux":
        return {}
    libc = ctypes.CDLL(None)
    deathsig = ctypes.c_int()
    libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(deathsig), 0, 0, 0)
    return {
        "dumpable": libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0),
        "no_new_privileges": libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "death_signal": deathsig.value,
        "user": os.getuid(),
        "walls": import_module("qdepot.quantum.walls").probe(),
    }


def _get(payload: Payload, name: str, default: _Value) -> _Value:
    value = payload.meta.get(name, default)
    assert isinstance(value, type(default)) or isinstance(default, float)
    return value  # type: ignore[return-value] # an int is a fine float


OPERATIONS: Mapping[str, str] = {
    operation.__name__: f"{_NAME}:{operation.__name__}"
    for operation in (
        echo, sleep, burn, allocate, big, refuse, fail, panic, nonsense, chatter, grumble, leave, die, spill, mumble,
        hang_up, beget, overspend, hoard, facts,
    )
}  # fmt: skip
"""All of them, as the table of a supervisor."""


def main() -> None:
    """Be such a supervisor. The room that it comes from is reached by name."""
    table = import_module("qdepot.quantum.worker").Table(operations=OPERATIONS, preload=f"{_NAME}:preload")
    import_module("qdepot.quantum.supervisor").main(table)


if __name__ == "__main__":
    main()
