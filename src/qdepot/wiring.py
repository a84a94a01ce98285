"""The only file that names concrete adapters: puts a service together from its settings."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from qdepot.adapters.compute.dask.opening import open_dask_pool
from qdepot.adapters.compute.dask.options import ClusterOptions, StationOptions
from qdepot.adapters.compute.options import PoolOptions, processors
from qdepot.adapters.compute.processes import ProcessPool, make_undumpable
from qdepot.adapters.data_folder import lock_folder
from qdepot.adapters.ledgers.sql.opening import open_ledger
from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.object_stores.cloud_options import CloudOptions
from qdepot.adapters.object_stores.local import LocalStore
from qdepot.adapters.system_clock import SystemClock
from qdepot.archive.archive import Archive
from qdepot.archive.layout import checked_project
from qdepot.config import Settings, StoreSettings
from qdepot.domain.job import Duty, Job
from qdepot.errors import ConflictError, NotFoundError, QDepotError, UnavailableError
from qdepot.ports.clock import Clock
from qdepot.ports.compute_pool import ComputePool, Lane, Limits
from qdepot.ports.ledger import Ledger
from qdepot.ports.object_store import ObjectStore
from qdepot.ports.operations import describe_task
from qdepot.ports.provider import Announces, Provider, RunsHere
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.collector import Collector
from qdepot.reconciler.desk import Desk
from qdepot.reconciler.keeper import Keeper
from qdepot.reconciler.loop import Loop, OnePass, RunsOnce, Waker
from qdepot.reconciler.poller import Poller
from qdepot.reconciler.preparer import Preparer
from qdepot.reconciler.rescuer import Rescuer
from qdepot.reconciler.submitter import Submitter
from qdepot.server.app import ServerParts
from qdepot.server.app import build_app as build_server_app
from qdepot.server.forwarded import networks_of
from qdepot.server.gate import checked_public_url, names_of
from qdepot.services.about import About
from qdepot.services.acceptance import Acceptance
from qdepot.services.access import Access
from qdepot.services.backends import Backends
from qdepot.services.doubts import Doubts
from qdepot.services.health import Health, Recent
from qdepot.services.in_flight import InFlight
from qdepot.services.jobs import Jobs
from qdepot.services.orders import ProjectLimits, SubmitLimits
from qdepot.services.rebuilding import Rebuilding
from qdepot.services.registering import Registrar
from qdepot.services.submissions import Submissions
from qdepot.services.tokens import Tokens

if TYPE_CHECKING:
    from qdepot.adapters.compute.dask.pool import DaskPool  # its library is loaded only where it is needed

_FIRST_WORD_S = 60.0
"""How long an operator's command waits for the children to say which devices they play."""

PROVIDERS = "qdepot.providers"
"""The group of entry points under which providers are found, ours and others'."""


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


def ledger_url(settings: Settings) -> str:
    """The database of the settings, or the embedded one."""
    if settings.ledger is not None:
        return settings.ledger.get_secret_value()
    return f"sqlite:///{settings.data.absolute()}/ledger.db"


def open_archive(settings: Settings) -> Archive:
    """Both stores, proven to be written, read and safe against overwriting, if they answer at all.

    Raises:
        InvalidRequestError: A store can never serve: it cannot be set up, or overwrites in silence.
    """
    objects = settings.data / "objects"
    archive = Archive(
        pending=_open_store(settings.store_pending, default=objects / "pending", settings=settings.store),
        completed=_open_store(settings.store_completed, default=objects / "completed", settings=settings.store),
        scratch=str(settings.data),  # a temporary folder may lie in memory; large bundles do not belong there
    )
    for store in (archive.pending, archive.completed):
        # A store that is away now may be back in a minute; readiness tells.
        with contextlib.suppress(UnavailableError):
            store.check()
    return archive


def _open_store(where: str | None, *, default: Path, settings: StoreSettings) -> ObjectStore:
    if where is None or "://" not in where:
        return LocalStore(Path(where) if where else default)
    if where.startswith("file://"):
        return LocalStore(Path(where.removeprefix("file://")))
    return CloudStore.open(where, _cloud_options(settings))


def _cloud_options(settings: StoreSettings) -> CloudOptions:
    secret, token = settings.secret_access_key, settings.session_token
    return CloudOptions(
        endpoint=settings.endpoint,
        region=settings.region,
        path_style=settings.path_style,
        access_key_id=settings.access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
        session_token=token.get_secret_value() if token else None,
        root_certificate=settings.root_certificate.read_text() if settings.root_certificate else None,
        server_side_encryption=settings.server_side_encryption,
        kms_key_id=settings.kms_key_id,
        create_buckets=settings.create_buckets,
        more=settings.more,
    )


def load_providers(settings: Settings, *, pool: ComputePool, about: About) -> Mapping[str, Provider]:
    """Aer, and every provider that the settings name.

    Raises:
        UnavailableError: A provider that is named is not installed.
    """
    found = {entry.name: entry for entry in entry_points(group=PROVIDERS)}
    limits = Limits(time_s=settings.run_time_limit_s, memory_bytes=settings.run_memory_bytes)
    providers: dict[str, Provider] = {}
    for name in ["aer", *(name for name in settings.providers if name != "aer")]:
        if name not in found:
            raise UnavailableError(
                f"there is no provider {name!r}",
                solution=f"Install its package, or remove its settings. Installed: {', '.join(sorted(found))}.",
            )
        provider_class = found[name].load()
        providers[name] = provider_class(
            settings=provider_class.Settings(**settings.providers.get(name, {})),
            pool=pool,
            limits=limits,
            cores=(settings.dask.threads if settings.compute == "dask" else None) or processors(),
            describe=about.describe,
        )
    return providers


def build_jobs(parts: Parts) -> Jobs:
    """The service for jobs."""
    limits = project_limits(parts.settings)
    acceptance = Acceptance(
        backends=parts.backends,
        checker=parts.pool,
        clock=parts.clock,
        limits=limits,
        check_limits=check_limits(parts.settings),
    )

    def wake(jobs: Sequence[Job]) -> None:
        parts.waker.wake({duty for job in jobs if (duty := job.next_duty)})

    submissions = Submissions(
        ledger=parts.ledger,
        archive=parts.archive,
        clock=parts.clock,
        acceptance=acceptance,
        registrar=Registrar(parts.ledger, parts.archive, wake),
        in_flight=InFlight(ledger=parts.ledger, clock=parts.clock, limits=limits),
    )
    return Jobs(ledger=parts.ledger, archive=parts.archive, clock=parts.clock, submissions=submissions, on_work=wake)


def build_doubts(parts: Parts, jobs: Jobs) -> Doubts:
    """The service for jobs that wait for a person."""
    return Doubts(jobs=jobs, ledger=parts.ledger, archive=parts.archive, clock=parts.clock, on_work=jobs.on_work)


def build_rebuilding(parts: Parts) -> Rebuilding:
    """The service that makes a ledger from the archive."""
    return Rebuilding(ledger=parts.ledger, archive=parts.archive, backends=parts.backends, clock=parts.clock)


def build_health(parts: Parts) -> Health:
    """The checks behind ``/readyz``."""

    def checker() -> None:
        parts.about.describe()
        if not parts.pool.ready(Lane.CHECK):
            raise UnavailableError("no child that checks circuits is warm yet")

    return Health(
        checks={
            "ledger": parts.ledger.check,
            "pending": Recent(parts.archive.pending.check, clock=parts.clock),
            "completed": Recent(parts.archive.completed.check, clock=parts.clock),
            "checker": checker,
            **({} if parts.cluster is None else {"cluster": parts.cluster.check}),
        }
    )


def build_duties(parts: Parts, *, holder: str) -> tuple[list[tuple[Duty, RunsOnce]], Keeper]:
    """The duties of a process that holds leases under the name ``holder``.

    What talks to a provider is there once per provider, so that a slow one holds up nobody else.
    """
    settings, limits = parts.settings, project_limits(parts.settings)
    desk = Desk(
        ledger=parts.ledger,
        archive=parts.archive,
        backends=parts.backends,
        clock=parts.clock,
        holder=holder,
        lease_s=settings.lease_s,
        wake=parts.waker.wake,
    )
    duties: list[tuple[Duty, RunsOnce]] = [(Duty.CLEAN, Cleaner(desk=desk))]
    for provider in parts.backends.providers.values():
        preparer = Preparer(
            desk=desk,
            provider=provider,
            checker=parts.pool,
            limits=check_limits(settings),
            max_total_shots=lambda project: limits.of(project).max_total_shots,
        )
        rescuer = Rescuer(desk=desk, provider=provider, send_deadline_s=settings.send_deadline_s)
        duties += [(Duty.PREPARE, preparer), (Duty.RESCUE, rescuer), *_duties_of(provider, desk)]
    return duties, Keeper(desk=desk)


def _duties_of(provider: Provider, desk: Desk) -> list[tuple[Duty, RunsOnce]]:
    poller = Poller(desk=desk, provider=provider)

    def note_ended(job_ids: Sequence[str]) -> None:
        if job_ids:
            poller.announced.note(job_ids)
            desk.wake({Duty.POLL, Duty.SUBMIT})

    if isinstance(provider, Announces):
        provider.on_change(lambda job_id: note_ended([job_id]))
    return [
        (Duty.SUBMIT, Submitter(desk=desk, provider=provider, note_ended=note_ended)),
        (Duty.POLL, poller),
        (Duty.COLLECT, Collector(desk=desk, provider=provider)),
    ]


def build_loop(parts: Parts, *, holder: str) -> Loop:
    """The reconciler as a loop."""
    duties, keeper = build_duties(parts, holder=holder)
    return Loop(
        duties=duties,
        waker=parts.waker,
        keep_leases=keeper.run_once,
        lease_s=parts.settings.lease_s,
        idle_interval_s=parts.settings.idle_interval_s,
    )


def build_one_pass(parts: Parts, *, holder: str) -> tuple[OnePass, Loop]:
    """The reconciler as one pass, and what keeps its leases meanwhile."""
    duties, keeper = build_duties(parts, holder=holder)
    here = [provider for provider in parts.backends.providers.values() if isinstance(provider, RunsHere)]
    one_pass = OnePass(
        duties=[doer for _, doer in duties],
        waker=parts.waker,
        live=lambda: sum(len(provider.live_jobs()) for provider in here),
        monotonic=parts.clock.monotonic,
    )
    lease_s = parts.settings.lease_s
    leases = Loop(duties=(), waker=parts.waker, keep_leases=keeper.run_once, lease_s=lease_s, idle_interval_s=lease_s)
    return one_pass, leases


def build_app(parts: Parts) -> FastAPI:
    """The HTTP application."""
    settings, limits = parts.settings, project_limits(parts.settings)
    jobs = build_jobs(parts)
    return build_server_app(
        ServerParts(
            jobs=jobs,
            doubts=build_doubts(parts, jobs),
            backends=parts.backends,
            tokens=parts.access.tokens,
            health=build_health(parts),
            limits=limits.usual,
            special_limits=limits.special,
            authentication=parts.access.authentication if settings.auth == "tokens" else None,
            describe=parts.about.describe,
            subscribe=parts.ledger.on_change,
            version=package_version(),
            allowed_hosts=names_of(settings.host, allowed_hosts=settings.allowed_hosts, public_url=settings.public_url),
            public_url=checked_public_url(settings.public_url) if settings.public_url else None,
            trusted_proxies=networks_of(settings.trusted_proxies),
        )
    )


@contextlib.contextmanager
def running_service(settings: Settings, *, reconciler: bool) -> Iterator[Parts]:
    """A service's parts, with its loop if it has one; both are ended in order."""
    make_undumpable()
    with contextlib.closing(build_parts(settings)) as parts:
        lock = lock_folder(settings.data) if reconciler else None
        holder = lock.holder if lock else new_holder("service")
        # Whatever this name held died with the process that had the folder before.
        parts.ledger.release(holder=holder)
        loop = build_loop(parts, holder=holder) if reconciler else None
        if loop is not None:
            loop.start()
        try:
            yield parts
        finally:
            if loop is not None:
                loop.stop()
            parts.ledger.release(holder=holder)
            if lock is not None:
                lock.release()


@contextlib.contextmanager
def working_alone(settings: Settings) -> Iterator[Parts]:
    """The parts of a process that has the data folder to itself, and knows all backends that can be known.

    Raises:
        NotFoundError: There is no such folder.
        ConflictError: A service works with it.
    """
    lock = lock_folder(existing_data(settings))
    if lock is None:
        raise ConflictError(f"a service works with {settings.data}", solution="Stop it first, and all reconcilers.")
    try:
        with contextlib.closing(build_parts(settings)) as parts:
            parts.about.describe(wait_s=_FIRST_WORD_S)
            yield parts
    finally:
        lock.release()


@contextlib.contextmanager
def records(settings: Settings) -> Iterator[tuple[Ledger, Archive]]:
    """Ledger and archive, without what runs jobs.

    Raises:
        NotFoundError: There is no such data folder.
    """
    existing_data(settings)
    with contextlib.closing(open_ledger(ledger_url(settings), clock=SystemClock())) as ledger:
        yield ledger, open_archive(settings)


def existing_data(settings: Settings) -> Path:
    """The data folder. Raises NotFoundError if there is none: a typing error should not make a new one."""
    if not settings.data.is_dir():
        raise NotFoundError(f"there is no folder {settings.data}", solution="Say which with --data, or QDEPOT_DATA.")
    return settings.data


def new_holder(kind: str) -> str:
    """A name for leases that no other process has."""
    return f"{kind}-{os.getpid()}-{secrets.token_hex(4)}"


@contextlib.contextmanager
def local_tokens(settings: Settings) -> Iterator[Tokens]:
    """The tokens of a service, on its own machine and without its help.

    Raises:
        NotFoundError: There is no such data folder.
    """
    existing_data(settings)
    clock = SystemClock()
    with contextlib.closing(open_ledger(ledger_url(settings), clock=clock)) as ledger:
        yield Tokens(register=ledger.token_register(), clock=clock, on_revoked=lambda _: None)


def project_limits(settings: Settings) -> ProjectLimits:
    """What the service accepts of each project."""
    usual = SubmitLimits(
        max_body_bytes=settings.max_body_bytes,
        max_circuits=settings.max_circuits,
        max_total_shots=settings.max_total_shots,
        check_budget_s=settings.check_budget_s,
        inline_result_bytes=settings.inline_result_bytes,
        max_jobs_in_flight=settings.max_jobs_in_flight,
        requests_per_s=settings.requests_per_s,
        request_burst=settings.request_burst,
    )
    special = {
        checked_project(name): replace(usual, **project.model_dump(exclude_none=True))
        for name, project in settings.projects.items()
    }
    return ProjectLimits(usual=usual, special=special)


def check_limits(settings: Settings) -> Limits:
    """What one check may use up."""
    return Limits(time_s=settings.check_time_limit_s, memory_bytes=settings.check_memory_bytes)


def package_version() -> str:
    """The installed version of qdepot."""
    return version("qdepot")
