"""Users who submit, and repeat with the same key whatever was not answered."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from durability.afterthoughts import Afterthoughts, Asked
from durability.lab import counts_of, order
from qdepot.domain.job import JobStatus

USERS = 4
BATCH = 5
POISON = {"names": JobStatus.COMPLETED, "rubbish": JobStatus.FAILED, "shots": JobStatus.FAILED}
"""What the simulator gives, and how such a job ends: by itself, whatever came with it."""
SAYINGS = {
    "Completed": 40,
    "Queued Running Completed": 20,
    "Running Queued Completed": 10,  # an old report comes late
    "Queued Queued Queued Completed": 10,
    "Completed Running Completed": 5,  # the end is reported twice, and taken back in between
    "Queued Zorblax Completed": 5,  # a word that nobody knows
    "Queued Failed": 5,
}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user wants.

    Attributes:
        number: Tells it from all others.
        document: What is sent.
        ends: How it may end.
    """

    number: int
    document: dict[str, Any]
    ends: frozenset[JobStatus]

    @property
    def counts(self) -> list[dict[str, int]]:
        """What the results must be."""
        return counts_of(self.document["program"])


@dataclass
class Users:
    """Submit wishes at an even pace, to whatever service can be asked.

    Attributes:
        urls: Services that can be asked now.
        chance: Decides what is wanted.
        asked: How many jobs are wanted.
        accepted: Wishes by the id of the job that was acknowledged for them.
        unanswered: Requests that got no answer, or were told to come again.
        refused: Answers that no correct request should get.
        afterthoughts: What is asked for of the jobs later; None: nothing.
        simulated: Share of jobs for the simulator; the others go to the cloud.
        poisonous: Share of jobs whose results are such that a step fails each time.
    """

    urls: Callable[[], Sequence[str]]
    chance: random.Random
    asked: int = 0
    accepted: dict[str, Wish] = field(default_factory=dict)
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)
    afterthoughts: Afterthoughts | None = None
    simulated: float = 0.2
    poisonous: float = 0.0

    def run(self, *, jobs: int, seconds: float) -> None:
        """Submit so many jobs, spread over so many seconds."""
        self.asked = jobs
        wishes = [self._wish(number) for number in range(jobs)]
        portions = [wishes[user::USERS] for user in range(USERS)]
        threads = [threading.Thread(target=self._submit_all, args=(portion, seconds)) for portion in portions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.afterthoughts is not None:
            self.afterthoughts.finish()

    @property
    def later(self) -> dict[str, Asked]:
        """What was asked for of which job after it was acknowledged."""
        return {} if self.afterthoughts is None else self.afterthoughts.asked

    def _wish(self, number: int) -> Wish:
        if self.chance.random() < self.poisonous:
            gives, end = self.chance.choice(sorted(POISON.items()))
            document = order(number, backend="aer", gives=gives)
            return Wish(number=number, document=document, ends=frozenset({end}))
        if self.chance.random() < self.simulated:
            circuits = self.chance.choice([1, 1, 1, 8])
            takes_s = self.chance.choice([0.0, 0.0, 0.3])
            document = order(number, backend="aer", circuits=circuits, takes_s=takes_s)
            return Wish(number=number, document=document, ends=frozenset({JobStatus.COMPLETED}))
        says = self.chance.choices(list(SAYINGS), weights=list(SAYINGS.values()))[0]
        ends = JobStatus.FAILED if "Failed" in says else JobStatus.COMPLETED
        return Wish(number=number, document=order(number, says=says), ends=frozenset({ends}))

    def _submit_all(self, wishes: Sequence[Wish], seconds: float) -> None:
        began = time.monotonic()
        with httpx.Client(timeout=10.0, trust_env=False, verify=False) as client:
            done = 0
            while done < len(wishes):
                size = BATCH if self.chance.random() < 0.05 else 1
                portion = wishes[done : done + size]
                self._submit(client, portion)
                done += len(portion)
                time.sleep(max(0.0, began + seconds * done / len(wishes) - time.monotonic()))

    def _submit(self, client: httpx.Client, wishes: Sequence[Wish]) -> None:
        key = f"key-{wishes[0].number}"
        if len(wishes) == 1:
            path, document = "/v1/jobs", wishes[0].document
        else:
            path, document = "/v1/jobs:batch", {"jobs": [wish.document for wish in wishes]}
        answer = self._answered(client, path, document, key)
        if answer.status_code not in {200, 201}:
            self.refused += [f"{answer.status_code} {answer.text[:300]}"] * len(wishes)
            return
        told = answer.json()
        made = [told] if len(wishes) == 1 else told["jobs"]
        for wish, job in zip(wishes, made, strict=True):
            self.accepted[job["id"]] = wish
            if self.afterthoughts is not None:
                self.afterthoughts.about(job["id"], number=wish.number)

    def _answered(self, client: httpx.Client, path: str, document: dict[str, Any], key: str) -> httpx.Response:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        while True:
            urls = self.urls()
            if urls:
                try:
                    url = f"{self.chance.choice(list(urls))}{path}"
                    answer = client.post(url, content=json.dumps(document), headers=headers)
                    # 409: the first try of the same is being accepted at this very moment.
                    if answer.status_code not in {409, 503}:
                        return answer
                except httpx.TransportError:
                    pass
                self.unanswered += 1
            time.sleep(0.2)
