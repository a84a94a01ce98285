from __future__ import annotations

import pytest

from qdepot.client.sweeps import SETS_PER_JOB, sweep_specs
from qdepot.errors import InvalidRequestError
from support.fake_api import BELL


def values(parameter_sets, **options):
    return [spec.parameter_values for spec in sweep_specs(BELL, parameter_sets, options)]


def test_sets_by_name_become_columns():
    assert values([{"a": 1, "b": 2}, {"b": 4, "a": 3}]) == [{"a": [1, 3], "b": [2, 4]}]


def test_sets_in_order_become_rows():
    assert values([[1, 2], (3, 4)]) == [[[1, 2], [3, 4]]]


def test_a_list_of_observables_meets_each_set():
    assert values([[1, 2]], observables=["ZZ", "XX"]) == [[[[1, 2]]]]
    assert values([{"a": 1}], observables=[["ZZ"], ["XX"]]) == [{"a": [[[1]]]}]
    assert values([{"a": 1}], observables="ZZ") == [{"a": [1]}]


def test_observables_in_a_tuple_meet_each_set_too():
    (spec,) = sweep_specs((BELL, ["ZZ", "XX"]), [{"a": 1}, {"a": 2}], {})
    assert spec.parameter_values == {"a": [[1], [2]]}
    (spec,) = sweep_specs((BELL, "ZZ", None, 0.1), [{"a": 1}, {"a": 2}], {})
    assert spec.parameter_values == {"a": [1, 2]}


@pytest.mark.parametrize("circuit", [(BELL, {"a": 1}), (BELL, "ZZ", {"a": 1}), (BELL, [0.5], 7)])
def test_a_tuple_with_values_of_its_own_is_refused(circuit):
    with pytest.raises(InvalidRequestError, match="values of its own"):
        sweep_specs(circuit, [{"a": 1}], {})


@pytest.mark.parametrize("circuits", [[BELL, BELL], [BELL], (one for one in [BELL])])
def test_a_list_of_circuits_is_refused(circuits):
    with pytest.raises(InvalidRequestError, match="takes one circuit"):
        sweep_specs(circuits, [{"a": 1}, {"a": 2}], {})


def test_a_large_sweep_is_several_jobs_in_order():
    made = values([n] for n in range(2 * SETS_PER_JOB + 1))
    assert [len(one) for one in made] == [SETS_PER_JOB, SETS_PER_JOB, 1]
    assert made[1][0] == [SETS_PER_JOB]


def test_options_hold_for_all_jobs():
    specs = sweep_specs(BELL, [[n] for n in range(SETS_PER_JOB + 1)], {"shots": 7, "name": "sweep"})
    assert {(spec.shots, spec.name) for spec in specs} == {(7, "sweep")}


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_no_two_jobs_of_a_sweep_have_the_same_seed(seed):
    sets = [[n] for n in range(3 * SETS_PER_JOB + 1)]
    seeds = [spec.seed for spec in sweep_specs(BELL, sets, {"seed": seed})]
    assert len(set(seeds)) == 4
    assert seeds[0] == seed  # a sweep that becomes longer begins with the same results
    assert all(0 <= each < 2**53 for each in seeds[1:])
    assert seeds == [spec.seed for spec in sweep_specs(BELL, sets, {"seed": seed})]
    assert set(seeds).isdisjoint(spec.seed for spec in sweep_specs(BELL, sets, {"seed": seed - 1}))


def test_a_sweep_without_a_seed_leaves_it_to_the_service():
    specs = sweep_specs(BELL, [[n] for n in range(SETS_PER_JOB + 1)], {})
    assert [spec.seed for spec in specs] == [None, None]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([], "no parameter set"),
        ([{"a": 1}, {"b": 1}], "set 1 does not name the same"),
        ([{"a": 1}, [1]], "set 1 does not name the same"),
        ([[1], {"a": 1}], "set 1 is .* not a list"),
        ([0.1, 0.2], "set 0 is 0.1, not a list"),
        ([{}, {}], "set 0 names no parameter"),
        ({"a": [1, 2, 3]}, "are one mapping"),
    ],
)
def test_sets_that_do_not_fit_together_are_refused(sets, message):
    with pytest.raises(InvalidRequestError, match=message):
        values(sets)


def test_values_come_from_the_sets_alone():
    with pytest.raises(InvalidRequestError, match="parameter_sets"):
        values([[1]], parameter_values=[1])
