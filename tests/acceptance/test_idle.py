"""A service with nothing to do does nothing."""

from __future__ import annotations

import time
from pathlib import Path

LONGEST_SHARE = 0.35
"""Of one processor. Idle, a few per cent are measured; a duty that wakes itself takes all it can get."""


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_an_idle_service_leaves_the_processor_alone(services):
    service = services()
    assert service.process is not None
    before, begin = processor_seconds(service.process.pid), time.monotonic()
    time.sleep(5)
    share = (processor_seconds(service.process.pid) - before) / (time.monotonic() - begin)
    assert share < LONGEST_SHARE
