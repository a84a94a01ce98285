"""A stand-in for Azure Blob Storage: Azurite, which is made for tests (``npm install --global azurite``)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx

from qdepot.adapters.object_stores.cloud_options import CloudOptions
from support.cloud_server import end_with_parent

INSTALL = "npm install --global azurite"
ACCOUNT = "devstoreaccount1"
# The key that all copies of Azurite share, from its documentation; it opens nothing else.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CONTAINER = "qdepot-test"
_READY_WITHIN_S = 60.0


def binary() -> str | None:
    """The program, if it is installed."""
    return shutil.which("azurite-blob")


@contextmanager
def running(folder: Path) -> Iterator[CloudOptions]:
    """One with one container; ends with the block, or with this process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [binary(), "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
        try:
            endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
            _make_container(endpoint, process)
            more = {"account_name": ACCOUNT, "account_key": KEY, "endpoint": endpoint}
            yield CloudOptions(endpoint=endpoint, more=more)
        finally:
            process.kill()
            process.wait()


def _make_container(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    headers = {"x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), "x-ms-version": "2021-08-06"}
    noted = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    resource = f"/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
    text = "PUT" + "\n" * 12 + noted + resource
    signature = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            answer = httpx.put(f"{endpoint}/{CONTAINER}?restype=container", headers=headers, trust_env=False)
        except httpx.TransportError:
            assert process.poll() is None, "Azurite did not start"
            assert time.monotonic() < deadline, "Azurite is not ready"
            time.sleep(0.1)
        else:
            answer.raise_for_status()
            return
