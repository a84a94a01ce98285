"""Which jobs may run together with others."""

import pytest

from qdepot.adapters.providers.aer_small import is_small
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.ports.provider import Submission

BELL = {"num_qubits": 2, "size": 4, "shape": []}


def small(*circuits, shots=1024, source=b"OPENQASM 3;", options=None, done=0, summary=None, **how):
    described = circuits or (BELL,)
    program = Program(
        kind=ProgramKind.SAMPLER,
        circuits=tuple(Circuit(format=ProgramFormat.OPENQASM3, source=source) for _ in described),
        shots=shots,
    )
    submission = Submission(
        tag="job.1",
        job_id="job",
        backend="aer",
        program=program,
        options=options or {},
        done=done,
        summary={"circuits": list(described)} if summary is None else summary,
    )
    return is_small(submission, **{"method": "automatic", "device": None, "limit_s": 3600.0, **how})


def test_a_bell_job_is_small():
    assert small()
    assert small(BELL, BELL)
    assert small(options={"optimization_level": 1, "seed": 3})


@pytest.mark.parametrize(
    "about",
    [
        {"num_qubits": 13, "size": 4, "shape": []},
        {"num_qubits": 2, "size": 2001, "shape": []},
        {"num_qubits": 12, "size": 300, "shape": []},
        {"num_qubits": 2, "size": 4, "shape": [17]},
        {"num_qubits": 2, "size": 4, "shape": [10, 10]},
    ],
)
def test_a_circuit_that_may_take_long_is_not(about):
    assert not small(about)
    assert not small(BELL, about)


@pytest.mark.parametrize(
    "how",
    [
        {"shots": 20_001},
        {"source": b" " * (32 * 1024 + 1)},
        {"options": {"optimization_level": 2}},
        {"done": 1},
        {"method": "density_matrix"},
        {"device": "fake_manila"},
        {"limit_s": 1.0},
    ],
)
def test_a_job_that_may_take_long_or_needs_care_is_not(how):
    assert not small(**how)


@pytest.mark.parametrize("summary", [{}, {"circuits": []}, {"circuits": [{}]}, {"circuits": [{"num_qubits": 2}]}])
def test_a_job_that_nobody_has_looked_at_is_not(summary):
    assert not small(summary=summary)
