"""The scripted cloud over HTTP: a paid cloud to try and to torture a service with, at no cost.

Its server is ``python -m qdepot.testing.scripted_server``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

from qdepot.adapters.providers.scripted_words import report_of, report_or_error
from qdepot.domain.backend import BackendInfo
from qdepot.domain.fitting import check_fits
from qdepot.domain.program import ProgramFormat
from qdepot.errors import (
    InternalError,
    InvalidRequestError,
    NotFinishedError,
    NotFoundError,
    QDepotError,
    UnavailableError,
    UnsupportedProgramError,
)
from qdepot.ports.provider import ProviderReport, RawResult, Submission
from qdepot.ports.settings import Public, PublicHttpUrl, Seconds

_REFUSALS: Mapping[str, type[InvalidRequestError]] = {
    error_class.code: error_class for error_class in (NotFoundError, NotFinishedError, UnsupportedProgramError)
}
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class ScriptedSettings(BaseModel):
    """Settings of the provider ``scripted``.

    Attributes:
        url: Where the cloud's server listens.
        token: What it asks for, if it does.
        timeout_s: Longest wait for a connection, and for each piece of an answer.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: PublicHttpUrl
    token: SecretStr | None = None
    timeout_s: Public[Seconds] = 10.0


class ScriptedHttpProvider:
    """One account at a scripted cloud. What the cloud can do, it says itself."""

    name = "scripted"
    page_size = 500
    Settings = ScriptedSettings

    def __init__(self, *, settings: ScriptedSettings, **_: object) -> None:
        """Nothing is sent here; what a service hands to simulators is not needed."""
        token = settings.token.get_secret_value() if settings.token is not None else None
        self._url = str(settings.url)
        self._client = httpx.Client(
            base_url=self._url,
            timeout=settings.timeout_s,
            headers={"Authorization": f"Bearer {token}"} if token is not None else None,
            trust_env=False,
            verify=settings.url.scheme == "https",  # loading certificates takes a tenth of a second
        )
        self._known: Mapping[str, BackendInfo] = {}

    def __repr__(self) -> str:
        return f"ScriptedHttpProvider({self._url})"

    def backends(self) -> Sequence[BackendInfo]:
        """What the cloud offers now."""
        found = [_backend(document, provider=self.name) for document in self._ask("GET", "v1/backends")["backends"]]
        self._known = {backend.name: backend for backend in found}
        return found

    def submit(self, submission: Submission) -> str:
        """Hand over a job, if it is within the backend's limits."""
        backend = self._backend(submission.backend)
        check_fits(submission.program, options=submission.options, backend=backend)
        document = {
            "tag": submission.tag,
            "job_id": submission.job_id,
            "backend": submission.backend,
            "program": submission.program.document(),
            "options": dict(submission.options),
            "owner": submission.owner,
            "timeout_s": submission.timeout_s,
        }
        return str(self._ask("POST", "v1/jobs", document)["id"])

    def status(self, provider_job_id: str) -> ProviderReport:
        """What the cloud says of one job."""
        return report_of(str(self._ask("GET", f"v1/jobs/{provider_job_id}")["status"]), provider_job_id)

    def statuses(self, provider_job_ids: Sequence[str]) -> Mapping[str, ProviderReport | QDepotError]:
        """What the cloud says of many."""
        answer = self._ask("POST", "v1/statuses", {"ids": list(provider_job_ids)})
        return {it: report_or_error(str(word), it) for it, word in answer["statuses"].items()}

    def result(self, provider_job_id: str) -> RawResult:
        """The results, and what the cloud sent."""
        document = json.dumps(self._ask("GET", f"v1/jobs/{provider_job_id}/result")).encode()
        return RawResult(format="qdepot", document=document, members={"raw/scripted.json": document})

    def cancel(self, provider_job_id: str) -> None:
        """Ask for the end of a job."""
        self._ask("POST", f"v1/jobs/{provider_job_id}/cancel")

    def find_by_tag(self, tag: str) -> str | None:
        """The job with this tag, once the cloud shows it."""
        found = self._ask("GET", "v1/jobs", tag=tag)["id"]
        return None if found is None else str(found)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _backend(self, name: str) -> BackendInfo:
        if name not in self._known:
            self.backends()
        if name not in self._known:
            raise NotFoundError(f"there is no backend {name!r} at {self._url}")
        return self._known[name]

    def _ask(self, method: str, path: str, document: object = None, **query: str) -> dict[str, Any]:
        """One call.

        Raises:
            UnavailableError: No answer, or a request to come again later. ``details["maybe_sent"]`` is set where the
                cloud may have carried it out.
            InvalidRequestError: The cloud refused it.
            InternalError: Its answer cannot be understood.
        """
        try:
            answer = self._client.request(method, path, json=document, params=query or None)
        except httpx.HTTPError as error:
            sent = {} if isinstance(error, _NEVER_SENT) else {"maybe_sent": True}
            raise UnavailableError(
                f"the cloud at {self._url} does not answer: {type(error).__name__}", details=sent
            ) from error
        if not answer.is_success:
            raise self._refusal(answer)
        return _parsed(answer)

    def _refusal(self, answer: httpx.Response) -> QDepotError:
        if answer.status_code in {429, 503}:
            wait_s = float(answer.headers.get("Retry-After", "0")) or None
            return UnavailableError(f"the cloud at {self._url} takes nothing now", retry_after_s=wait_s)
        if answer.status_code >= 500:
            return UnavailableError(
                f"the cloud at {self._url} failed with {answer.status_code}", details={"maybe_sent": True}
            )
        problem = _parsed(answer)
        error_class = _REFUSALS.get(str(problem.get("code")), InvalidRequestError)
        return error_class(str(problem.get("message", "")), solution=str(problem.get("solution", "")))


def _parsed(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError as error:
        raise InternalError(f"the cloud answered {answer.status_code} with what is not JSON") from error
    if not isinstance(document, dict):
        raise InternalError(f"the cloud answered {answer.status_code} with what is not an object")
    return document


def _backend(document: Mapping[str, Any], *, provider: str) -> BackendInfo:
    return BackendInfo(
        name=document["name"],
        provider=provider,
        description="A cloud that plays a script; no qubit is touched.",
        num_qubits=document["num_qubits"],
        max_shots=document["max_shots"],
        formats=frozenset(ProgramFormat(it) for it in document["formats"]),
        paid=document["paid"],
        repeatable=document["repeatable"],
        takes_key=document["takes_key"],
        finds_by_tag=document["finds_by_tag"],
        visibility_delay_s=document["visibility_delay_s"],
        options=frozenset(document["options"]),
    )
