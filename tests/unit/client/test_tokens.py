"""Tokens are made, listed and revoked with clients of either colour."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from qdepot.errors import InvalidRequestError
from qdepot.wire.tokens import NewTokenAnswer, TokenAnswer, TokenListAnswer
from support.fake_api import json_answer

AT = datetime(2030, 1, 1, tzinfo=UTC)
TOKEN = TokenAnswer(id="one", project="lab", user="ada", role="viewer", scopes=["jobs:read"], created_at=AT)


@pytest.fixture
def asked(api):
    """What reached the service: the method, the path and what was sent."""
    asked = []

    def answer(request):
        asked.append((request.method, request.url.raw_path.decode(), json.loads(request.content or "null")))
        match request.method:
            case "POST":
                return json_answer(NewTokenAnswer(**TOKEN.model_dump(), token="qdp_text"), 201)
            case "GET":
                return json_answer(TokenListAnswer(tokens=[TOKEN]))
            case _:
                return httpx.Response(204)

    api.answer = answer
    return asked


def test_a_token_is_asked_for_as_it_was_said(either, asked):
    made = either.create_token("robot", user="ada", project="lab", role="viewer", scopes=["jobs:read"], expires_at=AT)
    assert (made.id, made.token) == ("one", "qdp_text")
    wish = {"name": "robot", "user": "ada", "project": "lab", "role": "viewer", "scopes": ["jobs:read"]}
    assert asked == [("POST", "/v1/tokens", {**wish, "expires_at": "2030-01-01T00:00:00Z"})]


def test_what_is_not_said_is_left_to_the_service(either, asked):
    either.create_token()
    either.create_token(user=None, expires_at=None)
    assert asked == [("POST", "/v1/tokens", {"name": ""})] * 2


@pytest.mark.parametrize("wish", [{"role": "king"}, {"scopes": ["all"]}, {"user": "a b"}, {"rank": "admin"}])
def test_what_no_token_can_be_is_not_sent(either, asked, wish):
    with pytest.raises(InvalidRequestError, match=next(iter(wish))):
        either.create_token(**wish)
    assert asked == []


def test_tokens_are_listed_and_revoked(either, asked):
    assert either.tokens(project="lab") == [TOKEN]
    either.revoke_token("one/two")
    assert asked == [("GET", "/v1/tokens?project=lab", None), ("DELETE", "/v1/tokens/one%2Ftwo", None)]


@pytest.mark.parametrize("derived", [True, False])
def test_whether_what_a_token_made_is_revoked_too_can_be_said(either, asked, derived):
    either.revoke_token("one", derived=derived)
    assert asked == [("DELETE", f"/v1/tokens/one?derived={str(derived).lower()}", None)]
