"""Who dies with whom, and what the pool makes of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import pytest

from qdepot.adapters.compute import process_tree
from qdepot.errors import TaskCancelledError, TimeLimitExceededError, UnavailableError, WorkerLostError
from qdepot.ports.compute_pool import Lane, Limits
from qdepot.testing.compute_pool import ends, start, wait_until
from support.processes import facts, is_alive, offspring, open_files, wait_for_death

SERVICE = """
import signal, sys
from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Payload, Task
pool = ProcessPool(PoolOptions(module="qdepot.testing.drill"))
busy = pool.submit(Task(operation="sleep", payload=Payload(meta={"seconds": 600.0})))
told = pool.submit(Task(operation="facts", payload=Payload())).result(60).meta
print(told["pid"], told["parent"], flush=True)
signal.pause()
"""


@pytest.fixture
def service():
    """A process with a pool in it, at work; its supervisor's id is told by its children."""
    process = subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
    with process:
        process.told = [int(word) for word in process.stdout.readline().split()]
        yield process
        process.kill()


def test_a_service_that_is_killed_takes_all_its_processes_with_it(service):
    family = offspring(service.pid)
    child, supervisor = service.told
    assert {child, supervisor} < family
    service.kill()
    wait_for_death(*family)


def test_a_supervisor_that_is_stopped_dies_with_its_service_too(service):
    family = offspring(service.pid)
    _, supervisor = service.told
    os.kill(supervisor, signal.SIGSTOP)
    service.kill()
    wait_for_death(*family)


def test_a_supervisor_that_is_killed_takes_its_children_with_it_and_is_replaced(pool):
    told = facts(pool)
    running = start(pool, "sleep", {"seconds": 600.0})
    wait_until(lambda: running.started)
    family = offspring(told["parent"]) | {told["parent"]}
    os.kill(told["parent"], signal.SIGKILL)
    with pytest.raises(WorkerLostError):
        ends(running)
    wait_for_death(*family)
    assert facts(pool)["parent"] != told["parent"]
    wait_until(lambda: all(pool.ready(lane) for lane in Lane))


def test_tasks_that_wait_outlive_their_supervisor(pool):
    told = facts(pool)
    sleepers = [start(pool, "sleep", {"seconds": 600.0}) for _ in range(2)]
    wait_until(lambda: all(sleeper.started for sleeper in sleepers))
    waiting = start(pool, "echo", {"n": 1})
    os.kill(told["parent"], signal.SIGKILL)
    assert ends(waiting).meta == {"n": 1}


def test_a_supervisor_that_does_not_listen_is_replaced(pool, monkeypatch):
    monkeypatch.setattr(process_tree, "_KILL_WITHIN_S", 0.2)
    told = facts(pool)
    running = start(pool, "sleep", {"seconds": 600.0})
    wait_until(lambda: running.started)
    os.kill(told["parent"], signal.SIGSTOP)
    running.cancel()
    with pytest.raises(TaskCancelledError):
        ends(running)
    wait_for_death(told["parent"])
    assert ends(start(pool, "echo", {"n": 2})).meta == {"n": 2}


def test_a_child_that_somebody_kills_is_a_lost_worker(pool):
    told = facts(pool)
    running = start(pool, "sleep", {"seconds": 600.0})
    wait_until(lambda: running.started)
    for pid in offspring(told["parent"]):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerLostError) as caught:
        ends(running)
    assert caught.value.details == {"signal": "SIGKILL", "crashed": False}


def test_children_killed_at_random_never_make_an_answer_wrong(pool):
    supervisor = facts(pool)["parent"]
    chance = random.Random(7)
    lost = 0
    for n in range(300):
        handle = start(pool, "echo", {"n": n}, owner=f"owner {n % 2}")
        if n % 10 == 0 and (children := sorted(offspring(supervisor))):
            os.kill(chance.choice(children), signal.SIGKILL)
        try:
            assert ends(handle).meta == {"n": n}
        except WorkerLostError:
            lost += 1
    assert lost <= 30
    assert is_alive(supervisor)


@pytest.mark.parametrize("detached", [False, True])
def test_what_a_child_has_started_dies_with_it(make_pool, detached):
    pool = make_pool(sandbox="off")  # within its walls it starts nothing
    grandchild = ends(start(pool, "beget", {"seconds": 600.0, "detached": detached})).meta["pid"]
    assert is_alive(grandchild)
    with pytest.raises(WorkerLostError):
        ends(start(pool, "die"))
    wait_for_death(grandchild)


def test_a_child_that_is_stopped_is_killed_at_its_time_limit(pool):
    with pytest.raises(TimeLimitExceededError):
        ends(start(pool, "die", {"signal": int(signal.SIGSTOP)}, limits=Limits(time_s=0.3)))


def test_closing_leaves_nothing_behind(make_pool):
    before = open_files()
    pool = make_pool()
    told = facts(pool)
    start(pool, "sleep", {"seconds": 600.0})
    family = offspring(told["parent"]) | {told["parent"]}
    pool.close()
    assert not [pid for pid in family if is_alive(pid)]
    assert open_files() == before


def test_a_pool_may_be_closed_while_it_starts(make_pool):
    before = offspring(os.getpid())
    for _ in range(3):
        make_pool().close()
    wait_for_death(*(offspring(os.getpid()) - before))


def test_children_that_come_and_go_leave_no_files_open(pool):
    facts(pool)
    wait_until(lambda: all(pool.ready(lane) for lane in Lane))

    def exercise():
        for n in range(20):
            ends(start(pool, "echo", owner=f"owner {n}"))
            with pytest.raises(WorkerLostError):
                ends(start(pool, "leave", owner=f"owner {n}"))

    exercise()
    most = open_files() + 10  # children come and go while they are counted
    exercise()
    exercise()
    assert open_files() <= most


def test_a_supervisor_that_cannot_be_started_is_told_to_those_who_ask(make_pool):
    pool = make_pool(module="qdepot.quantum.no_such_module")
    waiting = start(pool, "echo")
    with pytest.raises(WorkerLostError, match="no_such_module"):
        ends(waiting)
    with pytest.raises(UnavailableError, match="no_such_module"):
        start(pool, "echo")
    assert not pool.ready(Lane.CHECK)


def test_two_pools_do_not_know_each_other(make_pool):
    one, other = make_pool(), make_pool()
    assert facts(one)["parent"] != facts(other)["parent"]
    one.close()
    assert ends(start(other, "echo", {"n": 3})).meta == {"n": 3}


def test_what_is_missing_is_told_with_each_task_and_the_pool_is_not_ready(make_pool, tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text(
        "from qdepot.quantum.supervisor import main\n"
        "from qdepot.quantum.worker import Table\n"
        "main(Table(operations={'check': 'circuits:check'}, preload='no_such_sdk:preload'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    pool = make_pool(module="half_installed")
    with pytest.raises(UnavailableError, match="no_such_sdk") as caught:
        ends(start(pool, "check"))
    assert "extras `server` and `aer`" in caught.value.solution
    assert not any(pool.ready(lane) for lane in Lane)


STUCK = """
import signal
from qdepot.quantum import supervisor, worker
from qdepot.testing.drill import OPERATIONS

forks = []
fork, serve = supervisor.Supervisor._fork, worker.Worker.serve

def counted(self, *arguments):
    forks.append(1)
    fork(self, *arguments)

def stuck_at_first(self):
    if len(forks) <= 2:
        signal.pause()
    serve(self)

supervisor.Supervisor._fork, worker.Worker.serve = counted, stuck_at_first
supervisor.main(worker.Table(operations=OPERATIONS))
"""


def test_a_child_that_gets_stuck_before_its_first_task_is_replaced(make_pool, tmp_path, monkeypatch):
    (tmp_path / "stuck.py").write_text(STUCK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(process_tree, "_START_WITHIN_S", 0.5)
    assert ends(start(make_pool(module="stuck"), "echo", {"n": 4})).meta == {"n": 4}


def test_a_supervisor_that_does_not_load_is_given_up(make_pool, tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text(
        "import signal; print('still loading', file=__import__('sys').stderr); signal.pause()"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(process_tree, "_LOAD_WITHIN_S", 1.0)
    with pytest.raises(WorkerLostError, match="still loading"):
        ends(start(make_pool(module="slow"), "echo"))
