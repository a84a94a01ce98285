"""The image without a simulator: it takes jobs, reads and checks circuits, and runs none."""

from __future__ import annotations

import sys

import pytest

import qdepot
from qdepot.domain.token import TokenText
from support.engine import Box, free_port

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]


def test_there_is_no_simulator_in_it_and_it_is_smaller(engine, image, front_image, capsys):
    box = Box(engine=engine, image=front_image, environment={}, mounts={})
    options = [*box.options(user=1_000_000_001), "--rm", "--entrypoint=python", front_image, "-c"]
    looked = "from importlib.util import find_spec; print(find_spec('qiskit_aer'), find_spec('qiskit') is not None)"
    assert engine.run("run", *options, looked).stdout == "None True\n"
    sizes = [engine.image(name)["Size"] for name in (front_image, image)]
    with capsys.disabled():
        sys.stdout.write(f"\n{front_image}: {sizes[0] / 1e6:.0f} MB\n")
    assert sizes[0] < sizes[1]


def test_it_becomes_ready_and_offers_no_simulator(engine, front_image):
    token, port = TokenText.new().revealed, str(free_port())
    settings = {"QDEPOT_HOST": "127.0.0.1", "QDEPOT_PORT": port, "QDEPOT_ADMIN_TOKEN": token}
    box = Box(engine=engine, image=front_image, environment=settings, mounts={})
    with box.started() as service:
        box.wait_until_ready(service)
        with qdepot.Client(f"http://127.0.0.1:{port}", token) as client:
            assert client.backends() == []
            assert "qiskit" in client.version().packages
