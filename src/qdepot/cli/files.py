"""Files that the commands write."""

from __future__ import annotations

import tempfile
from pathlib import Path

from qdepot.errors import InvalidRequestError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        InvalidRequestError: It cannot be written there.
    """
    scratch: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            scratch = Path(file.name)
            file.write(content)
        scratch.replace(path)
    except OSError as error:
        if scratch is not None:
            scratch.unlink(missing_ok=True)
        raise InvalidRequestError(
            f"the file {path} cannot be written: {error.strerror or error}", solution="Choose another place."
        ) from error
