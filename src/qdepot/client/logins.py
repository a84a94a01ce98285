"""Where log-ins are kept between sessions: a file in the user's own folder that nobody else can read."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from qdepot.errors import InvalidRequestError

_FORMAT = "qdepot-logins/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How one service is spoken to.

    Attributes:
        token: Sent to this service, and to no other. Never shown.
        ca: A certificate (PEM) that is trusted beside the usual ones.
        insecure: The user has agreed that the token crosses a network unprotected.
    """

    token: str = field(repr=False)
    ca: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """All log-ins of this user on this machine.

    Attributes:
        by_url: By the root of the service.
        last: The service that was logged in to last, if it was not logged out of.
    """

    by_url: Mapping[str, Login] = field(default_factory=lambda: MappingProxyType({}))
    last: str | None = None

    def with_login(self, url: str, login: Login) -> Logins:
        """With one more, now the last."""
        return replace(self, by_url={**self.by_url, url: login}, last=url)

    def without(self, url: str) -> Logins:
        """With one less."""
        left = {known: login for known, login in self.by_url.items() if known != url}
        return Logins(by_url=left, last=None if self.last == url else self.last)


def logins_file() -> Path:
    """Where they are kept, whether or not there are any."""
    # The user's own environment says where the user's own files are.
    if sys.platform == "win32":
        home = os.environ.get("APPDATA")  # noqa: TID251
    else:
        home = os.environ.get("XDG_CONFIG_HOME")  # noqa: TID251
    return (Path(home) if home else Path.home() / ".config") / "qdepot" / "logins.json"


def read_logins() -> Logins:
    """All that are kept; none if there is no file.

    Raises:
        InvalidRequestError: The file cannot be read, or others can read it.
    """
    try:
        path = logins_file()
    except RuntimeError:  # a user without a home, as in a container
        return Logins()
    try:
        with path.open(encoding="utf-8") as file:
            _check_private(path, os.fstat(file.fileno()).st_mode)
            return _logins_of(json.load(file))
    except (FileNotFoundError, NotADirectoryError):
        return Logins()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRequestError(
            f"the log-ins in {path} cannot be read", solution="Remove the file, and log in again."
        ) from error


def write_logins(logins: Logins) -> None:
    """Keep these, in place of what was kept.

    Raises:
        InvalidRequestError: The file cannot be written.
    """
    path = logins_file()
    known = {
        url: {"token": login.token, "ca": login.ca, "insecure": login.insecure} for url, login in logins.by_url.items()
    }
    text = json.dumps({"format": _FORMAT, "last": logins.last, "logins": known}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with private_draft(path, text) as draft:
            draft.replace(path)
    except OSError as error:
        raise InvalidRequestError(
            f"the log-in cannot be kept in {path}: {error.strerror or error}",
            solution="Make the folder writable; or set QDEPOT_URL and QDEPOT_TOKEN instead.",
        ) from error


@contextmanager
def private_draft(path: Path, text: str) -> Iterator[Path]:
    """A file beside ``path`` that only this user can read, from its first byte on; it may replace ``path``, or goes."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _logins_of(document: dict[str, Any]) -> Logins:
    if document["format"] != _FORMAT:
        raise ValueError("another format")
    by_url = {
        str(url): Login(token=str(it["token"]), ca=it.get("ca"), insecure=bool(it.get("insecure")))
        for url, it in document["logins"].items()
    }
    last = document.get("last")
    return Logins(by_url=by_url, last=last if last in by_url else None)


def _check_private(path: Path, mode: int) -> None:
    if os.name == "posix" and mode & 0o077:
        raise InvalidRequestError(
            f"others on this machine can read the tokens in {path}",
            solution=f"Close it (chmod 600 {path}); and if it was open for long, revoke the tokens in it.",
        )
