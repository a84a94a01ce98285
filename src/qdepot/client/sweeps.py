"""One circuit, many parameter sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from pydantic import JsonValue

from qdepot.client import requests
from qdepot.client.circuits import as_list
from qdepot.client.exchange import Flow
from qdepot.client.jobspec import JobOptions, JobSpec, parts_of
from qdepot.client.repeating import Peer, answered
from qdepot.client.results import EstimatorResult, SamplerResult
from qdepot.client.submitting import Accepted, submitted, submitted_many
from qdepot.client.values import observables, parameter_values
from qdepot.client.waiting import OnStatuses, all_until_final, failed
from qdepot.domain.job import JobStatus
from qdepot.domain.seeds import seed_of_chunk
from qdepot.errors import InternalError, InvalidRequestError

SETS_PER_JOB = 1000
"""Parameter sets in one job."""

Point: TypeAlias = SamplerResult | EstimatorResult


def sweep_specs(circuit: object, parameter_sets: Iterable[object], options: JobOptions) -> list[JobSpec]:
    """The jobs of a sweep: one, unless there are more than 1,000 sets.

    With a seed, each job has one of its own that is derived from it, so that no two jobs share random numbers.

    Args:
        circuit: One circuit, in any form that a submission takes; a tuple may hold observables, too.
        parameter_sets: Each a mapping of parameters to numbers, or the numbers in Qiskit's order of parameters.
        options: As for a submission, without ``parameter_values``.

    Raises:
        InvalidRequestError: There is no set, or they do not fit together.
    """
    if "parameter_values" in options:
        raise InvalidRequestError(
            "a sweep takes its values from parameter_sets", solution="Leave parameter_values out."
        )
    if isinstance(parameter_sets, (Mapping, str)):
        raise InvalidRequestError(
            "the parameter sets are one mapping, not a list of sets",
            solution="Give a list with a mapping for each set; or submit() with parameter_values, by name.",
        )
    spec = JobSpec(circuits=circuit, **options)
    axes = _observable_axes(spec)
    sets = [parameter_values(one) for one in parameter_sets]
    if not sets:
        raise InvalidRequestError("there is no parameter set", solution="Give at least one.")
    return [
        replace(
            spec,
            seed=None if spec.seed is None else seed_of_chunk(spec.seed, chunk),
            parameter_values=_table(sets[first : first + SETS_PER_JOB], first, axes),
        )
        for chunk, first in enumerate(range(0, len(sets), SETS_PER_JOB))
    ]


def swept(peer: Peer, specs: Sequence[JobSpec], *, on_statuses: OnStatuses | None = None) -> Flow[list[Point]]:
    """Submit the jobs of a sweep, wait for them, and return one result for each parameter set, in order.

    Raises:
        JobFailedError: One of the jobs ended without a result.
        InternalError: The service combined sets and observables in another way than each with each.
    """
    ids = yield from _submitted(peer, specs)
    ends = yield from all_until_final(peer, ids, on_statuses=on_statuses)
    points: list[Point] = []
    for spec, job_id in zip(specs, ids, strict=True):
        if ends[job_id].status != JobStatus.COMPLETED:
            raise failed((yield from answered(peer, requests.job_details(job_id))))
        result = yield from answered(peer, requests.job_result(job_id))
        _check_shape(result.entries[0].shape, spec)
        points.extend(result.entries[0].points())
    return points


def _submitted(peer: Peer, specs: Sequence[JobSpec]) -> Flow[list[str]]:
    if len(specs) == 1:
        return [(yield from submitted(peer, specs[0])).id]
    try:
        accepted = yield from submitted_many(peer, specs, atomic=True)
    except InvalidRequestError as error:
        _count_in_sweep(error)
        raise
    return [one.id for one in accepted if isinstance(one, Accepted)]


def _count_in_sweep(error: InvalidRequestError) -> None:
    """Number the parameter set that a refusal names among all sets of the sweep, not among those of its job."""
    job, number = error.details.get("job"), error.details.get("parameter_set")
    if not isinstance(job, int) or not isinstance(number, int) or job == 0:
        return
    error.details["parameter_set"] = job * SETS_PER_JOB + number
    error.details.pop("index", None)
    error.message += f" of job {job}: set {error.details['parameter_set']} of the sweep"
    error.args = (error.message,)


def _check_shape(shape: tuple[int, ...], spec: JobSpec) -> None:
    values = spec.parameter_values
    assert isinstance(values, (dict, list))
    sets = len(next(iter(values.values())) if isinstance(values, dict) else values)
    if shape[:1] != (sets,) or len(shape) != 1 + _observable_axes(spec):
        raise InternalError(
            f"the service answered a result of shape {list(shape)} for {sets} parameter sets",
            solution="Update the service: this client needs one that combines each set with each observable.",
        )


def _table(sets: Sequence[JsonValue], begin: int, axes: int) -> JsonValue:
    first = sets[0]
    if not isinstance(first, Mapping):
        return [_deepened(_row(values, begin + i), axes) for i, values in enumerate(sets)]
    if not first:
        raise InvalidRequestError(
            f"parameter set {begin} names no parameter", solution="Use submit() for a circuit without parameters."
        )
    columns: dict[str, JsonValue] = {name: [] for name in first}
    for index, values in enumerate(sets, start=begin):
        if not isinstance(values, Mapping) or values.keys() != columns.keys():
            raise InvalidRequestError(f"parameter set {index} does not name the same parameters as the first")
        for name, value in values.items():
            column = columns[name]
            assert isinstance(column, list)
            column.append(_deepened(value, axes))
    return columns


def _row(values: JsonValue, index: int) -> JsonValue:
    if not isinstance(values, list):
        raise InvalidRequestError(
            f"parameter set {index} is {values!r}, not a list of numbers",
            solution="Give each set as a dict by name, or as a list of numbers; [[0.1], [0.2]] for one parameter.",
        )
    return values


def _observable_axes(spec: JobSpec) -> int:
    """How many axes the observables have, wherever they were given.

    Raises:
        InvalidRequestError: It is more than one circuit, or the circuit comes with values of its own.
    """
    only = as_list(spec.circuits)
    if len(only) != 1 or only[0] is not spec.circuits:
        raise InvalidRequestError("a sweep takes one circuit", solution="Call map() once for each circuit.")
    parts = parts_of(spec, only[0])
    if "parameter_values" in parts and parts["parameter_values"] is not spec.parameter_values:
        raise InvalidRequestError(
            "a sweep takes its values from parameter_sets, and the circuit comes with values of its own",
            solution="Leave them out of the tuple, or put None in their place.",
        )
    axes = 0
    wire = observables(parts["observables"]) if "observables" in parts else None
    while isinstance(wire, list) and wire:
        axes, wire = axes + 1, wire[0]
    return axes


def _deepened(value: JsonValue, axes: int) -> JsonValue:
    # Each set meets each observable: an axis of length one is broadcast against the observables' axis.
    for _ in range(axes):
        value = [value]
    return value
