"""What lies in the archive for a job, and whether it is what was written."""

from __future__ import annotations

from qdepot.archive import layout
from qdepot.archive.bundle import REQUEST, Bundle
from qdepot.archive.bundle_shelf import measured, measured_bundle
from qdepot.archive.job_document import read_ending
from qdepot.archive.manifest import damaged
from qdepot.archive.part_shelf import PartFile
from qdepot.archive.request import read_request_document
from qdepot.domain.job import Job
from qdepot.ports.object_store import ObjectNotFoundError, ObjectStore


def listed(store: ObjectStore, job: Job, *, area: str) -> list[dict[str, object]]:
    """A job's own objects in one store, and the request object that it may share, with sizes and checksums."""
    keys = {info.key for info in store.scan(f"{layout.stem(job)}.")}
    if area == "pending":
        keys.add(job.request_key)
    described = (_described(store, key, area=area) for key in sorted(keys))
    return [entry for entry in described if entry is not None]


def check_bundle(store: ObjectStore, job: Job) -> None:
    """Read all of a final job's bundle and compare it with the row and with its manifest.

    Raises:
        ArchiveDamagedError: It is missing, changed, or tells another story than the row.
    """
    key = layout.bundle_key(job)
    try:
        bundle, _, _ = measured_bundle(store, key, wanted_sha256=job.result_sha256)
    except ObjectNotFoundError as error:
        raise damaged(key, "it is missing") from error
    bundle.check()
    request = read_request_document(bundle.read(REQUEST), key=key)
    ending = read_ending(bundle.document, key=key)
    told = (bundle.document.get("id"), request.job_id, request.request_sha256, ending.status, ending.ended_at)
    if told != (job.id, job.id, job.request_sha256, job.status, job.ended_at):
        raise damaged(key, f"it tells another story than the row of job {job.id}: {told}")


def _described(store: ObjectStore, key: str, *, area: str) -> dict[str, object] | None:
    try:
        size_bytes, sha256 = measured(store, key)
        entry: dict[str, object] = {"area": area, "key": key, "size_bytes": size_bytes, "sha256": sha256}
        if key.endswith(".zip"):
            file = (Bundle if area == "completed" else PartFile).open(store, key)
            entry["members"] = [member.document() for member in file.manifest.values()]
    except ObjectNotFoundError:
        return None
    return entry
