"""Looking at jobs, and changing what their owner may change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from qdepot.server.answering import json_bytes, json_response
from qdepot.server.auth import JobManager, Reader
from qdepot.server.bodies import RawBody, parse
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH, event_answer, job_answer
from qdepot.server.v1.orders import filter_of
from qdepot.server.v1.queries import EventsQuery, ListQuery
from qdepot.services.jobs import Jobs
from qdepot.wire.answers import EventListAnswer, JobAnswer, JobListAnswer, ObjectAnswer, ObjectListAnswer
from qdepot.wire.requests import JobEditBody


class JobRoutes:
    """Routes for jobs that are there."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix=JOBS_PATH, tags=["jobs"])
        seen = documented.problems(*documented.JOB_CODES)
        router.get(
            "",
            operation_id="listJobs",
            response_model=JobListAnswer,
            responses=documented.problems("invalid_request", "unavailable"),
        )(self.list_jobs)
        router.get(
            "/{job_id}/program",
            operation_id="getJobProgram",
            responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}, **seen},
        )(self.get_job_program)
        router.get(
            "/{job_id}/events",
            operation_id="getJobEvents",
            response_model=EventListAnswer,
            responses={**seen, **documented.problems("invalid_request")},
        )(self.get_job_events)
        router.get("/{job_id}/objects", operation_id="getJobObjects", response_model=ObjectListAnswer, responses=seen)(
            self.get_job_objects
        )
        self._add_changes(router)
        return router

    def _add_changes(self, router: APIRouter) -> None:
        router.post(
            "/{job_id}/cancel",
            operation_id="cancelJob",
            status_code=202,
            response_model=JobAnswer,
            response_description="The wish is noted; the job is shown as CANCELLING until it has ended.",
            responses={
                **documented.answers(JobAnswer, {200: "It is cancelled."}),
                **documented.problems("conflict", *documented.JOB_CODES),
            },
        )(self.cancel_job)
        router.patch(
            "/{job_id}",
            operation_id="editJob",
            response_model=JobAnswer,
            responses=documented.problems(*documented.BODY_CODES, "conflict", *documented.JOB_CODES),
            openapi_extra=documented.body_of(JobEditBody),
        )(self.edit_job)
        router.delete(
            "/{job_id}",
            operation_id="deleteJob",
            status_code=204,
            response_description="It is gone.",
            responses=documented.problems("conflict", *documented.JOB_CODES),
        )(self.delete_job)

    def list_jobs(self, query: Annotated[ListQuery, Query()], caller: Reader) -> Response:
        """Your jobs, newest first.

        Follow `next_cursor` for older ones: no job is left out or shown twice, also while new ones arrive.
        """
        page = self._jobs.page(filter_of(query), caller=caller, limit=query.limit, cursor=query.cursor)
        return json_response(JobListAnswer(jobs=[job_answer(job) for job in page.jobs], next_cursor=page.next_cursor))

    def get_job_program(self, job_id: str, caller: Reader) -> Response:
        """The `program` of a job, as it was sent, to the letter."""
        return json_bytes(self._jobs.program(job_id, caller=caller))

    def get_job_events(self, job_id: str, caller: Reader, query: Annotated[EventsQuery, Query()]) -> Response:
        """The history of a job: when it went where, by what, and why."""
        events = self._jobs.events(job_id, caller=caller, after=query.after)
        return json_response(EventListAnswer(events=[event_answer(event) for event in events]))

    def get_job_objects(self, job_id: str, caller: Reader) -> Response:
        """Where a job lies in the object store, with checksums."""
        objects = self._jobs.objects(job_id, caller=caller)
        return json_response(ObjectListAnswer(objects=[ObjectAnswer.model_validate(item) for item in objects]))

    def cancel_job(self, job_id: str, caller: JobManager) -> Response:
        """Ask for a job to be cancelled. A repeat does no harm; a job that has ended otherwise is a conflict."""
        job = self._jobs.cancel(job_id, caller=caller)
        return json_response(job_answer(job), status=200 if job.is_final else 202)

    def edit_job(self, job_id: str, caller: JobManager, raw: RawBody) -> Response:
        """Change a job's name or tags; what is left out stays."""
        edit = parse(JobEditBody, raw)
        return json_response(job_answer(self._jobs.edit(job_id, caller=caller, name=edit.name, tags=edit.tags)))

    def delete_job(self, job_id: str, caller: JobManager) -> Response:
        """Delete a job that has ended, with its result. From then on its id answers 410."""
        self._jobs.delete(job_id, caller=caller)
        return Response(status_code=204)
