"""Where the client goes, and as whom."""

from __future__ import annotations

import ipaddress
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from qdepot.client.logins import read_logins
from qdepot.errors import InvalidRequestError

DEFAULT_URL = "http://127.0.0.1:8484"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Address and token of one client.

    Attributes:
        url: Root of the service, without ``/v1`` and without a slash at the end.
        token: Sent as a bearer token; None where the service asks for none. Never shown.
        ca: A certificate, or that of an authority (PEM), that is trusted beside those that this machine trusts.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    ca: Path | None = None


def client_settings(url: str | None = None, token: str | None = None, ca: str | Path | None = None) -> ClientSettings:
    """Settings from the arguments, else from ``QDEPOT_URL``, ``QDEPOT_TOKEN`` and ``QDEPOT_CA``, else from the log-in.

    The address is then that of the last log-in. Without one, the service is on this machine. The token of a log-in is
    taken only for the service that it belongs to.

    Raises:
        InvalidRequestError: The address is not one of a web service, or the token cannot be sent.
    """
    # With `logins.py` the one reading of the environment outside the service's configuration, which a laptop does not
    # install.
    logins = read_logins()
    chosen_url = checked_url(url or os.environ.get("QDEPOT_URL") or logins.last or DEFAULT_URL)  # noqa: TID251
    login = logins.by_url.get(chosen_url)
    chosen_token = token or os.environ.get("QDEPOT_TOKEN") or None  # noqa: TID251
    chosen_ca = ca or os.environ.get("QDEPOT_CA") or (login.ca if login else None)  # noqa: TID251
    if chosen_token is None and login is not None:
        chosen_token = login.token
    if chosen_token is not None and is_exposed(chosen_url) and not (login and login.insecure):
        warnings.warn(
            f"the token goes to {chosen_url} without encryption: whoever is on the way can read and use it",
            ExposedTokenWarning,
            stacklevel=3,
        )
    return ClientSettings(
        url=chosen_url,
        token=_checked_token(chosen_token),
        ca=Path(chosen_ca).expanduser() if chosen_ca else None,
    )


class ExposedTokenWarning(UserWarning):
    """A token is sent over a network without encryption."""


def is_exposed(url: str) -> bool:
    """True if what is sent there can be read on its way: plain HTTP to another machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return False
    try:
        return not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True


def checked_url(url: str) -> str:
    """The root of the service, in the one form in which it is written.

    Raises:
        InvalidRequestError: It is not the address of a web service.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if not usable or parts.query or parts.fragment or parts.username is not None:
        # The text is not repeated: it may hold a password.
        raise InvalidRequestError(
            "the service's address is not a plain http:// or https:// URL",
            solution=f"Give one such as {DEFAULT_URL}, as the argument `url`, by --url or in QDEPOT_URL. A token goes "
            "into QDEPOT_TOKEN.",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/').removesuffix('/v1')}"


def _checked_token(token: str | None) -> str | None:
    if token is None:
        return None
    if not token.strip().isascii() or not token.strip().isprintable() or " " in token.strip():
        raise InvalidRequestError(
            "the token holds characters that cannot be sent", solution="Copy it again, without spaces or line breaks."
        )
    return token.strip()
