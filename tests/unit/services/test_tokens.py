"""Nobody gives more rights than he has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister
from qdepot.domain.caller import ALL_SCOPES, Caller, Role, Scope
from qdepot.domain.token import TokenText, TokenWish
from qdepot.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
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
