"""An exported job is read with a text editor, a spreadsheet and NumPy."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from qdepot.archive import export, layout
from qdepot.domain.job import Failure, JobStatus
from qdepot.domain.result import Outcome
from qdepot.errors import ArchiveDamagedError

QPY = b"QISKIT\x0e\x00\xff"
SWEEP = [{"0": 3}, {"0": 1, "1": 2}]
RESULT = {
    "results": [
        {"shots": 3, "shape": [], "counts": {"00 1": 2, "01 0": 1}, "registers": {"c": {"num_bits": 10}}},
        {"shots": 3, "shape": [2], "counts": SWEEP, "registers": {}},
        {"evs": [[0.5, -0.25]], "stds": [[0.0, 0.125]], "shape": [1, 2]},
        {"evs": 0.75, "stds": 0.5, "shape": []},
    ]
}
BODY = {
    "backend": "aer",
    "program": {
        "kind": "sampler",
        "shots": 3,
        "circuits": [
            {"format": "openqasm3", "source": "OPENQASM 3.0;\nqubit ü;\n"},
            {"format": "qpy", "source": base64.b64encode(QPY).decode()},
        ],
    },
}


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture
def record(make_record):
    return make_record(body=json.dumps(BODY).encode(), name="bell")


@pytest.fixture
def done(job, record, finish):
    packed = np.array([[0b10, 0b00000001]] * 3, dtype=np.uint8)
    members = {"memory/0/c.npy": npy(packed), "prepared/0.qpy": QPY, "raw/vendor.json": b"{}"}
    return finish(job, record, outcome=Outcome(document=json.dumps(RESULT).encode(), members=members))


def unpacked(archive, job, folder):
    content = b"".join(archive.open_export(job))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        file.extractall(folder)
    return folder / f"qdepot-{job.id}"


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_all_lies_in_one_folder(archive, done, tmp_path):
    folder = unpacked(archive, done, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(
        [
            *("README.txt", "SHA256SUMS", "job.json", "request.json", "result.json"),
            *("circuits/0.qasm", "circuits/1.qpy", "counts/0.csv", "counts/1.csv", "values/2.csv", "values/3.csv"),
            *("memory/0/c.npy", "prepared/0.qpy", "raw/vendor.json"),
        ]
    )


def test_documents_are_laid_out_for_people_and_say_the_same(archive, done, tmp_path):
    folder = unpacked(archive, done, tmp_path)
    for name in ("job.json", "request.json", "result.json"):
        text = (folder / name).read_text()
        stored = zipfile.ZipFile(io.BytesIO(archive.completed.get(done.result_key))).read(name)
        assert json.loads(text) == json.loads(stored)
        assert max(len(line) for line in text.splitlines()) < 200
    assert json.loads((folder / "request.json").read_text())["request"] == BODY


def test_circuits_are_files_as_they_were_sent(archive, done, tmp_path):
    folder = unpacked(archive, done, tmp_path)
    assert (folder / "circuits/0.qasm").read_bytes() == "OPENQASM 3.0;\nqubit ü;\n".encode()
    assert (folder / "circuits/1.qpy").read_bytes() == QPY


def test_counts_and_values_are_tables(archive, done, tmp_path):
    folder = unpacked(archive, done, tmp_path)
    assert rows(folder / "counts/0.csv") == [["bits", "count"], ["00 1", "2"], ["01 0", "1"]]
    assert rows(folder / "counts/1.csv") == [
        ["parameter_set", "bits", "count"],
        *(["0", "0", "3"], ["1", "0", "1"], ["1", "1", "2"]),
    ]
    header = ["parameter_set", "value", "standard_error"]
    assert rows(folder / "values/2.csv") == [header, ["0", "0.5", "0.0"], ["1", "-0.25", "0.125"]]
    assert rows(folder / "values/3.csv") == [header, ["0", "0.75", "0.5"]]


def test_large_tables_come_whole(archive, job, record, finish, tmp_path):
    counts = {f"{number:012b}": number + 1 for number in range(4096)}
    result = {"results": [{"shots": sum(counts.values()), "shape": [], "counts": counts, "registers": {}}]}
    done = finish(job, record, outcome=Outcome(document=json.dumps(result).encode()))
    table = rows(unpacked(archive, done, tmp_path) / "counts/0.csv")
    assert {bits: int(count) for bits, count in table[1:]} == counts


def test_the_readme_names_every_file_and_its_code_runs(archive, done, tmp_path):
    folder = unpacked(archive, replace(done, name="renamed"), tmp_path)
    text = (folder / "README.txt").read_text()
    assert f"Quantum job {done.id}" in text
    assert re.search(r"^name: +renamed$", text, re.MULTILINE)
    for path in folder.iterdir():
        if path.name != "README.txt":
            assert re.search(rf"^{re.escape(path.name)}/? +\w", text, re.MULTILINE), path.name
    assert "a further file" not in text
    assert max(len(line) for line in text.splitlines()) <= 110
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    names = {}
    with contextlib.chdir(folder):
        exec(code, names)
    assert ["".join(map(str, shot)) for shot in names["bits"]] == ["1000000001"] * 3


def test_the_checksums_are_those_of_the_files(archive, done, tmp_path):
    folder = unpacked(archive, done, tmp_path)
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    assert sums == {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_job_without_a_result_is_exported_with_its_reason(archive, job, record, finish, tmp_path):
    failure = Failure(code="backend_failed", message="the cooler is warm")
    done = finish(job, record, status=JobStatus.FAILED, failure=failure, outcome=None)
    folder = unpacked(archive, done, tmp_path)
    assert re.search(r"^failure: +the cooler is warm$", (folder / "README.txt").read_text(), re.MULTILINE)
    assert not (folder / "result.json").exists()
    assert not (folder / "counts").exists()


def test_what_is_too_large_for_people_is_left_as_it_is(archive, done, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_READABLE_BYTES", 10)
    monkeypatch.setattr(export, "_TABLE_BYTES", 20)
    folder = unpacked(archive, done, tmp_path)
    assert (folder / "result.json").read_text() == json.dumps(RESULT)
    assert not (folder / "counts").exists()
    assert "counts/" not in (folder / "README.txt").read_text()


def test_equal_jobs_give_equal_bytes(archive, done):
    assert b"".join(archive.open_export(done)) == b"".join(archive.open_export(done))


def test_a_damaged_bundle_is_not_exported(archive, done):
    content = archive.completed.get(done.result_key)
    archive.completed.replace(layout.bundle_key(done), content[:-30])
    with pytest.raises(ArchiveDamagedError):
        b"".join(archive.open_export(done))
