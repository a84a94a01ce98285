"""What a seed promises: every table of the page on sampling, and what it relies on in Aer."""

import itertools
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, pauli_error

from qdepot.quantum import engine, operations
from qdepot.quantum.drawing import Drawer
from qdepot.quantum.seeded_aer import seeded_simulator
from support.circuits import openqasm3, payload, results
from support.seed_rule import by_the_rule

A = Parameter("a")
STATEMENTS = {
    "sampled": "h q; rz(a) q[0]; c = measure q;",
    "shot by shot": "h q; rz(a) q[0]; c[0] = measure q[0]; h q[0]; c[1] = measure q[0]; c[2] = measure q[2];",
    "reset": "h q; rz(a) q[0]; reset q[0]; h q[0]; c = measure q;",
    "branch": "h q; rz(a) q[0]; c[0] = measure q[0]; if (c[0]) { h q[1]; } c[1] = measure q[1]; c[2] = measure q[2];",
}
SWEPT = {
    name: openqasm3(f"input float a; qubit[3] q; bit[3] c; {statements}") for name, statements in STATEMENTS.items()
}
ANGLES = [0.1, 0.2, 0.3]
METHODS = ("statevector", "density_matrix", "matrix_product_state")


def found(source, **how):
    """Counts, per-shot outcomes and metadata of one circuit."""
    options = {"memory": True, **how.pop("options")}
    (entry,) = results(source, options=options, **how)
    return entry


def memories(entry, *, shots):
    """The per-shot outcomes of each set."""
    flat = np.array(entry["memory"]).ravel().tolist()
    return [flat[begin : begin + shots] for begin in range(0, len(flat), shots)]


@pytest.mark.parametrize("what", STATEMENTS)
@pytest.mark.parametrize("method", METHODS)
def test_each_set_is_what_aer_gives_alone_with_the_derived_seed(what, method):
    entry = found(SWEPT[what], options={"seed": 5, "method": method}, shots=40, parameter_values={"a": ANGLES})
    circuit = operations_circuit(what)
    for number, angle in enumerate(ANGLES):
        reference = AerSimulator(method=method).run(
            circuit.assign_parameters({A: angle}),
            shots=40,
            memory=True,
            seed_simulator=by_the_rule("aer", 5, number, 0),
            max_parallel_threads=1,
        )
        assert memories(entry, shots=40)[number] == reference.result().get_memory()


def operations_circuit(what):
    """The circuit of ``STATEMENTS`` as Qiskit code has it."""
    circuit = QuantumCircuit(3, 3)
    circuit.h(range(3))
    circuit.rz(A, 0)
    if what == "sampled":
        circuit.measure(range(3), range(3))
    elif what == "reset":
        circuit.reset(0)
        circuit.h(0)
        circuit.measure(range(3), range(3))
    else:
        circuit.measure(0, 0)
        if what == "branch":
            with circuit.if_test((circuit.clbits[0], 1)):
                circuit.h(1)
            circuit.measure(1, 1)
        else:
            circuit.h(0)
            circuit.measure(0, 1)
        circuit.measure(2, 2)
    return circuit


@pytest.mark.parametrize("what", STATEMENTS)
@pytest.mark.parametrize("how", [{}, {"sampling": "aer"}, {"noise": "fake_manila"}], ids=["free", "aer", "noise"])
def test_the_first_set_of_a_sweep_and_each_circuit_of_a_job_give_alone_what_they_give_together(what, how):
    options = {"seed": 9, "memory": True, **how}
    swept = results(SWEPT[what], SWEPT[what], options=options, shots=60, parameter_values={"a": ANGLES})
    for entry in swept:
        alone = {**options, "seed": entry["metadata"]["seed"]}
        (again,) = results(SWEPT[what], options=alone, shots=60, parameter_values={"a": ANGLES})
        (first,) = results(SWEPT[what], options=alone, shots=60, parameter_values={"a": ANGLES[0]})
        assert again["memory"] == entry["memory"]
        assert memories(first, shots=60)[0] == memories(entry, shots=60)[0]
    assert swept[0]["memory"] != swept[1]["memory"]


def test_sets_have_seeds_of_their_own_also_where_no_parameter_is_left():
    source = openqasm3("input float a; qubit[8] q; bit[8] c; rz(a) q[0]; rz(-a) q[0]; h q; c = measure q;")
    options = {"seed": 1, "optimization_level": 2, "sampling": "aer"}
    entry = found(source, options=options, shots=50, parameter_values={"a": ANGLES})
    assert len({tuple(memory) for memory in memories(entry, shots=50)}) == 3  # odds of 2^-400


def test_aer_uses_every_bit_of_a_seed():
    circuit = QuantumCircuit(8, 8)
    circuit.h(range(8))
    circuit.measure(range(8), range(8))
    seeds = [0, *(1 << bit for bit in range(63)), 2**63 - 1]
    outcomes = {tuple(_memory(circuit, seed=seed)) for seed in seeds}
    assert len(outcomes) == len(seeds)  # odds of 2^-244


def test_aer_counts_on_from_its_seed_shot_by_shot():
    """What makes seeds that are close to each other a fault; should Aer end it, much becomes simpler here."""
    circuit = operations_circuit("shot by shot").assign_parameters({A: 0.1})
    assert _memory(circuit, seed=100)[1:] == _memory(circuit, seed=101)[:-1]


def _memory(circuit, *, seed):
    job = AerSimulator().run(circuit, shots=32, memory=True, seed_simulator=seed, max_parallel_threads=1)
    return job.result().get_memory()


def _readout_noise():
    model = NoiseModel()
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    return model


def _gate_noise():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(pauli_error([("X", 0.1), ("I", 0.9)]), ["h"])
    return model


@pytest.mark.parametrize("what", STATEMENTS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shots", [2113, 2114])
@pytest.mark.parametrize("noise", [_readout_noise(), _gate_noise()], ids=["readout", "gates"])
def test_sets_with_noise_share_no_seed(what, method, shots, noise):
    """Each set takes either the seed that Aer names, or that and the next ones, one a shot."""
    circuit, settings = operations_circuit(what), engine.Settings(method=method, seed=3, shots=shots, noise=noise)
    experiments = engine.run(circuit, engine.Values(sets=3, columns={A: np.array(ANGLES)}), settings)
    assert len(experiments) == 3
    ranges = []
    for experiment in experiments:
        taken = 1 if experiment.metadata["measure_sampling"] else shots
        ranges.append(range(experiment.seed_simulator, experiment.seed_simulator + taken))
    ranges.sort(key=lambda each: each.start)
    assert all(one.stop <= other.start for one, other in itertools.pairwise(ranges))


def test_a_sweep_with_noise_that_aer_draws_from_final_states_takes_two_calls():
    """Aer prepares the noise anew for each call."""
    calls = []

    class Counting:
        def __init__(self, controller):
            self._controller = controller

        def execute(self, *arguments):
            calls.append(1)
            return self._controller.execute(*arguments)

    simulator = seeded_simulator("density_matrix")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "_controller", Counting(simulator._controller))
        settings = engine.Settings(method="density_matrix", seed=3, shots=5000, noise=_gate_noise())
        engine.run(operations_circuit("sampled"), engine.Values(sets=3, columns={A: np.array(ANGLES)}), settings)
        assert len(calls) == 2
        engine.run(operations_circuit("reset"), engine.Values(sets=3, columns={A: np.array(ANGLES)}), settings)
    assert len(calls) == 4


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="Aer uses no more threads than there are processors")
@pytest.mark.parametrize("noise", [None, "fake_manila"])
@pytest.mark.parametrize("method", ["automatic", *METHODS, "stabilizer"])
@pytest.mark.parametrize("what", ["sampled", "shot by shot"])
def test_threads_do_not_change_what_comes_out(method, what, noise, monkeypatch):
    monkeypatch.setattr(engine, "_PARALLEL_FROM_QUBITS", 1)
    source = openqasm3(f"input float a; qubit[3] q; bit[3] c; {STATEMENTS[what].replace('rz(a)', 'z')}")
    options = {"seed": 5, "memory": True, "sampling": "aer", "noise": noise, "method": method}
    given = {name: value for name, value in options.items() if value not in (None, "automatic")}
    sent = payload(source, options=given, shots=300, parameter_values={"a": [0.0, 0.0]})
    answers = [operations.simulate(replace(sent, meta={**sent.meta, "threads": threads})) for threads in (1, 2, 3, 64)]
    entries = [json.loads(answer.parts["result.json"])["results"][0] for answer in answers]
    assert all(entry["memory"] == entries[0]["memory"] for entry in entries)


def test_the_outcomes_that_are_drawn_follow_from_the_derived_seed():
    """PCG64, 53 leading bits a shot, outcomes in order: for a fair bit, its value is the leading bit."""
    entry = found(
        openqasm3("input float a; qubit[1] q; bit[1] c; rz(a) q; h q; c = measure q;"),
        options={"seed": 6},
        shots=100,
        parameter_values={"a": ANGLES},
    )
    assert entry["metadata"]["sampling"] == "exact-distribution"
    for number, memory in enumerate(memories(entry, shots=100)):
        raw = np.random.PCG64(by_the_rule("draw", 6, number, 0)).random_raw(100)
        assert memory == [str(bit) for bit in raw >> np.uint64(63)]
        outcomes = Drawer(by_the_rule("draw", 6, number, 0)).outcomes(np.array([0.5, 0.5]), shots=100)
        assert memory == [str(bit) for bit in outcomes]


def test_the_error_of_an_estimate_depends_on_the_set_and_the_observable_alone():
    source = openqasm3("input float a; qubit[2] q; rx(a) q[0];")
    how = {"kind": "estimator", "precision": 0.5, "options": {"seed": 11}}
    angles, names = [0.3, 0.4, 0.5, 0.6], ["IZ", "ZI", "ZZ"]
    (grid,) = results(source, parameter_values=[[[angle]] for angle in angles], observables=names, **how)
    (exact,) = results(
        source, parameter_values=[[[angle]] for angle in angles], observables=names, **{**how, "precision": 0.0}
    )
    errors = (np.array(grid["evs"]) - np.array(exact["evs"])) / 0.5
    for (number, index), error in np.ndenumerate(errors):
        assert error == pytest.approx(normal(by_the_rule("estimate", 11, number, index)), abs=1e-9)
    (one,) = results(source, parameter_values={"a": angles[0]}, observables=names[0], **how)
    assert one["evs"] == pytest.approx(grid["evs"][0][0], abs=1e-12)


def normal(seed):
    """The point of the standard normal distribution below which the fraction ``seed / 2^63`` lies."""
    from scipy.special import ndtri

    return float(ndtri(((seed >> 11) + 0.5) / 2**52))
