"""A laptop has neither the service's packages nor Qiskit, and who imports qdepot does not want to wait."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import qdepot
from qdepot import errors

HEAVY = {
    "fastapi",
    "starlette",
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "obstore",
    "numpy",
    "qiskit",
    "qiskit_aer",
    "matplotlib",
}
SUBMIT = """
import httpx, qdepot
from qdepot import AsyncClient, Client, JobHandle, JobStatus
import qdepot.client.client, qdepot.client.async_client
with Client("http://s", transport=httpx.MockTransport(lambda request: httpx.Response(200, json={"backends": []}))) as c:
    c.backends()
"""


def loaded_by(code: str) -> set[str]:
    shown = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "code", ["import qdepot, qdepot.client", SUBMIT, "import qdepot.cli.app; qdepot.cli.app.build_app()"]
)
def test_nothing_heavy_is_loaded(code):
    assert not HEAVY & {name.partition(".")[0] for name in loaded_by(code)}


def test_importing_qdepot_alone_loads_next_to_nothing():
    loaded = loaded_by("import qdepot")
    assert not {"httpx", "pydantic", "typer", "rich"} & loaded
    assert {name for name in loaded if name.startswith("qdepot")} == {"qdepot"}


def test_every_public_name_is_there():
    for name in qdepot.__all__:
        assert getattr(qdepot, name) is not None
        assert name in dir(qdepot)
    assert qdepot.errors is errors
    assert qdepot.__version__ == version("qdepot")
    assert len(qdepot.__all__) <= 12


def test_another_name_is_not():
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        qdepot.Klient  # noqa: B018 - the access is the test
