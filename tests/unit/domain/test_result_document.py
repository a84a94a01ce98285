from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.domain.result_document import PIECE_BYTES, joined, joined_metadata, pieces_of
from qdepot.errors import InternalError

ENTRIES = st.lists(st.fixed_dictionaries({"shots": st.integers(), "text": st.text(max_size=90)}), max_size=4)


def cut(document: bytes, size: int) -> list[bytes]:
    return [document[start : start + size] for start in range(0, len(document), size)]


@given(several=st.lists(ENTRIES, max_size=4), size=st.integers(1, 200), indent=st.sampled_from([None, 1]))
def test_the_joint_document_holds_the_entries_of_all_in_order(several, size, indent):
    documents = [json.dumps({"results": entries}, indent=indent).encode() for entries in several]
    joint = b"".join(joined(cut(document, size) for document in documents))
    assert json.loads(joint) == {"results": [entry for entries in several for entry in entries]}


def test_a_joint_document_can_be_joined_again_to_the_letter():
    once = b"".join(joined([[b'{"results": [{"a": 1}]}'], [b'{ "results":[{"b":"]}"}]\n}\n']]))
    assert once == b'{"results":[{"a": 1},{"b":"]}"}]}'
    assert b"".join(joined([[once], [b'{"results":[]}']])) == once


@pytest.mark.parametrize(
    "document", [b"", b"[]", b'{"results":{}}', b'{"results":[1', b'{"results":[1]', b'{"other":1,"results":[]}']
)
def test_what_is_no_result_document_is_refused(document):
    with pytest.raises(InternalError, match="result document"):
        list(joined([[document]]))


def test_large_buffers_are_cut_and_not_copied():
    content = bytearray(2 * PIECE_BYTES + 1)
    pieces = list(pieces_of(content))
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, PIECE_BYTES, 1]
    content[0] = 7
    assert pieces[0][0] == 7


def test_metadata_of_pieces_tell_the_sum_of_times_and_every_method():
    first = {"seed": 1, "method": "statevector", "times": {"run_s": 1.5}, "packages": {"qiskit": "1"}}
    second = {
        "seed": 1,
        "method": "mps, statevector",
        "times": {"run_s": 2.25, "read_s": 1},
        "packages": {"qiskit": "2"},
    }
    assert joined_metadata([first, second]) == {
        "seed": 1,
        "method": "mps, statevector",
        "times": {"run_s": 3.75, "read_s": 1},
        "packages": {"qiskit": "2"},
    }
    assert joined_metadata([]) == {}
