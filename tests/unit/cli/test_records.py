from __future__ import annotations

import json

from support.fake_api import BELL, BELL2


def test_the_program_is_shown_as_it_was_sent(run, job_id):
    assert run("program", job_id).out == f"{BELL}\n"
    assert json.loads(run("program", job_id, "--json").out)["circuits"][0]["source"] == BELL


def test_one_circuit_of_many(run, files):
    job_id = run("submit", *files, "--together").out.strip()
    done = run("program", job_id, "--circuit", "1", "-o", "out.qasm")
    assert (done.out, done.err) == ("", "circuit 1 of 2\n")
    with open("out.qasm") as file:
        assert file.read() == BELL2
    assert run("program", job_id, "--circuit", "2").code == 2


def test_a_qpy_file_comes_back_byte_by_byte(run, tmp_path):
    content = b"QISKIT\x12\x00\xff"
    (tmp_path / "in.qpy").write_bytes(content)
    job_id = run("submit", "in.qpy").out.strip()
    run("program", job_id, "-o", "out.qpy")
    assert (tmp_path / "out.qpy").read_bytes() == content


def test_history_and_objects(run, job_id):
    assert "CREATED" in run("events", job_id).out
    assert json.loads(run("events", job_id, "--json").out)["events"][0]["by"] == "jobs"
    shown = run("objects", job_id).out
    assert f"completed/{job_id}.zip" in shown
    assert "result.json" in shown
    assert "cd" * 32 in shown
    assert json.loads(run("objects", job_id, "--json").out)["objects"][0]["size_bytes"] == 99
