import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qdepot.adapters.ledgers.cursor import Position, cursor_of, position_of
from qdepot.errors import InvalidRequestError

TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
SOMEWHERE = Position(
    created_at=datetime(2030, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC), job_id="0190a1b2-0000-7000-8000-00"
)


@given(TIMES, st.text())
@example(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "before the epoch")
def test_a_position_comes_back_from_its_cursor(created_at, job_id):
    position = Position(created_at=created_at, job_id=job_id)
    assert position_of(cursor_of(position)) == position


def test_a_moment_has_one_cursor_in_every_time_zone():
    elsewhere = SOMEWHERE.created_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert cursor_of(Position(created_at=elsewhere, job_id=SOMEWHERE.job_id)) == cursor_of(SOMEWHERE)


def test_a_cursor_fits_into_a_url_as_it_is():
    assert cursor_of(SOMEWHERE).replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_other_text_is_refused(text):
    with pytest.raises(InvalidRequestError):
        position_of(text)


@given(st.binary())
def test_any_other_bytes_are_refused(content):
    with pytest.raises(InvalidRequestError):
        position_of(base64.urlsafe_b64encode(content).decode().rstrip("="))


@given(st.data())
def test_a_cursor_that_was_cut_or_grew_is_refused(data):
    cursor = cursor_of(SOMEWHERE)
    cut = data.draw(st.integers(0, len(cursor) - 1))
    for mangled in (cursor[:cut], cursor[cut + 1 :], cursor + "A", cursor + "=", f" {cursor}"):
        with pytest.raises(InvalidRequestError):
            position_of(mangled)


@pytest.mark.parametrize(
    "place", [[1], [1, 2, 3], ["x", "y"], [None, "y"], [10**30, "y"], [1.5, "y"], {"a": 1}, 7, [1, 2]]
)
def test_a_well_made_cursor_that_says_nonsense_is_refused(place):
    from qdepot.adapters.ledgers import cursor as module

    text = json.dumps(place, separators=(",", ":"))
    whole = f"{module._digest(text)}{text}"
    with pytest.raises(InvalidRequestError):
        position_of(base64.urlsafe_b64encode(whole.encode()).decode().rstrip("="))
