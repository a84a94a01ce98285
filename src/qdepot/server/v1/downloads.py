"""Downloading what is kept of a job."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Response

from qdepot.domain.job import canonical_job_id
from qdepot.server.answering import streamed
from qdepot.server.auth import Reader
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH
from qdepot.services.jobs import Jobs

ZIP = "application/zip"


class DownloadRoutes:
    """The route that gives a job's file, or says where it is."""

    def __init__(self, jobs: Jobs, *, links_for: timedelta | None) -> None:
        """Of a service.

        Args:
            jobs: Has the files.
            links_for: How long a link to the store is valid; None: none is given.
        """
        self._jobs = jobs
        self._links_for = links_for

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix=JOBS_PATH, tags=["jobs"])
        router.get(
            "/{job_id}/download",
            operation_id="downloadJob",
            response_class=Response,
            responses={
                **documented.or_file(ZIP, "The file."),
                307: {
                    "description": "It is to be fetched from the store itself.",
                    "headers": {"Location": {"description": "A secret, valid for a short time.", "schema": _URI}},
                },
                **documented.problems("not_finished", *documented.JOB_CODES),
            },
        )(self.download_job)
        return router

    def download_job(self, job_id: str, caller: Reader) -> Response:
        """The file that holds everything about a job that has ended, as it lies in the archive.

        Where the operator allows it and the store can, the answer is a link that leads to the store itself and is
        valid for a short time; so a large result does not pass through the service. Follow it without your token.
        """
        job_id = canonical_job_id(job_id) or job_id
        if self._links_for is not None:
            link = self._jobs.bundle_link(job_id, caller=caller, valid_for=self._links_for)
            if link is not None:
                return Response(status_code=307, headers={"Location": link, "Cache-Control": "no-store"})
        pieces = self._jobs.bundle(job_id, caller=caller)
        return streamed(pieces, media_type=ZIP, headers={"Content-Disposition": f'attachment; filename="{job_id}.zip"'})


_URI = {"type": "string", "format": "uri"}
