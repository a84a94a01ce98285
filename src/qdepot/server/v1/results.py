"""Retrieving a job and its result."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response

from qdepot.domain.caller import Caller
from qdepot.domain.job import Job, JobStatus, canonical_job_id
from qdepot.errors import ArchiveDamagedError
from qdepot.server.answering import json_bytes, streamed, with_members
from qdepot.server.auth import Reader
from qdepot.server.v1 import documented
from qdepot.server.v1.answers import JOBS_PATH, job_answer
from qdepot.services.jobs import Jobs
from qdepot.services.orders import SubmitLimits
from qdepot.services.partial_results import PartialResult
from qdepot.wire.answers import JobAnswer, ResultAnswer

NPZ = "application/x-npz"
ZIP = "application/zip"

ResultFormat = Annotated[
    Literal["json", "npz"] | None, Query(alias="format", description="Instead of the header `Accept`.")
]

Partial = Annotated[bool, Query(description="What there is by now, of a job in any status.")]


class ResultRoutes:
    """Routes that give a job, and what came out."""

    def __init__(self, jobs: Jobs, limits: SubmitLimits) -> None:
        self._jobs = jobs
        self._limits = limits

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix=JOBS_PATH, tags=["jobs"])
        router.get(
            "/{job_id}",
            operation_id="retrieveJob",
            response_model=JobAnswer,
            responses=documented.problems(*documented.JOB_CODES),
        )(self.retrieve_job)
        router.get(
            "/{job_id}/result",
            operation_id="getJobResult",
            response_model=ResultAnswer,
            responses={
                **documented.or_file(NPZ, "The result; as NumPy arrays `memory/<circuit>/<register>` if asked for."),
                **documented.problems("invalid_request", "not_finished", "job_failed", *documented.JOB_CODES),
            },
        )(self.get_job_result)
        router.get(
            "/{job_id}/export",
            operation_id="exportJob",
            response_class=Response,
            responses={
                **documented.or_file(ZIP, "The folder."),
                **documented.problems("not_finished", *documented.JOB_CODES),
            },
        )(self.export_job)
        return router

    def retrieve_job(self, job_id: str, caller: Reader) -> Response:
        """Everything about a job.

        A small result is inside, a large one is only linked: then follow `links.result`.
        """
        job = self._jobs.get(job_id, caller=caller)
        document = job_answer(job).model_dump_json(exclude={"result"}).encode()
        result = self._inline_result(job, caller)
        return json_bytes(b'%b,"result":%b}' % (document[:-1], result))

    def get_job_result(
        self,
        job_id: str,
        caller: Reader,
        *,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
        result_format: ResultFormat = None,
        partial: Partial = False,
    ) -> Response:
        """The result of a job.

        While there is none, the answer is 409 `not_finished` with the status in `details`; if there will never be one,
        409 `job_failed` with the reason in `details.failure`.

        With `partial=true` it is what there is by now, of a job in any status: the results of the leading circuits,
        maybe none. `circuits_done` says how many, and `partial` is false once they are all there are. A job that
        failed or was cancelled keeps what was done of it.

        Jobs with the option `memory` have their shots, in order, also as NumPy arrays: ask with
        `Accept: application/x-npz`. `memory/<circuit>/<register>` holds bytes, packed, most significant first.
        """
        job_id = canonical_job_id(job_id) or job_id
        if result_format == "npz" or (result_format is None and NPZ in accept):
            open_arrays = self._jobs.partial_arrays if partial else self._jobs.result_arrays
            arrays = open_arrays(job_id, caller=caller)
            return streamed(arrays, media_type=NPZ, headers={"Vary": "Accept", **_file_name(f"{job_id}.npz")})
        if partial:
            found = self._jobs.partial_result(job_id, caller=caller)
            document = with_members(_partial_members(found), found.document)
        else:
            document = with_members(_members(job_id), self._jobs.result(job_id, caller=caller))
        return streamed(document, media_type="application/json", headers={"Vary": "Accept"})

    def export_job(self, job_id: str, caller: Reader) -> Response:
        """All that is kept of a job that has ended, as a zip file for a colleague.

        It holds one folder: a README, the documents laid out for people, the circuits as files, counts or values as
        tables (CSV), NumPy arrays, and checksums.
        """
        job_id = canonical_job_id(job_id) or job_id
        pieces = self._jobs.export(job_id, caller=caller)
        return streamed(pieces, media_type=ZIP, headers=_file_name(f"qdepot-{job_id}.zip"))

    def _inline_result(self, job: Job, caller: Caller) -> bytes:
        size = job.result_size_bytes
        if job.status is not JobStatus.COMPLETED or size is None or size > self._limits.inline_result_bytes:
            return b"null"
        try:
            return b"".join(with_members(_members(job.id), self._jobs.result(job.id, caller=caller)))
        except ArchiveDamagedError:
            return b"null"  # the row is sound; what is wrong with the bundle is told where the result is asked for


def _file_name(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _members(job_id: str) -> bytes:
    return b'"id":"%b","status":"COMPLETED"' % job_id.encode()


def _partial_members(found: PartialResult) -> bytes:
    job = found.job
    about = {
        "id": job.id,
        "status": job.shown_status,
        "partial": not found.is_whole,
        "circuits_done": job.circuits_done,
        "num_circuits": job.num_circuits,
    }
    return json.dumps(about, separators=(",", ":"))[1:-1].encode()
