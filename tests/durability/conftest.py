"""What the tests of durability share: a nursery, and clouds that outlive all that it starts."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

import pytest

from durability.cases import Cases, Verdict
from durability.processes import nursery as make_nursery
from durability.ways import Row
from support.cloud_server import cloud_server

ABILITIES = {
    "key": ["--takes-key"],
    "tag": ["--finds-by-tag", "--visibility-delay-s", "0.3"],
    "neither": [],
}


@pytest.fixture(scope="session")
def nursery():
    with make_nursery() as made:
        yield made


@pytest.fixture(scope="session")
def clouds(tmp_path_factory):
    """Paid clouds by what they can do."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(cloud_server(tmp_path_factory.mktemp(name), *options))
            for name, options in ABILITIES.items()
        }


@pytest.fixture(scope="module")
def lab_settings():
    """Where the labs of a module keep what they keep: SQLite and a local folder, unless the module says otherwise."""
    return lambda name: {}


@pytest.fixture(scope="module")
def verdicts(request, nursery, clouds, lab_settings, tmp_path_factory):
    """The verdicts of a row; all its cases that were asked for run at the first question."""
    cases = Cases(nursery, tmp_path_factory.mktemp("labs"), lab_settings)
    known: dict[str, dict[str, Verdict]] = {}

    def of(row: Row) -> dict[str, Verdict]:
        if row.way.name not in known:
            points = dict.fromkeys(point for chosen, point in _chosen(request.session.items) if chosen is row)
            known[row.way.name] = cases.run_all(row.way, clouds[row.cloud], list(points))
        return known[row.way.name]

    return of


def _chosen(items: Iterable[pytest.Item]) -> Iterable[tuple[Row, str]]:
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if "row" in given and "point" in given:
            yield given["row"], given["point"]
