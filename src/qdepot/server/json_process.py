"""Strict reading of a large JSON text in a process of its own.

There it holds up nobody: neither the interpreter of the service nor its memory has to do with what the text holds, and
all memory goes back when the process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys

from qdepot.errors import InvalidRequestError, UnavailableError
from qdepot.server.strict_json import decode

_COMMAND = (sys.executable, "-P", "-m", "qdepot.server.json_process")
_CPU_S = 60
_MEMORY_BYTES = 4 * 1024**3
_REFUSED = 3
"""Exit status that goes with a description of what is wrong."""


def check_json(raw: bytes) -> None:
    """Refuse what :func:`qdepot.server.strict_json.decode` refuses. Blocks without holding up other threads.

    Raises:
        InvalidRequestError: It is not JSON; says where.
        UnavailableError: The process cannot be started, or was ended.
    """
    environment = {"PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)}
    try:
        with subprocess.Popen(  # noqa: S603 - our own interpreter and module
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        ) as process:
            said = _exchange(process, raw)
    except OSError as error:
        raise UnavailableError("no process can be started that reads a large request", solution="Try again.") from error
    if process.returncode == _REFUSED:
        refusal = json.loads(said)
        raise InvalidRequestError(refusal["message"], solution=refusal["solution"], details=refusal["details"])
    if process.returncode != 0:
        raise UnavailableError(
            f"the process that read a large request ended with {process.returncode}",
            solution="Try again, or send a smaller request.",
        )


def _exchange(process: subprocess.Popen[bytes], raw: bytes) -> bytes:
    """Give it all of the text, then take all that it says: it says nothing before it has read to the end."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # if it ended, its exit status says why
        pipe.write(raw)
    return process.stdout.read()


def main() -> int:
    """Read standard input; what is wrong with it is described on standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        decode(sys.stdin.buffer.read())
    except InvalidRequestError as error:
        refusal = {"message": error.message, "solution": error.solution, "details": dict(error.details)}
        sys.stdout.write(json.dumps(refusal))
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
