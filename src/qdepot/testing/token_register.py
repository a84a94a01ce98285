"""The promises of a register of tokens, as tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from qdepot.domain.caller import ALL_SCOPES, Role, Scope
from qdepot.domain.moments import EARLIEST, LATEST
from qdepot.domain.token import Token
from qdepot.errors import ConflictError, TokenRevokedError
from qdepot.ports.token_register import TokenRegister
from qdepot.testing.jobs import MADE_AT

_AT_ONCE = 8


def make_token(number: int = 1, **changes: object) -> Token:
    """A token that nobody has the text of."""
    token = Token(
        id=f"{number:016x}",
        project="default",
        user="ada",
        role=Role.MEMBER,
        scopes=Role.MEMBER.scopes,
        created_at=MADE_AT + timedelta(seconds=number),
        secret_sha256=f"{number:064x}",
    )
    return replace(token, **changes)  # type: ignore[arg-type]  # tests name fields


def family(register: TokenRegister) -> list[str]:
    """Ids of tokens: 0 made nothing; 1 made 2 and, in another project, 4; 2 made 3."""
    parents = {0: None, 1: None, 2: 1, 3: 2, 4: 1}
    for number, parent in parents.items():
        parent_id = None if parent is None else make_token(parent).id
        register.add(make_token(number, parent=parent_id, project="other" if number == 4 else "default"))
    return [make_token(number).id for number in parents]


def revoked_among(register: TokenRegister) -> set[str]:
    """The ids of all tokens that are revoked."""
    return {token.id for token in register.list_all() if token.revoked_at is not None}


class TokenRegisterConformance:
    """The promises of :class:`~qdepot.ports.token_register.TokenRegister`, one test each.

    Inherit, and override the fixture ``open_register``: it gives an empty register each time it is called, or another
    line to the same one where several processes can share it.
    """

    @pytest.fixture
    def open_register(self) -> Callable[[], TokenRegister]:
        """Whoever inherits the suite provides it."""
        raise NotImplementedError("override the fixture open_register")

    @pytest.fixture
    def register(self, open_register: Callable[[], TokenRegister]) -> TokenRegister:
        """An empty register."""
        return open_register()

    @pytest.mark.parametrize(
        "token",
        [
            make_token(),
            make_token(role=Role.ADMIN, scopes=ALL_SCOPES, name="Ada's laptop \u2013 \u00fc", made_by="root"),
            make_token(role=Role.VIEWER, scopes=frozenset(), expires_at=MADE_AT + timedelta(microseconds=1)),
            make_token(last_used_at=MADE_AT, revoked_at=MADE_AT, scopes=frozenset({Scope.JOBS_READ})),
            make_token(created_at=EARLIEST, last_used_at=EARLIEST, expires_at=LATEST),
        ],
    )
    def test_a_token_is_kept_as_it_is(self, register: TokenRegister, token: Token) -> None:
        register.add(token)
        assert register.get(token.id) == token
        assert register.list_all() == [token]

    def test_what_is_not_there_is_not_found(self, register: TokenRegister) -> None:
        register.add(make_token(1))
        assert register.get(make_token(2).id) is None
        assert register.get("") is None

    def test_an_id_is_given_once(self, register: TokenRegister) -> None:
        register.add(make_token(1))
        with pytest.raises(ConflictError):
            register.add(make_token(1, user="eve"))
        register.revoke(make_token(1).id, at=MADE_AT)
        with pytest.raises(ConflictError):
            register.add(make_token(1, user="eve"))
        found = register.get(make_token(1).id)
        assert found is not None
        assert found.user == "ada"

    def test_the_first_is_added_only_where_there_is_none(self, register: TokenRegister) -> None:
        assert register.add_first(make_token(1))
        assert not register.add_first(make_token(2))
        assert register.list_all() == [make_token(1)]

    def test_after_any_other_there_is_no_first(self, register: TokenRegister) -> None:
        register.add(make_token(1))
        register.revoke(make_token(1).id, at=MADE_AT)
        assert not register.add_first(make_token(2))
        assert register.get(make_token(2).id) is None

    def test_of_many_first_ones_at_once_one_is_added(self, open_register: Callable[[], TokenRegister]) -> None:
        registers = [open_register() for _ in range(_AT_ONCE)]
        together = Barrier(_AT_ONCE)

        def add(number: int) -> bool:
            together.wait(10)
            return registers[number].add_first(make_token(number))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            won = list(pool.map(add, range(_AT_ONCE)))
        assert sorted(won) == [False] * (_AT_ONCE - 1) + [True]
        assert registers[0].list_all() == [make_token(won.index(True))]

    def test_lists_are_by_project_and_user_and_newest_first(self, register: TokenRegister) -> None:
        mine, hers, theirs = make_token(1), make_token(2, user="bob"), make_token(3, project="other")
        for token in (hers, theirs, mine):
            register.add(token)
        assert register.list_all() == [theirs, hers, mine]
        assert register.list_all(project="default") == [hers, mine]
        assert register.list_all(user="ada") == [theirs, mine]
        assert register.list_all(project="default", user="ada") == [mine]
        assert register.list_all(project="nowhere") == []

    def test_of_one_moment_they_are_listed_by_id(self, register: TokenRegister) -> None:
        for number in (2, 3, 1):
            register.add(make_token(number, created_at=MADE_AT))
        assert [token.id for token in register.list_all()] == [make_token(number).id for number in (3, 2, 1)]

    def test_a_revoked_token_stays_revoked_since_the_first_time(self, register: TokenRegister) -> None:
        register.add(make_token(1))
        register.add(make_token(2))
        for day in (0, 1):
            assert register.revoke(make_token(1).id, at=MADE_AT + timedelta(days=day)) == {make_token(1).id}
        assert register.get(make_token(1).id) == make_token(1, revoked_at=MADE_AT)
        assert register.get(make_token(2).id) == make_token(2)

    def test_what_is_not_there_is_not_revoked(self, register: TokenRegister) -> None:
        assert register.revoke(make_token(1).id, at=MADE_AT, derived=True) == frozenset()

    @pytest.mark.parametrize("parent_is", ["revoked", "unknown"])
    def test_no_token_is_made_with_one_that_is_worth_nothing(self, register: TokenRegister, parent_is: str) -> None:
        if parent_is == "revoked":
            register.add(make_token(1))
            register.revoke(make_token(1).id, at=MADE_AT)
        before = register.list_all()
        with pytest.raises(TokenRevokedError):
            register.add(make_token(2, parent=make_token(1).id))
        assert register.list_all() == before

    def test_what_a_token_made_is_revoked_with_it_if_that_is_wanted(self, register: TokenRegister) -> None:
        ids = family(register)
        assert register.revoke(ids[1], at=MADE_AT, derived=True) == {ids[1], ids[2], ids[3], ids[4]}
        assert revoked_among(register) == {ids[1], ids[2], ids[3], ids[4]}

    def test_what_a_token_made_stays_valid_if_it_is_not_wanted(self, register: TokenRegister) -> None:
        ids = family(register)
        assert register.revoke(ids[1], at=MADE_AT) == {ids[1]}
        assert revoked_among(register) == {ids[1]}

    def test_what_a_revoked_token_made_is_found_behind_it(self, register: TokenRegister) -> None:
        ids = family(register)
        register.revoke(ids[2], at=MADE_AT)
        assert register.revoke(ids[1], at=MADE_AT + timedelta(days=1), derived=True) == {ids[1], ids[2], ids[3], ids[4]}
        found = register.get(ids[2])
        assert found is not None
        assert found.revoked_at == MADE_AT

    def test_derived_tokens_of_other_projects_stay_valid_if_that_is_wanted(self, register: TokenRegister) -> None:
        ids = family(register)
        assert register.revoke(ids[1], at=MADE_AT, derived=True, project="default") == {ids[1], ids[2], ids[3]}
        assert revoked_among(register) == {ids[1], ids[2], ids[3]}

    def test_a_token_that_is_made_while_its_maker_is_revoked_is_refused_or_revoked(
        self, open_register: Callable[[], TokenRegister]
    ) -> None:
        registers = [open_register() for _ in range(_AT_ONCE)]
        registers[0].add(make_token(0))
        together = Barrier(_AT_ONCE)

        def add(number: int) -> None:
            together.wait(10)
            with suppress(TokenRevokedError):
                registers[number].add(make_token(number, parent=make_token(0).id))

        def revoke() -> None:
            together.wait(10)
            registers[0].revoke(make_token(0).id, at=MADE_AT, derived=True)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for ended in [pool.submit(revoke), *(pool.submit(add, number) for number in range(1, _AT_ONCE))]:
                ended.result()
        assert revoked_among(registers[0]) == {token.id for token in registers[0].list_all()}

    def test_the_last_use_is_noted_and_never_goes_back(self, register: TokenRegister) -> None:
        register.add(make_token(1))
        later = MADE_AT + timedelta(minutes=1)
        for at in (MADE_AT, later, MADE_AT):
            register.note_used(make_token(1).id, at=at)
        assert register.get(make_token(1).id) == make_token(1, last_used_at=later)

    def test_the_use_of_an_unknown_token_is_passed_over(self, register: TokenRegister) -> None:
        register.note_used(make_token(1).id, at=MADE_AT)
        assert register.list_all() == []

    def test_another_line_to_the_register_sees_the_same(self, open_register: Callable[[], TokenRegister]) -> None:
        one, other = open_register(), open_register()
        one.add(make_token(1))
        assert other.get(make_token(1).id) == make_token(1)
        other.revoke(make_token(1).id, at=MADE_AT)
        assert one.get(make_token(1).id) == make_token(1, revoked_at=MADE_AT)
