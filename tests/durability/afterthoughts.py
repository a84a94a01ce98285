"""What users ask for after a submit was acknowledged: another name, other tags, an end, a deletion; at any moment."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

SOON_S = 0.05
"""Most afterthoughts come so soon after the acknowledgement that they race with the first duties."""
LATE_S = 4.0
_AT_ONCE = 8
_KINDS = {"nothing": 45, "rename": 20, "tag": 15, "cancel": 10, "delete": 10}


@dataclass
class Asked:
    """What was asked for of one job, and acknowledged.

    Attributes:
        name, tags: What they must be in the end; None if they were left alone.
        cancel: Its end was asked for.
        deleted: Its deletion was acknowledged.
    """

    name: str | None = None
    tags: list[str] | None = None
    cancel: bool = False
    deleted: bool = False


@dataclass
class Afterthoughts:
    """Edits, cancels and deletes jobs, and repeats whatever was not answered.

    Attributes:
        urls: Services that can be asked now.
        chance: Decides what is asked for, and when.
        kinds: How often each kind is wanted, relative to the others.
        asked: By job id.
        refused: Answers that no correct request should get.
        done: How many of each were acknowledged.
    """

    urls: Callable[[], Sequence[str]]
    chance: random.Random
    kinds: dict[str, int] = field(default_factory=lambda: dict(_KINDS))
    asked: dict[str, Asked] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    patience_s: float = 300.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE))
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, trust_env=False, verify=False))

    def about(self, job_id: str, *, number: int) -> None:
        """A job was acknowledged just now."""
        with self._lock:
            kind = self.chance.choices(list(self.kinds), weights=list(self.kinds.values()))[0]
            after_s = self.chance.uniform(0, SOON_S if self.chance.random() < 0.8 else LATE_S)
            self.asked[job_id] = Asked()
        if kind != "nothing":
            self._pool.submit(self._noted, kind, job_id, number, time.monotonic() + after_s)

    def finish(self) -> None:
        """Wait until all that was wanted has been acknowledged."""
        self._pool.shutdown()
        self._client.close()

    def _noted(self, kind: str, job_id: str, number: int, at: float) -> None:
        try:
            self._do(kind, job_id, number, at)
        except Exception as error:
            self._refuse(f"{kind} of {job_id}: {error!r}")

    def _do(self, kind: str, job_id: str, number: int, at: float) -> None:
        time.sleep(max(0.0, at - time.monotonic()))
        asked = self.asked[job_id]
        path = f"/v1/jobs/{job_id}"
        if kind == "rename":
            asked.name = f"renamed {number}"
            self._expect("PATCH", path, {200}, json={"name": asked.name})
        elif kind == "tag":
            asked.tags = [f"tag-{number}", "common"]
            self._expect("PATCH", path, {200}, json={"tags": asked.tags})
        elif kind == "cancel":
            asked.cancel = True
            self._expect("POST", f"{path}/cancel", {200, 202, 409})  # 409: it has ended
        else:
            self._delete(path, asked)
        with self._lock:
            self.done[kind] = self.done.get(kind, 0) + 1

    def _delete(self, path: str, asked: Asked) -> None:
        """Of a job that has not ended this is refused; it is asked for again until it has."""
        asked.deleted = True  # from the first call on: one whose answer was lost may have done it
        deadline = time.monotonic() + self.patience_s
        while self._expect("DELETE", path, {200, 204, 409, 410}).status_code == 409:
            if time.monotonic() > deadline:
                raise AssertionError("it cannot be deleted: it does not end")
            time.sleep(0.5)

    def _expect(self, method: str, path: str, statuses: set[int], **request: Any) -> httpx.Response:
        answer = self._answered(method, path, **request)
        if answer.status_code not in statuses:
            self._refuse(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _answered(self, method: str, path: str, **request: Any) -> httpx.Response:
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            if urls := self.urls():
                try:
                    answer = self._client.request(method, f"{self.chance.choice(list(urls))}{path}", **request)
                    if answer.status_code != 503:
                        return answer
                except httpx.TransportError:
                    pass
            time.sleep(0.2)
        raise AssertionError(f"{method} {path} was never answered")

    def _refuse(self, line: str) -> None:
        with self._lock:
            self.refused.append(line)
