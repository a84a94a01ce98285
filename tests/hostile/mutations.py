"""Requests to every route that are almost right: seeded, so that a failure can be repeated."""

from __future__ import annotations

import base64
import io
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from qiskit import QuantumCircuit, qpy

from hostile import corpus

AN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"

WORDS = [
    "", " ", "\x00", "a\x00b", "\n", "\u202e", "\ud7ff", "\U0001f600", "é" * 300, "x" * 5000, "../../etc/passwd",
    "null", "NaN", "true", "-1", "1e400", "__class__", "%s%n", "'; DROP TABLE jobs; --", "{{7*7}}", "\u0130", "\ufeff",
]  # fmt: skip
NUMBERS = [
    0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400, 0.5, -0.0, 5e-324, 1.7e308, 1e22,
]  # fmt: skip
MOMENTS = [
    "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z",
    "2030-02-30T00:00:00Z", "2030-01-01T00:00:00", "2030-01-01T00:00:00+99:00", "10000-01-01T00:00:00Z", "2030-01-01",
    "2030-06-30T23:59:60Z", "now", "1e10", "2030-01-01T00:00:00.000000001Z", "2030-01-01T24:00:00Z",
]  # fmt: skip
SHAPES: list[Any] = [None, True, False, [], {}, [[]], [{}], {"": ""}, [None] * 20, {"a": {"b": {"c": []}}}]

QUERIES = [
    "status", "backend", "name", "tag", "created_from", "created_before", "limit", "cursor", "wait", "known",
    "known_circuits", "format", "partial", "after", "project", "derived",
]  # fmt: skip

JOB: dict[str, Any] = {
    "backend": "aer",
    "name": "bell",
    "tags": ["a"],
    "priority": 1,
    "timeout_s": 5.0,
    "options": {"seed": 1, "memory": True, "optimization_level": 1, "method": "automatic"},
    "program": {
        "kind": "sampler",
        "shots": 10,
        "circuits": [{"format": "openqasm3", "source": corpus.WITH_PARAMETER, "parameter_values": {"t": [0.5, 1.0]}}],
    },
}
ESTIMATION: dict[str, Any] = {
    "backend": "aer",
    "program": {
        "kind": "estimator",
        "precision": 0.0,
        "circuits": [
            {
                "format": "openqasm2",
                "source": corpus.BELL2.replace("measure q -> c;\n", ""),
                "observables": {"ZZ": 1.0, "XX": 0.5},
                "precision": 0.1,
            }
        ],
    },
}
TOKEN: dict[str, Any] = {
    "name": "a token",
    "user": "ada",
    "project": "default",
    "role": "member",
    "scopes": ["jobs:read"],
    "expires_at": "2030-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Mutant:
    """A request."""

    method: str
    path: str
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.headers} {(self.content or b'')[:2000]!r}"


class Mutations:
    """An endless supply of requests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._qpy = _qpy_file()

    def bodies(self, count: int) -> Iterator[Mutant]:
        """Requests whose body is not quite right, to all routes that take one."""
        for _ in range(count):
            method, path, document = self._random.choice(self._with_bodies())
            headers = {"Content-Type": "application/json"}
            if self._random.random() < 0.2:
                headers["Idempotency-Key"] = self._header()
            yield Mutant(method, path, self._text(document), headers)

    def tokens(self, count: int) -> Iterator[Mutant]:
        """Wishes for tokens, of which one field or some are not quite right."""
        for _ in range(count):
            document: Any = dict(TOKEN)
            for name in self._random.sample(list(TOKEN), self._random.randint(1, 3)):
                document[name] = self._value(document[name])
            if self._random.random() < 0.1:
                document = self._changed(document)
            yield Mutant("POST", "/v1/tokens", _json(document), {"Content-Type": "application/json"})

    def queries(self, count: int) -> Iterator[Mutant]:
        """Requests without a body whose path or query is not quite right."""
        paths = ["", "/status", "/result", "/export", "/download", "/program", "/events", "/objects", "/cancel"]
        for _ in range(count):
            chosen = self._random.choice([AN_ID, quote(self._word(), safe=""), AN_ID.upper(), "x"])
            path = self._random.choice(
                ["/v1/jobs", "/v1/tokens", f"/v1/backends/{chosen}", f"/v1/tokens/{chosen}"]
                + [f"/v1/jobs/{chosen}{each}" for each in paths]
            )
            method = self._random.choice(["GET", "GET", "GET", "DELETE"] + (["POST"] if "cancel" in path else []))
            pairs = [f"{name}={quote(self._word(), safe='')}" for name in self._random.sample(QUERIES, 2)]
            yield Mutant(method, f"{path}?{'&'.join(pairs)}"[:4000])

    def _with_bodies(self) -> list[tuple[str, str, Any]]:
        source = base64.b64encode(self._bytes(self._qpy)).decode()
        binary = {**JOB, "program": {"kind": "sampler", "circuits": [{"format": "qpy", "source": source}]}}
        jobs = [JOB, ESTIMATION, binary]
        job = self._random.choice(jobs)
        return [
            ("POST", "/v1/jobs", job),
            ("POST", "/v1/jobs", binary),
            ("PUT", f"/v1/jobs/{uuid.UUID(int=self._random.getrandbits(128), version=4)}", job),
            ("POST", "/v1/jobs:batch", {"atomic": self._random.random() < 0.5, "jobs": jobs}),
            ("PATCH", f"/v1/jobs/{AN_ID}", {"name": "n", "tags": ["t"]}),
            ("POST", "/v1/statuses", {"ids": [AN_ID, "x"]}),
            ("POST", f"/v1/jobs/{AN_ID}/resolve", {"action": "adopt", "provider_job_id": "v-1"}),
            ("POST", "/v1/tokens", TOKEN),
        ]

    def _text(self, document: Any) -> bytes:
        if self._random.random() < 0.5:
            document = self._changed(document)
        raw = _json(document)
        return self._bytes(raw) if self._random.random() < 0.3 else raw

    def _changed(self, value: Any) -> Any:
        """The same with something else in a few places."""
        if self._random.random() < 0.08:
            return self._value(value)
        if isinstance(value, dict):
            kept = {key: self._changed(each) for key, each in value.items() if self._random.random() > 0.03}
            return {**kept, self._word(): self._value(None)} if self._random.random() < 0.03 else kept
        if isinstance(value, list):
            return [self._changed(each) for each in value] * self._random.choice([1, 1, 1, 1, 0, 2, 50])
        return value

    def _value(self, old: Any) -> Any:
        choices = [
            self._word(),
            self._random.choice(NUMBERS),
            self._random.choice(MOMENTS),
            self._random.choice(SHAPES),
        ]
        if isinstance(old, str):
            choices += [old.upper(), old + self._word(), old[: len(old) // 2], [old]]
        return self._random.choice(choices)

    def _word(self) -> str:
        return self._random.choice([*WORDS, *MOMENTS, *map(str, NUMBERS[:-4]), AN_ID, "COMPLETED", "aer"])

    def _header(self) -> str:
        return self._random.choice(["a", "x" * 255, "x" * 256, "%00", "'"])

    def _bytes(self, raw: bytes) -> bytes:
        data = bytearray(raw)
        for _ in range(self._random.randint(1, 3)):
            at = self._random.randrange(len(data) + 1)
            end = min(len(data), at + self._random.choice([0, 1, 1, 2, 8]))
            data[at:end] = self._random.choice(
                [b"", bytes([self._random.randrange(256)]), b"\xff\xff\xff\xff", b"\x00", bytes(data[at:end]) * 2, b'"']
            )
        return bytes(data)


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", errors="surrogatepass")


def _qpy_file() -> bytes:
    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    file = io.BytesIO()
    qpy.dump(circuit, file, version=13)
    return file.getvalue()
