from __future__ import annotations

import pytest

from support.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One service for all tests of a file."""
    running = Service(tmp_path_factory.mktemp("data")).start()
    yield running
    running.stop()


@pytest.fixture
def services(tmp_path):
    """Starts services that are ended after the test."""
    started: list[Service] = []

    def start(name: str = "data", *options: str, ready: bool = True, **environment: str) -> Service:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        running = Service(folder, options=options, environment=environment)
        started.append(running)
        return running.start(ready=ready)

    yield start
    for running in started:
        if running.process is not None and running.process.poll() is None:
            running.kill()
