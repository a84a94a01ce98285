"""Tests of what becomes of a job: status, result, cancel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from qdepot.domain.backend import BackendInfo
from qdepot.domain.result import check_sampler_entry
from qdepot.errors import NotFinishedError, NotFoundError
from qdepot.ports.provider import Forgets, PollsMany, Provider, ProviderReport, ProviderStatus, YieldsParts
from qdepot.testing.provider.bench import LAST, Bench
from qdepot.testing.provider.outside import Ability, Outside
from qdepot.testing.provider.submitting import THREADS

_RANK = {ProviderStatus.QUEUED: 0, ProviderStatus.RUNNING: 1, **dict.fromkeys(LAST, 2)}
_LEAVING: list[Callable[[Outside], None]] = [lambda outside: None, lambda outside: outside.let_run()]


class Following(Bench):
    """From a submitted job to its result, or its end."""

    def test_status_never_goes_back(self, provider: Provider, backend: BackendInfo) -> None:
        job_id = provider.submit(self.submission(backend))
        seen: list[ProviderStatus] = []

        def look() -> bool:
            seen.append(provider.status(job_id).status)
            return seen[-1] in LAST

        self.wait_until(look)
        assert seen[-1] is ProviderStatus.DONE
        assert [_RANK[status] for status in seen] == sorted(_RANK[status] for status in seen)

    def test_the_vendors_own_word_is_kept(self, provider: Provider, backend: BackendInfo) -> None:
        assert provider.status(provider.submit(self.submission(backend))).vendor_status

    def test_counts_sum_to_shots_and_keys_have_the_right_width(self, provider: Provider, backend: BackendInfo) -> None:
        circuits = [self.circuit("01"), self.circuit("101", shots=7)]
        job_id = provider.submit(self.submission(backend, *circuits, shots=11))
        assert self.status_at_end(provider, job_id) is ProviderStatus.DONE
        entries = self.entries(provider.result(job_id))
        for entry in entries:
            check_sampler_entry(entry)
        assert [entry["shots"] for entry in entries] == [11, 7]
        assert [{len(bits) for bits in entry["counts"]} for entry in entries] == [{2}, {3}]

    def test_bit_0_is_rightmost(self, provider: Provider, backend: BackendInfo) -> None:
        assert self._outcome(provider, backend, "001") == {"001": 20}

    def test_a_program_with_one_outcome_has_that_outcome(self, provider: Provider, backend: BackendInfo) -> None:
        assert self._outcome(provider, backend, "10110") == {"10110": 20}

    def test_a_result_before_the_end_is_refused(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        outside = self._holding(request)
        job_id = provider.submit(self.submission(backend))
        with pytest.raises(NotFinishedError):
            provider.result(job_id)
        outside.let_end()
        assert self.status_at_end(provider, job_id) is ProviderStatus.DONE
        provider.result(job_id)

    def test_a_result_that_is_fetched_twice_is_equal(self, provider: Provider, backend: BackendInfo) -> None:
        job_id = provider.submit(self.submission(backend))
        self.status_at_end(provider, job_id)
        first, second = provider.result(job_id), provider.result(job_id)
        assert bytes(first.document) == bytes(second.document)
        assert {name: bytes(it) for name, it in first.members.items()} == {
            name: bytes(it) for name, it in second.members.items()
        }

    def test_an_unknown_id_is_not_found(self, provider: Provider) -> None:
        for verb in (provider.status, provider.result, provider.cancel):
            with pytest.raises(NotFoundError):
                verb(self.unknown_id)

    @pytest.mark.parametrize("leave", _LEAVING, ids=["queued", "running"])
    def test_a_job_that_is_cancelled_before_its_end_has_no_result(
        self,
        request: pytest.FixtureRequest,
        provider: Provider,
        backend: BackendInfo,
        leave: Callable[[Outside], None],
    ) -> None:
        outside = self._holding(request)
        job_id = provider.submit(self.submission(backend))
        leave(outside)
        provider.cancel(job_id)
        outside.let_end()
        assert self.status_at_end(provider, job_id) is ProviderStatus.CANCELLED

    def test_a_job_that_has_ended_is_not_changed_by_a_cancel(self, provider: Provider, backend: BackendInfo) -> None:
        job_id = provider.submit(self.submission(backend))
        self.status_at_end(provider, job_id)
        document = bytes(provider.result(job_id).document)
        provider.cancel(job_id)
        assert provider.status(job_id).status is ProviderStatus.DONE
        assert bytes(provider.result(job_id).document) == document

    def test_a_second_provider_finds_the_job(
        self, request: pytest.FixtureRequest, provider: Provider, backend: BackendInfo
    ) -> None:
        if backend.runs_here:
            pytest.skip("the backend declares that its jobs live in the process that submitted them")
        job_id = provider.submit(self.submission(backend, self.circuit("011")))
        second: Provider = request.getfixturevalue("second_provider")
        assert self.status_at_end(second, job_id) is ProviderStatus.DONE
        assert self.entries(second.result(job_id))[0]["counts"] == {"011": 20}

    def test_many_are_asked_about_in_one_call(self, provider: Provider, backend: BackendInfo) -> None:
        if not isinstance(provider, PollsMany):
            pytest.skip("the provider has no verb for this")
        assert provider.page_size >= 1
        ids = [provider.submit(self.submission(backend)) for _ in range(3)]
        reports = provider.statuses([*ids, self.unknown_id])
        assert reports.keys() == set(ids)
        assert all(isinstance(report, ProviderReport) for report in reports.values())

    def test_a_job_that_is_forgotten_may_be_forgotten_again(self, provider: Provider, backend: BackendInfo) -> None:
        if not isinstance(provider, Forgets):
            pytest.skip("the provider has no verb for this")
        job_id = provider.submit(self.submission(backend))
        self.status_at_end(provider, job_id)
        provider.forget(job_id)
        provider.forget(job_id)
        with pytest.raises(NotFoundError):
            provider.status(job_id)

    def test_results_are_given_behind_those_that_are_stored(self, provider: Provider, backend: BackendInfo) -> None:
        if not isinstance(provider, YieldsParts):
            pytest.skip("the provider has no verb for this")
        submission = self.submission(backend, *map(self.circuit, ("01", "10", "11")))
        job_id = provider.submit(replace(submission, done=1))
        assert self.status_at_end(provider, job_id) is ProviderStatus.DONE
        assert provider.part(job_id, after=1) is None
        rest = provider.rest(job_id, after=1)
        entries = [entry for result in rest.results for entry in self.entries(result)]
        assert (rest.first, rest.count) == (1, 2)
        assert [entry["counts"] for entry in entries] == [{"10": 20}, {"11": 20}]
        assert provider.rest(job_id, after=3).count == 0
        for verb in (provider.part, provider.rest):
            with pytest.raises(NotFoundError):
                verb(self.unknown_id, after=0)

    def test_eight_threads_at_once_get_each_their_own(self, provider: Provider, backend: BackendInfo) -> None:
        start = Barrier(THREADS)

        def run(number: int) -> dict[str, int]:
            start.wait()
            return self._outcome(provider, backend, f"{number:04b}")

        with ThreadPoolExecutor(THREADS) as threads:
            outcomes = list(threads.map(run, range(THREADS)))
        assert outcomes == [{f"{number:04b}": 20} for number in range(THREADS)]

    def _holding(self, request: pytest.FixtureRequest) -> Outside:
        outside = self.reach_outside(request, Ability.HOLD)
        outside.hold()
        return outside

    def _outcome(self, provider: Provider, backend: BackendInfo, bits: str) -> dict[str, int]:
        job_id = provider.submit(self.submission(backend, self.circuit(bits)))
        assert self.status_at_end(provider, job_id) is ProviderStatus.DONE
        counts: dict[str, int] = self.entries(provider.result(job_id))[0]["counts"]
        return counts
