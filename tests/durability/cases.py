"""One case of the crash matrix: a job on its way, a process that dies at one point, and what must be true after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from durability.lab import Lab, counts_of, is_settled, order, result_of, until
from durability.processes import Nursery
from qdepot.domain.job import Job, JobStatus, Stage
from qdepot.testing.archive import archive_problems
from qdepot.testing.ledger.validate import validate_ledger
from support.cloud_server import CloudServer

AT_ONCE = 6
SETTINGS = {"lease_s": 1.5, "idle_interval_s": 0.1, "send_deadline_s": 0.5}


@dataclass(frozen=True, kw_only=True)
class Way:
    """What a user wants of a job.

    Attributes:
        name: For people.
        backend: Where it goes.
        says: What the cloud says of it.
        circuits: How many.
        takes_s: How long a simulation of each takes.
        ends: How it may end.
        then: What else the user asks for, once the job has come as far as it goes by itself.
        goes_to: When that is.
    """

    name: str
    backend: str = "scripted_qpu"
    says: str = "Completed"
    circuits: int = 1
    takes_s: float = 0.0
    ends: frozenset[JobStatus] = frozenset({JobStatus.COMPLETED})
    then: Callable[[Lab, str], None] | None = None
    goes_to: Callable[[Job], bool] = is_settled

    def order(self, number: int) -> dict[str, Any]:
        """What is submitted."""
        return order(number, backend=self.backend, says=self.says, circuits=self.circuits, takes_s=self.takes_s)


@dataclass
class Verdict:
    """What became of a case.

    Attributes:
        died: The process reached its point.
        job: As it is in the end; None if it was deleted.
        problems: What must not be.
        orphans: Request objects of submits that were never answered.
        submissions: How often the cloud took it.
    """

    died: bool
    job: Job | None = None
    problems: list[str] = field(default_factory=list)
    orphans: int = 0
    submissions: int = 0


@dataclass(frozen=True)
class Cases:
    """Runs cases, each in a lab of its own.

    Attributes:
        nursery: Where processes come from.
        folder: Where labs are made.
        settings: Gives the settings of a lab, beside those of its cloud.
    """

    nursery: Nursery
    folder: Path
    settings: Callable[[str], dict[str, Any]] = lambda name: {}

    def run_all(self, way: Way, cloud: CloudServer, points: Sequence[str]) -> dict[str, Verdict]:
        """A case for each point, several at a time."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            verdicts = threads.map(lambda item: self.run(way, cloud, item[1], number=item[0]), enumerate(points))
            return dict(zip(points, verdicts, strict=True))

    def record(self, way: Way, cloud: CloudServer) -> set[str]:
        """All that is noted while nothing dies."""
        lab = self._lab(f"{way.name} recorded", cloud)
        notes = lab.folder / "notes"
        lab.serve(record=notes)
        job_id = self._go(lab, way, number=0)
        lab.end_all()
        verdict = self._judge(lab, way, cloud, job_id, number=0)
        assert not verdict.problems, verdict.problems
        return set(notes.read_text().splitlines())

    def run(self, way: Way, cloud: CloudServer, point: str, *, number: int) -> Verdict:
        """One case."""
        lab = self._lab(f"{way.name} {point}", cloud)
        mortal = lab.serve(kill=point)
        try:
            job_id = self._go(lab, way, number=number)
            lab.end_all()
            verdict = self._judge(lab, way, cloud, job_id, number=number)
        except Exception as error:  # the verdict of this case; the others go on
            lab.end_all()
            verdict = Verdict(died=False, problems=[f"{type(error).__name__}: {error}"])
        verdict.died = mortal.status == -9
        return verdict

    def _lab(self, name: str, cloud: CloudServer) -> Lab:
        folder = self.folder / re.sub(r"\W+", "-", name)
        folder.mkdir()
        providers = {"scripted": {"url": cloud.url}, "aer": {"part_interval_s": 0.05}}
        settings = {**SETTINGS, "providers": providers, **self.settings(name)}
        return Lab(self.nursery, folder, settings)

    def _go(self, lab: Lab, way: Way, *, number: int) -> str:
        """Submit, and wait until all has come to its end, whoever has to be started for it."""
        job_id = lab.submit(way.order(number), key=f"key {number}")
        with lab.opened() as (ledger, _):
            lab.wait_for(lambda: way.goes_to(ledger.get(job_id)), reconcile=bool(number % 2))
            if way.then is not None:
                way.then(lab, job_id)
                lab.wait_for(
                    lambda: all(is_settled(job) for job in ledger.get_many([job_id]).values()),
                    reconcile=bool(number % 2),
                )
        return job_id

    def _judge(self, lab: Lab, way: Way, cloud: CloudServer, job_id: str, *, number: int) -> Verdict:
        with lab.opened() as (ledger, archive):
            job = ledger.get_many([job_id]).get(job_id)
            verdict = Verdict(died=False, job=job, submissions=_count(cloud, job_id))
            if job is not None and job.status is JobStatus.COMPLETED:
                wanted = counts_of(way.order(number)["program"])
                if result_of(archive, job) != wanted:
                    verdict.problems.append(f"its result is not {wanted}")
            if job is not None and job.stage is not Stage.IN_DOUBT and job.status not in way.ends:
                verdict.problems.append(f"it is {job.status}/{job.stage}: {job.why}")
            if verdict.submissions > 1:
                verdict.problems.append(f"it was submitted {verdict.submissions} times")
            validate_ledger(ledger)
            for problem in archive_problems(archive, ledger):
                if lab.unanswered and re.search(r"pending \S+\.request\.json: it belongs to no job", problem):
                    verdict.orphans += 1
                else:
                    verdict.problems.append(problem)
        return verdict


def _count(cloud: CloudServer, job_id: str) -> int:
    return sum(times for tag, times in cloud.submissions().items() if tag.startswith(job_id))


__all__ = ["Cases", "Verdict", "Way", "until"]
