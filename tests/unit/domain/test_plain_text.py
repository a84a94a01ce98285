from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdepot.domain.plain_text import LONGEST, plain_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fine, ψ too", "fine, ψ too"),
        ("two\nlines\tand more", "two lines and more"),
        ("a\0b", r"a\x00b"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202eleft", r"\u202eleft"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_no_database_takes_or_a_terminal_obeys_is_shown_as_its_escape(text, shown):
    assert plain_text(text) == shown


@given(st.text(st.characters(exclude_categories=()), max_size=2 * LONGEST))
def test_any_text_becomes_one_that_can_be_stored_and_shown(text):
    shown = plain_text(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST
    assert shown.encode().decode() == shown
    assert plain_text(shown) == shown
