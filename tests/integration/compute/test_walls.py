"""What a child may not do, and does not get to see."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from qdepot.errors import InternalError, MemoryLimitExceededError, ResourceLimitError, TimeLimitExceededError
from qdepot.ports.compute_pool import Limits
from qdepot.testing.compute_pool import ends, start
from support.processes import facts


def test_nothing_of_the_services_environment_reaches_a_child(make_pool, monkeypatch):
    monkeypatch.setenv("QDEPOT_SECRET", "s3cret")
    environment = facts(make_pool())["environment"]
    assert environment.keys() == {
        "LANG",
        "HOME",
        "PYTHONPATH",
        "OMP_NUM_THREADS",
        "OMP_WAIT_POLICY",
        "OPENBLAS_NUM_THREADS",
        "MALLOC_ARENA_MAX",
        "QISKIT_PARALLEL",
    }
    assert "s3cret" not in repr(environment)
    assert environment["HOME"] == os.devnull


def test_a_child_holds_nothing_but_its_channel(pool):
    # 0 and 1 lead nowhere, 2 takes complaints, 3 is the channel, 4 tells its memory, 5 leads nowhere (sys.stderr).
    assert facts(pool)["files"] == [0, 1, 2, 3, 4, 5]


def test_a_child_is_a_session_of_its_own_in_the_root_folder(pool):
    told = facts(pool)
    assert told["session"] == told["pid"]
    assert told["folder"] == "/"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_child_can_neither_gain_privileges_nor_be_read_and_dies_with_its_supervisor(pool):
    told = facts(pool)
    assert (told["no_new_privileges"], told["dumpable"], told["death_signal"]) == (1, 0, 9)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="leaving the network needs a privilege")
@pytest.mark.parametrize("sandbox", ["best", "off"])
def test_a_child_has_no_network_where_it_can_be_taken_away(make_pool, sandbox):
    pool = make_pool(sandbox=sandbox)
    assert facts(pool)["walls"]["network"]


def test_a_child_writes_no_files_and_dumps_no_core(pool, tmp_path):
    limits = facts(pool)["limits"]
    assert limits["RLIMIT_FSIZE"] == limits["RLIMIT_CORE"] == [0, 0]
    with pytest.raises((InternalError, ResourceLimitError)):  # by the wall round files, or where there is none
        ends(start(pool, "overspend", {"path": str(tmp_path / "x"), "bytes": 1}))
    assert not sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_task_that_writes_too_large_a_file_is_told_its_limit(make_pool, tmp_path):
    pool = make_pool(sandbox="off")  # behind the wall round files it writes none
    limits = Limits(file_bytes=5000)
    ends(start(pool, "overspend", {"path": str(tmp_path / "x"), "bytes": 5000}, limits=limits))
    with pytest.raises(ResourceLimitError, match=r"5,000 bytes") as caught:
        ends(start(pool, "overspend", {"path": str(tmp_path / "x"), "bytes": 5001}, limits=limits))
    assert caught.value.details == {"file_bytes": 5000}


def test_a_task_that_opens_too_many_files_is_told_its_limit(pool):
    limits = Limits(open_files=30)
    assert ends(start(pool, "hoard", {"files": 20}, limits=limits)).meta == {"opened": 20}
    with pytest.raises(ResourceLimitError, match="30") as caught:
        ends(start(pool, "hoard", {"files": 40}, limits=limits))
    assert caught.value.details == {"open_files": 30}
    assert ends(start(pool, "hoard", {"files": 40}, limits=Limits(open_files=80))).meta == {"opened": 40}


def test_a_task_that_uses_too_much_cpu_time_is_told_its_limit(pool):
    with pytest.raises(TimeLimitExceededError, match="CPU time") as caught:
        ends(start(pool, "burn", {"seconds": 600.0}, limits=Limits(cpu_time_s=0.5)))
    assert caught.value.details == {"cpu_time_s": 0.5}


def test_the_cpu_time_of_one_task_is_not_that_of_the_next(pool):
    limits = Limits(cpu_time_s=1.0)
    pids = {facts(pool, limits=limits)["pid"]}
    for _ in range(4):
        ends(start(pool, "burn", {"seconds": 0.7}, limits=limits))
    pids.add(facts(pool, limits=limits)["pid"])
    assert len(pids) == 1


def test_the_memory_limit_comes_on_top_of_what_an_idle_child_has_and_is_final(pool):
    soft, hard = facts(pool, limits=Limits(memory_bytes=2**28))["limits"]["RLIMIT_AS"]
    assert soft == hard
    assert soft > 2**28


def test_the_time_limit_bounds_cpu_time_too(pool):
    short, _ = facts(pool, limits=Limits(time_s=1.0))["limits"]["RLIMIT_CPU"]
    longer, _ = facts(pool, limits=Limits(time_s=100.0))["limits"]["RLIMIT_CPU"]
    assert 0 < short < longer <= 101 * (os.cpu_count() or 1) + 20


def test_any_time_limit_can_be_given(pool):
    assert ends(start(pool, "echo", {"n": 1}, limits=Limits(time_s=float("inf")))).meta == {"n": 1}


@pytest.mark.parametrize("words", ["memory allocation of 8 bytes failed", "terminate called: std::bad_alloc"])
def test_native_code_that_aborts_for_want_of_memory_is_told_as_such(pool, words):
    with pytest.raises(MemoryLimitExceededError):
        ends(start(pool, "die", {"signal": 6, "words": words}))


def test_the_kernels_own_limit_of_cpu_time_is_told_as_a_time_limit(pool):
    with pytest.raises(TimeLimitExceededError):
        ends(start(pool, "die", {"signal": 24}))


def test_native_code_that_complains_at_length_is_not_held_up(pool):
    assert ends(start(pool, "grumble", {"bytes": 10**6})).meta["written"] < 10**6


def test_the_service_itself_loads_no_qiskit():
    code = "import sys, qdepot.adapters.compute.processes; print([m for m in sys.modules if m.startswith('qiskit')])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_service_can_close_itself_to_other_processes_of_its_user():
    code = (
        "import ctypes; from qdepot.adapters.compute.processes import make_undumpable; make_undumpable();"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "0"
