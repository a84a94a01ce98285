"""Jobs come in and are found."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qdepot.domain.job import Failure, Job, JobStatus, Stage
from qdepot.errors import InvalidRequestError, NotFoundError
from qdepot.ports.ledger import JobExistsError, JobFilter, Ledger
from qdepot.testing.jobs import MADE_AT, accepted, job_id_of, make_job
from qdepot.testing.ledger.fixtures import LedgerFixtures, add

FULL_JOB = Job(
    id=job_id_of(77),
    project="chemistry",
    owner="ada",
    backend="cloud/qpu-1",
    kind="estimator",
    status=JobStatus.RUNNING,
    stage=Stage.COLLECTING,
    created_at=datetime(2029, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    queued_at=datetime(2030, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    running_at=datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC),
    num_circuits=3,
    shots=10**12,
    name="H₂ – π/2 'quoted' \"twice\" %s :x \\",
    tags=("b", "a", "ünï"),
    options={"seed": 2**63, "nested": {"list": [1, 2.5, None, True], "text": "≤"}},
    priority=-3,
    timeout_s=0.25,
    summary={"circuits": [{"num_qubits": 5}]},
    request_sha256="a" * 64,
    idempotency_key_sha256="c" * 64,
    request_key="pending/x/request.json",
    request_index=999,
    prepared=True,
    attempt=4,
    provider_job_id="vendor-1",
    vendor_status="Running (3/7)",
    queue_position=12,
    parts=2,
    circuits_done=17,
    last_poll_error="timed out",
    failures_in_row=2,
    next_try_at=datetime(2030, 1, 1, 0, 1, tzinfo=UTC),
    why="the backend answers slowly",
    cancel_requested=True,
    outcome=JobStatus.FAILED,
    failure=Failure(code="backend_failed", message="no", solution="none", details={"line": 3, "what": ["x"]}),
    result_size_bytes=10**11,
    version=9,
    edits=4,
)
"""Every field that can be set at once differs from its default."""


class Accepting(LedgerFixtures):
    """``add``, ``get``, ``get_many``, ``find_by_idempotency_key``."""

    @pytest.mark.parametrize("job", [make_job(), FULL_JOB], ids=["plain", "full"])
    def test_a_job_comes_back_as_it_was_added(self, ledger: Ledger, job: Job) -> None:
        add(ledger, job)
        assert ledger.get(job.id) == job

    def test_times_come_back_in_utc(self, ledger: Ledger) -> None:
        add(ledger, FULL_JOB)
        assert ledger.get(FULL_JOB.id).created_at.utcoffset() == MADE_AT.utcoffset()

    def test_the_first_event_comes_back_with_a_number(self, ledger: Ledger) -> None:
        job, event = accepted(make_job())
        ledger.add([(job, event)])
        (stored,) = ledger.events(job.id)
        assert stored.number > 0
        assert (stored.at, stored.from_status, stored.to_status, stored.stage, stored.by, stored.why) == (
            event.at,
            "",
            "CREATED",
            "waiting",
            event.by,
            event.why,
        )

    def test_adding_nothing_is_fine(self, ledger: Ledger) -> None:
        ledger.add([])
        assert ledger.page(JobFilter(), limit=10).jobs == ()

    def test_an_unknown_job_is_not_found(self, ledger: Ledger) -> None:
        with pytest.raises(NotFoundError):
            ledger.get(job_id_of(5))

    def test_to_another_project_a_job_is_as_one_that_never_was(self, ledger: Ledger) -> None:
        job = make_job(1, project="mine")
        add(ledger, job)
        assert ledger.get(job.id, project="mine") == job
        with pytest.raises(NotFoundError) as caught:
            ledger.get(job.id, project="theirs")
        with pytest.raises(NotFoundError) as unknown:
            ledger.get(job_id_of(2), project="theirs")
        assert caught.value.message.replace(job.id, "") == unknown.value.message.replace(job_id_of(2), "")

    @pytest.mark.parametrize("nonsense", ["", "x", "%", "'; drop table jobs; --", "a" * 10_000])
    def test_a_nonsense_id_is_not_found(self, ledger: Ledger, nonsense: str) -> None:
        with pytest.raises(NotFoundError):
            ledger.get(nonsense)

    def test_many_jobs_are_got_at_once_and_unknown_ones_left_out(self, ledger: Ledger) -> None:
        jobs = [make_job(number) for number in range(1, 1501)]
        add(ledger, *jobs)
        ids = [*(job.id for job in jobs), job_id_of(9999)]
        assert ledger.get_many(ids) == {job.id: job for job in jobs}
        assert ledger.get_many([]) == {}

    def test_an_id_is_given_once(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        with pytest.raises(JobExistsError) as caught:
            add(ledger, make_job(2), make_job(1, name="another"))
        assert caught.value.details["job_id"] == job_id_of(1)
        assert ledger.get(job_id_of(1)).name == ""

    def test_a_batch_with_one_taken_id_leaves_nothing(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        with pytest.raises(JobExistsError):
            add(ledger, make_job(2), make_job(1), make_job(3))
        assert ledger.get_many([job_id_of(2), job_id_of(3)]) == {}
        assert ledger.events(job_id_of(2)) == []

    def test_a_batch_may_not_hold_an_id_twice(self, ledger: Ledger) -> None:
        with pytest.raises(JobExistsError):
            add(ledger, make_job(1), make_job(1))
        assert ledger.get_many([job_id_of(1)]) == {}

    def test_an_idempotency_key_is_given_once(self, ledger: Ledger) -> None:
        add(ledger, make_job(1, idempotency_key_sha256="k"))
        with pytest.raises(JobExistsError) as caught:
            add(ledger, make_job(2), make_job(3, idempotency_key_sha256="k"))
        assert caught.value.details["job_id"] == job_id_of(1)
        assert ledger.get_many([job_id_of(2), job_id_of(3)]) == {}

    def test_a_batch_may_not_hold_a_key_twice(self, ledger: Ledger) -> None:
        with pytest.raises(JobExistsError):
            add(ledger, make_job(1, idempotency_key_sha256="k"), make_job(2, idempotency_key_sha256="k"))
        assert ledger.get_many([job_id_of(1), job_id_of(2)]) == {}

    def test_other_owners_and_projects_may_use_the_same_key(self, ledger: Ledger) -> None:
        mine = make_job(1, idempotency_key_sha256="k")
        other_owner = make_job(2, idempotency_key_sha256="k", owner="ada")
        other_project = make_job(3, idempotency_key_sha256="k", project="chemistry")
        add(ledger, mine, other_owner, other_project)
        assert ledger.find_by_idempotency_key(project="default", owner="local", key_sha256="k") == mine
        assert ledger.find_by_idempotency_key(project="default", owner="ada", key_sha256="k") == other_owner
        assert ledger.find_by_idempotency_key(project="chemistry", owner="local", key_sha256="k") == other_project

    def test_an_unknown_key_finds_nothing(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        assert ledger.find_by_idempotency_key(project="default", owner="local", key_sha256="k") is None

    @pytest.mark.parametrize("name", ["nul \0 inside", "half a \ud83d pair"])
    def test_text_that_a_database_cannot_hold_is_kept_or_refused(self, ledger: Ledger, name: str) -> None:
        job = make_job(1, name=name)
        try:
            add(ledger, job)
        except InvalidRequestError:
            assert ledger.get_many([job.id]) == {}
        else:
            assert ledger.get(job.id) == job

    def test_after_a_refused_batch_the_next_one_is_taken(self, ledger: Ledger) -> None:
        add(ledger, make_job(1))
        with pytest.raises(JobExistsError):
            add(ledger, make_job(1))
        add(ledger, make_job(2))
        assert ledger.get(job_id_of(2)) == make_job(2)
