"""Files that the client writes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from qdepot.errors import InvalidRequestError


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, maybe in pieces, whole or not at all.

    Raises:
        InvalidRequestError: It cannot be written there.
    """
    scratch: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            scratch = Path(file.name)
            file.writelines([content] if isinstance(content, bytes) else content)
        scratch.replace(path)
    except OSError as error:
        raise InvalidRequestError(
            f"the file {path} cannot be written: {error.strerror or error}", solution="Choose another place."
        ) from error
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


def written_export(path: str | PathLike[str], job_id: str, content: bytes | Iterable[bytes]) -> Path:
    """Write an exported job to this file, or into this folder under a name of its own; where it is.

    Raises:
        InvalidRequestError: It cannot be written there.
    """
    target = Path(path)
    if target.is_dir():
        target /= f"qdepot-{job_id}.zip"
    write_whole(target, content)
    return target
