"""Generated programs through HTTP and a running service: the answers agree with the judges, too."""

from __future__ import annotations

import base64

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from answers.examining import RIGHT, SHOTS, answered_by, examined
from answers.running import LANGUAGES
from support.service import Service

PROGRAMS = 40
TOGETHER = 20


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("data")).start()
    yield running
    running.stop()


def right_programs(language, panel):
    """Programs that measure, and whose answers are right when they are run without a service."""
    found = {}

    @seeded(4)
    @settings(
        max_examples=4 * PROGRAMS, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(LANGUAGES[language]())
    def collect(program):
        fits = program.num_qubits is None and program.parameter_values is None and len(found) < PROGRAMS
        if fits and program.source not in found and examined(program, panel).verdict == RIGHT:
            found[program.source] = program

    collect()
    return list(found.values())


def run(service, programs):
    circuits = [
        {
            "format": each.language,
            "source": each.source if isinstance(each.source, str) else base64.b64encode(each.source).decode(),
        }
        for each in programs
    ]
    body = {"backend": "aer", "program": {"kind": "sampler", "shots": SHOTS, "circuits": circuits}}
    answer = httpx.post(f"{service.url}/v1/jobs", json=body, timeout=60)
    assert answer.status_code == 201, answer.text
    job = answer.json()["id"]
    status = httpx.get(f"{service.url}/v1/jobs/{job}/status?wait=60", timeout=90).json()
    assert status["status"] == "COMPLETED", status
    return httpx.get(f"{service.url}/v1/jobs/{job}/result", timeout=60).json()["results"]


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # of the judge
@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_through_the_service_agree_with_the_judges(service, panel, language):
    programs = right_programs(language, panel)
    assert len(programs) > PROGRAMS / 2
    for start in range(0, len(programs), TOGETHER):
        some = programs[start : start + TOGETHER]
        for program, entry in zip(some, run(service, some), strict=True):
            finding = answered_by(program, entry, panel)
            assert finding.verdict == RIGHT, f"{finding.reason}\n{program}"
