"""A program that is run in pieces gives what it gives as a whole."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from qdepot.domain.result_document import joined
from qdepot.errors import InvalidProgramError
from qdepot.ports.compute_pool import Payload
from qdepot.quantum import operations
from support.circuits import payload

RANDOM = b'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[3] c; h q; rx(0.3) q[1]; cx q[0], q[2]; c = measure q;'
BROKEN = b"OPENQASM 3.0; qubit q; nonsense q;"


def pieces(whole: Payload, *sizes: int) -> list[Payload]:
    """The same program in pieces of these sizes."""
    answers = []
    first = 0
    for size in sizes:
        circuits = whole.meta["circuits"][first : first + size]
        meta = {**whole.meta, "circuits": circuits, "first_circuit": first}
        parts = {circuit["part"]: whole.parts[circuit["part"]] for circuit in circuits}
        answers.append(operations.simulate(replace(whole, meta=meta, parts=parts)))
        first += size
    return answers


@pytest.mark.parametrize(
    "options", [{"seed": 7, "memory": True}, {"seed": 7, "noise": "fake_manila"}], ids=["exact", "noisy"]
)
def test_pieces_give_the_same_counts_and_members_as_the_whole(options):
    whole = payload(*[RANDOM] * 5, shots=500, options=options)
    at_once = operations.simulate(whole)
    answers = pieces(whole, 1, 3, 1)
    documents = [[answer.parts["result.json"]] for answer in answers]
    results = json.loads(b"".join(joined(documents)))["results"]
    expected = json.loads(at_once.parts["result.json"])["results"]
    assert [entry["counts"] for entry in results] == [entry["counts"] for entry in expected]
    assert len({json.dumps(entry["counts"], sort_keys=True) for entry in results}) == 5, "equal seeds"
    members = {name: part for answer in answers for name, part in answer.parts.items() if name != "result.json"}
    assert members.keys() == at_once.parts.keys() - {"result.json"}
    arrays = [name for name in members if name.startswith("memory/")]
    assert len(arrays) == (5 if "memory" in options else 0)
    assert [members[name] for name in arrays] == [at_once.parts[name] for name in arrays]


def test_pieces_of_an_estimation_draw_the_same_values_as_the_whole():
    source = b'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
    how = {"kind": "estimator", "precision": 0.1, "observables": {"ZZ": 1.0}, "options": {"seed": 3}}
    whole = payload(source, source, source, **how)
    expected = json.loads(operations.simulate(whole).parts["result.json"])["results"]
    results = [entry for answer in pieces(whole, 2, 1) for entry in json.loads(answer.parts["result.json"])["results"]]
    assert [entry["evs"] for entry in results] == [entry["evs"] for entry in expected]


def test_an_error_names_the_place_in_the_whole():
    whole = payload(RANDOM, RANDOM, BROKEN)
    with pytest.raises(InvalidProgramError) as refused:
        pieces(whole, 2, 1)
    assert refused.value.details["circuit"] == 2
