"""What is kept of a job is downloaded: from the service, or by a link from the store itself."""

from __future__ import annotations

import io
import json
import urllib.request
import uuid
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.archive import layout
from qdepot.archive.archive import Archive
from support.web import RESULT, Bench, problem
from support.world import make_world


def result_in(content: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        return json.loads(file.read("result.json"))


@pytest.mark.parametrize("links_for", [None, timedelta(seconds=60)])
def test_a_store_that_signs_no_links_is_read_by_the_service(bench: Bench, links_for):
    bench = Bench(bench.world, bench.runner, {"download_links_for": links_for})
    job = bench.finish(bench.submit(), members={"raw/large.bin": bytes(3 * 2**20)})
    response = bench.get(bench.get(f"/v1/jobs/{job.id}").json()["links"]["download"])
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
    assert response.headers["content-disposition"] == f'attachment; filename="{job.id}.zip"'
    assert response.content == bench.world.completed.get(layout.bundle_key(job))
    assert result_in(response.content) == RESULT


@pytest.fixture
def in_a_bucket(s3_server, bench: Bench):
    """The archive of this bench is in a bucket."""
    place = uuid.uuid4().hex
    stores = [CloudStore.open(s3_server.url(f"{place}/{it}"), s3_server.options) for it in "pc"]
    world = make_world()
    world.archive = Archive(pending=stores[0], completed=stores[1])
    yield lambda **parts: Bench(world, bench.runner, parts)
    world.pool.close()


def test_a_store_that_signs_links_is_where_a_link_leads(in_a_bucket):
    bench = in_a_bucket(download_links_for=timedelta(seconds=60))
    job = bench.finish(bench.submit())
    response = bench.get(f"/v1/jobs/{job.id.upper()}/download")
    assert (response.status_code, response.content) == (307, b"")
    assert "no-store" in response.headers["cache-control"]
    assert "X-Amz-Expires=60" in response.headers["location"]
    with urllib.request.urlopen(response.headers["location"]) as answer:
        assert result_in(answer.read()) == RESULT


def test_no_link_is_given_unless_the_operator_says_so(in_a_bucket):
    bench = in_a_bucket()
    job = bench.finish(bench.submit())
    assert result_in(bench.get(f"/v1/jobs/{job.id}/download").content) == RESULT


@pytest.mark.parametrize("links_for", [None, timedelta(seconds=60)])
def test_no_link_leads_to_a_job_of_another_project(in_a_bucket, links_for):
    bench = in_a_bucket(download_links_for=links_for)
    job = bench.finish(bench.submit())
    ledger = bench.world.ledger
    ledger._entries[job.id].job = replace(ledger.get(job.id), project="chemistry")
    problem(bench.get(f"/v1/jobs/{job.id}/download"), 404, "not_found")


def test_a_job_that_goes_on_has_no_file(bench: Bench):
    job = bench.submit()
    assert "download" not in bench.get(f"/v1/jobs/{job.id}").json()["links"]
    assert problem(bench.get(f"/v1/jobs/{job.id}/download"), 409, "not_finished")["details"]["status"] == "CREATED"


def test_a_damaged_file_is_not_given(bench: Bench):
    job = bench.finish(bench.submit())
    content = bench.world.completed.get(layout.bundle_key(job))
    bench.world.completed.replace(layout.bundle_key(job), content[:-1] + b"x")
    problem(bench.get(f"/v1/jobs/{job.id}/download"), 500, "archive_damaged")
