"""How a pool on a Dask cluster is laid out."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path


def _own_version() -> str:
    return version("qdepot")


@dataclass(frozen=True, slots=True, kw_only=True)
class StationOptions:
    """What stands beside each worker: a supervisor and its children.

    Attributes:
        module: Started as the supervisor; see :class:`~qdepot.adapters.compute.options.PoolOptions`.
        sandbox: ``best``, ``required`` or ``off``; see there.
        max_result_bytes: Largest result.
        version: Of qdepot; a worker with another one gets no work.
    """

    module: str = "qdepot.quantum.child"
    sandbox: str = "best"
    max_result_bytes: int = 4 * 1024**3
    version: str = field(default_factory=_own_version)

    @property
    def name(self) -> str:
        """The station's name on a worker: services with equal options share one."""
        return f"qdepot-{hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """Where the cluster is, and how patient the pool is with it.

    Attributes:
        scheduler: Address, ``tcp://host:8786`` or ``tls://host:8786``.
        tls_ca, tls_cert, tls_key: PEM files, for a scheduler that speaks TLS.
        direct: Results are fetched from the workers themselves and not through the scheduler; the service must reach
            them.
        station: What stands beside each worker.
        probe_s: The scheduler is asked for its workers so often.
        connect_s: A scheduler that does not answer for so long when it is called is away.
        silence_s: A scheduler or worker from which nothing was heard for so long is lost.
        patience_s: So long tasks wait for a cluster without a scheduler or a usable worker; then they are given back.
        spool_dir: Where large results lie while they are used; None: the system's folder for temporary files.
        in_memory_bytes: Results up to this size lie in the heap, larger ones in a mapped file.
    """

    scheduler: str
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    direct: bool = False
    station: StationOptions = field(default_factory=StationOptions)
    probe_s: float = 1.0
    connect_s: float = 10.0
    silence_s: float = 30.0
    patience_s: float = 10.0
    spool_dir: Path | None = None
    in_memory_bytes: int = 4 * 1024**2
