"""The doors that bytes come in by, and what may come of it."""

from __future__ import annotations

import contextlib
from types import TracebackType

from hostile import corpus
from qdepot.adapters.compute.processes import PoolOptions, ProcessPool
from qdepot.errors import InvalidRequestError, ResourceLimitError
from qdepot.ports.compute_pool import Lane, Limits, Payload, Task
from qdepot.server.bodies import parse
from qdepot.testing.compute_pool import ends
from qdepot.wire.requests import JobBody

LIMITS = Limits(time_s=5.0, memory_bytes=512 * 1024**2)


class Doors:
    """Checks in real children: an input that crashes or hangs one is told from one that is refused."""

    def __init__(self) -> None:
        self._pool = ProcessPool(PoolOptions(children=dict.fromkeys(Lane, 1), tasks_per_child=10_000))

    def check(self, source: bytes, program_format: str, **circuit: object) -> None:
        """Have a circuit checked. Anything but a summary, a refusal or a limit that was kept is a failure."""
        kind = "estimator" if "observables" in circuit else "sampler"
        meta = {
            "kind": kind,
            "shots": 10 if kind == "sampler" else None,
            "circuits": [{"format": program_format, "part": "circuit/0", **circuit}],
            "options": {},
            "backend": {"name": "aer", "method": "automatic", "max_shots": 10_000_000},
            "memory_mb": 512,
        }
        payload = Payload(meta=meta, parts={"circuit/0": source})
        with contextlib.suppress(InvalidRequestError, ResourceLimitError):
            ends(self._pool.submit(Task(operation="check", payload=payload, lane=Lane.CHECK, limits=LIMITS)))

    def check_values(self, values: object) -> None:
        """Have values of a parameter checked."""
        self.check(corpus.WITH_PARAMETER.encode(), "openqasm3", parameter_values=values)

    def check_observables(self, values: object) -> None:
        """Have observables checked."""
        without = corpus.BELL2.replace("measure q -> c;\n", "")
        self.check(without.encode(), "openqasm2", observables=values)

    def parse(self, raw: bytes) -> None:
        """Read a body."""
        with contextlib.suppress(InvalidRequestError):
            parse(JobBody, raw)

    def __enter__(self) -> Doors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()
