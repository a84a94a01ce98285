"""Running: seeds, methods, control flow, several circuits, and what is kept of a run."""

import io
import json

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3

from qdepot.domain.seeds import seed_of_circuit
from qdepot.quantum import operations
from support.circuits import BELL2, BELL3, METHODS, counts, loaded, openqasm3, payload, results, simulated, written

COIN = openqasm3("qubit[3] q; bit[3] c; h q; c = measure q;")


@pytest.mark.parametrize("backend", METHODS)
def test_the_same_seed_gives_the_same_counts(backend):
    first, second = (counts(COIN, backend=backend, options={"seed": 11}) for _ in range(2))
    assert first == second
    assert counts(COIN, backend=backend, options={"seed": 12}) != first


def test_a_seed_is_chosen_where_none_is_given_and_repeats_the_run():
    answer = simulated(COIN)
    seed = answer.meta["metadata"]["seed"]
    assert isinstance(seed, int)
    assert 0 <= seed < 2**53
    (entry,) = json.loads(answer.parts["result.json"])["results"]
    assert entry["metadata"]["seed"] == seed
    assert counts(COIN, options={"seed": seed}) == entry["counts"]
    assert simulated(COIN).meta["metadata"]["seed"] != seed


def test_each_circuit_of_a_job_can_be_repeated_alone_with_its_seed():
    entries = results(COIN, COIN, COIN, options={"seed": 4})
    seeds = [entry["metadata"]["seed"] for entry in entries]
    assert seeds == [seed_of_circuit(4, index) for index in range(3)]
    assert len(set(seeds)) == 3
    for entry in entries:
        assert counts(COIN, options={"seed": entry["metadata"]["seed"]}) == entry["counts"]


@pytest.mark.parametrize("seed", [0, 2**31, 2**53, 2**63 - 1])
def test_every_seed_that_the_api_takes_is_taken(seed):
    (entry,) = results(COIN, COIN, options={"seed": seed})[:1]
    assert entry["metadata"]["seed"] == seed
    assert sum(entry["counts"].values()) == 1024


@pytest.mark.parametrize(("backend", "method"), [each for each in METHODS.items() if each[0] != "aer"])
def test_the_method_that_was_used_is_told(backend, method):
    answer = simulated(BELL3, backend=backend)
    (entry,) = json.loads(answer.parts["result.json"])["results"]
    assert entry["metadata"]["method"] == method == answer.meta["metadata"]["method"]
    (entry,) = results(BELL3, options={"method": method})
    assert entry["metadata"]["method"] == method


def test_automatic_tells_what_it_chose():
    not_clifford = openqasm3("qubit[1] q; bit[1] c; t q; c = measure q;")
    first, second = results(BELL3, not_clifford, options={"sampling": "aer"})
    assert first["metadata"]["method"] == "stabilizer"
    assert second["metadata"]["method"] == "statevector"


def test_metadata_tells_versions_and_times():
    answer = simulated(BELL3, options={"optimization_level": 2})
    metadata = answer.meta["metadata"]
    assert {"qiskit", "qiskit-aer", "qdepot"} <= set(metadata["packages"])
    assert metadata["device"] is None
    assert metadata["times"]["total_s"] >= metadata["times"]["read_s"] >= 0
    (entry,) = json.loads(answer.parts["result.json"])["results"]
    assert entry["metadata"]["optimization_level"] == 2
    assert set(entry["metadata"]["times"]) == {"prepare_s", "run_s"}
    assert answer.meta["summary"] == operations.check(payload(BELL3)).meta
    json.dumps(dict(answer.meta), allow_nan=False)


def test_a_circuit_that_fits_runs_as_it_was_sent():
    answer = simulated(BELL2)
    assert loaded(answer.parts["prepared/0.qpy"]) == QuantumCircuit.from_qasm_str(BELL2.decode())
    (entry,) = json.loads(answer.parts["result.json"])["results"]
    assert entry["metadata"]["optimization_level"] is None


def test_a_circuit_that_does_not_fit_is_translated():
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.rccx(0, 1, 2)
    circuit.iswap(0, 1)
    circuit.measure(range(3), range(3))
    answer = simulated(circuit)
    assert not {"rccx", "iswap"} & set(loaded(answer.parts["prepared/0.qpy"]).count_ops())
    (entry,) = json.loads(answer.parts["result.json"])["results"]
    assert entry["counts"] == {"010": 1024}
    assert entry["metadata"]["optimization_level"] == 1


@pytest.mark.parametrize("backend", ["aer", "aer_statevector", "aer_mps", "aer_stabilizer", "aer_density_matrix"])
def test_control_flow(backend):
    source = openqasm3(
        """qubit[4] q; bit[1] flag; bit[2] count; bit[4] out;
        x q[0]; flag[0] = measure q[0];
        if (flag == 1) { x q[1]; } else { x q[2]; }
        for uint i in [0:2] { x q[3]; }
        while (flag == 1) { x q[0]; flag[0] = measure q[0]; x q[2]; }
        for int j in {1, 5, 9} { if (j == j) { x q[2]; } }
        reset q[0]; out = measure q;"""
    ).replace(b"if (j == j) { x q[2]; }", b"x q[2]; x q[2];")
    assert counts(source, backend=backend, shots=8) == {"1110 00 0": 8}


def test_switch_and_break():
    quantum, number = QuantumRegister(3, "q"), ClassicalRegister(2, "number")
    circuit = QuantumCircuit(quantum, number, ClassicalRegister(3, "out"))
    circuit.x(1)
    circuit.measure([0, 1], number)
    with circuit.switch(number) as case:
        with case(0, 1):
            circuit.x(0)
        with case(2):
            circuit.x(2)
        with case(case.DEFAULT):
            circuit.x([0, 1])
    with circuit.for_loop(range(5)):
        circuit.x(0)
        circuit.break_loop()
    circuit.measure(quantum, circuit.cregs[1])
    assert counts(circuit, shots=8) == {"111 10": 8}


def test_a_switch_in_openqasm3():
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, "c"))
    with circuit.switch(circuit.cregs[0]) as case, case(0):
        circuit.x(0)
    circuit.measure(0, 0)
    by_hand = openqasm3("qubit[1] q; bit[1] c; switch (c) { case 0 { x q[0]; } } c = measure q;")
    for source in (by_hand, qasm3.dumps(circuit).encode(), circuit):
        assert counts(source, shots=8) == {"1": 8}


def test_a_branch_that_is_never_taken_measures_nothing():
    source = openqasm3("qubit[1] q; bit[1] a; bit[2] b; a = measure q; if (a == 1) { b[0] = measure q[0]; }")
    assert counts(source, shots=4, options={"memory": True}) == {"00 0": 4}


def test_measurement_in_the_middle_and_reset():
    source = openqasm3(
        "qubit[1] q; bit[1] before; bit[1] after; h q; before = measure q; reset q; x q; after = measure q;"
    )
    (entry,) = results(source, shots=400)
    assert set(entry["counts"]) == {"1 0", "1 1"}
    assert entry["registers"]["after"]["counts"] == {"1": 400}


def test_many_circuits_keep_their_order_and_their_own_shots():
    sources = [openqasm3(f"qubit[3] q; bit[3] c; x q[{index}]; c = measure q;") for index in range(3)]
    entries = results(*sources, shots=7, each=[{}, {"shots": 9}, {}])
    assert [entry["counts"] for entry in entries] == [{"001": 7}, {"010": 9}, {"100": 7}]
    assert [entry["shots"] for entry in entries] == [7, 9, 7]


def test_memory_of_each_circuit_has_files_of_its_own():
    parts = simulated(BELL2, COIN, options={"memory": True}).parts
    assert np.load(io.BytesIO(parts["memory/0/c.npy"]), allow_pickle=False).shape == (1024, 1)
    assert {"prepared/0.qpy", "prepared/1.qpy", "memory/1/c.npy"} <= set(parts)


def test_hardware_qubits_of_openqasm3():
    source = openqasm3("bit[2] c; x $2; c[0] = measure $2; c[1] = measure $0;")
    assert counts(source, shots=4) == {"01": 4}


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_every_optimization_level_gives_the_same_outcome(level):
    circuit = QuantumCircuit(4, 4)
    circuit.x(0)
    circuit.swap(0, 3)
    circuit.cswap(3, 0, 1)
    circuit.ccx(3, 0, 2)
    circuit.cx(3, 1)
    circuit.measure([3, 1, 0, 2], [0, 1, 2, 3])
    assert counts(written(circuit, "qpy"), shots=4, options={"optimization_level": level}) == {"0011": 4}
