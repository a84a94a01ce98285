"""The status of one job or of many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from qdepot.domain.caller import Caller
from qdepot.domain.job import Job, canonical_job_id
from qdepot.server.answering import json_response
from qdepot.server.auth import Reader
from qdepot.server.bodies import RawBody, parse
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH, status_answer
from qdepot.server.v1.queries import StatusQuery
from qdepot.server.waiting import Waiters
from qdepot.services.jobs import Jobs
from qdepot.wire.answers import StatusAnswer, StatusesAnswer
from qdepot.wire.requests import StatusesBody


class StatusRoutes:
    """Routes that tell how far jobs are."""

    def __init__(self, jobs: Jobs, waiters: Waiters) -> None:
        self._jobs = jobs
        self._waiters = waiters

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/v1", tags=["jobs"])
        router.get(
            f"{JOBS_PATH.removeprefix('/v1')}/{{job_id}}/status",
            operation_id="getJobStatus",
            response_model=StatusAnswer,
            responses=documented.problems("invalid_request", *documented.JOB_CODES),
        )(self.get_job_status)
        router.post(
            "/statuses",
            operation_id="getStatuses",
            response_model=StatusesAnswer,
            responses=documented.problems(*documented.BODY_CODES, "unavailable"),
            openapi_extra=documented.body_of(StatusesBody),
        )(self.get_statuses)
        return router

    async def get_job_status(
        self, job_id: str, query: Annotated[StatusQuery, Query()], request: Request, caller: Reader
    ) -> Response:
        """The status of a job, small and cheap; or wait for it to change.

        With `wait`, the answer comes when the job is final or the time is over; with `known` besides, also as soon as
        the job's status is no longer that one, and with `known_circuits`, as soon as results of more circuits are
        stored. An answer may come early: look at its status, and ask again.
        """
        job = await self._awaited(job_id, query, request=request, caller=caller)
        if job is None:
            job = await run_in_threadpool(self._jobs.get, job_id, caller=caller)
        return json_response(status_answer(job))

    def get_statuses(self, caller: Reader, raw: RawBody) -> Response:
        """The statuses of up to 1,000 jobs at once; unknown ids are left out."""
        ids = [job_id for text in parse(StatusesBody, raw).ids if (job_id := canonical_job_id(text))]
        jobs = self._jobs.get_many(ids, caller=caller)
        return json_response(StatusesAnswer(statuses=[status_answer(jobs[job_id]) for job_id in ids if job_id in jobs]))

    async def _awaited(self, text: str, query: StatusQuery, *, request: Request, caller: Caller) -> Job | None:
        """The job as it was last seen while waiting; None if nobody waited, or it was not seen."""
        job_id = canonical_job_id(text)
        if job_id is None or not query.wait:
            return None

        def is_over(job: Job) -> bool:
            has_moved = query.known is not None and job.shown_status != query.known
            has_more = query.known_circuits is not None and job.circuits_done > query.known_circuits
            return job.is_final or has_moved or has_more

        return await self._waiters.until(
            job_id, caller=caller, is_over=is_over, timeout_s=query.wait, receive=request.receive
        )
