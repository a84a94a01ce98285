"""Every call to what is outside a process, on the way of a job: a process may die before each, and after each.

Between two such calls nothing changes that outlives the process, so these are all the moments that differ.
``test_the_points_are_those_of_the_way`` compares the lists with a job that is watched.
"""

from __future__ import annotations


def _around(*calls: str) -> list[str]:
    return [f"{moment} {call}" for call in calls for moment in ("before", "after")]


ACCEPT = _around("ledger.find_by_idempotency_key", "pending.create request", "ledger.add")

PREPARE = ["after ledger.claim prepare", *_around("ledger.save CREATED/waiting")]

SEND = [
    "after ledger.claim submit",
    *_around(
        "pending.get request",
        "pending.create prepared",
        "ledger.save CREATED/submitting",
        "ledger.renew",
        "cloud.submit",
        "pending.create receipt",
        "ledger.save QUEUED/waiting",
    ),
]
"""From the claim to the backend's id: where a job could be sent twice."""

POLL = ["after ledger.claim poll", *_around("cloud.statuses", "ledger.save RUNNING/collecting")]

COLLECT = [
    "after ledger.claim collect",
    *_around("cloud.result", "ledger.histories", "completed.create_many bundle", "ledger.save COMPLETED/done"),
]

CLEAN = _around("pending.delete request", "ledger.save cleaned")

START = _around("ledger.release", "cloud.backends")

LOOK_AROUND = _around("completed.scan everything", "pending.scan everything")
"""The look for objects beside an empty ledger, in a thread of its own."""

REMOTE = [*START, *ACCEPT, *PREPARE, *SEND, *POLL, *COLLECT, *CLEAN]
"""The way of a job for a backend elsewhere."""

HERE = [
    *ACCEPT,
    "after ledger.claim submit",
    *_around("pending.get request", "aer.submit", "ledger.save QUEUED/waiting"),
    *_around(
        "aer.rest", "ledger.histories", "completed.create_many bundle", "ledger.save COMPLETED/done", "aer.forget"
    ),
    *CLEAN,
]
"""The way of a job that runs in the process itself."""

PARTS = _around(
    "ledger.save RUNNING/running", "aer.part", "pending.create part", "ledger.save a part", "pending.get_range part"
)
"""What a job adds whose first circuits are done before the last."""

CANCEL = _around(
    "ledger.save cancel wished", "cloud.cancel", "ledger.save QUEUED/collecting", "ledger.save CANCELLED/done"
)
"""What a cancel adds."""

FAIL = _around("ledger.save QUEUED/collecting", "completed.create_many bundle", "ledger.save FAILED/done")
"""What a failure at the backend adds."""

RENAME = _around("completed.replace edit", "ledger.save renamed")
"""A change of the name."""

DELETE = _around(
    "completed.create tombstone",
    "ledger.unfinished_with_request",
    "completed.scan several",
    "completed.delete bundle",
    "pending.scan several",
    "pending.delete several",
    "ledger.delete",
)
"""A deletion."""

BY_CHANCE = {
    *LOOK_AROUND,
    *_around("ledger.save looked at", "ledger.get_many"),
    *(f"after ledger.claim {duty}" for duty in ("rescue", "poll", "clean")),
}
"""Seen or not, as threads happen to meet."""
