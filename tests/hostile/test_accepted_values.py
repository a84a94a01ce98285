"""Whatever value the API accepts can be listed, read back, edited and revoked or deleted; all others are refused.

Each field is given values from the ends of its type and beyond, on each database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.domain.token import TokenText
from qdepot.services.authentication import Authentication
from qdepot.services.tokens import Tokens
from support.web import Bench, body
from support.world import make_world

ROUND = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.generate, Phase.shrink),
}
BRIEF, LONG = settings(max_examples=60, **ROUND), settings(max_examples=2500, **ROUND)

ODD_TEXTS = [
    "", " ", "\x00", "a\x00b", "\n", "\r\n", "\t", "\x7f", "\x85", "\u2028", "\u202egnp.exe", "\ufeff", "\ufffe",
    "\uffff", "\ud800", "\udfff", "\ud83d\ude00", "\U0010ffff", "e\u0301", "\u00e9", "x" * 100, "x" * 101, "x" * 200,
    "x" * 201, "\U0001f600" * 200, "\u0301" * 200, "../x", "a\\b", "%00", "%", "_", "'", '"', "';--", "{}", "null",
    "None", "\x1b[2J", "a/b", "a b", "a,b", "-", "--x", "\u0130", "\u00df", "\u0000\u202e",
]  # fmt: skip
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=100)
TEXTS = st.one_of(WORDS, st.sampled_from(ODD_TEXTS), st.text(st.characters(), max_size=230))
NAMES = st.one_of(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True), TEXTS)
NUMBERS = st.one_of(
    st.integers(0, 3),
    st.sampled_from(
        [0, 1, -1, 10, -10, 11, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 10**400]
    ),
    st.sampled_from([-0.0, 0.5, 5e-324, 1e-9, 1.5, 1e18, 9.3e18, 1e300, 1.7976931348623157e308, 1e999, float("nan")]),
    st.integers(),
    st.floats(),
)
ZONES = st.one_of(
    st.sampled_from(["Z", "z", "", "+00:00", "-00:00", "+14:00", "-14:00", "+23:59", "-23:59", "+24:00", "UTC"]),
    st.builds("{:+03d}:{:02d}".format, st.integers(-25, 25), st.integers(0, 61)),
)
TIMES = st.one_of(
    st.sampled_from(["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9998-12-31T23:59:59Z"]),
    st.datetimes(datetime(2030, 1, 2), timezones=st.timezones() | st.just(UTC)).map(datetime.isoformat),  # noqa: DTZ001
    st.builds(
        "{:04d}-{:02d}-{:02d}{}{:02d}:{:02d}:{:02d}{}{}".format,
        st.one_of(st.sampled_from([0, 1, 1969, 1970, 2030, 2038, 2262, 9998, 9999, 10000]), st.integers(0, 9999)),
        st.one_of(st.sampled_from([1, 12]), st.integers(0, 13)),
        st.one_of(st.sampled_from([1, 31]), st.integers(0, 32)),
        st.sampled_from(["T", "t", " "]),
        st.one_of(st.sampled_from([0, 23]), st.integers(0, 24)),
        st.one_of(st.sampled_from([0, 59]), st.integers(0, 60)),
        st.one_of(st.sampled_from([0, 59]), st.integers(0, 61)),
        st.sampled_from(["", ".0", ".999999", ".9999999", ".000000001", "."]),
        ZONES,
    ),
    NUMBERS,
    TEXTS,
)
ANYTHING = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.lists(TEXTS, max_size=3))


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One or two of the fields, mostly with values of about the right kind; the others keep a value that is good."""
    names = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=2, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: st.one_of(*(known[name],) * 5, ANYTHING) for name in chosen})
    )


TOKENS = fields(
    name=TEXTS,
    user=NAMES,
    project=NAMES,
    role=st.sampled_from(["viewer", "member", "admin"]),
    scopes=st.lists(st.sampled_from(["jobs:read", "jobs:submit", "tokens:manage", "service:admin"]), max_size=5),
    expires_at=TIMES,
)
EDITS = fields(name=TEXTS, tags=st.lists(TEXTS, max_size=4))
JOBS = st.one_of(
    fields(name=TEXTS, tags=st.lists(TEXTS, max_size=4), priority=NUMBERS, timeout_s=NUMBERS).map(
        lambda job: _job(job)
    ),
    fields(
        seed=NUMBERS, memory=st.booleans(), optimization_level=NUMBERS, noise=TEXTS, sampling=TEXTS, method=TEXTS
    ).map(lambda options: _job(options=options)),
    fields(shots=NUMBERS).map(lambda program: _job(program=program)),
)
FILTERS = fields(
    name=TEXTS, tag=TEXTS, backend=TEXTS, created_from=TIMES, created_before=TIMES, limit=NUMBERS, cursor=TEXTS
)


def _job(
    job: dict[str, Any] | None = None, options: dict[str, Any] | None = None, program: dict[str, Any] | None = None
) -> dict[str, Any]:
    plain = body(**job or {})
    return {**plain, "options": options or {}, "program": {**plain["program"], **(program or {})}}


class Asker:
    """Speaks to the API as the admin of the service; no answer may be a mistake of the service's."""

    def __init__(self, bench: Bench, text: TokenText) -> None:
        self._bench = bench
        self._authorization = {"Authorization": f"Bearer {text.revealed}"}

    def ask(self, method: str, path: str, document: object = None, **query: Any) -> Any:
        """The answer as JSON; None if the request is refused."""
        content = None if document is None else json.dumps(document).encode()  # lone surrogates are escaped
        headers = {**self._authorization, "Content-Type": "application/json"}
        params = {name: _shown(value) for name, value in query.items()}
        answer = self._bench.request(method, path, content=content, headers=headers, params=params)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["code"] in REFUSALS, answer.text
            return None
        return answer.json() if answer.content else {}

    def must(self, method: str, path: str, document: object = None, **query: Any) -> Any:
        """The answer of a request that has to be fulfilled."""
        answer = self.ask(method, path, document, **query)
        assert answer is not None, (method, path, document, query)
        return answer


REFUSALS = {"invalid_request", "invalid_program", "unsupported_program", "permission_denied", "not_found", "conflict"}


def _shown(value: object) -> Any:
    """A value of a query, which can hold no lone surrogates."""
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return str(value).encode(errors="replace").decode()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def asker(request, tmp_path_factory) -> Iterator[Asker]:
    world = make_world()
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db"
    else:
        server = request.getfixturevalue("postgres")
        url = server.url_of(server.create_database())
    ledger = open_ledger(url, clock=world.clock)
    register = ledger.token_register()
    authentication = Authentication(register, world.clock, run_later=lambda note: note())
    tokens = Tokens(register=register, clock=world.clock, on_revoked=authentication.forget)
    text = TokenText.new()
    tokens.adopt(text)
    with asyncio.Runner() as runner:
        parts = {"tokens": tokens, "authentication": authentication}
        bench = Bench(replace(world, ledger=ledger), runner, parts)  # type: ignore[arg-type]  # any ledger does
        yield Asker(bench, text)
        runner.run(bench.http.aclose())
    ledger.close()
    world.pool.close()


def check_token(asker: Asker, wanted: dict[str, Any]) -> None:
    """A token is refused, or made, listed as it was made, found by its bearer, and revoked."""
    made = asker.ask("POST", "/v1/tokens", wanted)
    if made is not None:
        project = made["project"]
        listed = {each["id"]: each for each in asker.must("GET", "/v1/tokens", project=project)["tokens"]}
        assert listed[made["id"]] == {name: made[name] for name in listed[made["id"]]}
        assert {name: made[name] for name in ("name", "user", "project", "role") if wanted.get(name)} == {
            name: wanted[name] for name in ("name", "user", "project", "role") if wanted.get(name)
        }
        bearer = Asker(asker._bench, _Revealed(made["token"]))
        assert bearer.must("GET", "/v1/me")["token"]["id"] == made["id"]
        asker.must("DELETE", f"/v1/tokens/{made['id']}")
        (found,) = [
            each for each in asker.must("GET", "/v1/tokens", project=project)["tokens"] if each["id"] == made["id"]
        ]
        assert found["revoked_at"] is not None
        assert found["damaged"] == []


class _Revealed:
    def __init__(self, revealed: str) -> None:
        self.revealed = revealed


def check_job(asker: Asker, wanted: dict[str, Any], edit: dict[str, Any]) -> None:
    """A job is refused, or accepted, found by each of its words, edited, cancelled and listed."""
    accepted = asker.ask("POST", "/v1/jobs", wanted)
    if accepted is not None:
        _check_accepted(asker, accepted["id"], wanted, edit)


def check_batch(asker: Asker, wanted: list[dict[str, Any]], edit: dict[str, Any]) -> None:
    """As :func:`check_job`, of a batch; a batch is accepted as a whole or not at all."""
    accepted = asker.ask("POST", "/v1/jobs:batch", {"jobs": wanted})
    if accepted is not None:
        assert len(accepted["jobs"]) == len(wanted)
        for each, job in zip(accepted["jobs"], wanted, strict=True):
            _check_accepted(asker, each["id"], job, edit)


def _check_accepted(asker: Asker, job_id: str, wanted: dict[str, Any], edit: dict[str, Any]) -> None:
    where = f"/v1/jobs/{job_id}"
    found = asker.must("GET", where)
    _check_words(asker, found, wanted)
    assert found["options"].get("seed") == wanted["options"].get("seed")
    assert found["priority"] == wanted.get("priority", 0)
    asker.must("GET", f"{where}/events")
    asker.must("GET", f"{where}/program")
    asker.must("POST", "/v1/statuses", {"ids": [job_id]})
    if asker.ask("PATCH", where, edit) is not None:
        _check_words(asker, asker.must("GET", where), {**wanted, **{k: v for k, v in edit.items() if v is not None}})
    asker.must("POST", f"{where}/cancel")
    asker.must("GET", "/v1/jobs")


def _check_words(asker: Asker, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Name and tags are as they were wanted, and the job is found by each."""
    assert (found["name"], found["tags"]) == (wanted.get("name", ""), wanted.get("tags", []))
    queries = [{"tag": tag} for tag in found["tags"]] + ([{"name": found["name"]}] if found["name"] else [])
    for query in queries:
        listed = asker.must("GET", "/v1/jobs", limit=200, **query)
        assert found["id"] in [each["id"] for each in listed["jobs"]]


ROUNDS: dict[str, tuple[tuple[st.SearchStrategy[Any], ...], Callable[..., None]]] = {
    "tokens": ((TOKENS,), check_token),
    "jobs": ((JOBS, EDITS), check_job),
    "batches": ((st.lists(JOBS, min_size=1, max_size=2), EDITS), check_batch),
    "lists": ((FILTERS,), lambda asker, query: asker.ask("GET", "/v1/jobs", **query)),
    "tokens of a project": ((fields(project=TEXTS),), lambda asker, query: asker.ask("GET", "/v1/tokens", **query)),
}


def go(asker: Asker, what: str, how: settings) -> None:
    values, check = ROUNDS[what]

    @given(st.tuples(*values))
    @how
    def each(given_values: tuple[Any, ...]) -> None:
        check(asker, *given_values)

    each()


@pytest.mark.parametrize("what", ROUNDS)
def test_every_value_that_is_accepted_is_read_back_and_every_other_is_refused(asker, what):
    go(asker, what, BRIEF)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["tokens", "jobs"])
def test_thousands_of_values_are_read_back_or_refused(asker, what):
    go(asker, what, LONG)
