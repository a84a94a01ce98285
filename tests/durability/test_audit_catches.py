"""The audit sees each thing that it is to see: a qdepot is made to break a promise, and the audit must say so."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter

import pytest

from durability.afterthoughts import Afterthoughts, Asked
from durability.audit import audited
from durability.lab import counts_of
from durability.lab import order as document_of
from durability.users import Users, Wish
from qdepot.archive import layout
from qdepot.domain.job import Duty, JobStatus, Stage
from qdepot.domain.program import Program
from qdepot.reconciler.cleaner import Cleaner
from qdepot.reconciler.rescuer import Rescuer
from qdepot.services.orders import JobOrder
from support.world import ME, World, make_world

JOBS = 3


@pytest.fixture
def world():
    made = make_world()
    yield made
    made.pool.close()


class Told(Users):
    """Users who ask without a network."""

    def submit(self, world: World, number: int) -> str:
        document = document_of(number)
        order = JobOrder(
            body=json.dumps(document).encode(),
            backend=document["backend"],
            program=Program.from_document(document["program"]),
            name=document["name"],
        )
        job = world.jobs().submit(order, caller=ME, idempotency_key=f"key {number}").job
        self.accepted[job.id] = Wish(number=number, document=document, ends=frozenset({JobStatus.COMPLETED}))
        return job.id


@pytest.fixture
def users(world):
    made = Told(urls=list, chance=random.Random(1), asked=JOBS)
    for number in range(JOBS):
        made.submit(world, number)
    return made


def home(world):
    world.bring_home(world.process(), seconds=150)


def lose_the_answers(world):
    """The cloud has all jobs, and nobody hears of it."""
    world.cloud.script.lose_answer = True
    world.process().run(Duty.PREPARE)
    world.process().run(Duty.SUBMIT)
    world.cloud.script.lose_answer = False


def audit(world, users):
    return audited(world.ledger, world.archive, users=users, submissions=Counter(world.cloud.submissions))


def test_what_went_well_has_no_problems(world, users):
    home(world)
    found = audit(world, users)
    assert found.problems == []
    assert (found.jobs, found.acknowledged, found.in_doubt, found.orphans) == (JOBS, JOBS, 0, 0)
    assert found.ends == {"COMPLETED": JOBS}


def test_a_submitter_that_sends_twice_is_caught(world, users, monkeypatch):
    """The rescuer sends again whatever it finds, as if every backend could take a job twice."""
    monkeypatch.setattr(Rescuer, "_rescued", lambda rescuer, job: rescuer._again(job, "sent again"))
    lose_the_answers(world)
    home(world)
    found = audit(world, users)
    assert len(found.double_submitted) == JOBS
    assert all("was sent 2 times" in line for line in found.double_submitted)


def test_where_the_answer_was_lost_the_real_rescuer_leaves_a_doubt(world, users):
    lose_the_answers(world)
    home(world)
    found = audit(world, users)
    assert (found.problems, found.in_doubt) == ([], JOBS)


def test_a_job_that_is_gone_is_caught(world, users):
    home(world)
    job_id = next(iter(users.accepted))
    job = world.ledger.get(job_id)
    world.ledger.delete(job, at=world.clock.now())
    found = audit(world, users)
    assert found.lost == ["wish 0 has no job"]
    assert any(f"the cloud has job {job_id}" in line for line in found.contradictions)
    assert any(f"{job_id}.zip: it belongs to no job" in line for line in found.contradictions)


def test_a_job_that_does_not_end_is_caught(world, users):
    home(world)
    users.asked += 1
    users.submit(world, JOBS)
    [line] = audit(world, users).lost
    assert "is CREATED" in line


def test_a_wish_that_was_never_acknowledged_is_caught(world, users):
    home(world)
    users.asked += 1
    assert audit(world, users).lost == ["1 wishes were never acknowledged"]


def test_a_wish_with_two_jobs_is_caught(world, users):
    twin = Told(urls=list, chance=random.Random(1)).submit(world, 99)
    users.accepted[twin] = next(iter(users.accepted.values()))
    home(world)
    assert "wish 0 has 2 jobs" in audit(world, users).double_accepted


def test_a_job_that_nobody_asked_for_is_caught(world, users):
    stranger = Told(urls=list, chance=random.Random(1)).submit(world, 99)
    home(world)
    assert audit(world, users).double_accepted == [f"job {stranger}: nobody was told of it"]


def test_another_result_is_caught(world, users):
    job_id, wish = next(iter(users.accepted.items()))
    users.accepted[job_id] = dataclasses.replace(wish, document={**document_of(17), "name": "job 0"})
    assert counts_of(document_of(17)["program"]) != wish.counts
    home(world)
    [line] = audit(world, users).wrong
    assert f"job {job_id} has the result" in line


def test_another_end_is_caught(world, users):
    world.cloud.script.forget_all = True
    home(world)
    assert len([line for line in audit(world, users).wrong if "is FAILED" in line]) == JOBS


def test_a_job_that_was_cancelled_though_nobody_asked_is_caught(world, users):
    job_id = next(iter(users.accepted))
    world.jobs().cancel(job_id, caller=ME)
    home(world)
    found = audit(world, users)
    assert found.otherwise == 1
    assert [line for line in found.wrong if job_id in line and "cancel asked False" in line]
    assert f"the end of job {job_id} was requested, and nobody did" in found.wrong


def test_a_cancel_that_was_asked_for_is_no_problem(world, users):
    job_id = next(iter(users.accepted))
    users.afterthoughts = Afterthoughts(urls=list, chance=users.chance, asked={job_id: Asked(cancel=True)})
    world.jobs().cancel(job_id, caller=ME)
    home(world)
    assert audit(world, users).problems == []


def test_an_edit_that_was_lost_is_caught(world, users):
    job_id = next(iter(users.accepted))
    asked = {job_id: Asked(name="new", tags=["mine"])}
    users.afterthoughts = Afterthoughts(urls=list, chance=users.chance, asked=asked)
    world.jobs().edit(job_id, caller=ME, name="new")
    home(world)
    assert audit(world, users).wrong == [f"job {job_id} has the tags (), not ['mine']"]


def test_a_deleted_job_that_is_there_is_caught(world, users):
    home(world)
    kept, gone = list(users.accepted)[:2]
    users.afterthoughts = Afterthoughts(
        urls=list, chance=users.chance, asked={kept: Asked(deleted=True), gone: Asked(deleted=True)}
    )
    world.jobs().delete(gone, caller=ME)
    assert audit(world, users).problems == [f"job {kept} was deleted, and is COMPLETED"]


def test_a_result_of_a_job_that_never_was_at_the_cloud_is_caught(world, users):
    home(world)
    world.cloud.submissions.clear()
    assert len([line for line in audit(world, users).wrong if "never was at the cloud" in line]) == JOBS


def test_bytes_that_changed_are_caught(world, users):
    home(world)
    job = world.ledger.get(next(iter(users.accepted)))
    content = bytearray(world.completed.get(job.result_key))
    content[len(content) // 2] ^= 1
    world.completed.replace(job.result_key, bytes(content))
    assert any(job.id in line for line in audit(world, users).contradictions)


def test_pending_copies_that_a_cleaner_left_are_caught(world, users, monkeypatch):
    monkeypatch.setattr(Cleaner, "run_once", _note_without_removing)
    home(world)
    found = audit(world, users)
    assert found.orphans == 0
    assert len([line for line in found.contradictions if ".request.json" in line]) == JOBS


def _note_without_removing(cleaner: Cleaner) -> int:
    jobs = cleaner.desk.claim(Duty.CLEAN)
    cleaner.desk.save([job.edited(pending_removed=True) for job in jobs])
    return len(jobs)


def test_a_request_that_no_row_was_made_for_is_counted_apart(world, users):
    home(world)
    job = world.ledger.get(next(iter(users.accepted)))
    key = layout.request_key(job.project, job.created_at, "00000000-0000-7000-8000-000000000000")
    world.pending.create(key, b"{}")
    found = audit(world, users)
    assert (found.orphans, found.problems) == (1, [])


def test_a_row_that_contradicts_itself_is_caught(world, users, monkeypatch):
    home(world)
    monkeypatch.setattr(type(world.ledger), "counts", lambda ledger: {JobStatus.COMPLETED: 7})
    assert any("counts() says" in line for line in audit(world, users).contradictions)
    assert not any(job.stage is Stage.IN_DOUBT for job in [world.ledger.get(it) for it in users.accepted])
