"""Verdicts on programs that were checked before: the same program need not be read twice to be accepted."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from qdepot.ports.compute_pool import Task

_KEPT = 4096
_LARGEST_BYTES = 64 * 1024
_MOST_CIRCUITS = 16


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Summaries of programs that passed their check, by all that the check was given. Thread-safe.

    A check is a pure function of its task, so one that passed will pass again; what failed is checked anew, since that
    may have been the machine's fault. Only small programs are kept: the check of a large one costs more than memory.
    """

    _summaries: OrderedDict[bytes, Mapping[str, object]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key: bytes) -> Mapping[str, object] | None:
        """What the check told before, if it is known."""
        with self._lock:
            found = self._summaries.get(key)
            if found is not None:
                self._summaries.move_to_end(key)
        return found

    def keep(self, key: bytes, summary: Mapping[str, object]) -> None:
        """Remember what a check told, in place of what was asked for longest ago."""
        with self._lock:
            self._summaries[key] = summary
            while len(self._summaries) > _KEPT:
                self._summaries.popitem(last=False)


def verdict_key(task: Task) -> bytes | None:
    """By what a check is known; None for a program too large to be kept.

    Owners are kept apart: what a circuit did to the child that read it must not reach anybody else.
    """
    payload = task.payload
    if len(payload.parts) > _MOST_CIRCUITS or sum(map(len, payload.parts.values())) > _LARGEST_BYTES:
        return None
    meta = json.dumps(payload.meta, sort_keys=True, separators=(",", ":")).encode()
    if len(meta) > _LARGEST_BYTES:
        return None
    digest = hashlib.sha256(b"%b\0%b" % (task.owner.encode(), meta))
    for name, part in payload.parts.items():
        digest.update(b"\0%b\0%d\0" % (name.encode(), len(part)))
        digest.update(part)
    return digest.digest()
