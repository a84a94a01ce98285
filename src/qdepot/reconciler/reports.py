"""What a provider says of many jobs, so that no job keeps it from answering for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qdepot.domain.job import Job
from qdepot.errors import NotFoundError, QDepotError, UnavailableError
from qdepot.ports.provider import PollsMany, Provider, ProviderReport
from qdepot.reconciler.isolation import in_turns, own_error

UNANSWERED_IN_ROW = 3
"""A provider that has not answered so often in a row is asked no further."""

Reports = Mapping[str, ProviderReport | QDepotError]
"""By our job id; jobs that the provider does not know are missing."""


def reports_of(provider: Provider, jobs: Sequence[Job]) -> Reports:
    """Ask about all of them, those that were answered last time first.

    Raises:
        UnavailableError: The provider does not answer for any of them.
    """
    in_turn = sorted(jobs, key=lambda job: job.failures_in_row)
    if not isinstance(provider, PollsMany):
        return _one_by_one(provider, in_turn)
    found: dict[str, ProviderReport | QDepotError] = {}
    # Apart from those that had an answer last time, so that these do not fail with a job that makes every call fail.
    for some in ([it for it in in_turn if not it.failures_in_row], [it for it in in_turn if it.failures_in_row]):
        for start in range(0, len(some), provider.page_size):
            found |= _page(provider, some[start : start + provider.page_size])
    errors = [report for report in found.values() if isinstance(report, UnavailableError)]
    if errors and len(errors) == len(jobs):
        raise errors[0]
    return found


def _page(provider: PollsMany, jobs: Sequence[Job]) -> Reports:
    """One call for all; if that fails, one for each."""
    ids = {job.provider_job_id or "": job for job in jobs}
    try:
        return {ids[it].id: report for it, report in provider.statuses(list(ids)).items() if it in ids}
    except Exception as error:
        if len(jobs) == 1:
            return {jobs[0].id: own_error(error, job_id=jobs[0].id, step="poll")}
    found: dict[str, ProviderReport | QDepotError] = {}
    unanswered = 0
    for job in in_turns(jobs, project_of=lambda job: job.project):
        if unanswered == UNANSWERED_IN_ROW:
            found[job.id] = _not_asked(job)
            continue
        reports = _page(provider, [job])
        unanswered = unanswered + 1 if isinstance(reports.get(job.id), UnavailableError) else 0
        found |= reports
    return found


def _one_by_one(provider: Provider, jobs: Sequence[Job]) -> Reports:
    found: dict[str, ProviderReport | QDepotError] = {}
    unanswered, answered = 0, False
    for job in in_turns(jobs, project_of=lambda job: job.project):
        if unanswered == UNANSWERED_IN_ROW:
            found[job.id] = _not_asked(job)
            continue
        try:
            found[job.id] = provider.status(job.provider_job_id or "")
        except NotFoundError:
            pass
        except UnavailableError as error:
            found[job.id] = error
            unanswered += 1
            continue
        except Exception as error:
            found[job.id] = own_error(error, job_id=job.id, step="poll")
        unanswered, answered = 0, True
    if jobs and not answered:
        raise next(error for error in found.values() if isinstance(error, UnavailableError))
    return found


def _not_asked(job: Job) -> UnavailableError:
    return UnavailableError(f"{job.backend} does not answer at present")
