"""Submitting many jobs with one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from qdepot.errors import QDepotError
from qdepot.server.answering import json_response
from qdepot.server.auth import Submitter
from qdepot.server.bodies import Submission
from qdepot.server.errors import problem_document
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH
from qdepot.server.v1.sent_batch import ReadBatch, read_batch
from qdepot.server.v1.submitting import IdempotencyKey
from qdepot.services.jobs import Jobs
from qdepot.services.orders import JobOrder, Submitted
from qdepot.wire.answers import BatchAnswer, BatchItemAnswer, Problem
from qdepot.wire.requests import BatchBody

SentBatch = Annotated[Callable[[], ReadBatch], Depends(Submission(read_batch))]


class BatchRoutes:
    """The route that makes many jobs."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(tags=["jobs"])
        router.post(
            f"{JOBS_PATH}:batch",
            operation_id="submitJobs",
            status_code=201,
            response_model=BatchAnswer,
            response_description="All are accepted and stored.",
            responses={
                **documented.answers(
                    BatchAnswer,
                    {200: "A repeat: these are the jobs that it made before.", 207: "Some were refused; see `error`."},
                ),
                **documented.problems(*documented.SUBMIT_CODES),
            },
            openapi_extra=documented.body_of(BatchBody),
        )(self.submit_jobs)
        return router

    def submit_jobs(self, caller: Submitter, sent: SentBatch, *, idempotency_key: IdempotencyKey = None) -> Response:
        """Submit up to 1,000 jobs at once.

        With `atomic` (the default) all are accepted or none: the problem tells which one is wrong in `details.job`,
        counted from 0. Else each is accepted or refused by itself.
        """
        batch = sent()
        outcomes = batch.outcomes
        places = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, JobOrder)]
        orders = [outcome for outcome in outcomes if isinstance(outcome, JobOrder)]
        if orders:
            answers = self._jobs.submit_many(
                orders, caller=caller, atomic=batch.atomic, idempotency_key=idempotency_key
            )
            for place, answer in zip(places, answers, strict=True):
                outcomes[place] = answer
        return _answer([outcome for outcome in outcomes if not isinstance(outcome, JobOrder)])


def _answer(outcomes: Sequence[Submitted | QDepotError]) -> Response:
    items = [_item(outcome, place) for place, outcome in enumerate(outcomes)]
    if any(isinstance(outcome, QDepotError) for outcome in outcomes):
        status = 207
    else:
        status = 201 if any(isinstance(outcome, Submitted) and outcome.created for outcome in outcomes) else 200
    return json_response(BatchAnswer(jobs=items), status=status)


def _item(outcome: Submitted | QDepotError, place: int) -> BatchItemAnswer:
    if isinstance(outcome, QDepotError):
        outcome.details["job"] = place
        return BatchItemAnswer(error=Problem.model_validate(problem_document(outcome)))
    return BatchItemAnswer.model_validate({"id": outcome.job.id, "status": outcome.job.shown_status})
