"""A process is killed at every point of a job's way; nothing is lost, nothing is paid twice, nothing is left behind."""

from __future__ import annotations

import pytest

from durability.cases import Cases
from durability.kill_points import BY_CHANCE
from durability.ways import IN_DOUBT, ROWS, Row
from qdepot.domain.job import Stage

pytestmark = pytest.mark.timeout(400)  # the first case of a row waits for them all


@pytest.fixture(scope="module")
def verdicts(nursery, clouds, tmp_path_factory):
    """The verdicts of a row; all its cases run at the first question."""
    cases = Cases(nursery, tmp_path_factory.mktemp("labs"))
    known = {}

    def of(row: Row):
        if row.way.name not in known:
            known[row.way.name] = cases.run_all(row.way, clouds[row.cloud], row.points)
        return known[row.way.name]

    return of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.way.name)
def test_the_points_are_those_of_the_way(row, nursery, clouds, tmp_path):
    seen = Cases(nursery, tmp_path).record(row.way, clouds[row.cloud])
    assert sorted(set(row.points) - seen) == [], "these points are never passed"
    assert sorted(seen - set(row.passes) - BY_CHANCE) == [], "at these points nobody dies"


@pytest.mark.parametrize(
    ("row", "point"), [pytest.param(row, point, id=f"{row.way.name}-{point}") for row in ROWS for point in row.points]
)
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


def test_where_nobody_can_tell_there_is_a_doubt(verdicts):
    row = next(row for row in ROWS if row.cloud == "neither")
    for point in ("before cloud.submit", "after cloud.submit", "before pending.create receipt"):
        assert verdicts(row)[point].job.stage is Stage.IN_DOUBT
