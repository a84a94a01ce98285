"""Functions that may not come to an end, in a process that is killed when its time is up."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["qiskit_aer", "qdepot.quantum.operations", "openqasm3", "mqt.bench.benchmarks", "answers.corpus_examining"]
)


class TooSlowError(Exception):
    """The function had not returned when its time was up."""


class ProcessEndedError(Exception):
    """The process ended before the function returned."""


def within(seconds: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns; arguments and result are pickled.

    Raises:
        TooSlowError: It did not return in time; its process is killed.
        ProcessEndedError: Its process crashed, or the function raised.
    """
    receiving, sending = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_send, args=(sending, function, arguments), daemon=True)
    process.start()
    sending.close()
    try:
        if not receiving.poll(seconds):
            raise TooSlowError(f"no end within {seconds} s")
        return receiving.recv()
    except EOFError:
        raise ProcessEndedError("the process ended before there was a result") from None
    finally:
        process.kill()
        process.join()
        receiving.close()


def _send(sending: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sending.send(function(*arguments))
