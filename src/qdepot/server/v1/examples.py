"""What answers look like, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID = "01931a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b"
_RESULT = {
    "id": _ID,
    "status": "COMPLETED",
    "results": [
        {
            "shots": 1024,
            "shape": [],
            "counts": {"00": 510, "11": 514},
            "registers": {"c": {"num_bits": 2, "counts": {"00": 510, "11": 514}}},
            "metadata": {},
        }
    ],
}
_TOKEN = {
    "id": "4f1c0a9b8d7e6f50",
    "project": "default",
    "user": "ada",
    "role": "member",
    "scopes": ["jobs:manage", "jobs:read", "jobs:submit", "tokens:manage"],
    "name": "laptop",
    "made_by": "admin",
    "created_at": "2030-01-01T12:00:00.000000Z",
    "expires_at": "2030-04-01T12:00:00.000000Z",
    "last_used_at": "2030-01-02T08:30:00.000000Z",
}
_STATUS = {"id": _ID, "status": "RUNNING", "stage": "running", "why": "", "attempt": 1}

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "JobAnswer": {
        "id": _ID,
        "status": "COMPLETED",
        "stage": "done",
        "backend": "aer",
        "name": "bell",
        "tags": ["demo"],
        "kind": "sampler",
        "project": "default",
        "owner": "local",
        "num_circuits": 1,
        "shots": 1024,
        "options": {"seed": 7},
        "created_at": "2030-01-01T12:00:00.000000Z",
        "queued_at": "2030-01-01T12:00:00.004000Z",
        "running_at": "2030-01-01T12:00:00.005000Z",
        "ended_at": "2030-01-01T12:00:00.012000Z",
        "result_size_bytes": 154,
        "result": _RESULT,
        "links": {
            "self": f"/v1/jobs/{_ID}",
            "status": f"/v1/jobs/{_ID}/status",
            "result": f"/v1/jobs/{_ID}/result",
        },
    },
    "StatusAnswer": _STATUS,
    "StatusesAnswer": {"statuses": [_STATUS]},
    "ResultAnswer": _RESULT,
    "BatchAnswer": {"jobs": [{"id": _ID, "status": "CREATED"}]},
    "EventListAnswer": {
        "events": [
            {
                "number": 12,
                "at": "2030-01-01T12:00:00.004000Z",
                "from_status": "CREATED",
                "to_status": "QUEUED",
                "stage": "waiting",
                "attempt": 1,
                "by": "submitter",
                "why": "the backend has it",
            }
        ]
    },
    "Problem": {
        "type": "/problems/invalid_program",
        "title": "The program cannot be read.",
        "status": 422,
        "detail": "circuit 0, line 3, column 7: there is no gate 'hh'",
        "code": "invalid_program",
        "solution": "Define the gate, or include the file that does.",
        "instance": "/v1/jobs",
        "details": {"circuit": 0, "line": 3, "column": 7},
    },
    "StatusesBody": {"ids": [_ID]},
    "ResolveBody": {"action": "adopt", "provider_job_id": "d2c4f0kk9tq0"},
    "TokenBody": {"name": "laptop", "user": "ada", "role": "member", "expires_at": "2030-04-01T12:00:00Z"},
    "TokenAnswer": _TOKEN,
    "TokenListAnswer": {"tokens": [_TOKEN]},
    "NewTokenAnswer": {**_TOKEN, "token": "qdp_4f1c0a9b8d7e6f50_..."},
    "MeAnswer": {
        **{name: _TOKEN[name] for name in ("user", "project", "role", "scopes")},
        "token": _TOKEN,
        "limits": {"max_jobs_in_flight": 1000, "requests_per_s": 50.0},
    },
    "JobEditBody": {"name": "bell again", "tags": ["demo", "paper"]},
}
"""By schema."""
