from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from qdepot.client.client import Client
from support.fake_api import BELL, FakeApi

EMPTY = {"num_qubits": 1, "num_parameters": 0, "data": ()}
Circuit = type("QuantumCircuit", (), {"__module__": "qiskit.circuit.quantumcircuit", **EMPTY})


@pytest.fixture
def written(monkeypatch):
    """The QPY versions that the user's Qiskit was asked for."""
    versions: list[int] = []

    def dump(circuit, file, *, version):
        versions.append(version)
        file.write(b"QISKIT")

    common = SimpleNamespace(QPY_COMPATIBILITY_VERSION=13)
    monkeypatch.setitem(sys.modules, "qiskit.qpy", SimpleNamespace(QPY_VERSION=18, common=common, dump=dump))
    return versions


def test_the_service_is_asked_once_which_qpy_it_reads(written):
    api = FakeApi(qpy_versions=[13, 16])
    with Client("http://s", transport=api.transport()) as client:
        client.submit(Circuit())
        client.submit_many([(Circuit(),), Circuit()])
    assert api.paths() == ["GET /v1/version", "POST /v1/jobs", "POST /v1/jobs:batch"]
    assert written == [16, 16, 16]


def test_text_is_sent_without_asking(written, client, api):
    client.submit(BELL)
    assert api.paths() == ["POST /v1/jobs"]


def test_a_service_that_does_not_know_yet_is_asked_again(written):
    api = FakeApi(qpy_versions=None)
    with Client("http://s", transport=api.transport()) as client:
        client.submit(Circuit())
        api.qpy_versions = [13, 15]
        client.submit(Circuit())
    assert written == [18, 15]
