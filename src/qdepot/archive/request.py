"""The request document: what was asked, with the caller's body to the letter.

A document is one JSON object. Its first line is the envelope, which ends in ``"request":``; then comes the body,
unchanged, and a closing brace on a line of its own. JSON escapes line breaks inside strings, so the first line break is
always the end of the envelope. A batch object is a line with the sizes of its entries, then the entries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from typing import Any

from qdepot.archive import layout
from qdepot.archive.json_shape import JsonShape
from qdepot.archive.long_values import lean_request, members_named
from qdepot.archive.manifest import damaged
from qdepot.archive.plain import encoded, json_text, time_of
from qdepot.domain.program import Program
from qdepot.errors import ArchiveDamagedError, InternalError

REQUEST_FORMAT = "qdepot-request/1"
BATCH_FORMAT = "qdepot-batch/1"
_BETWEEN = b",\n"
_BATCH_END = b"\n]}\n"
_ENVELOPE = (
    *("job_id", "project", "owner", "created_at", "backend", "name", "tags", "priority", "timeout_s", "options"),
    *("request_sha256", "idempotency_key_sha256"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """What one request object, or one entry of a batch object, says.

    Attributes:
        job_id, project, owner: Whose.
        created_at: When it was accepted (UTC, aware).
        backend, name, tags, priority, timeout_s, options: As the body says them, defaults filled in.
        resolved: What the program says for all of its circuits, or had as default when it was accepted; another version
            may have other defaults.
        request_sha256: Of ``body``.
        idempotency_key_sha256: Of the caller's key.
        body: The JSON that the caller sent, to the letter.
    """

    job_id: str
    project: str
    owner: str
    created_at: datetime
    backend: str
    name: str = ""
    tags: tuple[str, ...] = ()
    priority: int = 0
    timeout_s: float | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    resolved: Mapping[str, Any] = field(default_factory=dict)
    request_sha256: str
    idempotency_key_sha256: str | None = None
    body: bytes = field(repr=False)

    def program(self) -> Program:
        """The program in the domain's terms, as it was accepted.

        Raises:
            InvalidProgramError: A QPY source is not base64.
        """
        return replace(_program_of(self.body), **self.resolved)

    def program_document(self) -> bytes:
        """The ``program`` of the body as it was sent, UTF-8 JSON."""
        program = members_named(JsonShape(self.body, depth=1), "program")[-1]
        return self.body[program.start : program.end]


def request_document(record: RequestRecord) -> bytes:
    """The document of one request.

    Raises:
        InternalError: ``request_sha256`` is not that of the body: it could never be read back.
    """
    if hashlib.sha256(record.body).hexdigest() != record.request_sha256:
        raise InternalError(f"job {record.job_id}: request_sha256 is not that of the body")
    envelope = {"format": REQUEST_FORMAT, **{name: getattr(record, name) for name in (*_ENVELOPE, "resolved")}}
    return b"".join((encoded(json_text(envelope)[:-1]), b', "request":\n', record.body, b"\n}\n"))


def read_request_document(document: bytes, *, key: str) -> RequestRecord:
    """The request that a document holds; ``key`` names it in errors.

    Raises:
        ArchiveDamagedError: It is cut, changed, or of a format that this version does not read.
    """
    head, _, rest = document.partition(b"\n")
    entry = rest.removesuffix(b"\n")
    body = entry.removesuffix(b"\n}")
    try:
        fields = json.loads(head + b"null}")
        whole = body != entry and hashlib.sha256(body).hexdigest() == fields["request_sha256"]
        if fields["format"] != REQUEST_FORMAT or not whole:
            raise _damaged(key)
        known = {name: fields[name] for name in _ENVELOPE}
        known.update(tags=tuple(known["tags"]), created_at=time_of(known["created_at"]))
        # A document of an earlier version does not say; its defaults were those of today.
        resolved = fields["resolved"] if "resolved" in fields else _program_of(body).figures
        return RequestRecord(body=body, resolved=resolved, **known)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(key) from error


def _program_of(body: bytes) -> Program:
    lean = lean_request(body)
    return Program.from_document(lean.complete(json.loads(lean.text)["program"]))


def batch_document(batch_id: str, records: Sequence[RequestRecord]) -> bytes:
    """One document for many requests."""
    entries = [request_document(record).removesuffix(b"\n") for record in records]
    head = {"format": BATCH_FORMAT, "batch_id": batch_id, "sizes_bytes": [len(entry) for entry in entries]}
    return b"".join((json_text(head)[:-1].encode(), b', "requests": [\n', _BETWEEN.join(entries), _BATCH_END))


def batch_span(head: bytes, index: int, *, key: str) -> tuple[int, int]:
    """Start, from the beginning of the object, and length of one entry of a batch.

    Args:
        head: The beginning of the batch document, with at least its whole first line.
        index: Which entry.
        key: Names the object in errors.

    Raises:
        ArchiveDamagedError: It is no batch document, or has no such entry.
    """
    start, sizes = _sizes(head, key=key)
    if not 0 <= index < len(sizes):
        raise _damaged(key)
    return start + sum(sizes[:index]) + index * len(_BETWEEN), sizes[index]


def batch_entries(document: bytes, *, key: str) -> list[bytes]:
    """All entries of a whole batch document, in their order; each is for :func:`read_request_document`.

    Raises:
        ArchiveDamagedError: It is no batch document.
    """
    return [document[start : start + length] for start, length in _spans(document, key=key)]


def is_whole_batch(document: bytes, *, key: str) -> bool:
    """True if a batch document has the id of its key, and its end. Raises as :func:`batch_entries`."""
    spans = _spans(document, key=key)
    fields = json.loads(document.partition(b"\n")[0] + b"]}")
    has_end = bool(spans) and document[sum(spans[-1]) :] == _BATCH_END
    return has_end and fields.get("batch_id") == layout.id_of(key)


def _spans(head: bytes, *, key: str) -> list[tuple[int, int]]:
    """Start and length of each entry of a batch, as its first line says."""
    start, sizes = _sizes(head, key=key)
    starts = accumulate((size + len(_BETWEEN) for size in sizes), initial=start)
    return list(zip(starts, sizes, strict=False))


def _sizes(head: bytes, *, key: str) -> tuple[int, list[int]]:
    """Where the first entry of a batch begins, and the length of each, as its first line says."""
    line, _, _ = head.partition(b"\n")
    try:
        fields = json.loads(line + b"]}")
        sizes = fields["sizes_bytes"]
        if fields["format"] != BATCH_FORMAT or not all(isinstance(size, int) for size in sizes):
            raise _damaged(key)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(key) from error
    return len(line) + 1, sizes


def _damaged(key: str) -> ArchiveDamagedError:
    return damaged(key, "it holds no request that this version of qdepot can read")
