"""Whatever optional field a request leaves out: what was answered, what is archived and what runs agree."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from qdepot.adapters.providers.aer import AerProvider
from qdepot.domain.job import JobStatus
from qdepot.domain.program import Program
from qdepot.ports.compute_pool import Limits, Payload
from qdepot.server.v1.orders import order_of
from qdepot.testing.compute_pool import wait_until
from qdepot.testing.fake_pool import FunctionPool
from qdepot.testing.scripted import BulkScriptedProvider, ScriptedProvider
from qdepot.wire.requests import EstimatorProgramBody, JobBody, OptionsBody, SamplerCircuitBody, SamplerProgramBody
from support.world import ME, World, check

SOURCE = "OPENQASM 3.0;\nqubit[1] q;\nbit[1] c;\nx q[0];\nc = measure q;\n"
FULL = {
    "name": "n",
    "tags": ["t"],
    "options": {"seed": 1, "memory": False, "optimization_level": 1, "method": "automatic", "sampling": "automatic"},
    "priority": 1,
    "timeout_s": 10.0,
    "program": {
        "kind": "sampler",
        "shots": 77,
        "circuits": [{"format": "openqasm3", "source": SOURCE, "shots": 33, "parameter_values": None}],
    },
}


def optional(model: type[BaseModel]) -> list[str]:
    return [
        name
        for name, field in model.model_fields.items()
        if field.default is not PydanticUndefined or field.default_factory is not None
    ]


PATHS = [(name,) for name in optional(JobBody)]
PATHS += [("options", name) for name in optional(OptionsBody)]
PATHS += [("program", name) for name in optional(SamplerProgramBody)]
PATHS += [("program", "circuits", 0, name) for name in optional(SamplerCircuitBody)]
ALL = tuple(PATHS)


def without(*paths):
    document = json.loads(json.dumps(FULL))
    for path in paths:
        place = document
        for step in path[:-1]:
            place = place[step] if not isinstance(place, dict) or step in place else {}
        place.pop(path[-1], None)
    return document


def simulate(payload: Payload) -> Payload:
    """Each circuit with the shots that the child is told of, as Aer has it."""
    entries = []
    for circuit in payload.meta["circuits"]:
        shots = circuit["shots"] or payload.meta["shots"]
        registers = {"c": {"num_bits": 1, "counts": {"1": shots}}}
        entries.append({"shots": shots, "shape": [], "counts": {"1": shots}, "registers": registers, "metadata": {}})
    return Payload(meta={"metadata": {}}, parts={"result.json": json.dumps({"results": entries}).encode()})


@pytest.fixture(params=["aer", "one by one", "many at a time"])
def world(world: World, request):
    if request.param != "aer":
        cloud = ScriptedProvider if request.param == "one by one" else BulkScriptedProvider
        world.providers = {"scripted": cloud(clock=world.clock, visibility_delay=timedelta(seconds=30))}
        yield world
        return
    with closing(FunctionPool({"check": check, "simulate": simulate})) as pool:
        world.providers = {"aer": AerProvider(pool=pool, limits=Limits(), cores=1, describe=dict)}
        yield world


CHOICES = [*((path,) for path in PATHS), ALL]


@pytest.mark.parametrize("paths", CHOICES, ids=lambda paths: f"{paths[0][-1]}{len(paths)}")
def test_a_field_that_is_left_out_means_the_same_from_the_answer_to_the_result(world: World, paths):
    here = "aer" in world.providers
    document = without(*paths) | {"backend": "aer" if here else "scripted_qpu"}
    if not here:
        document["options"] = {}
    order = order_of(json.dumps(document).encode())
    job = world.jobs().submit(order, caller=ME).job
    assert world.archive.read_request(job).program() == order.program
    process = world.process()
    for _ in range(60):
        process.run_until_idle()
        if here:
            runs = world.providers["aer"]._runs
            wait_until(lambda runs=runs: all(run.ended for run in runs.values()))
        world.clock.advance(1)
        process.keeper.run_once()
    assert world.job(job).status is JobStatus.COMPLETED, world.job(job).failure
    [entry] = json.loads(b"".join(world.jobs().result(job.id, caller=ME)))["results"]
    own = document["program"]["circuits"][0].get("shots")
    assert entry["shots"] == (own or job.shots)
    assert sum(entry["counts"].values()) == entry["shots"]
    bundled = world.archive.read_request(world.job(job))
    assert bundled.program() == order.program
    assert (bundled.name, bundled.tags, bundled.priority) == (order.name, order.tags, order.priority)


def test_a_request_of_a_version_that_noted_no_defaults_is_read_with_those_of_today(world: World):
    record = world.archive.read_request(
        world.jobs()
        .submit(
            order_of(
                json.dumps(without(*ALL) | {"backend": "aer" if "aer" in world.providers else "scripted_qpu"}).encode()
            ),
            caller=ME,
        )
        .job
    )
    assert record.resolved == {"shots": 1024}
    assert replace(record, resolved={"shots": 5}).program().shots == 5  # what was noted counts, not today's default


@pytest.mark.parametrize("model", [SamplerProgramBody, EstimatorProgramBody])
def test_the_wire_has_the_defaults_of_the_domain(model):
    kind = "sampler" if model is SamplerProgramBody else "estimator"
    circuit = {"format": "openqasm3", "source": SOURCE} | ({} if kind == "sampler" else {"observables": "Z"})
    document = {"kind": kind, "circuits": [circuit]}
    told = model.model_validate(document).model_dump(mode="json")
    assert Program.from_document(document) == Program.from_document(told)
