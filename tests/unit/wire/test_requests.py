"""Numbers in requests are numbers: truth values and texts are refused, by the name of the field."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from qdepot.wire.requests import JobBody

CIRCUIT = {"format": "openqasm3", "source": "..."}
FIELDS = [
    ("program", "shots"),
    ("program", "circuits", 0, "shots"),
    ("estimation", "precision"),
    ("estimation", "circuits", 0, "precision"),
    ("options", "seed"),
    ("options", "optimization_level"),
    ("priority",),
    ("timeout_s",),
]


def _job(field: tuple[str | int, ...], value: object) -> str:
    job = {"backend": "aer", "options": {}, "program": {"kind": "sampler", "circuits": [dict(CIRCUIT)]}}
    if field[0] == "estimation":
        job["program"] = {"kind": "estimator", "circuits": [{**CIRCUIT, "observables": "Z"}]}
        field = ("program", *field[1:])
    place = job
    for step in field[:-1]:
        place = place[step]
    place[field[-1]] = value
    return json.dumps(job)


@pytest.mark.parametrize("value", [True, False, "1", [1]])
@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_what_is_not_a_number_is_refused_by_name(field, value):
    with pytest.raises(ValidationError) as caught:
        JobBody.model_validate_json(_job(field, value))
    assert any(field[-1] in error["loc"] for error in caught.value.errors())


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_a_whole_number_is_taken(field):
    JobBody.model_validate_json(_job(field, 1))


@pytest.mark.parametrize("field", [field for field in FIELDS if field[-1] in ("precision", "timeout_s")], ids=str)
def test_a_fraction_is_taken_where_one_makes_sense(field):
    JobBody.model_validate_json(_job(field, 0.5))
