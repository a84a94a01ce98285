"""A service that exists only as answers, built on the wire models; and flows played without any."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx

from qdepot.client.exchange import Flow, NoAnswer, Outcome, Pause, Request
from qdepot.wire.answers import (
    BackendAnswer,
    BackendListAnswer,
    BatchAnswer,
    BatchItemAnswer,
    EventAnswer,
    EventListAnswer,
    FailureAnswer,
    JobAnswer,
    JobListAnswer,
    ObjectAnswer,
    ObjectListAnswer,
    Problem,
    RegisterAnswer,
    ResultAnswer,
    SamplerResultAnswer,
    StatusAnswer,
    StatusesAnswer,
    VersionAnswer,
)
from qdepot.wire.requests import BatchBody, JobBody, JobEditBody, ResolveBody, StatusesBody

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
BELL2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> c;\n'
MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Fault = httpx.Response | Exception


def json_answer(model: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, content=model.model_dump_json(), headers={"content-type": "application/json", **headers}
    )


def problem(status: int, code: str, detail: str = "no", solution: str = "do", **details: Any) -> httpx.Response:
    body = Problem(
        type=f"/problems/{code}", title="t", status=status, detail=detail, code=code, solution=solution, details=details
    )
    return httpx.Response(status, content=body.model_dump_json(), headers={"content-type": "application/problem+json"})


def job_answer(job_id: str, body: JobBody, *, status: str = "CREATED", **fields: Any) -> JobAnswer:
    return JobAnswer.model_validate(
        {
            "id": job_id,
            "status": status,
            "stage": "waiting",
            "backend": body.backend,
            "name": body.name,
            "tags": body.tags,
            "kind": body.program.kind,
            "project": "default",
            "owner": "local",
            "num_circuits": len(body.program.circuits),
            "created_at": MOMENT,
            **fields,
        }
    )


class FakeApi:
    """Answers like a service that runs a job in as many looks at its status as ``looks`` says.

    ``faults`` are given instead of the next answers; ``seen`` are the requests that came.
    """

    def __init__(self, *, looks: int = 1, qpy_versions: list[int] | None = None, page: int = 100) -> None:
        self.looks = looks
        self.page = page
        self.qpy_versions = qpy_versions
        self.jobs: dict[str, JobAnswer] = {}
        self.bodies: dict[str, JobBody] = {}
        self.keys: dict[str, list[str]] = {}
        self.left: dict[str, int] = {}
        self.outcomes: dict[str, FailureAnswer] = {}
        self.results: dict[str, ResultAnswer] = {}
        self.arrays: bytes = b""
        self.deleted: set[str] = set()
        self.faults: deque[Fault | None] = deque()
        self.seen: list[httpx.Request] = []

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(lambda request: self.answer(request))  # a test may put another in its place

    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.seen]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return fault
        parts = request.url.path.removeprefix("/v1/").split("/")
        if parts[0] == "jobs" and len(parts) > 1:
            return self._about_a_job(request, parts[1], parts[2:])
        return self._routes()[f"{request.method} {parts[0]}"](request)

    def fail(self, job_id: str, failure: FailureAnswer) -> None:
        self.outcomes[job_id] = failure

    def _routes(self) -> dict[str, Callable[[httpx.Request], httpx.Response]]:
        return {
            "POST jobs": self._submit,
            "POST jobs:batch": self._batch,
            "POST statuses": self._statuses,
            "GET jobs": self._list,
            "GET backends": self._backends,
            "GET version": self._version,
        }

    def _submit(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["idempotency-key"]
        body = JobBody.model_validate_json(request.content)
        known = key in self.keys
        if not known:
            self.keys[key] = [self._accept(body)]
        return json_answer(self.jobs[self.keys[key][0]], 200 if known else 201)

    def _batch(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["idempotency-key"]
        batch = BatchBody.model_validate_json(request.content)
        refused = [body.backend == "nowhere" for body in batch.jobs]
        if batch.atomic and any(refused):
            return problem(404, "not_found", "there is no backend 'nowhere'", job=refused.index(True))
        items = [
            BatchItemAnswer(error=Problem.model_validate_json(problem(404, "not_found", "no backend").content))
            if bad
            else BatchItemAnswer(id=self._accept(body), status="CREATED")
            for body, bad in zip(batch.jobs, refused, strict=True)
        ]
        self.keys[key] = [item.id for item in items if item.id]
        return json_answer(BatchAnswer(jobs=items), 207 if any(refused) else 201)

    def _accept(self, body: JobBody) -> str:
        job_id = str(uuid.UUID(int=len(self.jobs) + 1))
        self.bodies[job_id] = body
        self.jobs[job_id] = job_answer(job_id, body, shots=getattr(body.program, "shots", None))
        self.left[job_id] = self.looks
        return job_id

    def _look(self, job_id: str) -> StatusAnswer:
        job = self.jobs[job_id]
        if job.status not in {"COMPLETED", "FAILED", "CANCELLED"}:
            self.left[job_id] -= 1
            if self.left[job_id] <= 0:
                self._end(job_id)
            else:
                self.jobs[job_id] = job.model_copy(update={"status": "RUNNING", "stage": "running"})
        job = self.jobs[job_id]
        return StatusAnswer(id=job_id, status=job.status, stage=job.stage, why=job.why)

    def _end(self, job_id: str) -> None:
        failure = self.outcomes.get(job_id)
        status = "FAILED" if failure else "COMPLETED"
        self.jobs[job_id] = self.jobs[job_id].model_copy(
            update={"status": status, "stage": "done", "failure": failure, "ended_at": MOMENT}
        )

    def _statuses(self, request: httpx.Request) -> httpx.Response:
        ids = StatusesBody.model_validate_json(request.content).ids
        return json_answer(StatusesAnswer(statuses=[self._look(one) for one in ids if one in self.jobs]))

    def _list(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        found = [job for job in reversed(self.jobs.values()) if params.get("name") in {None, job.name}]
        found = [job for job in found if not params.get_list("status") or job.status in params.get_list("status")]
        begin = int(params.get("cursor", 0))
        end = begin + min(int(params["limit"]), self.page)
        return json_answer(JobListAnswer(jobs=found[begin:end], next_cursor=str(end) if end < len(found) else None))

    def _backends(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/v1/backends").lstrip("/")
        aer = BackendAnswer(
            name="aer",
            provider="aer",
            description="A simulator",
            num_qubits=None,
            max_shots=10**6,
            max_circuits=None,
            kinds=["estimator", "sampler"],
            formats=["openqasm2", "openqasm3", "qpy"],
            simulator=True,
            online=True,
            paid=False,
            queue_length=0,
            options=["seed"],
        )
        if name:
            return json_answer(aer) if name == "aer" else problem(404, "not_found", f"there is no backend {name!r}")
        return json_answer(BackendListAnswer(backends=[aer]))

    def _version(self, _: httpx.Request) -> httpx.Response:
        return json_answer(
            VersionAnswer(
                version="0.1.0",
                api_version="1.0",
                formats=["openqasm2", "openqasm3", "qpy"],
                qpy_versions=self.qpy_versions,
                packages={"qiskit": "2.6.2"},
                limits={"max_body_bytes": 100, "requests_per_s": None},
            )
        )

    def _about_a_job(self, request: httpx.Request, job_id: str, rest: list[str]) -> httpx.Response:
        if job_id in self.deleted:
            return problem(410, "gone", f"job {job_id} was deleted")
        if job_id not in self.jobs:
            return problem(404, "not_found", f"there is no job {job_id}")
        what = f"{request.method} {'/'.join(rest)}".strip()
        answers: dict[str, Callable[[], httpx.Response]] = {
            "GET": lambda: json_answer(self.jobs[job_id]),
            "GET status": lambda: json_answer(self._look(job_id)),
            "GET result": lambda: self._result(request, job_id),
            "GET program": lambda: httpx.Response(200, content=self.bodies[job_id].program.model_dump_json()),
            "GET events": lambda: json_answer(EventListAnswer(events=[event(1)])),
            "GET export": lambda: httpx.Response(200, content=self.arrays, headers={"content-type": "application/zip"}),
            "GET objects": lambda: json_answer(ObjectListAnswer(objects=[stored(job_id)])),
            "POST cancel": lambda: self._cancel(job_id),
            "POST resolve": lambda: self._resolve(job_id, ResolveBody.model_validate_json(request.content)),
            "PATCH": lambda: self._edit(job_id, JobEditBody.model_validate_json(request.content)),
            "DELETE": lambda: self._delete(job_id),
        }
        return answers[what]()

    def _result(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self.jobs[job_id]
        if request.url.params.get("partial") == "true":
            return self._partial_result(request, job)
        if job.failure is not None:
            return problem(409, "job_failed", job.failure.message, failure=job.failure.model_dump(mode="json"))
        if job.status != "COMPLETED":
            return problem(409, "not_finished", f"job {job_id} is {job.status}", status=job.status)
        if request.headers["accept"] == "application/x-npz":
            return httpx.Response(200, content=self.arrays, headers={"content-type": "application/x-npz"})
        return json_answer(self.results.get(job_id) or ResultAnswer(id=job_id, status="COMPLETED", results=[sampled()]))

    def _partial_result(self, request: httpx.Request, job: JobAnswer) -> httpx.Response:
        if request.headers["accept"] == "application/x-npz":
            return httpx.Response(200, content=self.arrays, headers={"content-type": "application/x-npz"})
        about = {"circuits_done": job.circuits_done, "num_circuits": job.num_circuits}
        results = [sampled()] * job.circuits_done
        partial = job.status != "COMPLETED"
        return json_answer(ResultAnswer(id=job.id, status=job.status, partial=partial, results=results, **about))

    def do(self, job_id: str, circuits: int, *, of: int) -> None:
        """Let so many circuits of a job be done."""
        fields = {"circuits_done": circuits, "num_circuits": of}
        self.jobs[job_id] = self.jobs[job_id].model_copy(update=fields)

    def _cancel(self, job_id: str) -> httpx.Response:
        job = self.jobs[job_id]
        if job.status in {"COMPLETED", "FAILED"}:
            return problem(409, "conflict", f"job {job_id} is {job.status}")
        self.jobs[job_id] = job.model_copy(update={"status": "CANCELLED", "cancel_requested": True})
        return json_answer(self.jobs[job_id], 202)

    def _resolve(self, job_id: str, decision: ResolveBody) -> httpx.Response:
        fields = {"status": "QUEUED", "stage": "waiting", "why": decision.action}
        self.jobs[job_id] = self.jobs[job_id].model_copy(update={**fields, "provider_job_id": decision.provider_job_id})
        return json_answer(self.jobs[job_id])

    def _edit(self, job_id: str, edit: JobEditBody) -> httpx.Response:
        self.jobs[job_id] = self.jobs[job_id].model_copy(update=edit.model_dump(exclude_unset=True))
        return json_answer(self.jobs[job_id])

    def _delete(self, job_id: str) -> httpx.Response:
        self.deleted.add(job_id)
        return httpx.Response(204)


def sampled(counts: dict[str, int] | None = None) -> SamplerResultAnswer:
    counts = counts or {"00": 510, "11": 514}
    return SamplerResultAnswer(
        shots=sum(counts.values()), counts=counts, registers={"c": RegisterAnswer(num_bits=2, counts=counts)}
    )


def event(number: int) -> EventAnswer:
    return EventAnswer(
        number=number, at=MOMENT, from_status="", to_status="CREATED", stage="waiting", attempt=1, by="jobs", why="new"
    )


def stored(job_id: str) -> ObjectAnswer:
    members = [{"name": "result.json", "size_bytes": 10, "sha256": "ab" * 32}]
    return ObjectAnswer(
        area="completed", key=f"completed/{job_id}.zip", size_bytes=99, sha256="cd" * 32, members=members
    )


def npz_without_arrays() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w"):
        pass
    return file.getvalue()


def sent_program(request: httpx.Request) -> dict[str, Any]:
    program: dict[str, Any] = json.loads(request.content)["program"]
    return program


class Script:
    """Plays a flow: gives it these outcomes in order, notes what it does, and keeps the time that it pauses."""

    def __init__(self, outcomes: Iterable[Outcome] = (), *, answer_takes_s: float = 0.0) -> None:
        self.outcomes = deque(outcomes)
        self.answer_takes_s = answer_takes_s
        self.now_s = 1000.0
        self.pauses: list[float] = []
        self.requests: list[Request[object]] = []

    def clock(self) -> float:
        return self.now_s

    def play(self, flow: Flow[Any]) -> Any:
        came: Outcome | None = None
        try:
            while True:
                step = flow.send(came)
                if isinstance(step, Pause):
                    self.pauses.append(step.seconds)
                    self.now_s += step.seconds
                    came = None
                else:
                    self.requests.append(step)
                    self.now_s += self.answer_takes_s
                    came = self.outcomes.popleft() if len(self.outcomes) > 1 else self.outcomes[0]
        except StopIteration as end:
            return end.value


LOST = NoAnswer(reason="Server disconnected")
REFUSED = NoAnswer(reason="Connection refused", refused=True)
