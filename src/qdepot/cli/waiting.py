"""Waiting for jobs in front of a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qdepot.cli.output import note
from qdepot.client.progress import job_progress
from qdepot.wire.answers import StatusAnswer

if TYPE_CHECKING:
    from qdepot.client.client import Client
    from qdepot.client.handle import JobHandle


def wait_for(client: Client, jobs: Sequence[JobHandle], timeout_s: float | None) -> list[str]:
    """Wait until all are final, with a progress bar if standard error is a terminal; returns their statuses.

    Raises:
        WaitTimeoutError: Not all are final yet.
    """
    try:
        return _waited(client, jobs, timeout_s)
    except KeyboardInterrupt:
        note(f"No longer waiting; what was submitted goes on: qdepot wait {' '.join(job.id for job in jobs[:3])} ...")
        raise


def _waited(client: Client, jobs: Sequence[JobHandle], timeout_s: float | None) -> list[str]:
    with job_progress("waiting", jobs=len(jobs), shown=sys.stderr.isatty()) as update:
        if len(jobs) > 1:
            return client.wait_all(jobs, timeout_s, on_statuses=update)

        def hear(status: StatusAnswer) -> None:
            if update is not None:
                update({status.id: status})

        return [jobs[0].wait(timeout_s, on_status=hear if update else None)]
