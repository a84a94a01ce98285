"""A real service with small limits, for programs that were written to harm it."""

from __future__ import annotations

import httpx
import pytest

from support.processes import offspring
from support.service import Service

CHECK_S = 1.2
RUN_S = 1.5
PATIENCE_S = 60.0


class Watched:
    """A service, and what must be the same after each attack."""

    def __init__(self, service: Service) -> None:
        assert service.process is not None
        self.http = httpx.Client(base_url=service.url, timeout=PATIENCE_S)
        self.process = service.process
        self.supervisor = self._supervisor()

    def _supervisor(self) -> int:
        (supervisor,) = (pid for pid in offspring(self.process.pid) if offspring(pid))
        return supervisor

    def is_untouched(self) -> bool:
        return self.process.poll() is None and self.supervisor in offspring(self.process.pid)


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """One for all tests here: an attack that harms it shows in those that come after, too."""
    limits = {
        "QDEPOT_CHECK_TIME_LIMIT_S": str(CHECK_S),
        "QDEPOT_CHECK_BUDGET_S": "30",
        "QDEPOT_CHECK_MEMORY_BYTES": str(400 * 1024**2),
        "QDEPOT_RUN_TIME_LIMIT_S": str(RUN_S),
        "QDEPOT_RUN_MEMORY_BYTES": str(400 * 1024**2),
    }
    running = Service(tmp_path_factory.mktemp("hostile"), environment=limits).start()
    watched = Watched(running)
    yield watched
    watched.http.close()
    assert watched.is_untouched()
    running.stop()
