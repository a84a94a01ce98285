"""The pool on a Dask cluster keeps the contract: a scheduler and two workers with one thread each, all real."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.dask.pool import DaskPool
from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.ports.compute_pool import Lane
from qdepot.testing.compute_pool import ComputePoolConformance
from support import dask_cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with dask_cluster.running(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


class TestDaskPool(ComputePoolConformance):
    @pytest.fixture
    def pool(self, cluster):
        checks = ProcessPool(PoolOptions(module="qdepot.testing.drill", children={Lane.CHECK: self.size, Lane.RUN: 1}))
        options = ClusterOptions(
            scheduler=cluster.address,
            station=StationOptions(module="qdepot.testing.drill"),
            probe_s=0.2,
            patience_s=60.0,
        )
        with DaskPool(options, checks=checks) as pool:
            yield pool
