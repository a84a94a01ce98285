"""A provider that does what a test tells it, over a cloud on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qdepot.adapters.providers.scripted_words import report_of, report_or_error
from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_fits
from qdepot.errors import InvalidRequestError, NotFoundError, QDepotError
from qdepot.ports.provider import ProviderReport, RawResult, Submission
from qdepot.testing.scripted_cloud import Script, ScriptedCloud, ScriptedJob

__all__ = ["BulkScriptedProvider", "Script", "ScriptedJob", "ScriptedProvider"]


@dataclass(slots=True, kw_only=True)
class ScriptedProvider(ScriptedCloud):
    """The verbs of a :class:`~qdepot.ports.provider.Provider` on a cloud in this process. Thread-safe."""

    def backends(self) -> Sequence[BackendInfo]:
        """The one backend."""
        return [self.offer()]

    def submit(self, submission: Submission) -> str:
        """Hand over a job, if it is within the backend's limits."""
        backend = self.backend
        if submission.backend != backend.name:
            raise NotFoundError(f"there is no backend {submission.backend!r}")
        check_fits(submission.program, options=submission.options, backend=backend)
        return self.take(submission).id

    def status(self, provider_job_id: str) -> ProviderReport:
        """The next word of the script."""
        words = self.look([provider_job_id])
        if provider_job_id not in words:
            raise NotFoundError(f"{self.name} knows no job {provider_job_id}")
        return report_of(words[provider_job_id], provider_job_id)

    def result(self, provider_job_id: str) -> RawResult:
        """The results, and what the cloud sent."""
        document = json.dumps({"results": self.fetch(provider_job_id)}).encode()
        return RawResult(format="qdepot", document=document, members={"raw/scripted.json": document})

    def cancel(self, provider_job_id: str) -> None:
        """Stop a job that has not ended."""
        self.stop(provider_job_id)

    def find_by_tag(self, tag: str) -> str | None:
        """The job with this tag, once it is visible."""
        if not self.finds_by_tag:
            raise InvalidRequestError(f"{self.name} cannot be searched")
        return self.search(tag)

    def close(self) -> None:
        """Nothing to let go of."""


class BulkScriptedProvider(ScriptedProvider):
    """The same, asked about many jobs in one call."""

    def statuses(self, provider_job_ids: Sequence[str]) -> Mapping[str, ProviderReport | QDepotError]:
        """The next word for each job that the cloud knows."""
        return {it: report_or_error(word, it) for it, word in self.look(provider_job_ids).items()}
