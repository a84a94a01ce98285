"""The scripted cloud as a server, which outlives the processes that use it.

Run it with ``python -m qdepot.testing.scripted_server --port 0 --state FILE``. What it accepts is on disk before it
answers, so that after any crash it can be asked what was paid for.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from qdepot.adapters.system_clock import SystemClock
from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import Program
from qdepot.errors import (
    InvalidRequestError,
    NotFinishedError,
    NotFoundError,
    PermissionDeniedError,
    QDepotError,
    UnavailableError,
)
from qdepot.ports.provider import Submission
from qdepot.testing.scripted_cloud import Script, ScriptedCloud, ScriptedJob

Document = Annotated[dict[str, Any], Body()]

_STATUS = {
    NotFoundError: 404,
    NotFinishedError: 409,
    PermissionDeniedError: 401,
    UnavailableError: 503,
    InvalidRequestError: 422,
}


def build_cloud_app(cloud: ScriptedCloud, *, token: str | None = None) -> FastAPI:
    """The cloud's API under ``/v1``, and under ``/admin`` what a test may look at and change."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(QDepotError, _problem)

    def account(request: Request) -> None:
        if token is not None and request.headers.get("Authorization") != f"Bearer {token}":
            raise PermissionDeniedError("this account is not known")

    verbs = APIRouter(prefix="/v1", dependencies=[Depends(account)])
    _add_verbs(verbs, cloud)
    app.include_router(verbs)
    _add_admin(app, cloud)
    return app


def _add_verbs(app: APIRouter, cloud: ScriptedCloud) -> None:
    @app.get("/backends")
    def backends() -> dict[str, Any]:
        return {"backends": [_backend_document(cloud.offer())]}

    @app.post("/jobs", status_code=201)
    def submit(document: Document) -> dict[str, Any]:
        return {"id": cloud.take(_submission(document)).id}

    @app.get("/jobs")
    def search(tag: str) -> dict[str, Any]:
        return {"id": cloud.search(tag)}

    @app.get("/jobs/{job_id}")
    def status(job_id: str) -> dict[str, Any]:
        words = cloud.look([job_id])
        if job_id not in words:
            raise NotFoundError(f"{cloud.name} knows no job {job_id}")
        return {"id": job_id, "status": words[job_id]}

    @app.post("/statuses")
    def statuses(document: Document) -> dict[str, Any]:
        return {"statuses": cloud.look(document["ids"])}

    @app.get("/jobs/{job_id}/result")
    def result(job_id: str) -> dict[str, Any]:
        return {"results": cloud.fetch(job_id)}

    @app.post("/jobs/{job_id}/cancel")
    def cancel(job_id: str) -> dict[str, Any]:
        cloud.stop(job_id)
        return {}


def _add_admin(app: FastAPI, cloud: ScriptedCloud) -> None:
    @app.get("/admin/log")
    def log() -> dict[str, Any]:
        return {"submissions": list(cloud.submissions), "calls": dict(cloud.calls)}

    @app.patch("/admin/script")
    def change(document: Document) -> dict[str, Any]:
        known = {field.name for field in fields(Script)}
        if document.keys() - known:
            raise InvalidRequestError(f"a script has no {', '.join(sorted(document.keys() - known))}")
        cloud.script = replace(cloud.script, **document)
        return asdict(cloud.script)


class _CutResponse(Response):
    """An answer whose end never comes: the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{"})


def _problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, QDepotError):
        raise error
    if error.details.get("maybe_sent"):
        return _CutResponse()
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    wait_s = error.retry_after_s
    return JSONResponse(
        {"code": error.code, "message": error.message, "solution": error.solution},
        status_code=429 if wait_s is not None else status,
        headers={"Retry-After": f"{wait_s:.3f}"} if wait_s is not None else None,
    )


def _backend_document(backend: BackendInfo) -> dict[str, Any]:
    document = asdict(backend)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in document.items()}


def _submission(document: Mapping[str, Any]) -> Submission:
    return Submission(**{**document, "program": Program.from_document(document["program"])})


class StateFile:
    """The submissions that the cloud took, a line each, on disk before anybody is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def append(self, job: ScriptedJob) -> None:
        """Note a job, durably."""
        submission = {name: getattr(job.submission, name) for name in Submission.__dataclass_fields__}
        submission |= {"program": job.submission.program.document(), "options": dict(job.submission.options)}
        line = {"id": job.id, "at": job.submitted_at.isoformat(), "lost": job.lost, "submission": submission}
        self._file.write(f"{json.dumps(line)}\n".encode())
        os.fsync(self._file.fileno())

    def load_into(self, cloud: ScriptedCloud) -> None:
        """Let a cloud have the jobs of its life before."""
        for line in self._path.read_text().splitlines():
            known = json.loads(line)
            cloud.submissions.append(known["submission"]["tag"])
            cloud.add(
                ScriptedJob(
                    id=known["id"],
                    submission=_submission(known["submission"]),
                    submitted_at=datetime.fromisoformat(known["at"]),
                    lost=known["lost"],
                )
            )


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True, help="file of the submissions that were taken")
    parser.add_argument("--token", help="asked for in each call")
    parser.add_argument("--takes-key", action="store_true")
    parser.add_argument("--finds-by-tag", action="store_true")
    parser.add_argument("--visibility-delay-s", type=float, default=0.0)
    parser.add_argument("--repeatable", action="store_true")
    parser.add_argument("--free", action="store_true", help="a run costs nothing")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    state = StateFile(given.state)
    cloud = ScriptedCloud(
        clock=SystemClock(),
        paid=not given.free,
        repeatable=given.repeatable,
        takes_key=given.takes_key,
        finds_by_tag=given.finds_by_tag,
        visibility_delay=timedelta(seconds=given.visibility_delay_s),
        seed=given.seed,
        journal=state.append,
    )
    state.load_into(cloud)
    _serve(build_cloud_app(cloud, token=given.token), given.port)


def _serve(app: FastAPI, port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_keep_alive=60)
    print(f"the scripted cloud is ready at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
