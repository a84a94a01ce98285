"""Logging in, and making tokens, from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from qdepot.client.logins import read_logins
from qdepot.domain.token import TokenText
from qdepot.wire.tokens import MeAnswer, NewTokenAnswer, TokenAnswer, TokenListAnswer
from support.fake_api import json_answer, problem

TEXT = TokenText.new()
TOKEN = TokenAnswer(
    id=TEXT.id,
    project="lab",
    user="ada",
    role="member",
    scopes=["jobs:read"],
    name="laptop",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
ME = MeAnswer(user="ada", project="lab", role="member", scopes=["jobs:read"], token=TOKEN, limits={"max_circuits": 10})


class TokenService:
    """Answers as a service would that knows one token."""

    def __init__(self):
        self.asked: list[httpx.Request] = []

    def transport(self):
        return httpx.MockTransport(self.answer)

    def answer(self, request):
        self.asked.append(request)
        if request.headers.get("authorization") != f"Bearer {TEXT.revealed}":
            return problem(401, "not_authenticated", "this needs a token")
        match request.method, request.url.path:
            case "GET", "/v1/me":
                return json_answer(ME)
            case "GET", "/v1/tokens":
                return json_answer(TokenListAnswer(tokens=[TOKEN]))
            case "POST", "/v1/tokens":
                wish = json.loads(request.content)
                wished = {name: wish[name] for name in ("user", "role", "expires_at", "name") if name in wish}
                made = NewTokenAnswer.model_validate({**TOKEN.model_dump(), **wished, "token": "qdp_new"})
                return json_answer(made, 201)
            case "DELETE", path if path == f"/v1/tokens/{TEXT.id}":
                return httpx.Response(204)
        return problem(404, "not_found", "there is none")


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def api():
    return TokenService()


@pytest.fixture
def logged_in(run):
    done = run("login", "https://lab.example", "--token-stdin", stdin=TEXT.revealed)
    assert done.code == 0


def test_a_log_in_is_kept_and_used(run, api, logged_in):
    assert read_logins().last == "https://lab.example"
    done = run("whoami")
    assert done.out.startswith(f"https://lab.example: ada, member of project lab (token {TEXT.id} does not expire)")
    assert "max_circuits 10" in done.out
    assert str(api.asked[-1].url) == "https://lab.example/v1/me"


def test_a_log_in_shows_no_secret(run):
    done = run("login", "https://lab.example", "--token-stdin", stdin=f"  {TEXT.revealed}\n")
    assert TEXT.revealed not in done.out + done.err
    assert "ada, member of project lab" in done.err


def test_a_token_that_the_service_does_not_know_is_not_kept(run):
    done = run("login", "https://lab.example", "--token-stdin", stdin=TokenText.new().revealed)
    assert done.code == 6
    assert read_logins().by_url == {}


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", TEXT.revealed[:-2], TEXT.revealed.swapcase()],
    ids=["empty", "nonsense", "cut short", "in the other case"],
)
def test_a_token_with_a_typing_error_is_not_even_sent(run, api, text):
    done = run("login", "https://lab.example", "--token-stdin", stdin=text)
    assert done.code == 6
    assert "not a whole one" in done.err
    assert api.asked == []


def test_without_a_terminal_a_token_is_handed_in(run):
    done = run("login", "https://lab.example", stdin="")
    assert done.code == 2
    assert "--token-stdin" in done.err


def test_over_plain_http_a_token_is_sent_only_if_that_is_wanted(run, api):
    done = run("login", "http://lab.example", "--token-stdin", stdin=TEXT.revealed)
    assert done.code == 2
    assert "--insecure" in done.err
    assert api.asked == []
    assert run("login", "http://lab.example", "--token-stdin", "--insecure", stdin=TEXT.revealed).code == 0
    assert run("whoami").code == 0


def test_after_a_log_out_nothing_is_sent_any_more(run, api, logged_in):
    assert run("logout").code == 0
    assert run("--url", "https://lab.example", "whoami").code == 6
    assert "authorization" not in api.asked[-1].headers


def test_a_log_out_without_a_log_in_says_which_there_are(run, logged_in):
    done = run("logout", "https://other.example")
    assert done.code == 3
    assert "https://lab.example" in done.err


def test_a_log_out_where_nobody_logged_in_says_so(run, api, logged_in):
    assert run("logout").code == 0
    done = run("logout")
    assert done.code == 3
    assert "There is none to forget." in done.err


def test_a_new_token_is_all_that_is_printed(run, api, logged_in):
    done = run("tokens", "create", "cluster", "--user", "bob", "--role", "viewer", "--scope", "jobs:read")
    assert done.out == "qdp_new\n"
    wish = json.loads(api.asked[-1].content)
    assert (wish["name"], wish["user"], wish["role"], wish["scopes"]) == ("cluster", "bob", "viewer", ["jobs:read"])
    assert "viewer of project lab" in done.err


@pytest.mark.parametrize(("told", "expected"), [("36h", timedelta(hours=36)), ("90d", timedelta(days=90))])
def test_a_token_lives_as_long_as_was_said(run, api, logged_in, told, expected):
    run("tokens", "create", "--expires", told)
    expires_at = datetime.fromisoformat(json.loads(api.asked[-1].content)["expires_at"])
    assert abs(expires_at - datetime.now(UTC) - expected) < timedelta(minutes=5)


def test_a_token_lives_90_days_if_nothing_is_said(run, api, logged_in):
    run("tokens", "create")
    expires_at = datetime.fromisoformat(json.loads(api.asked[-1].content)["expires_at"])
    assert abs(expires_at - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=5)


@pytest.mark.usefixtures("logged_in")
@pytest.mark.parametrize(("days", "left_to_the_service"), [(10, True), (100, False)])
def test_if_nothing_is_said_a_token_expires_no_later_than_the_own_one(run, api, monkeypatch, days, left_to_the_service):
    own = TOKEN.model_copy(update={"expires_at": datetime.now(UTC) + timedelta(days=days)})
    monkeypatch.setattr(f"{__name__}.ME", ME.model_copy(update={"token": own}))
    run("tokens", "create")
    assert ("expires_at" not in json.loads(api.asked[-1].content)) == left_to_the_service


def test_a_token_may_live_for_ever(run, api, logged_in):
    run("tokens", "create", "--expires", "never")
    assert "expires_at" not in json.loads(api.asked[-1].content)


@pytest.mark.parametrize("told", ["", "90", "d", "-1d", "0d", "1w", "999999d"])
def test_what_is_no_time_is_wrong_usage(run, api, logged_in, told):
    before = len(api.asked)
    assert run("tokens", "create", "--expires", told).code == 2
    assert len(api.asked) == before


def test_who_runs_the_service_is_made_with_one_word(run, api, logged_in):
    run("tokens", "create", "--service-admin")
    wish = json.loads(api.asked[-1].content)
    assert wish["role"] == "admin"
    assert "service:admin" in wish["scopes"]


def test_tokens_are_listed_with_their_state(run, logged_in):
    done = run("tokens", "list")
    assert TEXT.id in done.out
    assert "valid" in done.out
    assert json.loads(run("tokens", "list", "--json").out)[0]["id"] == TEXT.id


def test_a_token_is_revoked_by_its_id(run, logged_in):
    assert run("tokens", "revoke", TEXT.id).code == 0
    assert run("tokens", "revoke", "0" * 16).code == 3


@pytest.mark.parametrize(
    ("option", "query"), [((), b""), (("--derived",), b"derived=true"), (("--no-derived",), b"derived=false")]
)
def test_what_a_token_made_is_revoked_with_it_as_was_said(run, api, logged_in, option, query):
    run("tokens", "revoke", TEXT.id, *option)
    assert api.asked[-1].url.query == query


def test_a_damaged_token_is_listed_as_such(run, logged_in, monkeypatch):
    monkeypatch.setattr(f"{__name__}.TOKEN", TOKEN.model_copy(update={"damaged": ["expires_at"]}))
    assert "damaged" in run("tokens", "list").out


def test_a_generated_token_is_one(run, api):
    assert TokenText.parse(run("tokens", "generate").out.strip()) is not None
    assert api.asked == []


def test_a_folder_of_data_is_said_only_of_a_local_one(run, logged_in):
    assert run("tokens", "list", "--data", "x").code == 2
