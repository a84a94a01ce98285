"""A child that was taken over tries to act on other processes, by every call that takes a process as an argument.

As root the user that each child is keeps it from others already. What is tried as an ordinary user meets the list of
calls and Landlock's scopes alone: these tests run as both wherever the suite runs as root.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qdepot.quantum import walls
from qdepot.quantum.wall_call_list import ALLOWED
from support import other_user
from support.escapes import REACHING

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")

NOT_OF_EVERY_MACHINE = {"getsockopt SO_PEERPIDFD", "clone CLONE_NEWUSER"}  # the latter is refused in a chroot, for one
REFUSED_BY_THE_KERNEL = {"fcntl F_SETLEASE"}  # files of other users
NAMES_A_PROCESS = """
fcntl getpgid getpriority getsid get_robust_list ioprio_get ioprio_set kcmp kill migrate_pages move_pages
perf_event_open pidfd_getfd pidfd_open pidfd_send_signal prlimit64 process_madvise process_mrelease process_vm_readv
process_vm_writev ptrace rt_sigqueueinfo rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler setpgid
setpriority tgkill tkill wait4 waitid clock_getres clock_gettime clock_nanosleep clone clone3 futex getsockopt ioctl
sendmmsg sendmsg sendto setsockopt timer_create
"""
"""By a process id, a handle, a clock of a process, the owner of a lock, or an owner of descriptors."""


@pytest.fixture(scope="module", params=["the user of the tests", "an ordinary user"])
def told(request):
    as_root_too = request.param == "the user of the tests"
    told = json.loads(other_user.run("-m", "support.breakout", "best", as_root_too=as_root_too))
    assert (told["user"] == 0) == (as_root_too and os.geteuid() == 0)
    if not told["walls"]["system calls"]:
        pytest.skip(f"this machine lacks walls: {told['walls']}")
    return told


@pytest.mark.parametrize("act", sorted(REACHING))
def test_a_child_reaches_no_other_process(told, act):
    assert set(told["errors"][act].values()) == {"ENOSYS"}


def test_the_supervisor_is_the_same_after_all_that_was_tried(told):
    assert told["same"]


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user anyway")
def test_whatever_a_child_cannot_do_as_root_it_cannot_do_as_an_ordinary_user_either():
    """The tests of that, again as that user; some are skipped, which tell of root."""
    here = Path(__file__)
    settings = next(folder / "pyproject.toml" for folder in here.parents if (folder / "pyproject.toml").exists())
    options = ["-q", "-p", "no:cacheprovider", "-c", str(settings), "--rootdir", str(settings.parent)]
    told = other_user.run("-m", "pytest", *options, str(here.with_name("test_breaking_out.py")))
    passed = re.search(r"(\d+) passed", told)
    assert passed is not None
    assert int(passed[1]) > 40


def test_each_of_these_calls_reaches_another_process_where_there_are_no_walls():
    told = json.loads(other_user.run("-m", "support.breakout", "off"))
    refused = {act for act, errors in told["errors"].items() if errors["bystander"] is not None}
    assert refused - NOT_OF_EVERY_MACHINE == REFUSED_BY_THE_KERNEL


def test_no_call_that_names_a_process_is_allowed_with_any_argument():
    unlimited = {name for each in ALLOWED if each.when == ((),) for name in each.calls.split()}
    assert not unlimited & set(NAMES_A_PROCESS.split())
    assert len(unlimited) > 80


def test_each_call_is_allowed_in_one_place_only():
    names = [name for each in ALLOWED for name in each.calls.split()]
    assert len(names) == len(set(names))


BEHIND_SCOPES = """
import json, os, socket, subprocess
from qdepot.quantum.sandbox import quieten
from qdepot.quantum.wall_signals import SignalWall
from support.escapes import signal_by_a_pipe

def refused(act, *arguments):
    try:
        act(*arguments)
    except OSError as error:
        return type(error).__name__

bystander = subprocess.Popen(["sleep", "600"])
server = socket.socket(socket.AF_UNIX)
server.bind("\\0qdepot-test-%d" % os.getpid())
server.listen()
quieten()
if os.fork() == 0:
    SignalWall().apply()
    told = [refused(os.kill, bystander.pid, 9), refused(socket.socket(socket.AF_UNIX).connect, server.getsockname())]
    signal_by_a_pipe(bystander.pid)
    print(json.dumps(told), flush=True)
    os.kill(os.getpid(), 15)
_, status = os.wait()
print(json.dumps([bystander.poll(), os.WTERMSIG(status)]))
bystander.kill()
"""


def test_landlocks_scopes_alone_keep_signals_and_abstract_sockets_from_others():
    if walls.build(walls.Mode.BEST).report()["signals"]:
        pytest.skip(f"this kernel has no scopes: {walls.build(walls.Mode.BEST).report()['signals']}")
    first, second = map(json.loads, other_user.run("-c", BEHIND_SCOPES).splitlines())
    assert first == ["PermissionError", "PermissionError"]
    assert second == [None, 15]


@pytest.mark.parametrize("version", [1, 5])
def test_where_the_kernel_has_no_scopes_the_other_walls_stand_and_the_reason_is_told(monkeypatch, version):
    monkeypatch.setattr("landlock.landlock_abi_version", lambda: version)
    report = walls.build(walls.Mode.BEST).report()
    assert f"version {version}" in report["signals"]
    assert "6.12" in report["signals"]
    if not walls.build(walls.Mode.BEST).gap():
        assert report["files"] == report["system calls"] == ""


def test_a_list_of_calls_that_lets_one_through_is_found_out_before_the_first_task(monkeypatch):
    loose = [each for each in ALLOWED if each.calls != "fcntl"]
    loose.append(type(ALLOWED[0])(calls="fcntl", why="a mistake"))
    monkeypatch.setattr("qdepot.quantum.wall_calls.ALLOWED", loose)
    built = walls.build(walls.Mode.BEST)
    assert built.report()["system calls"] == "it does not hold here"
    assert "system calls" in (built.gap() or "")


def test_calls_of_other_kernels_and_processors_are_left_out_of_the_filter(monkeypatch):
    unknown = type(ALLOWED[0])(calls="call_of_the_year_2040", why="newer kernels")
    monkeypatch.setattr("qdepot.quantum.wall_calls.ALLOWED", (*ALLOWED, unknown))
    assert walls.build(walls.Mode.BEST).report()["system calls"] in ("", walls.build(walls.Mode.BEST).report()["files"])


BEHIND_ALL = """
import os, threading
import numpy
from qdepot.quantum import sandbox, walls
sandbox.quieten()
built = walls.build(walls.Mode.BEST)
if os.fork() == 0:
    built.apply()
    done = []
    square = numpy.ones((300, 300))
    threads = [threading.Thread(target=lambda: done.append(square @ square)) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    os._exit(len(done))
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_threads_of_python_and_of_numpy_work_behind_the_walls():
    told = subprocess.run([sys.executable, "-c", BEHIND_ALL], capture_output=True, text=True)
    assert told.stdout.strip() == "4", told.stderr
