"""Submitting jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from qdepot.server.answering import json_response
from qdepot.server.auth import Submitter
from qdepot.server.bodies import Submission
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH, job_answer, path_of
from qdepot.server.v1.orders import job_id_of, order_of
from qdepot.services.jobs import Jobs
from qdepot.services.orders import JobOrder, Submitted
from qdepot.wire.answers import JobAnswer
from qdepot.wire.requests import JobBody

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Any text of your own, new for each new job: a repeat with it gives the same job.",
    ),
]


SentJob = Annotated[Callable[[], JobOrder], Depends(Submission(order_of))]


class SubmitRoutes:
    """Routes that make one job."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix=JOBS_PATH, tags=["jobs"])
        shared: dict[str, Any] = {
            "status_code": 201,
            "response_model": JobAnswer,
            "responses": {
                **documented.accepted("Accepted and stored."),
                **documented.answers(JobAnswer, {200: "A repeat: this is the job that it made before."}),
                **documented.problems(*documented.SUBMIT_CODES),
            },
            "openapi_extra": documented.body_of(JobBody),
        }
        router.post("", operation_id="submitJob", **shared)(self.submit_job)
        router.put("/{job_id}", operation_id="putJob", **shared)(self.put_job)
        return router

    def submit_job(self, caller: Submitter, sent: SentJob, *, idempotency_key: IdempotencyKey = None) -> Response:
        """Submit a job.

        Circuits are checked while you wait, as far as that is quick: an error in them is answered with line and column.
        An answer of 201 means that the job is stored and survives whatever happens to the service.

        With an `Idempotency-Key`, a request whose answer was lost can be repeated without making a second job.
        """
        return _answer(self._jobs.submit(sent(), caller=caller, idempotency_key=idempotency_key))

    def put_job(self, job_id: str, caller: Submitter, sent: SentJob) -> Response:
        """Submit a job under an id of your own choice, a UUID.

        A repeat with the same body gives the same job; with another body it is a conflict.
        """
        chosen = job_id_of(job_id)
        return _answer(self._jobs.submit(sent(), caller=caller, job_id=chosen))


def _answer(submitted: Submitted) -> Response:
    return json_response(
        job_answer(submitted.job),
        status=201 if submitted.created else 200,
        headers={"Location": path_of(submitted.job)},
    )
