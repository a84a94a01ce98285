"""The supervisor that a service starts, with Qiskit in it."""

from __future__ import annotations

import pytest

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.errors import UnavailableError
from qdepot.ports.compute_pool import Lane, Limits
from qdepot.testing.compute_pool import ends, start, wait_until


def test_a_pool_becomes_ready_and_its_children_know_qiskit_under_a_tight_memory_limit():
    with ProcessPool(PoolOptions()) as pool:
        wait_until(lambda: all(pool.ready(lane) for lane in Lane))
        packages = ends(start(pool, "describe", limits=Limits(memory_bytes=2**28))).meta["packages"]
        assert "qiskit" in packages


def test_children_that_know_qiskit_tell_which_walls_stand_round_them():
    with ProcessPool(PoolOptions(sandbox="off")) as pool:
        told = ends(start(pool, "describe")).meta["sandbox"]
    assert told.keys() == {"files", "system calls", "user", "network", "signals"}
    assert not told["files"]


NO_LANDLOCK = """
import sys
from qdepot.quantum import supervisor, worker
from qdepot.testing import drill
sys.modules["landlock"] = None
supervisor.main(worker.Table(operations=drill.OPERATIONS))
"""


@pytest.fixture
def without_landlock(tmp_path, monkeypatch):
    (tmp_path / "without_landlock.py").write_text(NO_LANDLOCK)
    monkeypatch.syspath_prepend(tmp_path)
    return "without_landlock"


def test_a_required_sandbox_that_cannot_be_built_is_told_and_nothing_is_worked_on(without_landlock):
    with ProcessPool(PoolOptions(module=without_landlock, sandbox="required")) as pool:
        with pytest.raises(UnavailableError, match=r"files: .*landlock") as caught:
            ends(start(pool, "echo"))
        assert not any(pool.ready(lane) for lane in Lane)
    assert "sandbox" in caught.value.solution


def test_the_best_sandbox_goes_on_without_a_wall_and_warns(without_landlock, caplog):
    with ProcessPool(PoolOptions(module=without_landlock)) as pool:
        assert not ends(start(pool, "facts")).meta["walls"]["files"]
    (record,) = [record for record in caplog.records if record.message.startswith("pool_sandbox")]
    assert record.levelname == "WARNING"
    assert "files" in record.open
