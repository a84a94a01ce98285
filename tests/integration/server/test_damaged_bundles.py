"""A job whose bundle is damaged is shown by its row; what is damaged says so itself."""

from __future__ import annotations

import pytest

from qdepot.archive import layout
from support.rebuilding import ended
from support.web import Bench


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_the_job_is_answered_without_its_result(bench: Bench, how):
    job = ended(bench.world)
    assert bench.get(f"/v1/jobs/{job.id}").json()["result"] is not None
    key = layout.bundle_key(job)
    if how == "damaged":
        content = bytearray(bench.world.completed.get(key))
        content[len(content) // 2] ^= 1
        bench.world.completed.replace(key, bytes(content))
    else:
        bench.world.completed.delete([key])
    answer = bench.get(f"/v1/jobs/{job.id}")
    assert (answer.status_code, answer.json()["status"], answer.json()["result"]) == (200, "COMPLETED", None)
    assert bench.get(f"/v1/jobs/{job.id}/result").json()["code"] == "archive_damaged"
