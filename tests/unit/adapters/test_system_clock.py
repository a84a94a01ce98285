import subprocess
import sys
import time
from datetime import UTC

import pytest

from qdepot.adapters.system_clock import SystemClock


def test_the_time_of_day_is_utc():
    assert SystemClock().now().tzinfo is UTC


def test_monotonic_time_never_falls():
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_the_boot_id_stays_the_same():
    assert SystemClock().boot_id() == SystemClock().boot_id() != ""


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="elsewhere readings are not promised to compare")
def test_processes_of_one_boot_read_the_same_clock():
    script = "from qdepot.adapters.system_clock import SystemClock as C; print(C().monotonic(), C().boot_id())"
    before = SystemClock().monotonic()
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert before < float(told[0]) < SystemClock().monotonic()
    assert told[1] == SystemClock().boot_id()


@pytest.mark.skipif(sys.platform != "linux", reason="the clock that counts sleep has another name elsewhere")
def test_time_asleep_counts():
    assert SystemClock().monotonic() >= time.clock_gettime(time.CLOCK_BOOTTIME) - 60
    assert SystemClock().monotonic() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)
