"""Ports that are watched: each call is noted before it is made and after, under a name that tells what it is about."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from qdepot.domain.job import JobChange
from qdepot.wiring import Parts

Note = Callable[[str], None]

_LEDGER = {
    "add",
    "claim",
    "save",
    "renew",
    "release",
    "delete",
    "get_many",
    "find_by_idempotency_key",
    "events",
    "histories",
}
_LEDGER |= {"unfinished_with_request"}
_STORE = {"create", "create_many", "replace", "get", "get_range", "head", "delete", "check", "scan"}
_CLOUD = {"backends", "submit", "statuses", "result", "cancel", "find_by_tag"}
_AER = {"submit", "result", "part", "rest", "cancel", "forget"}


def watched(parts: Parts, note: Note) -> Parts:
    """The same parts, with every call to what is outside the process noted."""
    archive = parts.archive
    providers = {
        name: _watch(provider, "aer" if name == "aer" else "cloud", _AER if name == "aer" else _CLOUD, note)
        for name, provider in parts.backends.providers.items()
    }
    return replace(
        parts,
        ledger=_watch(parts.ledger, "ledger", _LEDGER, note),
        archive=replace(
            archive,
            pending=_watch(archive.pending, "pending", _STORE, note),
            completed=_watch(archive.completed, "completed", _STORE, note),
        ),
        backends=replace(parts.backends, providers=providers),
    )


def _watch(target: Any, part: str, verbs: set[str], note: Note) -> Any:
    """A stand-in with all that is public of the target, so that it passes for whatever the target passes for."""
    public = {name: getattr(target, name) for name in dir(target) if not name.startswith("_")}
    for verb in verbs & public.keys():
        public[verb] = _noted(public[verb], part, verb, note)
    return SimpleNamespace(**public)


def _noted(call: Callable[..., Any], part: str, verb: str, note: Note) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        name = f"{part}.{verb}{_about(part, verb, args)}"
        if verb != "claim":  # before it nothing has happened, and it happens again and again
            note(f"before {name}")
        answer = call(*args, **kwargs)
        if verb != "claim" or answer:
            note(f"after {name}")
        return answer

    return noted


def _about(part: str, verb: str, args: Sequence[Any]) -> str:
    if not args or part in {"aer", "cloud"}:
        return ""
    if verb == "save":
        return f" {_story(args[0][-1])}"  # of several steps that are saved at once, the last
    if verb == "claim":
        return f" {args[0]}"
    return "" if part == "ledger" else f" {_kind(args[0])}"


def _story(change: JobChange) -> str:
    before, after = change.before, change.after
    if after.pending_removed and not before.pending_removed:
        return "cleaned"
    if after.cancel_requested and not before.cancel_requested:
        return "cancel wished"
    if (after.name, after.tags) != (before.name, before.tags):
        return "renamed"
    if change.event is None:
        return "looked at" if after.parts == before.parts else "a part"
    return f"{after.status}/{after.stage}"


def _kind(what: Any) -> str:
    """What an object is, by its key: ``request``, ``receipt``, ``bundle`` ...; of several, the first."""
    if what == "":
        return "everything"
    if not isinstance(what, str):
        what = next((item[0] if isinstance(item, tuple) else item for item in what), "")
    ending = what.rpartition("/")[2].partition(".")[2]
    word = re.split(r"[-.]", ending)[0]
    return {"zip": "bundle", "": "several"}.get(word, word)


@dataclass
class Recorder:
    """Writes each note into a file."""

    path: Path

    def __call__(self, note: str) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{note}\n".encode())
        os.close(descriptor)


@dataclass
class Killer:
    """Kills the process at the n-th note of a name, between two lines, as the kernel does when memory is short."""

    point: str
    nth: int = 1
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, note: str) -> None:
        with self._lock:
            self._seen[note] += 1
            if note == self.point and self._seen[note] == self.nth:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()
