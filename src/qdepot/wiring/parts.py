"""What every process of qdepot is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdepot.adapters.compute.dask.opening import open_dask_pool
from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.options import PoolOptions, processors
from qdepot.adapters.compute.processes import ProcessPool
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.config import Settings
from qdepot.domain.job import Duty
from qdepot.errors import QDepotError
from qdepot.ports.clock import Clock
from qdepot.ports.compute_pool import ComputePool, Lane
from qdepot.ports.ledger import Ledger
from qdepot.ports.operations import describe_task
from qdepot.ports.provider import Provider, RunsHere
from qdepot.reconciler.loop import Waker
from qdepot.services.about import About
from qdepot.services.access import Access
from qdepot.services.backends import Backends
from qdepot.wiring.limits import run_limits
from qdepot.wiring.provider_settings import configured_providers
from qdepot.wiring.stores import ledger_url, open_archive

if TYPE_CHECKING:
    from qdepot.adapters.compute.dask.pool import DaskPool  # its library is loaded only where it is needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a process of qdepot is made of."""

    settings: Settings
    clock: Clock
    ledger: Ledger
    archive: Archive
    pool: ComputePool
    about: About
    backends: Backends
    access: Access
    waker: Waker
    cluster: DaskPool | None = None

    def close(self) -> None:
        """Let go of everything: children, connections."""
        for provider in self.backends.providers.values():
            provider.close()
        self.pool.close()
        self.access.close()
        self.ledger.close()


def build_parts(settings: Settings) -> Parts:
    """Open ledger and stores, and start the supervisor of the child processes.

    Raises:
        UnavailableError: Ledger or store do not answer.
        InvalidRequestError: A setting names what there is not.
    """
    configured_providers(settings)  # wrong settings are refused before anything is opened or started
    clock = SystemClock()
    settings.data.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(ledger_url(settings), clock=clock)
    archive = open_archive(settings)
    pool, cluster = build_pool(settings)
    if settings.sandbox == "required":
        _try_sandbox(pool)
    about = About(pool)
    providers = load_providers(settings, pool=pool, about=about)
    parts = Parts(
        settings=settings,
        clock=clock,
        ledger=ledger,
        archive=archive,
        pool=pool,
        about=about,
        backends=Backends(providers=providers, clock=clock),
        access=Access(ledger.token_register(), clock),
        waker=Waker(),
        cluster=cluster,
    )
    if cluster is not None:
        cluster.on_return(lambda: _go_on_here(parts))
    return parts


def _go_on_here(parts: Parts) -> None:
    """Submit what waits for a pool that was away, and is back."""
    for name, provider in parts.backends.providers.items():
        if isinstance(provider, RunsHere):
            parts.backends.breaker(name).worked()
    parts.waker.wake({Duty.SUBMIT})


def build_pool(settings: Settings) -> tuple[ComputePool, DaskPool | None]:
    """Where circuits are worked on; the same once more if that is on a cluster.

    Raises:
        InvalidRequestError: The address of the Dask cluster is missing.
        UnavailableError: The library for it is not installed.
    """
    on_cluster = settings.compute == "dask"
    here = ProcessPool(
        PoolOptions(
            children={Lane.CHECK: 1, Lane.RUN: 1 if on_cluster else settings.children or processors()},
            spool_dir=settings.data,  # a temporary folder may lie in memory; large results do not belong there
            sandbox=settings.sandbox,
        )
    )
    if not on_cluster:
        return here, None
    given = settings.dask.model_dump(exclude={"threads"})
    options = ClusterOptions(**given, station=StationOptions(sandbox=settings.sandbox), spool_dir=settings.data)
    try:
        pool = open_dask_pool(options, checks=here)
    except QDepotError:
        here.close()
        raise
    return pool, pool


def _try_sandbox(pool: ComputePool) -> None:
    """Wait until a child works. Raises UnavailableError where children refuse to, for want of walls."""
    try:
        pool.submit(describe_task()).result()
    except QDepotError:
        pool.close()
        raise


def load_providers(settings: Settings, *, pool: ComputePool, about: About) -> Mapping[str, Provider]:
    """Aer, unless it is switched off, and every other provider that the settings name.

    Raises:
        InvalidRequestError: A provider does not take its settings.
        UnavailableError: A provider that is named is not installed.
    """
    limits = run_limits(settings)
    return {
        name: provider_class(
            settings=own_settings,
            pool=pool,
            limits=limits,
            cores=(settings.dask.threads if settings.compute == "dask" else None) or processors(),
            describe=about.describe,
        )
        for name, (provider_class, own_settings) in configured_providers(settings).items()
    }
