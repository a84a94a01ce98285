"""A group shares a service: the first token, a log-in, a fresh notebook that finds everything."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import httpx
import pytest

from support.fake_api import BELL
from support.service import QDEPOT

TOKEN = re.compile(r"qdp_[0-9a-f]{16}_[\w-]{48}")
LATER = """
import qdepot
with qdepot.Client() as client:
    job = next(iter(client.jobs(limit=1)))
    print(job.id, sorted(job.result()[0].counts))
"""


@pytest.fixture
def user(tmp_path):
    """Runs programs of one user, who has a folder of settings of their own."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
            cwd=home,
        )

    return run


def first_token(service) -> str:
    [token] = TOKEN.findall("".join(service.output))
    return token


def made(run, *options: str) -> str:
    done = run(QDEPOT, "tokens", "create", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def logged_in(run, url: str, token: str) -> None:
    done = run(QDEPOT, "login", url, "--token-stdin", stdin=token)
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr


def test_who_logs_in_once_finds_everything_after_a_restart_in_a_fresh_notebook(services, user, tmp_path):
    service = services(QDEPOT_AUTH="tokens")
    logged_in(user, service.url, first_token(service))
    ada = made(user, "laptop", "--user", "ada", "--project", "lab")
    (tmp_path / "home" / "bell.qasm").write_text(BELL)
    logged_in(user, service.url, ada)
    done = user(QDEPOT, "submit", "--wait", "bell.qasm")
    assert done.returncode == 0, done.stderr
    [job] = json.loads(user(QDEPOT, "jobs", "--json").stdout)["jobs"]
    job_id = job["id"]

    assert service.stop() == 0
    output = "".join(service.output)
    assert ada not in output
    service.start()
    assert len(TOKEN.findall("".join(service.output))) == 1  # of the first start
    logged_in(user, service.url, ada)  # the tests' port is another one now
    assert user(sys.executable, "-c", LATER).stdout.split()[0] == job_id
    with httpx.Client(base_url=service.url) as nobody:
        assert nobody.get(f"/v1/jobs/{job_id}").status_code == 401


def test_who_is_locked_out_makes_a_token_on_the_machine_of_the_service(services, user):
    service = services(QDEPOT_AUTH="tokens", QDEPOT_ADMIN_TOKEN_FILE="first-token")
    assert TOKEN.findall("".join(service.output)) == []
    rescue = made(user, "rescue", "--local", "--data", str(service.data), "--service-admin", "--user", "ada")
    headers = {"Authorization": f"Bearer {rescue}"}
    me = httpx.get(f"{service.url}/v1/me", headers=headers).json()
    assert (me["user"], "service:admin" in me["scopes"]) == ("ada", True)
    done = user(QDEPOT, "tokens", "revoke", me["token"]["id"], "--local", "--data", str(service.data))
    assert done.returncode == 0
    listed = user(QDEPOT, "tokens", "list", "--local", "--data", str(service.data)).stdout
    assert "revoked" in listed
    assert (service.data / "first-token").read_text().strip() not in listed


def test_of_two_services_on_one_database_one_makes_the_first_token(services):
    one = services("data", QDEPOT_AUTH="tokens")
    database = f"sqlite:///{one.data}/ledger.db"
    other = services("other", "--no-reconciler", QDEPOT_AUTH="tokens", QDEPOT_LEDGER=database, ready=False)
    assert TOKEN.findall("".join(other.output)) == []
    headers = {"Authorization": f"Bearer {first_token(one)}"}
    assert httpx.get(f"{other.url}/v1/me", headers=headers).json()["user"] == "admin"
