from __future__ import annotations

import asyncio
import zipfile

import httpx
import pytest

from qdepot import AsyncClient, Client
from qdepot.errors import InvalidRequestError, NotFinishedError
from support.fake_api import BELL, FakeApi, npz_without_arrays, problem


@pytest.fixture
def api() -> FakeApi:
    fake = FakeApi()
    fake.arrays = npz_without_arrays()
    return fake


def test_a_job_is_exported_to_a_file(api, tmp_path):
    with Client("http://s", transport=api.transport()) as client:
        job = client.submit(BELL)
        assert job.export(tmp_path / "x.zip") == tmp_path / "x.zip"
        assert job.export(str(tmp_path)) == tmp_path / f"qdepot-{job.id}.zip"
    assert zipfile.is_zipfile(tmp_path / "x.zip")


def test_so_is_one_of_the_other_client(api, tmp_path):
    async def export():
        async with AsyncClient("http://s", transport=api.transport()) as client:
            return await (await client.submit(BELL)).export(tmp_path)

    assert zipfile.is_zipfile(asyncio.run(export()))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(409, "not_finished", "wait"), NotFinishedError),
        (httpx.Response(200, content=b"no zip file"), InvalidRequestError),
    ],
)
def test_nothing_is_written_unless_all_is_there(api, tmp_path, answer, error):
    with Client("http://s", transport=api.transport()) as client:
        job = client.submit(BELL)
        api.faults.append(answer)
        with pytest.raises(error):
            job.export(tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []
