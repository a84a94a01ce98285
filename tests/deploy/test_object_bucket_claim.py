"""The ConfigMap and the Secret of an ObjectBucketClaim are taken as they come."""

from __future__ import annotations

import pytest

from qdepot.config import Settings
from qdepot.testing import seaweedfs
from qdepot.wiring import open_archive
from support.manifests import environment

WORKLOADS = {"Deployment", "CronJob"}
SETTINGS = {"QDEPOT_AUTH": "tokens", "BUCKET_SCHEME": "http"}
LEDGER = "postgresql://qdepot:word@qdepot-database-rw.lab:5432/app"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory):
    if seaweedfs.binary() is None:
        pytest.skip(seaweedfs.INSTALL)
    with seaweedfs.running(tmp_path_factory.mktemp("s3")) as server:
        yield server


def pod_environment(objects, workload: str, claim: dict[str, str]) -> dict[str, str]:
    [item] = [item for item in objects if item["metadata"]["name"] == workload and item["kind"] in WORKLOADS]
    container = item["spec"].get("jobTemplate", item)["spec"]["template"]["spec"]["containers"][0]
    [settings] = [source["configMapRef"]["name"] for source in container["envFrom"] if "settings" in str(source)]
    return environment(
        container,
        maps={settings: SETTINGS, "qdepot-bucket": claim},
        others={"QDEPOT_LEDGER": LEDGER, "POD_NAMESPACE": "lab", "QDEPOT_ADMIN_TOKEN": "qdp_x"},
    )


@pytest.mark.parametrize("workload", ["qdepot", "qdepot-reconciler", "qdepot-reconcile"])
@pytest.mark.parametrize("region", ["", "us-east-1"])
def test_a_claimed_bucket_is_written_and_read(rendered, s3, workload, region, monkeypatch):
    secret_key = s3.options.secret_access_key
    claim = {
        "BUCKET_HOST": "127.0.0.1",
        "BUCKET_PORT": str(s3.port),
        "BUCKET_NAME": s3.url("x").split("/")[2],
        "BUCKET_REGION": region,
        "BUCKET_SUBREGION": "",
        "AWS_ACCESS_KEY_ID": s3.options.access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_key,
    }
    given = pod_environment(rendered("cluster"), workload, claim)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings.read()
    assert settings.ledger is not None
    assert settings.ledger.get_secret_value() == LEDGER
    archive = open_archive(settings)
    for store in (archive.pending, archive.completed):
        store.check()
    assert settings.store.region == (region or None)


def test_the_names_by_which_pods_call_the_service_are_allowed(rendered):
    [item] = [item for item in rendered("one-pod") if item["kind"] == "Deployment"]
    container = item["spec"]["template"]["spec"]["containers"][0]
    [settings] = [source["configMapRef"]["name"] for source in container["envFrom"]]
    given = environment(container, maps={settings: {}}, others={"POD_NAMESPACE": "lab", "QDEPOT_ADMIN_TOKEN": "qdp_x"})
    assert given["QDEPOT_ALLOWED_HOSTS"].split(",") == [
        "qdepot",
        "qdepot.lab",
        "qdepot.lab.svc",
        "qdepot.lab.svc.cluster.local",
    ]
