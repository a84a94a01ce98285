"""What Aer's backends say of themselves."""

from __future__ import annotations

import pytest

from qdepot.adapters.providers.aer import AerProvider, AerSettings
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.ports.compute_pool import Limits
from qdepot.ports.operations import check_task

GIBI = 1024**3


@pytest.fixture
def backends():
    settings = AerSettings.model_validate({"limits": {"aer_mps": {"time_limit_s": 60, "memory_bytes": 4 * GIBI}}})
    provider = AerProvider(
        pool=None,
        limits=Limits(time_s=10.0, memory_bytes=GIBI),
        cores=1,
        describe=lambda: {"fake_devices": {"fake_torino": 133}},
        settings=settings,
    )
    return {backend.name: backend for backend in provider.backends()}


def test_a_fake_device_tells_how_many_qubits_it_has(backends):
    assert backends["fake_devices/torino"].num_qubits == 133
    assert backends["aer"].num_qubits is None


def test_each_backend_tells_its_limits(backends):
    told = {name: (b.properties["time_limit_s"], b.properties["memory_limit_bytes"]) for name, b in backends.items()}
    assert told.pop("aer_mps") == (60.0, 4 * GIBI)
    assert set(told.values()) == {(10.0, GIBI)}


def test_any_limit_of_a_backend_may_be_its_own():
    own = {"time_limit_s": 1.0, "memory_bytes": 2, "cpu_time_s": 3.0, "file_bytes": 4, "open_files": 50}
    settings = AerSettings.model_validate({"limits": {"aer": own, "aer_mps": {"cpu_time_s": 6}}})
    default = Limits(time_s=10.0, memory_bytes=GIBI, open_files=70)
    aer, mps = (settings.limits[name].over(default) for name in ("aer", "aer_mps"))
    assert aer == Limits(time_s=1.0, memory_bytes=2, cpu_time_s=3.0, file_bytes=4, open_files=50)
    assert mps == Limits(time_s=10.0, memory_bytes=GIBI, cpu_time_s=6.0, open_files=70)


def test_a_check_goes_by_the_memory_that_the_run_will_have_and_not_by_its_own(backends):
    program = Program(
        kind=ProgramKind.SAMPLER, circuits=(Circuit(format=ProgramFormat.OPENQASM2, source=b""),), shots=1
    )
    for name, memory_mb in (("aer", 1024), ("aer_mps", 4096)):
        limits = Limits(memory_bytes=64 * 1024**2)
        task = check_task(program, options={}, backend=backends[name], max_total_shots=1, owner="ada", limits=limits)
        assert task.payload.meta["memory_mb"] == memory_mb
        assert task.limits == limits
