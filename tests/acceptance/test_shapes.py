"""Shapes of values and observables through REST and the client, from the request to the numbers that come back."""

from __future__ import annotations

import asyncio
import base64
import io

import httpx
import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

from qdepot import AsyncClient, Client
from qdepot.errors import InvalidProgramError
from support.shapes import FORMS, angles, expected, observables

COMBINATIONS = [((), (2,)), ((3,), ()), ((3,), (3,)), ((3, 1), (3,)), ((3, 1), (2,)), ((1,), (3,)), ((2, 1, 3), (2, 3))]


@pytest.fixture(scope="module")
def client(service):
    with Client(service.url) as made:
        yield made


def _posted(service, circuit, **fields):
    """One estimation through REST alone; its only entry."""
    file = io.BytesIO()
    qpy.dump(circuit, file)
    sent = {"format": "qpy", "source": base64.b64encode(file.getvalue()).decode(), **fields}
    job = {"backend": "aer", "program": {"kind": "estimator", "circuits": [sent]}}
    accepted = httpx.post(f"{service.url}/v1/jobs", json=job, timeout=60)
    assert accepted.status_code == 201, accepted.text
    job_id = accepted.json()["id"]
    while httpx.get(f"{service.url}/v1/jobs/{job_id}/status?wait=30", timeout=60).json()["status"] != "COMPLETED":
        pass
    return httpx.get(f"{service.url}/v1/jobs/{job_id}/result", timeout=60).json()["results"][0]


@pytest.mark.parametrize("form", FORMS)
def test_through_rest_each_set_meets_its_observables(service, form):
    for sets, shape in COMBINATIONS:
        a, b = angles(sets)
        wanted = observables(shape)
        right = expected(a, b, wanted)
        values = FORMS[form].values(a, b)
        entry = _posted(service, FORMS[form].circuit, parameter_values=values, observables=wanted.tolist())
        assert entry["shape"] == list(right.shape)
        np.testing.assert_allclose(np.array(entry["evs"]), right, atol=1e-9)


def test_through_rest_shapes_that_do_not_fit_are_refused_at_once(service):
    a, b = angles((3,))
    source = base64.b64encode(_qpy(FORMS["by name"].circuit)).decode()
    values = FORMS["by name"].values(a, b)
    sent = {"format": "qpy", "source": source, "parameter_values": values, "observables": ["ZZ", "XX"]}
    job = {"backend": "aer", "program": {"kind": "estimator", "circuits": [sent]}}
    answer = httpx.post(f"{service.url}/v1/jobs", json=job, timeout=60)
    assert answer.status_code == 422
    assert "[n, 1] and [m]" in answer.json()["solution"]


def _qpy(circuit):
    file = io.BytesIO()
    qpy.dump(circuit, file)
    return file.getvalue()


def _sweeps():
    """By name: circuit, the sets, and what is to come out for a list of observables."""
    a, b = Parameter("a"), Parameter("b")
    vector = ParameterVector("v", 2)
    first, second = angles((3,))
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    yield "names", (a, b), [{"a": x, "b": y} for x, y in pairs]
    yield "parameters", (a, b), [{a: x, b: y} for x, y in pairs]
    yield "rows", (a, b), [[x, y] for x, y in pairs]
    yield "arrays", (a, b), np.array(pairs)
    yield "vectors", tuple(vector), [{vector: [x, y]} for x, y in pairs]
    yield "names of vectors", tuple(vector), [{"v": [x, y]} for x, y in pairs]
    yield "elements", tuple(vector), [{vector[0]: x, vector[1]: y} for x, y in pairs]


SWEEPS = {name: (parameters, sets) for name, parameters, sets in _sweeps()}
LISTS = {
    "strings": ["IZ", "ZI", "IX"],
    "as many as sets, and nested": [["IZ", "ZI", "IX"]],
    "two": ["IZ", "ZI"],
    "operators": [SparsePauliOp("IZ"), SparseObservable("ZI"), Pauli("IX")],
    "a PauliList": PauliList(["IZ", "ZI", "IX"]),
    "an array": np.array(["IZ", "ZI", "IX"]),
    "dicts": [{"IZ": 1.0}, {"ZI": 1.0}],
}


def _turned(parameters):
    circuit = QuantumCircuit(2)
    circuit.ry(parameters[0], 0)
    circuit.ry(parameters[1], 1)
    return circuit


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_meets_each_observable_with_each_set(client, name, kind):
    parameters, sets = SWEEPS[name]
    found = client.map(_turned(parameters), sets, observables=LISTS[kind], progress=False)
    a, b = angles((3,))
    right = [[np.cos(x), np.cos(y), np.sin(x)] for x, y in zip(a, b, strict=True)]
    count = 2 if kind in ("two", "dicts") else 3
    assert len(found) == 3
    for point, values in zip(found, right, strict=True):
        wanted = [values[:count]] if "nested" in kind else values[:count]
        assert point.shape == np.shape(wanted)
        np.testing.assert_allclose(point.evs, wanted, atol=1e-9)


def test_a_single_observable_gives_a_number_for_each_set(client):
    parameters, sets = SWEEPS["names"]
    found = client.map(_turned(parameters), sets, observables="IZ", progress=False)
    np.testing.assert_allclose([point.evs for point in found], np.cos(angles((3,))[0]), atol=1e-9)
    found = client.map((_turned(parameters), ["IZ", "ZI"]), sets, progress=False)
    assert [point.shape for point in found] == [(2,)] * 3


def test_the_client_for_asyncio_combines_them_in_the_same_way(service):
    parameters, sets = SWEEPS["names"]

    async def swept():
        async with AsyncClient(service.url) as client:
            return await client.map(_turned(parameters), sets, observables=["IZ", "ZI"], progress=False)

    found = asyncio.run(swept())
    np.testing.assert_allclose([point.evs[1] for point in found], np.cos(angles((3,))[1]), atol=1e-9)


def test_a_sweep_of_counts_has_the_shots_of_each_set(client):
    t = Parameter("t")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(t, 0)
    circuit.measure(0, 0)
    values = {t: [[0.0, np.pi, 0.0], [np.pi, np.pi, 0.0]]}
    entry = client.submit(circuit, parameter_values=values, shots=2, memory=True).result().sampled()
    assert entry.shape == (2, 3)
    assert entry.memory == entry.registers["c"].memory == [[bit] * 2 for bit in "010110"]
    assert [point.memory for point in entry.points()] == entry.memory


@pytest.mark.parametrize("sampling", ["automatic", "aer"])
def test_no_two_points_of_a_long_sweep_share_their_random_numbers(client, sampling):
    t = Parameter("t")
    circuit = QuantumCircuit(10)
    circuit.h(range(10))
    circuit.rz(t, 0)
    circuit.measure_all()
    how = {"shots": 20, "seed": 7, "memory": True, "sampling": sampling, "progress": False}
    points = client.map(circuit, [{t: 0.1}] * 2500, **how)
    assert len({tuple(point.memory) for point in points}) == 2500  # each is one of 2**200
    shots = [set(enumerate(point.memory)) for point in points]
    repeated = [len(shots[index] & shots[index + 1000]) for index in range(1500)]
    assert sum(repeated) < 80  # 30,000 pairs of which one in 1,024 agrees by chance: 29, and 80 at odds below 1e-12


def test_no_two_estimates_of_a_long_sweep_share_their_error(client):
    t = Parameter("t")
    circuit = QuantumCircuit(1)
    circuit.ry(t, 0)
    points = client.map(circuit, [{t: 1.0}] * 2500, observables="Z", precision=0.1, seed=7, progress=False)
    assert len({point.evs for point in points}) == 2500
    assert [point.evs for point in points[:1000]] == [
        point.evs
        for point in client.map(circuit, [{t: 1.0}] * 1000, observables="Z", precision=0.1, seed=7, progress=False)
    ]


def test_a_set_of_a_long_sweep_that_is_not_possible_is_numbered_in_the_sweep(client):
    t = Parameter("t")
    circuit = QuantumCircuit(1)
    circuit.rx(1 / t, 0)
    circuit.measure_all()
    sets = [{t: 1.0}] * 1100 + [{t: 0.0}] + [{t: 1.0}] * 100
    with pytest.raises(InvalidProgramError, match="set 1100 of the sweep") as caught:
        client.map(circuit, sets, progress=False)
    assert caught.value.details["parameter_set"] == 1100
    with pytest.raises(InvalidProgramError, match="with parameter set 7") as caught:
        client.map(circuit, [{t: 1.0}] * 7 + [{t: 0.0}], progress=False)
    assert caught.value.details["parameter_set"] == 7
