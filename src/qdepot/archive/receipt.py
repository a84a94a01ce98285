"""The receipt: the id that a backend gave a job."""

from __future__ import annotations

import json

from qdepot.domain.job import Job

FORMAT = "qdepot-receipt/1"


def receipt_document(job: Job, *, provider_job_id: str) -> bytes:
    """The receipt of one attempt, UTF-8 JSON; the same for the same attempt and id."""
    document = {
        "format": FORMAT,
        "id": job.id,
        "attempt": job.attempt,
        "backend": job.backend,
        "provider_job_id": provider_job_id,
    }
    return json.dumps(document, ensure_ascii=False).encode()
