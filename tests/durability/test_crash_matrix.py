"""A process is killed at every point of a job's way; nothing is lost, nothing is paid twice, nothing is left behind."""

from __future__ import annotations

import pytest

from durability.cases import Cases
from durability.kill_points import BY_CHANCE
from durability.ways import CERTAINLY_IN_DOUBT, IN_DOUBT, ROWS, cases_of
from qdepot.domain.job import Stage

pytestmark = pytest.mark.timeout(400)  # the first case of a row waits for them all


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.way.name)
def test_the_points_are_those_of_the_way(row, nursery, clouds, tmp_path):
    seen = Cases(nursery, tmp_path).record(row.way, clouds[row.cloud])
    assert sorted(set(row.points) - seen) == [], "these points are never passed"
    assert sorted(seen - set(row.passes) - BY_CHANCE) == [], "at these points nobody dies"


@pytest.mark.parametrize(("row", "point"), cases_of(ROWS))
def test_a_process_that_dies_here_does_no_harm(row, point, verdicts):
    verdict = verdicts(row)[point]
    assert verdict.died, "the process never came to this point"
    assert verdict.problems == []
    if verdict.job is not None and verdict.job.stage is Stage.IN_DOUBT:
        assert row.cloud == "neither"
        assert point in IN_DOUBT
        assert verdict.submissions <= 1
    else:
        assert verdict.job is None or verdict.job.is_final
        assert verdict.submissions == row.sent


@pytest.mark.parametrize(
    ("row", "point"),
    [(row, point) for row in ROWS if row.cloud == "neither" for point in sorted(CERTAINLY_IN_DOUBT)],
)
def test_where_nobody_can_tell_there_is_a_doubt(row, point, verdicts):
    assert verdicts(row)[point].job.stage is Stage.IN_DOUBT
