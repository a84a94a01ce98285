"""Tests of what is offered and what is taken."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Circuit, ProgramFormat
from qdepot.errors import InvalidRequestError, UnsupportedProgramError
from qdepot.ports.provider import FindsByTag, Provider, RunsHere, Submission
from qdepot.testing.provider.bench import Bench
from qdepot.testing.provider.outside import Ability

THREADS = 8


class Submitting(Bench):
    """Backends, limits, tags."""

    def test_backends_are_named_uniquely(self, provider: Provider) -> None:
        names = Counter(backend.name for backend in provider.backends())
        assert names
        assert set(names.values()) == {1}

    def test_backends_belong_to_their_provider(self, provider: Provider) -> None:
        assert {backend.provider for backend in provider.backends()} == {provider.name}

    def test_what_costs_money_is_never_declared_repeatable(self, provider: Provider) -> None:
        assert not [backend.name for backend in provider.backends() if backend.paid and backend.repeatable]

    def test_verbs_and_declared_abilities_agree(self, provider: Provider) -> None:
        for backend in provider.backends():
            assert backend.runs_here == isinstance(provider, RunsHere)
            assert not backend.finds_by_tag or isinstance(provider, FindsByTag)

    def test_too_many_shots_are_refused_before_anything_is_sent(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        submission = self.submission(backend, shots=backend.max_shots + 1)
        self._is_refused(request, provider, submission, InvalidRequestError)

    def test_too_many_circuits_are_refused_before_anything_is_sent(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        if backend.max_circuits is None:
            pytest.skip("the backend declares no most circuits")
        circuits = [self.circuit("1")] * (backend.max_circuits + 1)
        self._is_refused(request, provider, self.submission(backend, *circuits), InvalidRequestError)

    def test_a_format_that_the_backend_does_not_take_is_refused(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        others = sorted(set(ProgramFormat) - backend.formats)
        if not others:
            pytest.skip("the backend takes every format")
        foreign = Circuit(format=others[0], source=b"\0")
        self._is_refused(request, provider, self.submission(backend, foreign), UnsupportedProgramError)

    def test_an_option_that_the_backend_does_not_know_is_refused(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        submission = self.submission(backend, options={"flux_capacitor": 88})
        self._is_refused(request, provider, submission, UnsupportedProgramError)

    def test_a_backend_that_there_is_not_is_refused(self, provider: Provider, backend: BackendInfo) -> None:
        submission = self.submission(backend)
        elsewhere = Submission(tag="x.1", job_id="x", backend=f"{backend.name}-not", program=submission.program)
        with pytest.raises(InvalidRequestError):
            provider.submit(elsewhere)

    def test_same_tag_is_submitted_once(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        if not backend.takes_key:
            pytest.skip("the backend declares that it takes no key")
        submission = self.submission(backend)
        start = Barrier(THREADS)

        def submit(_: int) -> str:
            start.wait()
            return provider.submit(submission)

        with ThreadPoolExecutor(THREADS) as threads:
            ids = set(threads.map(submit, range(THREADS)))
        ids.add(provider.submit(submission))
        assert len(ids) == 1
        if Ability.COUNT in self.abilities:
            assert self.reach_outside(request).submissions(submission.tag) == 1

    def test_another_tag_is_another_job(self, provider: Provider, backend: BackendInfo) -> None:
        assert provider.submit(self.submission(backend)) != provider.submit(self.submission(backend))

    def test_a_job_is_found_by_its_tag(self, provider: Provider, backend: BackendInfo) -> None:
        if not backend.finds_by_tag:
            pytest.skip("the backend declares that it cannot be searched")
        assert isinstance(provider, FindsByTag)
        finder = provider
        submission = self.submission(backend)
        assert finder.find_by_tag(submission.tag) is None
        job_id = provider.submit(submission)
        self.wait_until(lambda: finder.find_by_tag(submission.tag) is not None)
        assert finder.find_by_tag(submission.tag) == job_id

    def _is_refused(
        self,
        request: pytest.FixtureRequest,
        provider: Provider,
        submission: Submission,
        error: type[InvalidRequestError],
    ) -> None:
        with pytest.raises(error):
            provider.submit(submission)
        if Ability.COUNT in self.abilities:
            assert self.reach_outside(request).submissions(submission.tag) == 0
