"""Which walls are built, and what is said of those that are not."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qdepot.quantum import walls
from qdepot.quantum.wall_files import readable_places
from qdepot.quantum.wall_user import is_spare
from support import burglary


def test_nothing_is_built_where_it_is_switched_off():
    built = walls.build(walls.Mode.OFF)
    assert built.built == {}
    assert set(built.report().values()) == {"switched off"}


def test_a_gap_names_what_is_missing_and_why():
    built = walls.Walls(missing={walls.Wall.FILES: "no such system", walls.Wall.USER: "not started as root"})
    assert built.gap() == "files: no such system"
    assert walls.Walls(missing={walls.Wall.USER: "not started as root"}).gap() is None


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
def test_a_wall_that_cannot_be_built_is_told_with_its_reason_and_the_others_stand(monkeypatch):
    class Missing:
        def __init__(self):
            raise OSError(38, "Function not implemented")

    monkeypatch.setattr(walls, "FileWall", Missing)
    report = walls.build(walls.Mode.BEST).report()
    assert report["files"] == "Function not implemented"


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
def test_a_wall_that_does_not_hold_is_told_and_not_counted_on(monkeypatch):
    class Paper:
        def apply(self):
            pass

    monkeypatch.setattr(walls, "FileWall", Paper)
    built = walls.build(walls.Mode.BEST)
    assert built.report()["files"] == "it does not hold here"
    assert walls.Wall.FILES not in built.built
    assert "files" in (built.gap() or "")


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
def test_a_wall_that_kills_who_raises_it_is_not_raised(monkeypatch):
    class Trap:
        def apply(self):
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(walls, "FileWall", Trap)
    assert walls.build(walls.Mode.BEST).built == {}


def test_this_process_has_no_walls_round_it():
    found = walls.probe()
    assert (found["files"], found["system calls"], found["user"]) == (False, False, False)


def test_a_folder_is_not_readable_because_modules_are_looked_for_there(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    assert not [place for place in readable_places() if place == tmp_path or place in tmp_path.parents]


def test_the_library_of_python_and_installed_packages_are_readable():
    places = readable_places()
    for module in (os, pytest):
        assert places & set(Path(module.__file__).resolve().parents)


WITHOUT_LINUX = """
import fcntl, os, sys, termios
for module in (fcntl, os, termios):
    for name in ("TCGETS", "FASYNC", "F_SETPIPE_SZ", "F_SETLEASE", "F_NOTIFY", "O_DIRECT", "pidfd_open"):
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "darwin"
from qdepot.quantum import walls
print(*set(walls.build(walls.Mode.BEST).report().values()))
"""


def test_the_walls_can_be_loaded_where_linux_has_its_names_alone():
    told = subprocess.run([sys.executable, "-c", WITHOUT_LINUX], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "darwin has none" in told.stdout


def test_nobody_who_may_exist_is_a_spare_user():
    assert not any(is_spare(user) for user in (0, 1000, 60_000, 65_534))


UNPRIVILEGED = """
from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.testing.compute_pool import ends, start
with ProcessPool(PoolOptions(module="support.burglary")) as pool:
    walls = ends(start(pool, "facts")).meta["walls"]
    refused = [ends(start(pool, "attempt", {"act": act})).meta["error"] for act in ("listen", "fork", "unshare")]
    print(walls["files"], walls["system calls"], walls["network"], walls["user"], all(refused))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
def test_files_and_calls_are_closed_without_a_privilege_and_users_are_left_as_they_are():
    told = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(burglary.__file__).parents[1])},
        preexec_fn=give_up_changing_users,
    )
    assert told.stdout.split() == ["True", "True", "True", "False", "True"], told.stdout + told.stderr


def give_up_changing_users() -> None:
    """Take the privilege to change users from whatever this process becomes; who has none loses none."""
    drop_from_bounding_set, set_uid = 24, 7
    ctypes.CDLL(None).prctl(drop_from_bounding_set, *(ctypes.c_ulong(each) for each in (set_uid, 0, 0, 0)))
