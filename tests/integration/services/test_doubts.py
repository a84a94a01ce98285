"""A person ends a doubt."""

from __future__ import annotations

import pytest

from qdepot.domain.job import JobStatus, Stage
from qdepot.errors import ConflictError
from qdepot.services.doubts import Doubts
from support.rebuilding import lose_the_answer
from support.world import ME, World


@pytest.fixture
def doubts(world: World):
    return Doubts(
        jobs=world.jobs(),
        ledger=world.ledger,
        archive=world.archive,
        clock=world.clock,
        on_work=lambda jobs: None,
    )


@pytest.fixture
def doubtful(world: World):
    """A job that the cloud has, and nobody can find there."""
    job = lose_the_answer(world)
    world.bring_home(world.process(), seconds=3)
    assert world.job(job).stage is Stage.IN_DOUBT
    return job


def test_an_adopted_job_comes_home(world: World, doubts, doubtful):
    adopted = doubts.adopt(doubtful.id, "cloud-1", caller=ME)
    assert (adopted.status, adopted.provider_job_id) == (JobStatus.QUEUED, "cloud-1")
    world.bring_home(world.process())
    assert world.job(doubtful).status is JobStatus.COMPLETED
    assert len(world.cloud.submissions) == 1


def test_a_resubmitted_job_is_a_new_attempt_with_a_tag_of_its_own(world: World, doubts, doubtful):
    doubts.resubmit(doubtful.id, caller=ME)
    world.bring_home(world.process())
    assert world.job(doubtful).status is JobStatus.COMPLETED
    assert world.cloud.submissions == [f"{doubtful.id}.1", f"{doubtful.id}.2"]


def test_a_job_given_up_fails_with_the_reason(world: World, doubts, doubtful):
    doubts.fail(doubtful.id, caller=ME)
    world.bring_home(world.process(), seconds=3)
    job = world.job(doubtful)
    assert job.status is JobStatus.FAILED
    assert job.failure is not None
    assert job.failure.code == "given_up"
    assert len(world.cloud.submissions) == 1


@pytest.mark.parametrize("decide", ["adopt", "resubmit", "fail"])
def test_only_a_doubt_can_be_decided(world: World, doubts, decide):
    job = world.submit()
    arguments = ("cloud-1",) if decide == "adopt" else ()
    with pytest.raises(ConflictError, match="nothing to decide"):
        getattr(doubts, decide)(job.id, *arguments, caller=ME)
