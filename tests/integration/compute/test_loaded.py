"""The supervisor that a service starts, with Qiskit in it."""

from __future__ import annotations

from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Lane, Limits
from qdepot.testing.compute_pool import ends, start, wait_until


def test_a_pool_becomes_ready_and_its_children_know_qiskit_under_a_tight_memory_limit():
    with ProcessPool(PoolOptions()) as pool:
        wait_until(lambda: all(pool.ready(lane) for lane in Lane))
        packages = ends(start(pool, "describe", limits=Limits(memory_bytes=2**28))).meta["packages"]
        assert "qiskit" in packages
