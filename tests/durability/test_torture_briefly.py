"""The torture itself works, in a form that fits into a test: all on one SQLite file, for seconds."""

from __future__ import annotations

import pytest

from durability.torture import parsed, tortured


@pytest.mark.timeout(300)
@pytest.mark.parametrize("cloud", ["key", pytest.param("tag", marks=pytest.mark.slow)])
def test_a_fleet_on_one_file_survives(cloud, tmp_path):
    given = parsed(
        ["--minutes", "0.25", "--jobs", "40", "--kills", "10", "--on", "sqlite", "--cloud", cloud, "--seed", "1"]
    )
    report = tortured(tmp_path, given=given)
    audit = report.audit
    assert audit.problems == []
    assert audit.acknowledged == 40
    assert audit.jobs == 40 - audit.deleted
    assert audit.otherwise == 0
    assert report.figures["jobs of which a rebuild tells otherwise"] == 0
    assert audit.in_doubt == 0
    assert report.figures["kills"] + report.figures["stops"] + report.figures["faults"] >= 10
