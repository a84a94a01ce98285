"""An owner's second thought within 50 ms after the submit changes what was asked for, and nothing else."""

from __future__ import annotations

import pytest

from durability.first_moments import raced
from qdepot.testing.postgres import postgres_server
from support.cloud_server import cloud_server

SIZES = [pytest.param(100, id="100"), pytest.param(2000, id="2000", marks=pytest.mark.slow)]


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("jobs", SIZES)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_edit_cancels_a_job_and_no_edit_is_lost(nursery, tmp_path, database, jobs):
    (tmp_path / "cloud").mkdir()
    (tmp_path / "data").mkdir()
    with cloud_server(tmp_path / "cloud", "--seed", "1", "--takes-key") as cloud, postgres_server() as postgres:
        settings = {"providers": {"scripted": {"url": cloud.url}}, "log_level": "WARNING"}
        if database == "postgresql":
            settings |= {"ledger": postgres.url_of(postgres.create_database())}
            settings |= {f"store_{area}": str(tmp_path / "data" / area) for area in ("pending", "completed")}
        audit, users = raced(
            nursery,
            tmp_path / "data",
            settings,
            jobs=jobs,
            submissions=cloud.submissions,
            seconds=jobs / 40,
            shares_folder=True,
        )
    assert audit.problems == []
    assert (audit.otherwise, audit.acknowledged, audit.in_doubt) == (0, jobs, 0)
    assert audit.jobs == jobs - audit.deleted
    assert sum(users.afterthoughts.done.values()) == jobs
