"""The HTTP application over a whole qdepot in memory, spoken to without a socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from qdepot.adapters.ledgers.memory_tokens import MemoryTokenRegister
from qdepot.domain.job import Failure, Job, JobStatus, Stage
from qdepot.domain.result import Outcome
from qdepot.errors import QDepotError
from qdepot.server.app import ServerParts, build_app
from qdepot.server.describe import openapi_text
from qdepot.services.authentication import Authentication
from qdepot.services.doubts import Doubts
from qdepot.services.health import Health
from qdepot.services.tokens import Tokens
from support.world import World

URL = "http://127.0.0.1:8484"
RESULT = {
    "results": [
        {
            "shots": 4,
            "shape": [],
            "counts": {"01": 4},
            "registers": {"c": {"num_bits": 2, "counts": {"01": 4}}},
            "metadata": {},
        }
    ]
}


class Conformity:
    """Holds answers against the OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = document["components"]
        self._operations = {
            (method.upper(), re.compile(re.sub(r"\{name\}", "(.+)", re.sub(r"\{\w+_id\}", "([^/]+)", path)))): operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def check(self, response: httpx.Response) -> None:
        """The answer is one that the document tells of, and looks as it says."""
        operation = self._operation(response.request)
        if operation is None:
            return
        answers = operation["responses"]
        assert str(response.status_code) in answers, f"{response.status_code} is not documented: {response.text}"
        content = answers[str(response.status_code)].get("content", {})
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert not response.content
            return
        assert media_type in content
        schema = content[media_type].get("schema", {})
        if media_type.endswith("json"):
            Draft202012Validator({**schema, "components": self._schemas}).validate(response.json())

    def _operation(self, request: httpx.Request) -> Mapping[str, Any] | None:
        for (method, path), operation in self._operations.items():
            if method == request.method and path.fullmatch(request.url.path):
                return operation
        return None


@cache
def _description() -> Mapping[str, Any]:
    return json.loads(openapi_text())


@dataclass
class Bench:
    """An application, what is behind it, and a way to speak to it."""

    world: World
    runner: asyncio.Runner
    parts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world, jobs = self.world, self.world.jobs()
        doubts = Doubts(
            jobs=jobs, ledger=world.ledger, archive=world.archive, clock=world.clock, on_work=lambda jobs: None
        )
        self.register = MemoryTokenRegister()
        self.authentication = Authentication(self.register, world.clock, run_later=lambda note: note())
        tokens = Tokens(register=self.register, clock=world.clock, on_revoked=self.authentication.forget)
        given = {
            "jobs": jobs,
            "tokens": tokens,
            "doubts": doubts,
            "backends": self.world.backends,
            "health": Health(checks={"ledger": self.world.ledger.check}),
            "version": "1.2.3",
            "subscribe": self.world.ledger.on_change,
        }
        parts = {**given, **self.parts}
        if parts.get("authentication") is True:
            parts["authentication"] = self.authentication
        self.app = build_app(ServerParts(**parts))
        self.conformity = Conformity(_description())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=URL)

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        return self.runner.run(self.ask(method, path, **kwargs))

    async def ask(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        response = await self.http.request(method, path, **kwargs)
        self.conformity.check(response)
        return response

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("POST", path, **kwargs)

    def submit(self, **changes: Any) -> Job:
        response = self.post("/v1/jobs", json=body(**changes))
        assert response.status_code == 201, response.text
        return self.world.ledger.get(response.json()["id"])

    def finish(
        self,
        job: Job,
        status: JobStatus = JobStatus.COMPLETED,
        *,
        document: Mapping[str, Any] | None = RESULT,
        members: Mapping[str, bytes] | None = None,
        failure: Failure | None = None,
    ) -> Job:
        """Bring a job to its end as the collector does."""
        at = self.world.clock.now()
        queued = job.moved_to(JobStatus.QUEUED, Stage.WAITING, at=at, by="submitter", why="sent", provider_job_id="v-1")
        outcome = self.world.archive.gathered(job, [])
        if status is JobStatus.COMPLETED:
            outcome = Outcome(document=json.dumps(document).encode(), members=members or {})
        done = job.num_circuits if status is JobStatus.COMPLETED else job.circuits_done
        bundle = self.world.archive.complete(
            replace(queued.after, circuits_done=done),
            status=status,
            failure=failure,
            ended_at=at,
            outcome=outcome,
            events=[],
            request=self.world.archive.read_request(job),
        )
        ended = queued.after.moved_to(
            status,
            Stage.DONE,
            at=at,
            by="collector",
            why="stored",
            outcome=status,
            failure=failure,
            result_key=bundle.key,
            result_sha256=bundle.sha256,
            result_size_bytes=bundle.result_size_bytes,
            circuits_done=bundle.circuits_done,
        )
        assert self.world.ledger.save([queued]) == self.world.ledger.save([ended]) == [True]
        return ended.after


def body(source: str = "OPENQASM 3.0; ...", **changes: Any) -> dict[str, Any]:
    program = {"kind": "sampler", "shots": 4, "circuits": [{"format": "openqasm3", "source": source}]}
    return {"backend": "scripted_qpu", "program": program, **changes}


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a response is, which must be this one."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    document: dict[str, Any] = response.json()
    assert (document["code"], document["status"], document["type"]) == (code, status, f"/problems/{code}")
    return document


class Broken:
    """A job service where everything fails in the same way."""

    def __init__(self, error: Exception | QDepotError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail
