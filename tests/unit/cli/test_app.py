from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from qdepot.cli.app import build_app
from support.fake_api import problem

QDEPOT = [sys.executable, "-c", "from qdepot.cli import main; main()"]


def in_a_process(*arguments, **environment):
    return subprocess.run(
        [*QDEPOT, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "QDEPOT_URL": "http://127.0.0.1:9", **environment},
    )


def test_backends_are_listed(run):
    header, row = run("backends").out.splitlines()
    assert header.split()[0] == "backend"
    assert row.split()[:3] == ["aer", "any", "simulator"]
    assert json.loads(run("backends", "--json").out)["backends"][0]["name"] == "aer"


def test_backends_are_found_by_a_part_of_their_name(run):
    assert run("backends", "--search", "AE").out.splitlines()[1].split()[0] == "aer"
    none = run("backends", "--search", "torino")
    assert (none.code, none.out) == (0, "")
    assert "'torino'" in none.err


def test_one_backend_is_shown_with_all_facts(run):
    assert "max_shots" in run("backends", "aer").out
    assert json.loads(run("backends", "aer", "--json").out)["name"] == "aer"
    done = run("backends", "nowhere")
    assert (done.code, done.out) == (3, "")
    assert "there is no backend 'nowhere'" in done.err


def test_the_service_says_what_it_is(run):
    shown = run("version").out
    assert "API 1.0" in shown
    assert "max_body_bytes: 100\nrequests_per_s: no limit\n" in shown
    assert json.loads(run("version", "--json").out)["packages"] == {"qiskit": "2.6.2"}


def test_help_explains_the_exit_codes(run):
    done = run("--help")
    assert done.code == 0
    assert "130 interrupted" in " ".join(done.out.split())
    assert run().code == 2


def test_the_version_is_that_of_the_package(run):
    assert run("--version").out.startswith("qdepot 0.")


def test_url_goes_before_the_environment(run, api, monkeypatch):
    monkeypatch.setenv("QDEPOT_URL", "http://from.environment")
    run("backends")
    run("--url", "http://from.option:1", "backends")
    assert [str(request.url) for request in api.seen] == [
        "http://from.environment/v1/backends",
        "http://from.option:1/v1/backends",
    ]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(503, "unavailable"), 4),
        (problem(403, "permission_denied"), 6),
        (problem(500, "internal_error"), 70),
        (httpx.Response(200, text="<html>"), 2),
        (httpx.ConnectError("refused"), 4),
    ],
)
def test_problems_end_with_their_code_and_without_a_traceback(run, api, answer, code):
    api.faults.extend([answer] * 10)
    done = run("backends")
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("Error: ")
    assert "Traceback" not in done.err


def test_a_mistake_of_ours_is_called_so_and_shown_whole_only_if_wished(run, monkeypatch):
    def broken(*_):
        raise RuntimeError("oops")

    monkeypatch.setattr("qdepot.client.client.Client.backends", broken)
    done = run("backends")
    assert (done.code, done.out) == (70, "")
    assert "Internal error: RuntimeError: oops" in done.err
    assert "Traceback" not in done.err
    assert "Traceback" in run("--debug", "backends").err


def test_a_service_that_is_not_there_is_an_error_in_words():
    done = in_a_process("jobs", "--json")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("Error: no service answers at http://127.0.0.1:9")
    assert "What to do: Start one with `qdepot serve`" in done.stderr


def test_a_wrong_address_is_wrong_usage():
    done = in_a_process("jobs", QDEPOT_URL="127.0.0.1:8484")
    assert done.returncode == 2
    assert "not a plain http:// or https:// URL" in done.stderr


def test_help_holds_no_escape_codes_in_a_pipe():
    done = in_a_process("submit", "--help", NO_COLOR="1")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_every_command_that_prints_results_knows_json(run):
    without = {"serve", "config", "health", "login", "logout", "reconcile"}
    for command in build_app().registered_commands:
        name = command.callback.__name__
        if name not in without:
            assert "--json" in run(name, "--help").out, name


def test_a_reader_that_leaves_early_is_no_reason_for_a_traceback():
    code = (
        "from qdepot.cli.app import build_app; from qdepot.cli.session import Session; "
        "from support.fake_api import FakeApi; "
        "build_app()(['version', '--json'], obj=Session(transport=FakeApi().transport()))"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert (done.returncode, done.stderr) == (1, "")
