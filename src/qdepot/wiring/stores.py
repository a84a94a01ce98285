"""The two stores and the database, as the settings name them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from qdepot.adapters.object_stores.cloud import CloudStore
from qdepot.adapters.object_stores.cloud_options import CloudOptions
from qdepot.adapters.object_stores.local import LocalStore
from qdepot.archive.archive import Archive
from qdepot.config import Settings, StoreSettings
from qdepot.errors import NotFoundError, UnavailableError
from qdepot.ports.object_store import ObjectStore


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


def existing_data(settings: Settings) -> Path:
    """The data folder. Raises NotFoundError if there is none: a typing error should not make a new one."""
    if not settings.data.is_dir():
        raise NotFoundError(f"there is no folder {settings.data}", solution="Say which with --data, or QDEPOT_DATA.")
    return settings.data
