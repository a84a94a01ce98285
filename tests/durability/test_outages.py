"""While a part is away submits are refused in time and in words; what was accepted before comes home after."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import httpx
import pytest

from durability.cases import SETTINGS
from durability.lab import Lab, bring_home, order
from qdepot.testing.fault_proxy import Fault, FaultProxy

pytestmark = pytest.mark.timeout(300)

FAULTS = {"refused": Fault(refuse=True), "silent": Fault(black_hole=True)}
ANSWERED_WITHIN_S = 30.0
JOBS = 10


@pytest.fixture
def proxies(postgres, s3_server, clouds):
    with (
        FaultProxy(Path(postgres.folder) / ".s.PGSQL.5432") as database,
        FaultProxy(s3_server.port) as store,
        FaultProxy(int(clouds["key"].url.rpartition(":")[2])) as cloud,
    ):
        yield {"database": database, "store": store, "cloud": cloud}


@pytest.fixture
def lab(nursery, postgres, s3_server, proxies, tmp_path):
    """A lab whose parts all lie behind proxies; what it opens itself is not cut off."""
    database, place, options = postgres.create_database(), uuid.uuid4().hex, s3_server.options
    store = {
        "region": options.region,
        "access_key_id": options.access_key_id,
        "secret_access_key": options.secret_access_key,
    }
    through = {
        **SETTINGS,
        "ledger": f"postgresql://postgres@127.0.0.1:{proxies['database'].port}/{database}",
        "store": {**store, "endpoint": f"http://127.0.0.1:{proxies['store'].port}"},
        "store_pending": s3_server.url(f"{place}/pending"),
        "store_completed": s3_server.url(f"{place}/completed"),
        "providers": {"scripted": {"url": f"http://127.0.0.1:{proxies['cloud'].port}", "timeout_s": 2.0}},
    }
    past = {"ledger": postgres.url_of(database), "store": {**store, "endpoint": options.endpoint}}
    made = Lab(nursery, tmp_path, through, past={**through, **past})
    made.serve()
    yield made
    made.end_all()
    postgres.drop_database(database)


def submit(url: str, number: int, *, key: str) -> httpx.Response:
    return httpx.post(
        f"{url}/v1/jobs", json=order(number), headers={"Idempotency-Key": key}, timeout=2 * ANSWERED_WITHIN_S
    )


@pytest.mark.parametrize("away_s", [3.0, pytest.param(60.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("part", ["database", "store"])
def test_while_ledger_or_store_is_away_submits_are_told_to_come_again(lab, proxies, part, fault, away_s):
    accepted = [lab.submit(order(number), key=f"key {number}") for number in range(JOBS)]
    url = lab.url
    proxies[part].play(FAULTS[fault])
    gone_at = time.monotonic()
    answer = submit(url, JOBS, key="too late")
    assert time.monotonic() - gone_at < ANSWERED_WITHIN_S
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["code"] == "unavailable"
    time.sleep(max(0.0, gone_at + away_s - time.monotonic()))
    proxies[part].heal()
    accepted.append(lab.submit(order(JOBS), key="too late"))
    with lab.opened() as (ledger, archive):
        bring_home(ledger, archive, accepted, patience_s=240)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_while_the_cloud_is_away_submits_are_accepted(lab, proxies, fault):
    accepted = [lab.submit(order(0), key="key 0")]
    proxies["cloud"].play(FAULTS[fault])
    began = time.monotonic()
    accepted += [lab.submit(order(number), key=f"key {number}") for number in range(1, JOBS)]
    assert time.monotonic() - began < ANSWERED_WITHIN_S
    assert lab.submit(order(0, backend="aer"), key="here")
    proxies["cloud"].heal()
    with lab.opened() as (ledger, archive):
        bring_home(ledger, archive, accepted, patience_s=240)
