"""Several small orders of one owner, carried out one after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from qdepot.ports.compute_pool import Payload
from qdepot.quantum.order import Order
from qdepot.quantum.simulate import simulated

_DIGITS = 6


def simulated_together(payload: Payload) -> Payload:
    """Run orders until the time is over; see :func:`~qdepot.ports.operations.together_task`.

    What fails says no more than that: it is run again alone, and fails there as it would have without the others.
    """
    deadline = time.perf_counter() + float(payload.meta["budget_s"])  # type: ignore[arg-type] # as the service sends it
    tasks: list[dict[str, Any]] = payload.meta["tasks"]  # type: ignore[assignment] # as above
    answers: list[Mapping[str, object]] = []
    parts: dict[str, Any] = {}
    for number, task in enumerate(tasks):
        if answers and time.perf_counter() > deadline:
            break
        started = time.perf_counter()
        own = {name: payload.parts[f"{number}/{name}"] for name in task["parts"]}
        answer = _answer(Payload(meta=task["meta"], parts=own))
        if answer is None:
            answers.append({"failed": True})
            continue
        parts.update({f"{number}/{name}": content for name, content in answer.parts.items()})
        run_s = round(time.perf_counter() - started, _DIGITS)
        answers.append({"meta": dict(answer.meta), "parts": list(answer.parts), "run_s": run_s})
    return Payload(meta={"answers": answers}, parts=parts)


def _answer(payload: Payload) -> Payload | None:
    try:
        return simulated(Order.read(payload))
    except Exception:  # whatever it is, it shows again when the order is run alone
        return None
