"""The services, and the application over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version

from fastapi import FastAPI

from qdepot.domain.job import Job
from qdepot.errors import UnavailableError
from qdepot.ports.compute_pool import Lane
from qdepot.server.app import ServerParts
from qdepot.server.app import build_app as build_server_app
from qdepot.server.forwarded import networks_of
from qdepot.server.gate import checked_public_url, names_of
from qdepot.services.acceptance import Acceptance
from qdepot.services.doubts import Doubts
from qdepot.services.health import Health, Recent
from qdepot.services.in_flight import InFlight
from qdepot.services.jobs import Jobs
from qdepot.services.rebuilding import Rebuilding
from qdepot.services.registering import Registrar
from qdepot.services.submissions import Submissions
from qdepot.wiring.limits import check_limits, project_limits
from qdepot.wiring.parts import Parts


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
            raise UnavailableError(parts.about.trouble or "no child that checks circuits is warm yet")

    return Health(
        checks={
            "ledger": parts.ledger.check,
            "pending": Recent(parts.archive.pending.check, clock=parts.clock),
            "completed": Recent(parts.archive.completed.check, clock=parts.clock),
            "checker": checker,
            **({} if parts.cluster is None else {"cluster": parts.cluster.check}),
        }
    )


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
            download_links_for=timedelta(seconds=settings.download_links_s) if settings.download_links_s else None,
            allowed_hosts=names_of(settings.host, allowed_hosts=settings.allowed_hosts, public_url=settings.public_url),
            body_memory_bytes=settings.body_memory_bytes,
            public_url=checked_public_url(settings.public_url) if settings.public_url else None,
            trusted_proxies=networks_of(settings.trusted_proxies),
        )
    )


def package_version() -> str:
    """The installed version of qdepot."""
    return version("qdepot")
