from __future__ import annotations

from qdepot.errors import InvalidRequestError, NotFoundError


def test_an_error_as_text_says_what_to_do():
    assert str(InvalidRequestError("shots are 0", solution="Ask for at least 1.")) == (
        "shots are 0\nWhat to do: Ask for at least 1."
    )


def test_an_error_without_advice_is_its_message_alone():
    assert str(NotFoundError()) == "There is no such thing."
