"""A cluster that speaks TLS and knows its clients by certificates."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

import trustme

from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.dask.pool import DaskPool
from qdepot.errors import UnavailableError
from qdepot.testing.compute_pool import ends, start, wait_until
from qdepot.testing.fake_pool import FunctionPool
from support import dask_cluster


def written(folder, authority):
    """Files of a certificate and of who signed it."""
    folder.mkdir()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return {"tls_ca": folder / "ca.pem", "tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}


def connected(cluster, **options):
    made = ClusterOptions(
        scheduler=cluster.address, station=StationOptions(module="qdepot.testing.drill"), patience_s=60.0, **options
    )
    return DaskPool(made, checks=FunctionPool({}))


def complaint(pool):
    with pytest.raises(UnavailableError) as caught:
        pool.check()
    return caught.value.message


def test_only_who_has_a_certificate_of_the_cluster_can_use_it(tmp_path):
    files = written(tmp_path / "ours", trustme.CA())
    strange = written(tmp_path / "strange", trustme.CA())
    tls = [f"--tls-ca-file={files['tls_ca']}", f"--tls-cert={files['tls_cert']}", f"--tls-key={files['tls_key']}"]
    with dask_cluster.running(tmp_path, workers=1, tls=tls) as cluster:
        with connected(cluster, **files) as pool:
            assert ends(start(pool, "echo", {"n": 1}, parts={"a": b"b"})).meta == {"n": 1}
        with connected(cluster, **strange) as pool:
            wait_until(lambda: "does not answer" in complaint(pool))
