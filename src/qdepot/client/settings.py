"""Where the client goes, and as whom."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

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
    """Settings from the arguments, else from ``QDEPOT_URL``, ``QDEPOT_TOKEN`` and ``QDEPOT_CA``.

    Without any of them, the service is on this machine.

    Raises:
        InvalidRequestError: The address is not one of a web service, or the token cannot be sent.
    """
    # The one reading of the environment outside the service's configuration, which a laptop does not install.
    chosen_url = url or os.environ.get("QDEPOT_URL") or DEFAULT_URL  # noqa: TID251
    chosen_token = token or os.environ.get("QDEPOT_TOKEN") or None  # noqa: TID251
    chosen_ca = ca or os.environ.get("QDEPOT_CA") or None  # noqa: TID251
    return ClientSettings(
        url=_checked_url(chosen_url),
        token=_checked_token(chosen_token),
        ca=Path(chosen_ca).expanduser() if chosen_ca else None,
    )


def _checked_url(url: str) -> str:
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
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}"


def _checked_token(token: str | None) -> str | None:
    if token is None:
        return None
    if not token.strip().isascii() or not token.strip().isprintable() or " " in token.strip():
        raise InvalidRequestError(
            "the token holds characters that cannot be sent", solution="Copy it again, without spaces or line breaks."
        )
    return token.strip()
