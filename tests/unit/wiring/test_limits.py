"""Which settings bound a check, and which a simulation."""

from __future__ import annotations

from qdepot.config import Settings
from qdepot.ports.compute_pool import Limits
from qdepot.wiring import check_limits
from qdepot.wiring.limits import run_limits


def test_checks_and_runs_have_the_limits_that_are_set(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = Settings.read(
        run_time_limit_s=10,
        run_memory_bytes=1000,
        run_cpu_time_s=20,
        check_time_limit_s=3,
        check_memory_bytes=400,
        child_open_files=50,
        child_file_bytes=60,
    )
    assert run_limits(settings) == Limits(time_s=10, memory_bytes=1000, cpu_time_s=20, open_files=50, file_bytes=60)
    assert check_limits(settings) == Limits(time_s=3, memory_bytes=400, open_files=50, file_bytes=60)


def test_where_nothing_is_set_a_child_has_few_files_open_and_writes_none(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    limits = run_limits(Settings.read())
    assert (limits.open_files, limits.file_bytes, limits.cpu_time_s) == (64, 0, None)
