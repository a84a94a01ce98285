"""What a real service does with jobs that do not end, need too much, or are stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from qdepot import Client
from qdepot.errors import JobFailedError, UnsupportedProgramError
from support.service import Service, run_cli

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
ENDLESS = f"{HEAD}qubit[1] q;\nbit[1] c;\nwhile (!c[0]) {{ c[0] = measure q[0]; }}\n"
PATIENCE_S = 60.0
MIB = 1024**2


def wide(num_qubits: int) -> str:
    """Entangled and not Clifford, so that its state takes 16 bytes times two to the number of qubits."""
    layer = "".join(f"h q[{n}]; t q[{n}]; cx q[{n}], q[{(n + 1) % num_qubits}];\n" for n in range(num_qubits))
    return f"{HEAD}qubit[{num_qubits}] q;\nbit[{num_qubits}] c;\n{layer * 2}c = measure q;\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    limits = {
        "QDEPOT_RUN_TIME_LIMIT_S": "600",
        "QDEPOT_RUN_MEMORY_BYTES": str(256 * MIB),
        "QDEPOT_PROVIDERS__AER__LIMITS__AER_STATEVECTOR__TIME_LIMIT_S": "1.5",
        "QDEPOT_PROVIDERS__AER__LIMITS__AER_DENSITY_MATRIX__CPU_TIME_S": "1",
    }
    running = Service(tmp_path_factory.mktemp("limits"), environment=limits).start()
    yield running
    running.stop()


def until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def running_job(service: Service, source: str = ENDLESS):
    handle = Client(service.url).submit(source, shots=10)
    until(lambda: handle.status() == "RUNNING")
    return handle


def failure_of(handle) -> tuple[str, dict]:
    with pytest.raises(JobFailedError):
        handle.result(timeout_s=PATIENCE_S)
    failure = handle.details().failure
    assert failure is not None
    return failure.code, dict(failure.details or {})


def test_a_job_that_runs_too_long_fails_and_tells_the_limit_of_its_backend(service):
    handle = Client(service.url).submit(ENDLESS, backend="aer_statevector", shots=10)
    assert failure_of(handle) == ("time_limit_exceeded", {"time_s": 1.5})


def test_a_job_that_computes_too_much_fails_and_tells_the_limit_of_its_backend(service):
    handle = Client(service.url).submit(ENDLESS, backend="aer_density_matrix", shots=10)
    assert failure_of(handle) == ("time_limit_exceeded", {"cpu_time_s": 1.0})


def test_the_callers_own_limit_counts_where_it_is_shorter(service):
    handle = Client(service.url).submit(ENDLESS, shots=10, timeout_s=1)
    assert failure_of(handle) == ("time_limit_exceeded", {"time_s": 1.0})


def test_a_circuit_that_cannot_fit_is_refused_at_once_with_both_figures(service):
    with pytest.raises(UnsupportedProgramError) as caught:
        Client(service.url).submit(wide(26), shots=10)
    assert caught.value.details["required_bytes"] == 16 << 26
    assert 128 * MIB < caught.value.details["available_bytes"] < 256 * MIB


def test_a_circuit_whose_state_alone_would_fit_is_refused_at_once_and_the_next_smaller_one_runs(service):
    with pytest.raises(UnsupportedProgramError, match="24 qubits"):
        Client(service.url).submit(wide(24), shots=10)  # 256 MiB for the state alone
    assert sum(Client(service.url).submit(wide(23), shots=10).result(timeout_s=PATIENCE_S)[0].counts.values()) == 10


def test_a_job_whose_state_fits_but_not_its_outcomes_fails_and_tells_the_limit(service):
    source = f"{HEAD}qubit[1] q;\nbit[1] c;\nh q[0];\nc = measure q;\n"
    handle = Client(service.url).submit(source, shots=9_000_000, memory=True)
    code, details = failure_of(handle)
    assert code == "memory_limit_exceeded"
    assert details


def test_a_cancel_ends_a_job_that_would_never_end(service):
    handle = running_job(service)
    handle.cancel()
    assert handle.wait(timeout_s=PATIENCE_S) == "CANCELLED"


def test_a_service_that_is_stopped_hands_unfinished_work_back(services):
    service = services()
    handle = running_job(service)
    assert service.stop() == 0
    service.start()
    again = Client(service.url).job(handle.id)
    until(lambda: again.status() == "RUNNING" and again.details().attempt >= 2)
    again.cancel()
    assert again.wait(timeout_s=PATIENCE_S) == "CANCELLED"


def test_a_service_tells_its_walls_and_starts_where_those_that_it_requires_stand(service, services):
    walls = httpx.get(f"{service.url}/v1/version").json()["sandbox"]
    if not (walls["files"] and walls["system calls"]):
        pytest.skip(f"this machine lacks walls: {walls}")
    strict = services("strict", QDEPOT_SANDBOX="required")
    assert httpx.get(f"{strict.url}/v1/version").json()["sandbox"] == walls


def test_a_service_does_not_start_where_required_walls_are_missing(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['landlock'] = None\n")
    told = run_cli("serve", "--port", "0", data=tmp_path / "data", QDEPOT_SANDBOX="required", PYTHONPATH=str(tmp_path))
    assert told.returncode != 0
    assert "landlock" in told.stderr
