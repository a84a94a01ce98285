"""Objects of the real Qiskit become what the wire wants."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import BitArray, StatevectorEstimator
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

from qdepot import Client
from qdepot.client.results import arrays_from_npz
from qdepot.client.values import observables, parameter_values
from qdepot.errors import InvalidRequestError
from support.fake_api import FakeApi, sent_program


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def rotated() -> tuple[QuantumCircuit, ParameterVector, Parameter]:
    angles, phase = ParameterVector("a", 2), Parameter("p")
    circuit = QuantumCircuit(2)
    circuit.ry(angles[0], 0)
    circuit.ry(angles[1], 1)
    circuit.p(phase, 0)
    return circuit, angles, phase


def sent(circuits, *, qpy_versions=None, **options):
    api = FakeApi(qpy_versions=qpy_versions)
    with Client("http://s", transport=api.transport()) as client:
        client.submit(circuits, **options)
    return sent_program(api.seen[-1])


def circuit_in(wire):
    content = base64.b64decode(wire["source"])
    [circuit] = qpy.load(io.BytesIO(content))
    return circuit, content[6]


@pytest.mark.parametrize(
    ("readable", "version"), [(None, qpy.QPY_VERSION), ([10, 14], 14), ([13, 99], qpy.QPY_VERSION)]
)
def test_a_quantum_circuit_arrives_whole_in_a_version_that_the_service_reads(readable, version):
    [wire] = sent(bell(), qpy_versions=readable)["circuits"]
    assert wire["format"] == "qpy"
    assert circuit_in(wire) == (bell(), version)


def test_lists_and_pubs_of_circuits():
    circuit, angles, phase = rotated()
    program = sent([bell(), (circuit, {angles: [0.1, 0.2], phase: np.float64(0.3)}, 9)])
    assert [circuit_in(wire)[0].num_parameters for wire in program["circuits"]] == [0, 3]
    assert program["circuits"][1]["parameter_values"] == {"a[0]": 0.1, "a[1]": 0.2, "p": 0.3}
    assert program["circuits"][1]["shots"] == 9


def test_named_values_bind_as_qiskit_binds_them():
    circuit, angles, phase = rotated()
    rng = np.random.default_rng(5)
    given = {angles: rng.random((4, 3, 2)), phase: rng.random((4, 3))}
    wire = parameter_values(given)
    ours = BindingsArray.coerce({name: np.array(values) for name, values in wire.items()})
    theirs = BindingsArray.coerce(given)
    assert ours.shape == theirs.shape == (4, 3)
    assert np.array_equal(ours.as_array(circuit.parameters), theirs.as_array(circuit.parameters))


def test_values_in_order_are_passed_on_as_they_are():
    values = np.arange(12.0).reshape(2, 2, 3)
    assert parameter_values(values) == values.tolist()


@pytest.mark.parametrize(
    "given",
    [
        SparsePauliOp.from_list([("ZZ", 1.0), ("XI", 0.5)]),
        Pauli("-ZX"),
        PauliList(["ZZ", "-XI"]),
        "ZX",
        {"ZZ": 1, "XI": -0.5},
        [["ZZ", Pauli("XI")], [SparsePauliOp("YY"), {"II": 2.0}]],
        ObservablesArray([["ZZ", "XI"], ["YY", "II"]]),
        ObservablesArray("ZZ"),
        [SparseObservable("ZY"), SparsePauliOp("YY")],
        SparsePauliOp.from_list([("ZZ", 1 + 1e-17j), ("XI", 0.5j), ("XI", 0.25 - 0.5j)]),
        SparseObservable.from_list([("ZZ", 1 + 1e-17j), ("XI", 0.5j), ("XI", 0.25 - 0.5j)]),
        {"ZZ": 1 + 1e-17j, Pauli("-XI"): 2.0},
        np.array(["ZZ", {"XI": 0.5}], dtype=object),
        np.array([["ZZ"], ["XI"]]),
        [PauliList(["ZZ", "-XI"]), PauliList(["YY", "II"])],
        ObservablesArray([SparseObservable("ZY")]),
        SparsePauliOp.from_list([("ZZ", 1j), ("XX", 1.0), ("ZZ", -1j)]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_observables_mean_what_they_mean_to_qiskit(given):
    circuit = efficient_su2(2, reps=1).assign_parameters(np.linspace(0.1, 2.0, 8))
    estimator = StatevectorEstimator()
    ours, theirs = estimator.run([(circuit, observables(given)), (circuit, given)]).result()
    assert ours.data.evs.shape == theirs.data.evs.shape
    assert np.allclose(ours.data.evs, theirs.data.evs)


def test_an_estimator_pub_is_told_by_its_operator():
    circuit, _, _ = rotated()
    program = sent((circuit, SparsePauliOp("ZZ"), [0.1, 0.2, 0.3]))
    assert program["kind"] == "estimator"
    assert program["circuits"][0]["observables"] == {"ZZ": 1.0}


def test_packed_outcomes_are_a_bit_array():
    outcomes = BitArray.from_samples(["001", "110", "001"], num_bits=3)
    file = io.BytesIO()
    np.savez(file, **{"memory/0/c": outcomes.array})
    array = arrays_from_npz(file.getvalue(), circuit=0)["c"]
    assert BitArray(array, 3).get_bitstrings() == ["001", "110", "001"]


def test_an_operator_with_imaginary_part_is_refused():
    for operator in (SparsePauliOp("ZZ", 1j), SparseObservable.from_list([("ZZ", 1j)]), Pauli("iZZ")):
        with pytest.raises(InvalidRequestError, match="not real"):
            observables(operator)


@pytest.mark.parametrize(
    "given",
    [
        SparseObservable.from_list([("ZZ", 0.5), ("X+", -2.0), ("0I", 1e-3), ("rl", 1.0), ("-1", 2.0)]),
        SparseObservable("Z1+"),
        SparseObservable.from_sparse_list([("X", [2], 0.5), ("0", [0], 1.5), ("", [], 3.0)], num_qubits=4),
    ],
)
def test_projectors_stay_what_they_are(given):
    ours = SparseObservable.from_list(list(observables(given).items()))
    assert np.allclose(ours.as_paulis().to_matrix(), given.as_paulis().to_matrix())


def test_energies_in_joules_keep_all_their_terms():
    operator = SparsePauliOp.from_list([("ZZ", 1.6e-19), ("XI", 5e-28)])
    assert observables(operator) == {"ZZ": 1.6e-19, "XI": 5e-28}
    assert observables(SparseObservable.from_sparse_pauli_op(operator)) == {"ZZ": 1.6e-19, "XI": 5e-28}


@pytest.mark.parametrize(
    "wanted",
    [SparseObservable("ZZ"), PauliList(["ZZ", "XI"]), ObservablesArray(["ZZ", "XI"]), [{"ZZ": 1.0}], np.array(["ZZ"])],
    ids=lambda wanted: type(wanted).__name__,
)
def test_a_pub_is_an_estimator_s_whatever_form_its_observables_have(wanted):
    circuit, _, _ = rotated()
    program = sent((circuit, wanted, [0.1, 0.2, 0.3]))
    assert program["kind"] == "estimator"
    assert program["circuits"][0]["observables"] == observables(wanted)


@pytest.mark.parametrize(
    "wanted", [PauliList(["ZZ", "-XI"]), ObservablesArray(["ZZ", {"XI": -1.0}]), np.array(["ZZ", "XI"])]
)
def test_of_several_circuits_each_has_its_entry(wanted):
    program = sent([bell(), bell()], observables=wanted)
    assert [circuit["observables"] for circuit in program["circuits"]] == observables(wanted)


def test_one_operator_is_for_all_circuits():
    program = sent([bell(), bell()], observables=SparseObservable("ZZ"))
    assert [circuit["observables"] for circuit in program["circuits"]] == [{"ZZ": 1.0}] * 2


@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 1), (2, 3)])
def test_a_bindings_array_keeps_its_shape(shape):
    circuit, angles, phase = rotated()
    rng = np.random.default_rng(5)
    given = BindingsArray({angles: rng.random((*shape, 2)), phase: rng.random(shape)}, shape=shape)
    wire = parameter_values(given)
    ours = BindingsArray({name: np.array(values) for name, values in wire.items()}, shape=shape)
    assert np.array_equal(ours.as_array(circuit.parameters), given.as_array(circuit.parameters))
