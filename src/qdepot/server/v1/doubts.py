"""Ending a doubt."""

from __future__ import annotations

from fastapi import APIRouter, Response

from qdepot.domain.caller import Caller
from qdepot.domain.job import Job
from qdepot.server.answering import json_response
from qdepot.server.auth import JobManager
from qdepot.server.bodies import RawBody, parse
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH, job_answer
from qdepot.services.doubts import Doubts
from qdepot.wire.answers import JobAnswer
from qdepot.wire.requests import ResolveBody


class DoubtRoutes:
    """The route for what only a person can decide."""

    def __init__(self, doubts: Doubts) -> None:
        self._doubts = doubts

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix=JOBS_PATH, tags=["jobs"])
        router.post(
            "/{job_id}/resolve",
            operation_id="resolveJob",
            response_model=JobAnswer,
            response_description="It is decided; the job goes on accordingly.",
            responses=documented.problems(*documented.BODY_CODES, "conflict", *documented.JOB_CODES),
            openapi_extra=documented.body_of(ResolveBody),
        )(self.resolve_job)
        return router

    def resolve_job(self, job_id: str, caller: JobManager, raw: RawBody) -> Response:
        """Decide about a job at stage `in_doubt` or `held`.

        In doubt, nobody can tell whether the backend has the job, and sending it again might be paid twice; held, it
        waits for a person for the reason in `why`. A job at another stage is a conflict: there is nothing to decide.
        """
        return json_response(job_answer(self._decided(job_id, parse(ResolveBody, raw), caller)))

    def _decided(self, job_id: str, body: ResolveBody, caller: Caller) -> Job:
        if body.provider_job_id is not None:
            return self._doubts.adopt(job_id, body.provider_job_id, caller=caller)
        if body.action == "resubmit":
            return self._doubts.resubmit(job_id, caller=caller)
        return self._doubts.fail(job_id, caller=caller)
