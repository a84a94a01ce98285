"""Nobody gives more rights than he has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister
from qdepot.domain.caller import ALL_SCOPES, Caller, Role, Scope
from qdepot.domain.moments import EARLIEST, LATEST
from qdepot.domain.token import TokenText, TokenWish
from qdepot.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, TokenRevokedError
from qdepot.services.tokens import Tokens
from qdepot.testing.clock import FrozenClock

OPERATOR = Caller(user="root")
ADMIN = Caller(user="ada", project="lab", role=Role.ADMIN, scopes=Role.ADMIN.scopes)
MEMBER = Caller(user="bob", project="lab", role=Role.MEMBER, scopes=Role.MEMBER.scopes)
ONLY_TOKENS = Caller(user="eve", project="lab", role=Role.MEMBER, scopes=frozenset({Scope.TOKENS_MANAGE}))


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def revoked():
    return []


@pytest.fixture
def tokens(clock, revoked):
    return Tokens(register=MemoryTokenRegister(), clock=clock, on_revoked=revoked.append)


def made(tokens, caller, **wish):
    return tokens.create(TokenWish(**wish), caller=caller)[0]


def test_without_any_wish_a_token_is_the_callers_own_as_a_member(tokens, clock):
    token, text = tokens.create(TokenWish(), caller=ADMIN)
    assert (token.user, token.project, token.role, token.made_by) == ("ada", "lab", Role.MEMBER, "ada")
    assert (token.scopes, token.created_at, token.expires_at) == (Role.MEMBER.scopes, clock.now(), None)
    assert tokens.register.get(token.id) == token
    assert token.is_of(text)
    assert token.id == text.id


@pytest.mark.parametrize(
    ("caller", "wish"),
    [
        (MEMBER, {"role": Role.ADMIN}),
        (MEMBER, {"user": "ada"}),
        (MEMBER, {"project": "other"}),
        (ADMIN, {"project": "other"}),
        (ADMIN, {"role": Role.ADMIN, "scopes": frozenset({Scope.SERVICE_ADMIN})}),
        (ONLY_TOKENS, {"scopes": frozenset({Scope.JOBS_READ})}),
        (ONLY_TOKENS, {"role": Role.VIEWER, "scopes": frozenset({Scope.JOBS_READ})}),
    ],
)
def test_more_than_one_has_is_refused_and_nothing_is_made(tokens, caller, wish):
    with pytest.raises(PermissionDeniedError):
        tokens.create(TokenWish(**wish), caller=caller)
    assert tokens.register.list_all() == []


@pytest.mark.parametrize("caller", [OPERATOR, ADMIN, MEMBER, ONLY_TOKENS])
@pytest.mark.parametrize("role", [None, *Role])
def test_whatever_is_made_has_no_more_rights_than_who_made_it(tokens, caller, role):
    try:
        token = made(tokens, caller, role=role)
    except PermissionDeniedError:
        assert role is not None
        assert not caller.role.covers(role)
    else:
        assert token.scopes <= caller.scopes
        assert caller.role.covers(token.role)


def test_a_token_may_carry_less_than_its_role(tokens):
    assert made(tokens, MEMBER, scopes=frozenset({Scope.JOBS_SUBMIT})).scopes == {Scope.JOBS_SUBMIT}
    assert made(tokens, MEMBER, scopes=frozenset()).scopes == frozenset()


@pytest.mark.parametrize(("role", "scope"), [(Role.VIEWER, Scope.JOBS_SUBMIT), (Role.MEMBER, Scope.SERVICE_ADMIN)])
def test_a_scope_that_the_role_does_not_have_is_refused(tokens, role, scope):
    with pytest.raises(InvalidRequestError, match=scope):
        made(tokens, OPERATOR, role=role, scopes=frozenset({scope}))


def test_an_admin_makes_tokens_for_others_of_the_project(tokens):
    assert made(tokens, ADMIN, user="bob", role=Role.ADMIN).user == "bob"


def test_who_runs_the_service_makes_projects(tokens):
    token = made(tokens, OPERATOR, user="chen", project="new", role=Role.ADMIN)
    assert (token.project, token.scopes) == ("new", Role.ADMIN.scopes)
    assert made(tokens, OPERATOR, role=Role.ADMIN, scopes=ALL_SCOPES).scopes == ALL_SCOPES


@pytest.mark.parametrize("name", ["a b", "-x", "a/b", "x" * 101, "ä", "a\n", ".."])
def test_what_cannot_be_a_name_is_refused(tokens, name):
    with pytest.raises(InvalidRequestError):
        made(tokens, OPERATOR, user=name)
    with pytest.raises(InvalidRequestError):
        made(tokens, OPERATOR, project=name)


def test_a_token_that_would_have_expired_is_refused(tokens, clock):
    with pytest.raises(InvalidRequestError, match="expires_at"):
        made(tokens, ADMIN, expires_at=clock.now())
    later = clock.now() + timedelta(seconds=1)
    assert made(tokens, ADMIN, expires_at=later).expires_at == later


@pytest.mark.parametrize(
    "moment",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-timedelta(hours=14))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=UTC),
        LATEST + timedelta(microseconds=1),
        EARLIEST - timedelta(microseconds=1),
        datetime(2040, 1, 1),  # noqa: DTZ001 - without a zone
    ],
)
def test_an_end_that_cannot_be_shown_everywhere_is_refused(tokens, moment):
    with pytest.raises(InvalidRequestError, match="expires_at"):
        made(tokens, ADMIN, expires_at=moment)


def test_an_end_is_kept_in_utc(tokens):
    wished = datetime(2040, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    assert made(tokens, ADMIN, expires_at=wished).expires_at.isoformat() == "2039-12-31T10:00:00+00:00"
    assert made(tokens, ADMIN, expires_at=LATEST).expires_at == LATEST


def test_a_token_that_expires_makes_none_that_is_valid_for_longer(tokens, clock):
    end = clock.now() + timedelta(hours=1)
    maker = made(tokens, ADMIN, role=Role.ADMIN, expires_at=end)
    assert made(tokens, maker.caller).expires_at == end
    sooner = end - timedelta(minutes=1)
    assert made(tokens, maker.caller, expires_at=sooner).expires_at == sooner
    assert made(tokens, maker.caller, expires_at=end).expires_at == end
    with pytest.raises(InvalidRequestError, match="longer than yours") as caught:
        made(tokens, maker.caller, expires_at=end + timedelta(microseconds=1))
    assert end.isoformat() in caught.value.message


def test_no_chain_of_tokens_is_valid_for_longer_than_its_first(tokens, clock):
    end = clock.now() + timedelta(hours=1)
    token = made(tokens, ADMIN, expires_at=end)
    for _ in range(4):
        token = made(tokens, token.caller)
        assert token.expires_at == end


def test_a_token_knows_the_one_that_it_was_made_with(tokens):
    maker = made(tokens, ADMIN)
    assert maker.parent is None
    assert made(tokens, maker.caller).parent == maker.id


def test_a_token_that_was_just_revoked_elsewhere_makes_no_other(tokens, clock):
    maker = made(tokens, ADMIN)
    tokens.register.revoke(maker.id, at=clock.now())
    with pytest.raises(TokenRevokedError):
        made(tokens, maker.caller)


@pytest.mark.parametrize(
    ("end", "derived", "goes_along"),
    [(LATEST, None, True), (None, None, False), (LATEST, False, False), (None, True, True)],
)
def test_what_a_token_made_is_revoked_with_it_if_it_expires_or_that_is_said(tokens, revoked, end, derived, goes_along):
    maker = made(tokens, ADMIN, role=Role.ADMIN, expires_at=end)
    child = made(tokens, maker.caller, user="bob")
    grandchild = made(tokens, child.caller)
    bystander = made(tokens, ADMIN)
    tokens.revoke(maker.id, caller=ADMIN, derived=derived)
    gone = {maker.id, child.id, grandchild.id} if goes_along else {maker.id}
    assert set(revoked) == gone
    for token in (maker, child, grandchild, bystander):
        assert (tokens.register.get(token.id).revoked_at is not None) == (token.id in gone)


def test_an_admin_revokes_no_derived_token_of_another_project(tokens):
    maker = made(tokens, OPERATOR, project="lab", role=Role.ADMIN, scopes=ALL_SCOPES)
    here, there = made(tokens, maker.caller), made(tokens, maker.caller, project="other")
    tokens.revoke(maker.id, caller=ADMIN, derived=True)
    assert tokens.register.get(here.id).revoked_at is not None
    assert tokens.register.get(there.id).revoked_at is None
    tokens.revoke(maker.id, caller=OPERATOR, derived=True)
    assert tokens.register.get(there.id).revoked_at is not None


def test_a_member_sees_its_own_an_admin_the_projects_and_an_operator_any(tokens):
    made_ids = {
        made(tokens, MEMBER).id: "his",
        made(tokens, ADMIN).id: "hers",
        made(tokens, OPERATOR, project="other", user="bob").id: "theirs",
    }

    def seen(caller, project=None):
        return {made_ids[token.id] for token in tokens.list_all(caller=caller, project=project)}

    assert seen(MEMBER) == {"his"}
    assert seen(ADMIN) == {"his", "hers"}
    assert seen(OPERATOR, "other") == {"theirs"}
    assert seen(OPERATOR, "lab") == {"his", "hers"}


@pytest.mark.parametrize("caller", [MEMBER, ADMIN])
@pytest.mark.parametrize("project", ["other", "nowhere"])
def test_another_project_is_refused_whether_or_not_there_is_one(tokens, caller, project):
    made(tokens, OPERATOR, project="other")
    with pytest.raises(PermissionDeniedError, match="yours is lab"):
        tokens.list_all(caller=caller, project=project)


def test_what_one_does_not_see_one_cannot_revoke_and_it_looks_as_if_it_were_not_there(tokens, revoked):
    hers, theirs = made(tokens, ADMIN), made(tokens, OPERATOR, project="other")
    for caller, token_id in ((MEMBER, hers.id), (ADMIN, theirs.id), (ADMIN, "f" * 16)):
        with pytest.raises(NotFoundError) as caught:
            tokens.revoke(token_id, caller=caller)
        assert caught.value.message == f"there is no token {token_id}"
    assert revoked == []
    assert all(token.revoked_at is None for token in tokens.register.list_all())


def test_a_revoked_token_is_told_of_also_when_it_is_repeated(tokens, revoked, clock):
    his = made(tokens, MEMBER)
    for caller in (MEMBER, ADMIN, OPERATOR):
        tokens.revoke(his.id, caller=caller)
        clock.advance(60)
    assert revoked == [his.id] * 3
    assert tokens.register.get(his.id).revoked_at == his.created_at


def test_the_first_token_may_do_everything_and_comes_once(tokens):
    first = TokenText.new()
    assert tokens.create_first(first)
    assert not tokens.create_first(TokenText.new())
    [token] = tokens.register.list_all()
    assert (token.id, token.scopes, token.role, token.project) == (first.id, ALL_SCOPES, Role.ADMIN, "default")


def test_a_token_that_is_adopted_stays_as_it_became(tokens):
    given = TokenText.new()
    assert tokens.adopt(given)
    tokens.revoke(given.id, caller=OPERATOR)
    assert not tokens.adopt(given)
    assert tokens.register.get(given.id).revoked_at is not None


def test_who_came_without_a_token_has_none(tokens):
    assert tokens.of(OPERATOR) is None
    token = made(tokens, ADMIN)
    assert tokens.of(token.caller) == token


def test_who_came_with_a_token_that_is_not_there_any_more_makes_none(tokens):
    with pytest.raises(TokenRevokedError):
        made(tokens, Caller(user="ada", project="lab", role=Role.ADMIN, scopes=Role.ADMIN.scopes, token_id="f" * 16))
