"""Projects never meet: not in jobs, lists, keys, nor in ids that clients choose."""

from __future__ import annotations

import json

import pytest

from qdepot.domain.caller import Role, Scope
from support.people import PROJECT, bearer
from support.web import Bench, body, problem

AN_ID = "0b5f8f6e-3c55-4bb0-9f0a-0f5a3c1d2e3f"


@pytest.fixture
def bench(build) -> Bench:
    return build(authentication=True)


@pytest.fixture
def mine(bench):
    return bearer(bench, "ada").headers


@pytest.fixture
def mate(bench):
    """Of the same project."""
    return bearer(bench, "bob").headers


@pytest.fixture
def theirs(bench):
    """Of another project, and so called as I am."""
    return bearer(bench, "ada", project="elsewhere").headers


def submit(bench, headers, **more):
    response = bench.post("/v1/jobs", json=body(**more), headers=headers)
    assert response.status_code == 201, response.text
    return response.json()


def test_a_job_belongs_to_the_tokens_user_and_project(bench, mine):
    job = submit(bench, mine)
    assert (job["owner"], job["project"]) == ("ada", PROJECT)
    assert next(bench.world.pending.scan()).key.startswith(f"{PROJECT}/")


def test_each_project_lists_its_own_jobs_alone(bench, mine, mate, theirs):
    ids = {submit(bench, headers)["id"] for headers in (mine, mate)}
    other = submit(bench, theirs)["id"]

    def listed(headers, query=""):
        return {job["id"] for job in bench.get(f"/v1/jobs{query}", headers=headers).json()["jobs"]}

    assert listed(mine) == listed(mate) == ids
    assert listed(theirs) == {other}
    for query in ("?backend=scripted_qpu", "?status=CREATED", "?limit=1"):
        assert other not in listed(mine, query)


def test_the_cursor_of_a_list_shows_nothing_of_another(bench, mine, theirs):
    for _ in range(3):
        submit(bench, mine)
    other = submit(bench, theirs)["id"]
    cursor = bench.get("/v1/jobs?limit=1", headers=mine).json()["next_cursor"]
    found = bench.get(f"/v1/jobs?cursor={cursor}", headers=theirs).json()["jobs"]
    assert {job["id"] for job in found} <= {other}


def test_statuses_of_anothers_jobs_are_left_out(bench, mine, theirs):
    job_id = submit(bench, mine)["id"]
    assert bench.post("/v1/statuses", json={"ids": [job_id]}, headers=theirs).json() == {"statuses": []}
    assert len(bench.post("/v1/statuses", json={"ids": [job_id]}, headers=mine).json()["statuses"]) == 1


def test_nobody_waits_for_anothers_job(bench, mine, theirs):
    job_id = submit(bench, mine)["id"]
    problem(bench.get(f"/v1/jobs/{job_id}/status?wait=0.2&known=CREATED", headers=theirs), 404, "not_found")


def test_a_deleted_job_is_gone_for_its_project_and_never_was_for_others(bench, mine, theirs):
    job = bench.finish(bench.world.ledger.get(submit(bench, mine)["id"]))
    assert bench.request("DELETE", f"/v1/jobs/{job.id}", headers=mine).status_code == 204
    problem(bench.get(f"/v1/jobs/{job.id}", headers=mine), 410, "gone")
    gone = bench.get(f"/v1/jobs/{job.id}", headers=theirs)
    unknown = bench.get(f"/v1/jobs/{AN_ID}", headers=theirs)
    problem(gone, 404, "not_found")
    assert gone.text.replace(job.id, "") == unknown.text.replace(AN_ID, "")


def test_one_key_makes_a_job_for_each_user_of_each_project(bench, mine, mate, theirs):
    made = []
    for headers in (mine, mate, theirs, mine):
        response = bench.post("/v1/jobs", json=body(), headers={**headers, "Idempotency-Key": "k"})
        made.append((response.status_code, response.json()["id"]))
    assert [status for status, _ in made] == [201, 201, 201, 200]
    assert made[0][1] == made[3][1]
    assert len({job_id for _, job_id in made}) == 3


def test_a_key_is_its_users_whichever_token_it_comes_with(bench, mine):
    other_token = bearer(bench, "ada").headers
    answers = [
        bench.post("/v1/jobs", json=body(), headers={**headers, "Idempotency-Key": "k"}).json()["id"]
        for headers in (mine, other_token)
    ]
    assert len(set(answers)) == 1


def test_an_id_that_another_project_holds_or_held_is_refused_in_the_same_words(bench, mine, theirs):
    """Whoever knows the id learns that it cannot be used, and nothing else."""

    def put(headers):
        return bench.request("PUT", f"/v1/jobs/{AN_ID}", json=body(), headers=headers)

    assert put(mine).status_code == 201
    alive = put(theirs)
    bench.finish(bench.world.ledger.get(AN_ID))
    ended = put(theirs)
    assert bench.request("DELETE", f"/v1/jobs/{AN_ID}", headers=mine).status_code == 204
    deleted = put(theirs)
    problem(alive, 409, "conflict")
    assert alive.text == ended.text == deleted.text
    for word in (PROJECT, "ada", "CREATED", "deleted"):
        assert word not in alive.text
    problem(put(mine), 410, "gone")
    assert [info.key for info in bench.world.pending.scan()] == []


def test_a_mate_sees_and_manages_the_projects_jobs(bench, mine, mate):
    job_id = submit(bench, mine)["id"]
    assert bench.get(f"/v1/jobs/{job_id}", headers=mate).status_code == 200
    assert bench.post(f"/v1/jobs/{job_id}/cancel", headers=mate).status_code in {200, 202}
    assert bench.world.ledger.events(job_id)[-1].by == "bob"


class TestTokensOverTheApi:
    def create(self, bench, headers, **wish):
        return bench.post("/v1/tokens", json=wish, headers=headers)

    def test_a_new_token_works_and_is_shown_once(self, bench, mine):
        made = self.create(bench, mine, name="laptop").json()
        me = bench.get("/v1/me", headers={"Authorization": f"Bearer {made['token']}"}).json()
        assert (me["user"], me["project"], me["token"]["name"]) == ("ada", PROJECT, "laptop")
        assert made["token"] not in bench.get("/v1/tokens", headers=mine).text
        assert made["token"].rpartition("_")[2] not in json.dumps(me)

    def test_a_revoked_token_is_worth_nothing_from_the_next_request_on(self, bench, mine):
        made = self.create(bench, mine).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert bench.get("/v1/jobs", headers=headers).status_code == 200
        assert bench.request("DELETE", f"/v1/tokens/{made['id']}", headers=mine).status_code == 204
        problem(bench.get("/v1/jobs", headers=headers), 401, "token_revoked")

    def test_a_token_can_revoke_itself(self, bench, mine):
        made = self.create(bench, mine).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert bench.request("DELETE", f"/v1/tokens/{made['id']}", headers=headers).status_code == 204
        problem(bench.get("/v1/me", headers=headers), 401, "token_revoked")

    @pytest.mark.parametrize(
        ("wish", "status", "code"),
        [
            ({"role": "admin"}, 403, "permission_denied"),
            ({"user": "bob"}, 403, "permission_denied"),
            ({"project": "elsewhere"}, 403, "permission_denied"),
            ({"role": "viewer", "scopes": ["jobs:submit"]}, 422, "invalid_request"),
            ({"role": "king"}, 422, "invalid_request"),
            ({"user": "a b"}, 422, "invalid_request"),
            ({"project": "../x"}, 422, "invalid_request"),
            ({"expires_at": "2000-01-01T00:00:00Z"}, 422, "invalid_request"),
            ({"expires_at": "2050-01-01T00:00:00"}, 422, "invalid_request"),
            ({"expires_at": 2524608000}, 422, "invalid_request"),
            ({"expires_at": "2524608000"}, 422, "invalid_request"),
            ({"token": "x"}, 422, "invalid_request"),
        ],
    )
    def test_what_may_not_be_is_refused(self, bench, mine, wish, status, code):
        before = len(bench.register.list_all())
        problem(self.create(bench, mine, **wish), status, code)
        assert len(bench.register.list_all()) == before

    def test_tokens_are_listed_to_whom_they_concern(self, bench, mine, mate, theirs):
        admin = bearer(bench, "root", role=Role.ADMIN, scopes=Role.ADMIN.scopes).headers
        operator = bearer(bench, "ops", project="default", role=Role.ADMIN, scopes=frozenset(Scope)).headers

        def users(headers, query=""):
            tokens = bench.get(f"/v1/tokens{query}", headers=headers).json()["tokens"]
            return {(token["project"], token["user"]) for token in tokens}

        assert users(mine) == {(PROJECT, "ada")}
        assert users(admin) == {(PROJECT, "ada"), (PROJECT, "bob"), (PROJECT, "root")}
        assert users(operator, "?project=elsewhere") == {("elsewhere", "ada")}
        problem(bench.get("/v1/tokens?project=elsewhere", headers=admin), 403, "permission_denied")

    def test_a_parameter_that_is_none_is_not_passed_over(self, bench, mine):
        problem(bench.get("/v1/tokens?projekt=elsewhere", headers=mine), 422, "invalid_request")
        job_id = submit(bench, mine)["id"]
        problem(bench.get(f"/v1/jobs/{job_id}/events?from=3", headers=mine), 422, "invalid_request")

    def test_the_last_use_is_shown(self, bench, mine):
        bench.get("/v1/me", headers=mine)
        [token] = bench.get("/v1/tokens", headers=mine).json()["tokens"]
        assert token["last_used_at"] is not None
