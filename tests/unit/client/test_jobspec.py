from __future__ import annotations

from types import SimpleNamespace

import pytest

from qdepot.client.jobspec import JobSpec, job_specs
from qdepot.errors import InvalidProgramError, InvalidRequestError
from support.fake_api import BELL, BELL2

OPERATOR = SimpleNamespace(to_list=lambda: [("ZZ", 1.0)])


def sent(circuits, **options):
    return JobSpec(circuits=circuits, **options).body(qpy_versions=None).model_dump(mode="json", exclude_unset=True)


def program(circuits, **options):
    return sent(circuits, **options)["program"]


def test_what_was_not_given_is_not_sent():
    assert sent(BELL) == {
        "backend": "aer",
        "program": {"kind": "sampler", "shots": 1024, "circuits": [{"format": "openqasm3", "source": BELL}]},
    }


def test_what_was_given_is_sent():
    body = sent(
        BELL,
        backend="aer_mps",
        shots=7,
        name="n",
        tags=("t",),
        seed=0,
        memory=True,
        optimization_level=0,
        method="statevector",
        noise="fake_torino",
        sampling="aer",
        priority=-3,
        timeout_s=1.5,
    )
    assert body["options"] == {
        "seed": 0,
        "memory": True,
        "optimization_level": 0,
        "method": "statevector",
        "noise": "fake_torino",
        "sampling": "aer",
    }
    assert (body["backend"], body["name"], body["tags"]) == ("aer_mps", "n", ["t"])
    assert (body["priority"], body["timeout_s"], body["program"]["shots"]) == (-3, 1.5, 7)


def test_a_list_is_one_job_of_many_circuits_in_order():
    assert [one["format"] for one in program([BELL, BELL2, BELL])["circuits"]] == [
        "openqasm3",
        "openqasm2",
        "openqasm3",
    ]


def test_parameter_values_of_one_circuit_are_passed_on():
    [circuit] = program(BELL, parameter_values={"theta": [0.1, 0.2]})["circuits"]
    assert circuit["parameter_values"] == {"theta": [0.1, 0.2]}


def test_parameter_values_of_many_circuits_are_one_entry_each():
    circuits = program([BELL, BELL2], parameter_values=[[0.1], None])["circuits"]
    assert circuits[0]["parameter_values"] == [0.1]
    assert "parameter_values" not in circuits[1]


@pytest.mark.parametrize("values", [[[0.1]], {"theta": 0.1}, "theta"])
def test_parameter_values_that_do_not_fit_the_circuits_are_refused(values):
    with pytest.raises(InvalidRequestError, match="one entry for each of the 2 circuits"):
        program([BELL, BELL2], parameter_values=values)


def test_a_list_of_one_circuit_wants_a_list_of_one_entry():
    assert program([BELL], parameter_values=[[0.1, 0.2]])["circuits"][0]["parameter_values"] == [0.1, 0.2]


def test_a_tuple_is_a_sampler_pub():
    [circuit] = program((BELL, {"theta": 0.1}, 99))["circuits"]
    assert (circuit["parameter_values"], circuit["shots"]) == ({"theta": 0.1}, 99)


@pytest.mark.parametrize("second", ["ZZ", OPERATOR, ["ZZ", OPERATOR]])
def test_a_tuple_with_observables_is_an_estimator_pub(second):
    made = program((BELL, second, [0.1], 0.01))
    assert made["kind"] == "estimator"
    assert "shots" not in made
    [circuit] = made["circuits"]
    assert (circuit["parameter_values"], circuit["precision"]) == ([0.1], 0.01)


def test_observables_or_a_precision_make_an_estimator():
    assert program(BELL, observables={"ZZ": 1.0})["circuits"][0]["observables"] == {"ZZ": 1.0}
    made = program((BELL, {"ZZ": 1.0}), precision=0.5)
    assert (made["kind"], made["precision"], made["circuits"][0]["observables"]) == ("estimator", 0.5, {"ZZ": 1.0})


@pytest.mark.parametrize("given", ["ZZ", {"ZZ": 1.0}, OPERATOR])
def test_one_observable_holds_for_all_circuits(given):
    circuits = program([BELL, BELL2], observables=given)["circuits"]
    assert circuits[0]["observables"] == circuits[1]["observables"] in ("ZZ", {"ZZ": 1.0})


def test_a_list_of_observables_is_one_entry_for_each_circuit():
    circuits = program([BELL, BELL2], observables=["ZZ", ["XX", "YY"]])["circuits"]
    assert [one["observables"] for one in circuits] == ["ZZ", ["XX", "YY"]]
    assert program(BELL, observables=["XX", "YY"])["circuits"][0]["observables"] == ["XX", "YY"]


def test_an_estimator_without_observables_is_refused():
    with pytest.raises(InvalidRequestError, match="observables"):
        program(BELL, precision=0.1)


def test_a_bad_circuit_is_named_by_its_number():
    with pytest.raises(InvalidProgramError) as caught:
        program([BELL, "nonsense;"])
    assert caught.value.details["circuit"] == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"shots": 0}, "shots"),
        ({"shots": 10**12}, "shots"),
        ({"shots": True}, "shots"),
        ({"backend": ""}, "backend"),
        ({"tags": [""]}, "tags.0"),
        ({"name": "x" * 201}, "name"),
        ({"seed": -1}, "options.seed"),
        ({"optimization_level": 4}, "options.optimization_level"),
        ({"method": "magic"}, "options.method"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"priority": 11}, "priority"),
    ],
)
def test_a_wrong_field_is_named(options, named):
    with pytest.raises(InvalidRequestError, match=f"the job cannot be sent: .*{named}: "):
        sent(BELL, **options)


def test_one_string_is_no_list_of_tags():
    with pytest.raises(InvalidRequestError) as caught:
        sent(BELL, tags="urgent")
    assert "['urgent']" in caught.value.solution


def test_a_tuple_that_is_too_long_is_refused():
    with pytest.raises(InvalidRequestError, match="circuit 0 is a tuple of 4"):
        program((BELL, None, 3, 4))


def test_options_hold_for_circuits_and_not_for_what_has_its_own():
    own = JobSpec(circuits=BELL2, shots=3)
    specs = job_specs([BELL, own], {"shots": 5, "tags": ["t"]})
    assert [spec.shots for spec in specs] == [5, 3]
    assert [list(spec.tags) for spec in specs] == [["t"], []]


@pytest.mark.parametrize("jobs", [BELL, b"QISKIT", (BELL,), []])
def test_many_jobs_are_a_list_with_something_in_it(jobs):
    with pytest.raises(InvalidRequestError, match="list"):
        job_specs(jobs, {})
