"""A job as a folder that a colleague reads with a text editor, a spreadsheet and NumPy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from qdepot.archive.bundle import JOB, REQUEST, RESULT, Bundle
from qdepot.archive.manifest import damaged
from qdepot.archive.readme import SUMS, readme_text
from qdepot.archive.request import read_request_document
from qdepot.archive.spreadsheets import tables_of
from qdepot.archive.zip_stream import ZipEntry, zip_pieces
from qdepot.domain.job import Job
from qdepot.domain.program import Circuit, ProgramFormat

_READABLE_BYTES = 4 * 1024 * 1024
"""Larger documents are not laid out for people: that would take long, and no editor would open them."""
_TABLE_BYTES = 32 * 1024 * 1024
"""Of larger results no tables are made: that would take much memory."""
_TEXT = (".txt", ".json", ".csv", ".qasm")


def exported(job: Job, bundle: Bundle) -> Iterator[bytes]:
    """A zip file in pieces, with one folder: the files of a bundle, laid out for people, and a README.

    Args:
        job: As the ledger holds it; it knows later names and tags.
        bundle: The job's.

    Raises:
        ArchiveDamagedError: The bundle is damaged; if that shows only behind the first pieces, it is raised there.
    """
    folder = f"qdepot-{job.id}"
    files = _files(bundle)
    names = [*(file.name for file in files), SUMS]
    readme = _entry("README.txt", readme_text(job, names).encode(errors="backslashreplace"))
    sums: list[str] = []

    def entries() -> Iterator[ZipEntry]:
        for file in (readme, *files):
            yield replace(file, name=f"{folder}/{file.name}", pieces=_summed(file, sums))
        yield _entry(f"{folder}/{SUMS}", "".join(sums).encode(errors="backslashreplace"))

    return zip_pieces(entries())


def _files(bundle: Bundle) -> list[ZipEntry]:
    record = read_request_document(bundle.read(REQUEST), key=bundle.key)
    files = [_entry(JOB, _readable(dict(bundle.document))), _document(bundle, REQUEST)]
    files += [_circuit(index, circuit) for index, circuit in enumerate(record.program().circuits)]
    members = [member for name, member in bundle.manifest.items() if name not in {REQUEST, RESULT}]
    if RESULT in bundle.manifest:
        files += _result_files(bundle)
    return files + [_entry_of(bundle, member.name, member.size_bytes) for member in members]


def _result_files(bundle: Bundle) -> list[ZipEntry]:
    size_bytes = bundle.manifest[RESULT].size_bytes
    if size_bytes > _TABLE_BYTES:
        return [_entry_of(bundle, RESULT, size_bytes)]
    tables = tables_of(_loaded(bundle, RESULT))
    entries = [ZipEntry(name=name, size_bytes=size_bytes, pieces=it, is_deflated=True) for name, it in tables.items()]
    return [_document(bundle, RESULT), *entries]


def _document(bundle: Bundle, name: str) -> ZipEntry:
    """A JSON document, readable if it is not too large."""
    size_bytes = bundle.manifest[name].size_bytes
    if size_bytes > _READABLE_BYTES:
        return _entry_of(bundle, name, size_bytes)
    return _entry(name, _readable(_loaded(bundle, name)))


def _circuit(index: int, circuit: Circuit) -> ZipEntry:
    ending = "qpy" if circuit.format is ProgramFormat.QPY else "qasm"
    return _entry(f"circuits/{index}.{ending}", circuit.source)


def _loaded(bundle: Bundle, name: str) -> dict[str, Any]:
    try:
        document = json.loads(bundle.read(name))
    except ValueError as error:
        raise damaged(bundle.key, f"{name} is not JSON") from error
    if not isinstance(document, dict):
        raise damaged(bundle.key, f"{name} is no object")
    return document


def _readable(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _entry(name: str, content: bytes) -> ZipEntry:
    return ZipEntry(name=name, size_bytes=len(content), pieces=iter([content]), is_deflated=name.endswith(_TEXT))


def _entry_of(bundle: Bundle, name: str, size_bytes: int) -> ZipEntry:
    """A file of the bundle as it is."""
    return ZipEntry(name=name, size_bytes=size_bytes, pieces=bundle.pieces(name), is_deflated=name.endswith(_TEXT))


def _summed(file: ZipEntry, sums: list[str]) -> Iterator[bytes]:
    """The pieces of a file; behind the last, its checksum is noted."""
    digest = hashlib.sha256()
    for piece in file.pieces:
        digest.update(piece)
        yield piece
    sums.append(f"{digest.hexdigest()}  {file.name}\n")
