"""The scripted cloud's words for what becomes of a job."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qdepot.domain.job import Failure
from qdepot.errors import InternalError
from qdepot.ports.provider import ProviderReport, ProviderStatus

STATUS_OF_WORD: Mapping[str, ProviderStatus] = MappingProxyType(
    {
        "Queued": ProviderStatus.QUEUED,
        "Running": ProviderStatus.RUNNING,
        "Completed": ProviderStatus.DONE,
        "Failed": ProviderStatus.FAILED,
        "Cancelled": ProviderStatus.CANCELLED,
    }
)
"""In our words; any other is an error."""


def report_of(word: str, job_id: str) -> ProviderReport:
    """What the cloud says of a job.

    Raises:
        InternalError: In a word that is not known here.
    """
    if word not in STATUS_OF_WORD:
        raise InternalError(
            f"the status {word!r} of {job_id} is none that this adapter knows",
            solution="Nothing was changed. Update qdepot, or tell its developers the word.",
        )
    failure = Failure(code="backend_failed", message="the cryostat is warm") if word == "Failed" else None
    return ProviderReport(status=STATUS_OF_WORD[word], vendor_status=word, failure=failure)


def report_or_error(word: str, job_id: str) -> ProviderReport | InternalError:
    """As :func:`report_of`, for an answer about many jobs."""
    try:
        return report_of(word, job_id)
    except InternalError as error:
        return error
