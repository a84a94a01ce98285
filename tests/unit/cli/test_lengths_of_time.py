"""Lengths of time as they are written on the command line."""

import pytest

from qdepot.cli.reconcile import seconds
from qdepot.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("text", "length"),
    [("250ms", 0.25), ("5s", 5.0), ("5", 5.0), ("1.5m", 90.0), ("1h", 3600.0), ("11574d", 999993600.0)],
)
def test_a_length_of_time_has_a_number_and_a_unit(text, length):
    assert seconds(text) == length


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "0s", "0.0d", "1w", "inf", "nan", "11575d", "9" * 400, "1e9s", "1" * 400 + "d"]
)
def test_what_is_none_or_cannot_be_waited_for_is_refused(text):
    with pytest.raises(InvalidRequestError, match="length of time"):
        seconds(text)
