from __future__ import annotations

import builtins
import json

import pytest

from qdepot.client.results import EstimatorResult, SamplerResult, arrays_from_npz, result_from_json
from qdepot.errors import InvalidRequestError
from support.fake_api import npz_without_arrays

SAMPLED = b"""{"id": "j", "status": "COMPLETED", "results": [
  {"shots": 4, "counts": {"1 01": 4}, "registers": {"a": {"num_bits": 2, "counts": {"01": 4}},
   "b": {"num_bits": 1, "counts": {"1": 4}}}, "metadata": {"seed": 7}, "field_of_the_future": 1}]}"""
SHAPED = b"""{"id": "j", "status": "COMPLETED", "results": [
  {"shots": 2, "shape": [2], "counts": [{"0": 2}, {"1": 2}],
   "registers": {"c": {"num_bits": 1, "counts": [{"0": 2}, {"1": 2}]}}}]}"""
ESTIMATED = b"""{"id": "j", "status": "COMPLETED", "results": [
  {"evs": [[0.5, -0.5], [1.0, 0.0]], "stds": [[0.1, 0.2], [0.3, 0.4]], "shape": [2, 2]}, {"evs": 1.0, "stds": 0.0}]}"""


def test_counts_and_registers_are_read():
    result = result_from_json(SAMPLED)
    assert len(result) == 1
    assert result[0].counts == {"1 01": 4}
    assert list(result[0].registers) == ["a", "b"]
    assert result[0].registers["a"].counts == {"01": 4}
    assert (result[0].shots, result[0].shape, result[0].metadata["seed"]) == (4, (), 7)


def test_a_shape_gives_a_list_and_its_points():
    entry = result_from_json(SHAPED).sampled()
    assert entry.shape == (2,)
    assert entry.counts == [{"0": 2}, {"1": 2}]
    assert [point.counts for point in entry.points()] == [{"0": 2}, {"1": 2}]
    assert [point.registers["c"].counts for point in entry.points()] == [{"0": 2}, {"1": 2}]
    assert all(point.shape == () for point in entry.points())


def _swept_memory(memory):
    entry = {
        "shots": 3,
        "shape": [2, 1],
        "counts": [{"0": 1, "1": 2}, {"1": 3}],
        "memory": memory,
        "registers": {"c": {"num_bits": 1, "counts": [{"0": 1, "1": 2}, {"1": 3}], "memory": memory}},
    }
    return result_from_json(json.dumps({"id": "j", "status": "COMPLETED", "results": [entry]}).encode()).sampled()


@pytest.mark.parametrize(
    "memory", [[["1", "0", "1"], ["1", "1", "1"]], ["1", "0", "1", "1", "1", "1"]], ids=["by set", "as it once was"]
)
def test_memory_has_a_list_for_each_set_however_it_was_stored(memory):
    entry = _swept_memory(memory)
    assert entry.memory == entry.registers["c"].memory == [["1", "0", "1"], ["1", "1", "1"]]
    assert [point.memory for point in entry.points()] == entry.memory
    assert [point.registers["c"].memory for point in entry.points()] == entry.memory


def test_memory_of_a_circuit_without_sets_is_one_list():
    body = SAMPLED.replace(
        b'"counts": {"1 01": 4}', b'"memory": ["1 01", "1 01", "1 01", "1 01"], "counts": {"1 01": 4}'
    )
    entry = result_from_json(body).sampled()
    assert entry.memory == ["1 01"] * 4
    assert result_from_json(SAMPLED).sampled().memory is None


def test_estimates_are_read_and_taken_apart_along_the_first_axis():
    result = result_from_json(ESTIMATED)
    assert isinstance(result[0], EstimatorResult)
    points = result[0].points()
    assert [(point.evs, point.stds, point.shape) for point in points] == [
        ([0.5, -0.5], [0.1, 0.2], (2,)),
        ([1.0, 0.0], [0.3, 0.4], (2,)),
    ]
    assert result[1].points() == [result[1]]


def test_a_point_without_a_shape_is_itself():
    entry = result_from_json(SAMPLED).sampled()
    assert entry.points() == [entry]


def test_a_result_is_a_sequence():
    result = result_from_json(ESTIMATED)
    assert list(result) == [result[0], result[1]] == list(result[:])
    assert result[-1].evs == 1.0


@pytest.mark.parametrize("index", [1, -2])
def test_a_circuit_that_is_not_there_is_named(index):
    with pytest.raises(InvalidRequestError, match=f"no circuit {index}"):
        result_from_json(SAMPLED).sampled(index)


def test_an_estimator_has_no_counts():
    with pytest.raises(InvalidRequestError, match="was an estimator") as caught:
        result_from_json(ESTIMATED).sampled()
    assert ".evs" in caught.value.solution


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id": "j", "status": "COMPLETED", "results": [{"shots": 1}]}'])
def test_what_is_no_result_is_a_value_error(body):
    with pytest.raises(ValueError, match="validation error"):
        result_from_json(body)


def test_results_cannot_be_changed_by_mistake():
    entry = result_from_json(SAMPLED).sampled()
    assert isinstance(entry, SamplerResult)
    with pytest.raises(AttributeError):
        entry.shots = 5


def test_without_numpy_the_way_out_is_named(monkeypatch):
    real = builtins.__import__

    def no_numpy(name, *rest):
        if name == "numpy":
            raise ModuleNotFoundError("No module named 'numpy'", name="numpy")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_numpy)
    with pytest.raises(InvalidRequestError) as caught:
        arrays_from_npz(npz_without_arrays(), circuit=0)
    assert "[notebook]" in caught.value.solution
