"""A container engine, the image, and real servers for it.

Variables of these tests: ``QDEPOT_TEST_BASE`` (base image, else that of the Containerfile), ``QDEPOT_TEST_BUILD``
(further options of the build), ``QDEPOT_TEST_IMAGE`` and ``QDEPOT_TEST_FRONT_IMAGE`` (images that are built already).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.engine import Engine, Stores, open_folder, running_stores

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def engine() -> Engine:
    program = shutil.which("podman") or shutil.which("docker")
    if program is None:
        pytest.skip("no container engine: apt-get install podman")
    info = subprocess.run([program, "info"], capture_output=True, text=True, timeout=60)
    if info.returncode:
        pytest.skip(f"{program} does not work here: {info.stderr.strip()[-300:]}")
    return Engine(program)


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    return os.environ.get("QDEPOT_TEST_IMAGE") or build(engine, target="service")


@pytest.fixture(scope="session")
def front_image(engine: Engine) -> str:
    return os.environ.get("QDEPOT_TEST_FRONT_IMAGE") or build(engine, target="front")


def build(engine: Engine, *, target: str) -> str:
    """Build a target of the Containerfile; the image's name."""
    name = f"localhost/qdepot-test-{target}"
    options = shlex.split(os.environ.get("QDEPOT_TEST_BUILD", ""))
    base = os.environ.get("QDEPOT_TEST_BASE")
    engine.build(ROOT, name, target=target, options=[*options, *([f"--build-arg=BASE={base}"] if base else [])])
    return name


@pytest.fixture(scope="module")
def stores() -> Iterator[Stores]:
    with open_folder() as folder, running_stores(folder) as stores:
        yield stores
