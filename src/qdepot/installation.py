"""How this copy of qdepot was installed."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import unquote, urlsplit


def install_command(*extras: str) -> str:
    """The pip command that adds extras to this installation.

    An installation from a folder or a wheel names that folder or wheel (PEP 610), since pip would look for the bare
    name on an index.
    """
    option, source = _source()
    return f'pip install {option}"{source}[{",".join(extras)}]"'


def _source() -> tuple[str, str]:
    try:
        origin = json.loads(distribution("qdepot").read_text("direct_url.json") or "{}")
        url = urlsplit(origin.get("url", ""))
        editable = bool(origin.get("dir_info", {}).get("editable"))
    except (PackageNotFoundError, OSError, ValueError, AttributeError):
        return "", "qdepot"
    if url.scheme != "file":
        return "", "qdepot"
    return "--editable " if editable else "", unquote(url.path)
