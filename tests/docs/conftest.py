"""A real service for the code on the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.service import Service


@pytest.fixture(scope="session")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = Service(tmp_path_factory.mktemp("docs-service")).start()
    yield service.url
    service.stop()
