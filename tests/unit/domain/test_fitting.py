"""What a backend can never run is refused by its figures, before anything is sent."""

from __future__ import annotations

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_fits
from qdepot.domain.program import Circuit, Program, ProgramFormat, ProgramKind
from qdepot.errors import InvalidRequestError, UnsupportedProgramError

BACKEND = BackendInfo(
    name="qpu",
    provider="lab",
    max_shots=100,
    max_circuits=2,
    formats=frozenset({ProgramFormat.OPENQASM3}),
    options=frozenset({"seed"}),
)


def program(*, circuits=1, kind=ProgramKind.SAMPLER, format=ProgramFormat.OPENQASM3, shots=100, own_shots=None):
    circuit = Circuit(format=format, source=b"", shots=own_shots)
    return Program(kind=kind, circuits=(circuit,) * circuits, shots=shots)


def test_what_is_within_the_limits_passes():
    check_fits(program(circuits=2), options={"seed": 1, "memory": False}, backend=BACKEND)


@pytest.mark.parametrize(
    ("asked", "options", "error", "says"),
    [
        (program(circuits=3), {}, InvalidRequestError, "3 circuits"),
        (program(shots=101), {}, InvalidRequestError, "101 shots for circuit 0"),
        (program(own_shots=101), {}, InvalidRequestError, "101 shots for circuit 0"),
        (program(kind=ProgramKind.ESTIMATOR), {}, UnsupportedProgramError, "does not run estimator"),
        (program(format=ProgramFormat.QPY), {}, UnsupportedProgramError, "does not take qpy"),
        (program(), {"noise": "x"}, UnsupportedProgramError, "noise"),
    ],
)
def test_what_is_beyond_them_is_refused(asked, options, error, says):
    with pytest.raises(error, match=says):
        check_fits(asked, options=options, backend=BACKEND)
