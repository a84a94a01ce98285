"""The whole suite, with the tests of what goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.errors import InternalError, NotFoundError, QDepotError, UnavailableError
from qdepot.ports.provider import PollsMany, Provider
from qdepot.testing.provider.bench import Bench
from qdepot.testing.provider.following import Following
from qdepot.testing.provider.outside import Ability
from qdepot.testing.provider.submitting import Submitting


class Troubled(Bench):
    """No answers, odd answers, secrets."""

    def test_no_answer_is_unavailable_and_makes_no_job(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        outside = self.reach_outside(request, Ability.GO_AWAY, Ability.COUNT)
        submission = self.submission(backend)
        outside.go_away()
        with pytest.raises(UnavailableError) as refused:
            provider.submit(submission)
        assert not refused.value.details.get("maybe_sent")
        outside.come_back()
        assert outside.submissions(submission.tag) == 0
        provider.submit(submission)

    def test_every_verb_says_that_there_was_no_answer(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        outside = self.reach_outside(request, Ability.GO_AWAY)
        job_id = provider.submit(self.submission(backend))
        outside.go_away()
        for verb in (provider.status, provider.result, provider.cancel):
            with pytest.raises(UnavailableError):
                verb(job_id)
        with pytest.raises(UnavailableError):
            provider.backends()

    def test_an_answer_that_was_lost_is_owned_up_to(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        self.reach_outside(request, Ability.LOSE_ANSWERS).lose_answers()
        with pytest.raises(UnavailableError) as lost:
            provider.submit(self.submission(backend))
        assert lost.value.details.get("maybe_sent") is True

    def test_a_word_that_nobody_knows_is_an_error(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        outside = self.reach_outside(request, Ability.SAY)
        job_id = provider.submit(self.submission(backend))
        outside.say("Zorblax")
        with pytest.raises(InternalError, match="Zorblax"):
            provider.status(job_id)
        if isinstance(provider, PollsMany):
            assert isinstance(provider.statuses([job_id])[job_id], InternalError)

    def test_no_secret_is_shown(
        self,
        request: pytest.FixtureRequest,
        provider: Provider,
        backend: BackendInfo,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        if not self.secrets:
            pytest.skip("the suite declares no secrets")
        caplog.set_level(logging.DEBUG)
        shown = [repr(provider), repr(provider.backends())]
        provider.status(provider.submit(self.submission(backend)))
        shown.append(_story_of(lambda: provider.status(self.unknown_id), NotFoundError))
        if Ability.GO_AWAY in self.abilities:
            self.reach_outside(request).go_away()
            shown.append(_story_of(provider.backends, UnavailableError))
        told = "\n".join([*shown, caplog.text])
        assert not [secret for secret in self.secrets if secret in told]

    def test_a_provider_may_be_closed_twice(self, provider: Provider) -> None:
        provider.close()
        provider.close()


class ProviderConformance(Submitting, Following, Troubled):
    """The promises of :class:`~qdepot.ports.provider.Provider`, one test each.

    Inherit, and write a fixture ``provider``; see :class:`~qdepot.testing.provider.bench.Bench` for the others, and for
    what may be declared. A test that a provider cannot pass may be marked xfail with a reason, and not be replaced.
    """


def _story_of(call: Callable[[], object], error_class: type[QDepotError]) -> str:
    """All that an error and its causes tell."""
    with pytest.raises(error_class) as raised:
        call()
    told = ""
    error: BaseException | None = raised.value
    while error is not None:
        told += f"{error!r} {error} {getattr(error, 'details', '')}\n"
        error = error.__cause__
    return told
