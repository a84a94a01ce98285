"""A child that was taken over tries to get out."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from qdepot.errors import MemoryLimitExceededError, QDepotError
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import ends, start
from support.burglary import ATTEMPTS
from support.processes import facts

SECRET = b"the service's own"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")


@pytest.fixture(scope="module")
def drill():
    """One pool for all attempts of this file: a refused attempt leaves its child alone."""
    from qdepot.adapters.compute.processes import PoolOptions, ProcessPool

    with ProcessPool(PoolOptions(module="support.burglary")) as pool:
        walls = facts(pool)["walls"]
        if not (walls["files"] and walls["system calls"]):
            pytest.skip(f"this machine lacks walls: {walls}")
        yield pool


def tried(pool, act, target=""):
    return ends(start(pool, "attempt", {"act": act, "target": target})).meta["error"]


@pytest.fixture
def secret(tmp_path):
    tmp_path.chmod(0o777)
    file = tmp_path / "ledger.db"
    file.write_bytes(SECRET)
    file.chmod(0o666)
    return file


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/self/environ", "/etc/shadow"]
)
@pytest.mark.skipif(os.geteuid() != 0, reason="tried with all that root may")
def test_it_reads_no_file_of_the_machine(drill, target):
    assert tried(drill, "read", target) == "EACCES"


def test_it_reads_no_data_however_open_these_are(drill, secret):
    assert tried(drill, "read", str(secret)) == "EACCES"
    assert tried(drill, "list", str(secret.parent)) == "EACCES"


@pytest.mark.parametrize("target", ["/", "/proc", "/home", "/tmp", os.getcwd()])
def test_it_lists_no_folder(drill, target):
    assert tried(drill, "list", target) == "EACCES"


def test_it_reads_what_python_needs(drill):
    assert tried(drill, "read", os.__file__) is None


@pytest.mark.parametrize("what", ["environ", "mem", "maps", "status", "cmdline"])
def test_it_learns_nothing_of_the_service_or_its_supervisor(drill, what):
    supervisor = facts(drill)["parent"]
    for pid in (os.getpid(), supervisor):
        assert tried(drill, "read", f"/proc/{pid}/{what}") == "EACCES"


@pytest.mark.parametrize("act", ["write", "delete", "make a folder", "link", "rename", "change the mode"])
def test_it_changes_nothing_on_the_disk(drill, secret, act):
    new = act in ("make a folder", "link")
    assert tried(drill, act, str(secret.parent / "new") if new else str(secret)) is not None
    assert list(secret.parent.iterdir()) == [secret]
    assert secret.read_bytes() == SECRET
    assert secret.stat().st_mode & 0o777 == 0o666


def test_it_writes_into_no_folder_that_it_may_read(drill):
    assert tried(drill, "write", str(Path(os.__file__).parent / "burglar.py")) is not None


def test_it_reaches_no_server_of_this_machine(drill, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "door"))
        local.listen()
        assert tried(drill, "connect", str(tcp.getsockname()[1])) is not None
        assert tried(drill, "knock", str(tmp_path / "door")) is not None
    for act in ("listen", "send a datagram", "open a raw socket"):
        assert tried(drill, act) is not None


@pytest.mark.parametrize("act", ["signal", "trace", "read memory", "get a handle of", "limit"])
def test_it_touches_neither_service_nor_supervisor(drill, act):
    for pid in (os.getpid(), facts(drill)["parent"]):
        assert tried(drill, act, str(pid)) is not None


def test_it_signals_nobody_at_all(drill):
    assert tried(drill, "signal", "-1") is not None


def test_it_starts_no_program_and_no_process(drill):
    assert tried(drill, "execute", sys.executable) is not None
    assert tried(drill, "execute", "/bin/sh") is not None
    assert tried(drill, "fork") is not None


@pytest.mark.parametrize(
    "act",
    sorted(
        ATTEMPTS.keys()
        & {
            "become root", "raise a limit", "unshare", "setns", "mount", "chroot", "keyctl", "bpf", "perf_event_open",
            "io_uring_setup", "userfaultfd", "open_by_handle_at", "memfd_create", "shmget", "clone3", "vfork",
            "setpriority", "reboot",
        }
    ),
)  # fmt: skip
def test_it_gets_nothing_from_the_kernel_that_work_on_circuits_never_needs(drill, act):
    assert tried(drill, act) is not None


def test_a_bomb_of_processes_does_not_go_off(drill):
    assert ends(start(drill, "bomb", {"of": "processes"})).meta["made"] == 0


def test_a_bomb_of_threads_ends_at_a_limit_and_with_its_child(drill):
    limits = Limits(memory_bytes=2**28, time_s=20)
    try:
        made = ends(start(drill, "bomb", {"of": "threads"}, limits=limits, owner="bomber")).meta["made"]
    except QDepotError:  # some do not even get so far
        made = 0
    assert made < 1024
    assert ends(start(drill, "echo", {"n": 1})).meta == {"n": 1}


def test_a_bomb_of_memory_ends_at_its_limit(drill):
    with pytest.raises(MemoryLimitExceededError):
        ends(start(drill, "allocate", {"bytes": 2**40}, limits=Limits(memory_bytes=2**28)))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change users")
def test_two_children_are_two_users_and_neither_is_the_services(drill):
    told = [facts(drill, owner=owner) for owner in ("ada", "bob")]
    assert len({os.getuid(), *(each["user"] for each in told)}) == 3


def test_files_of_the_service_that_are_open_are_not_open_in_a_child(drill, secret):
    with secret.open("rb"):
        assert facts(drill)["files"] == [0, 1, 2, 3, 4, 5]


def test_what_it_would_burgle_is_open_without_the_walls(make_pool, secret):
    pool = make_pool(module="support.burglary", sandbox="off")
    assert tried(pool, "read", str(secret)) is None
    assert tried(pool, "list", "/") is None
    assert tried(pool, "signal", str(os.getpid())) is None
    assert not facts(pool)["walls"]["files"]


def test_many_children_behind_walls_at_once_give_their_own_answers(drill):
    threads = threading.active_count()
    handles = [start(drill, "echo", {"n": n}, owner=f"owner {n}") for n in range(30)]
    assert [ends(handle).meta["n"] for handle in handles] == list(range(30))
    assert threading.active_count() == threads
