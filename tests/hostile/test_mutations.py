"""Requests that are almost right, to every route: whatever comes, the mistake is the caller's.

A few hundred of each kind in every run of the tests, thousands of them with the slow tests.
"""

from __future__ import annotations

import time

import pytest

from hostile.mutations import Mutations

FEW, MANY = 250, 5000
PATIENCE_S = 300

COUNTS = [
    pytest.param(FEW, id="few"),
    pytest.param(MANY, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
]


def send(service, mutants) -> list[str]:
    """Send them; what was answered as if the fault were the service's."""
    faults = []
    for mutant in mutants:
        answer = service.http.request(mutant.method, mutant.path, content=mutant.content, headers=mutant.headers)
        if answer.status_code >= 500 or "internal_error" in answer.text:
            faults.append(f"{mutant}\n  -> {answer.status_code} {answer.text[:1000]}")
    return faults


def internal_errors(service) -> list[str]:
    """Jobs that failed as if the fault were the service's, once all have ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        waiting = [
            job
            for status in ("CREATED", "QUEUED", "RUNNING", "CANCELLING")
            for job in service.http.get(f"/v1/jobs?status={status}").json()["jobs"]
        ]
        if not waiting:
            break
        service.http.get(f"/v1/jobs/{waiting[0]['id']}/status?wait=10")
    assert not waiting
    found, cursor = [], ""
    while cursor is not None:
        page = service.http.get(f"/v1/jobs?status=FAILED&limit=200{cursor and f'&cursor={cursor}'}").json()
        for job in page["jobs"]:
            whole = service.http.get(f"/v1/jobs/{job['id']}").json()
            if whole["failure"]["code"] == "internal_error":
                found.append(str(whole))
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize("count", COUNTS)
def test_a_body_that_is_almost_right_is_a_mistake_of_the_caller(service, count):
    assert not send(service, Mutations(seed=count).bodies(count))
    assert not internal_errors(service)
    assert service.is_untouched()


@pytest.mark.parametrize("count", COUNTS)
def test_a_wish_for_a_token_that_is_almost_right_is_a_mistake_of_the_caller(service, count):
    assert not send(service, Mutations(seed=count).tokens(count))
    assert service.http.get("/v1/tokens").status_code == 200
    assert service.is_untouched()


@pytest.mark.parametrize("count", COUNTS)
def test_a_query_that_is_almost_right_is_a_mistake_of_the_caller(service, count):
    assert not send(service, Mutations(seed=count).queries(count))
    assert service.is_untouched()
