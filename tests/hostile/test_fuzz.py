"""Each door that bytes come in by, with inputs that a machine makes up.

A few seconds of it in every run of the tests; ``make fuzz MINUTES=60`` goes on for longer.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from hostile import growing
from hostile.doors import Doors

BRIEF = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@pytest.fixture(scope="module")
def doors():
    with Doors() as doors:
        yield doors


@given(source=growing.programs(2))
@BRIEF
def test_the_reader_of_openqasm_2_gives_a_circuit_or_a_refusal(doors, source):
    doors.check(source, "openqasm2")


@given(source=growing.programs(3))
@BRIEF
def test_the_reader_of_openqasm_3_gives_a_circuit_or_a_refusal(doors, source):
    doors.check(source, "openqasm3")


@given(source=growing.qpy_files())
@BRIEF
def test_the_reader_of_qpy_gives_a_circuit_or_a_refusal(doors, source):
    doors.check(source, "qpy")


@given(values=growing.VALUES)
@BRIEF
def test_values_of_parameters_fit_or_are_refused(doors, values):
    doors.check_values(values)


@given(values=growing.VALUES)
@BRIEF
def test_observables_fit_or_are_refused(doors, values):
    doors.check_observables(values)


@given(raw=growing.bodies())
@BRIEF
def test_a_body_is_a_job_or_refused(doors, raw):
    doors.parse(raw)
