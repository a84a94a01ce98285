"""What a circuit that took over its child would try, to try the walls out: operations beside those of the drill.

``python -m support.burglary CONTROL_FD SERVICE_PID SANDBOX`` is a supervisor whose children can do these. Each attempt
tells how it ended: ``error`` is the name of the system's error, or None if the walls let it through.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from qdepot.ports.compute_pool import Payload
from qdepot.quantum.supervisor import main
from qdepot.quantum.worker import Table
from qdepot.testing import drill
from support.escapes import REACHING

_PAGE = bytes(4096)
_ATTACH = 16
_NEW_USER = 0x10000000


def preload() -> None:
    """Have this module loaded in the supervisor under its own name: children cannot read it."""


def attempt(payload: Payload) -> Payload:
    """Try ``act`` on ``target`` (a path, an address, or a process id)."""
    act, target = payload.meta["act"], payload.meta.get("target", "")
    assert isinstance(act, str)
    try:
        ATTEMPTS[act](target)
    except (OSError, ValueError) as error:  # Python has its own error for a limit that may not be raised
        return Payload(meta={"error": errno.errorcode.get(getattr(error, "errno", None) or 0, str(error))})
    return Payload(meta={"error": None})


def bomb(payload: Payload) -> Payload:
    """Make processes, or threads, until the system refuses; tells how many there were, and stays alive."""
    make = _fork_sleeper if payload.meta["of"] == "processes" else _start_thread
    made = 0
    try:
        while made < 5000:
            make()
            made += 1
    except (OSError, RuntimeError):
        pass
    return Payload(meta={"made": made})


def _read(target: object) -> None:
    with open(str(target), "rb") as file:
        file.read(1)


def _write(target: object) -> None:
    Path(str(target)).write_bytes(b"x")


def _connect(target: object) -> None:
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", int(str(target))))


def _listen(_: object) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


def _knock(target: object) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(target))


def _signal(target: object) -> None:
    os.kill(int(str(target)), 0)


def _execute(target: object) -> None:
    os.execv(str(target), [str(target)])


def _become_root(_: object) -> None:
    os.setuid(0)
    if os.getuid() != 0:
        raise PermissionError(errno.EPERM, "still another user")


def _raise_limit(_: object) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def _limit_other(target: object) -> None:
    resource.prlimit(int(str(target)), resource.RLIMIT_NOFILE, (0, 0))


def _fork_sleeper(_: object = None) -> None:
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)


def _start_thread() -> None:
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def _called(name: str, *arguments: int) -> Callable[[object], None]:
    """An attempt that makes one system call; the target, where there is one, is its first argument or its last."""

    def act(target: object) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        given = [*arguments] if target == "" else [*arguments, int(str(target))]
        if libc.syscall(_number(name), *map(ctypes.c_long, given)) == -1:
            raise OSError(ctypes.get_errno(), name)

    return act


def _number(name: str) -> int:
    import pyseccomp

    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))


def _read_memory(target: object) -> None:
    """Look into another process, at any address: what counts is that it is refused before the address is looked at."""
    buffer = ctypes.create_string_buffer(_PAGE)
    pair = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    libc = ctypes.CDLL(None, use_errno=True)
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if libc.process_vm_readv(int(str(target)), ctypes.byref(pair), one, ctypes.byref(pair), one, none) == -1:
        raise OSError(ctypes.get_errno(), "process_vm_readv")


ATTEMPTS: Mapping[str, Callable[[object], object]] = {
    "read": _read,
    "list": lambda target: os.listdir(str(target)),
    "write": _write,
    "delete": lambda target: os.unlink(str(target)),
    "make a folder": lambda target: os.mkdir(str(target)),
    "link": lambda target: os.symlink("/etc/passwd", str(target)),
    "rename": lambda target: os.rename(str(target), f"{target}.stolen"),
    "change the mode": lambda target: os.chmod(str(target), 0o777),
    "connect": _connect,
    "listen": _listen,
    "knock": _knock,
    "send a datagram": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "open a raw socket": lambda _: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "signal": _signal,
    "trace": lambda target: _called("ptrace", _ATTACH)(target),
    "read memory": _read_memory,
    "get a handle of": lambda target: os.pidfd_open(int(str(target))),
    "limit": _limit_other,
    "execute": _execute,
    "fork": _fork_sleeper,
    "become root": _become_root,
    "raise a limit": _raise_limit,
    "unshare": _called("unshare", _NEW_USER),
    "setns": _called("setns", 0, 0),
    "mount": _called("mount", 0, 0, 0, 0, 0),
    "chroot": _called("chroot", 0),
    "keyctl": _called("keyctl", 0, 0, 0, 0, 0),
    "bpf": _called("bpf", 0, 0, 0),
    "perf_event_open": _called("perf_event_open", 0, 0, 0, 0, 0),
    "io_uring_setup": _called("io_uring_setup", 1, 0),
    "userfaultfd": _called("userfaultfd", 0),
    "open_by_handle_at": _called("open_by_handle_at", 0, 0, 0),
    "memfd_create": _called("memfd_create", 0, 0),
    "shmget": _called("shmget", 0, 4096, 0o1666),
    "clone3": _called("clone3", 0, 0),
    "vfork": _called("vfork"),
    "setpriority": _called("setpriority", 0, 0, -20),
    "reboot": _called("reboot", 0, 0, 0, 0),
    **{act: lambda target, reach=reach: reach(int(str(target))) for act, reach in REACHING.items()},
}
"""By what is tried."""

OPERATIONS = drill.OPERATIONS | {name: f"support.burglary:{name}" for name in ("attempt", "bomb")}

if __name__ == "__main__":
    main(Table(operations=OPERATIONS, preload="support.burglary:preload"))
