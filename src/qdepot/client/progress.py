"""A progress bar for what takes long, on a terminal or in a notebook."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from qdepot.client.waiting import OnStatuses, is_final
from qdepot.domain.job import JobStatus
from qdepot.wire.answers import StatusAnswer


def is_watched() -> bool:
    """True if somebody sees a progress bar: standard error is a terminal, or this is a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


@contextmanager
def job_progress(text: str, *, jobs: int, shown: bool) -> Iterator[OnStatuses | None]:
    """Show how many of these jobs are final, of a single one how many circuits are done.

    Yields what has to be called with their statuses.
    """
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[what]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=jobs, what="")

        def update(known: Mapping[str, StatusAnswer]) -> None:
            done = sum(is_final(one.status) for one in known.values())
            words = Counter(one.status for one in known.values())
            bar.update(task, completed=done, what=", ".join(f"{n} {word}" for word, n in sorted(words.items())))
            for one in known.values() if jobs == 1 else ():
                bar.update(task, total=one.num_circuits or 1, completed=_circuits_done(one), what=one.status)

        yield update


def _circuits_done(status: StatusAnswer) -> int:
    return (status.num_circuits or 1) if status.status == JobStatus.COMPLETED else status.circuits_done
