"""No two sets, circuits, parts, jobs or kinds of program share random numbers.

The odds that any scan fails by chance are 1e-6 by Hoeffding's inequality. Two runs that are one stream of random
numbers from different points on are found when about ten shots are common to both: with eight bits a shot, their
correlation is ``sqrt(8 * 10)``, and the bound is 8. A stretch of twelve shots that comes twice is found anywhere.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer import AerSimulator

from qdepot.domain.seeds import seed_of_chunk
from qdepot.quantum import operations
from support.circuits import payload
from support.lag_scan import assert_independent, assert_no_stretch_comes_twice

A = Parameter("a")
BITS = 8
SHOTS = 2300
"""More than 2,113: by as much Aer counts on from the seed of one set to that of the next."""
SETS = 3
SEEDS = (1, 2)


def at_the_end(width=BITS):
    """Fair and independent bits, which Aer draws from one final state."""
    circuit = QuantumCircuit(width, width)
    circuit.rz(A, 0)
    circuit.h(range(width))
    circuit.measure(range(width), range(width))
    return circuit


def in_the_middle():
    """The same, shot by shot: two qubits, measured four times."""
    circuit = QuantumCircuit(2, BITS)
    circuit.rz(A, 0)
    for begin in range(0, BITS, 2):
        circuit.h([0, 1])
        circuit.measure([0, 1], [begin, begin + 1])
    return circuit


def with_a_reset():
    circuit = QuantumCircuit(4, 4)
    circuit.rz(A, 0)
    circuit.h(range(4))
    circuit.reset(0)
    circuit.h(0)
    circuit.measure(range(4), range(4))
    return circuit


def with_a_branch():
    circuit = QuantumCircuit(2, BITS)
    circuit.rz(A, 0)
    for begin in range(0, BITS, 2):
        circuit.h([0, 1])
        circuit.measure([0, 1], [begin, begin + 1])
        with circuit.if_test((circuit.clbits[begin], 1)):
            circuit.x(0)
    return circuit


NOISE = {"noise": "fake_manila"}
SHORT = {
    "drawn": (at_the_end(), {}),
    "final state": (at_the_end(), {"sampling": "aer"}),
    "final state, wide": (at_the_end(13), {}),
    "shot by shot": (in_the_middle(), {}),
    "reset": (with_a_reset(), {}),
    "branch": (with_a_branch(), {}),
    "product state": (at_the_end(), {"method": "matrix_product_state"}),
    "stabilizer": (at_the_end(), {"method": "stabilizer"}),
    "density matrix": (at_the_end(5), {"method": "density_matrix"}),
    "noise": (at_the_end(3), NOISE),
    "noise by trajectories": (at_the_end(3), {**NOISE, "method": "statevector"}),
}
LONG = {
    "product state, shot by shot": (in_the_middle(), {"method": "matrix_product_state"}),
    "product state, wide": (at_the_end(20), {"method": "matrix_product_state"}),
    "stabilizer, shot by shot": (in_the_middle(), {"method": "stabilizer"}),
    "stabilizer, wide": (at_the_end(40), {"method": "stabilizer"}),
    "density matrix, shot by shot": (in_the_middle(), {"method": "density_matrix"}),
    "noise, shot by shot": (in_the_middle(), NOISE),
    "noise, reset": (with_a_reset(), {"noise": "fake_guadalupe"}),
    "noise, stabilizer": (at_the_end(3), {**NOISE, "method": "stabilizer"}),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", SHORT)
def test_nothing_is_correlated_at_any_distance(what):
    circuit, options = SHORT[what]
    _scan(runs(circuit, options))


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("what", LONG)
def test_nothing_is_correlated_at_any_distance_where_it_takes_long(what):
    circuit, options = LONG[what]
    _scan(runs(circuit, options))


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("what", "shots", "sets"), [("shot by shot", 9000, 6), ("branch", 9000, 6), ("noise by trajectories", 5000, 3)]
)
def test_nothing_is_correlated_over_many_shots_and_sets(what, shots, sets):
    circuit, options = SHORT[what]
    _scan(runs(circuit, options, shots=shots, sets=sets))


@pytest.mark.slow
@pytest.mark.answers
@pytest.mark.timeout(3600)
def test_nothing_is_correlated_on_a_device_of_more_than_12_qubits():
    """A shot takes milliseconds, so runs are few."""
    _scan(runs(at_the_end(13), {"noise": "fake_guadalupe"}, shots=2200, sets=2, circuits=1))


def test_the_scan_finds_shots_that_aer_gives_twice():
    """As Aer has it by itself: neighbouring seeds, and a sweep in one call."""
    simulator, circuit = AerSimulator(), in_the_middle()
    alone = {
        seed: _bits(simulator.run(circuit.assign_parameters({A: 0.1}), shots=60, memory=True, seed_simulator=seed))
        for seed in (1, 30)
    }
    with pytest.raises(AssertionError, match=r"1 and 30, -?29 shots apart"):
        assert_independent(alone)
    swept = simulator.run(circuit, parameter_binds=[{A: [0.1, 0.2]}], shots=2150, memory=True, seed_simulator=1)
    with pytest.raises(AssertionError, match=r"0 and 1, -?2113 shots apart"):
        assert_independent({number: _bits(swept, number) for number in range(2)})


def test_the_scan_finds_a_stretch_that_comes_again():
    bits = np.random.default_rng(1).random((500, BITS)) < 0.5
    _scan({"run": bits})
    bits[300:312] = bits[7:19]
    with pytest.raises(AssertionError, match=r"12 shots of run from 300 on are those of \('run', 7\)"):
        _scan({"run": bits})


def test_the_scan_finds_a_weak_correlation():
    bits, others = (np.random.default_rng(seed).random((5000, BITS)) < 0.5 for seed in (1, 2))
    _scan({"one": bits, "other": others})
    others[100:] ^= (bits[:-100] ^ others[100:]) & (np.random.default_rng(3).random((4900, BITS)) < 0.1)
    with pytest.raises(AssertionError, match="one and other, 100 shots apart"):
        _scan({"one": bits, "other": others})


def _scan(found):
    assert_independent(found)
    assert_no_stretch_comes_twice(found)


def _bits(job, number=0):
    memory = job.result().get_memory(number)
    return np.array([[char == "1" for char in outcome] for outcome in memory])


def runs(circuit, options, *, shots=SHOTS, sets=SETS, circuits=2):
    """The outcomes of each set of the circuits of jobs with neighbouring seeds, of chunks of a sweep, and of a part."""
    seeds = {f"job {seed}": seed for seed in SEEDS} | {"chunk": seed_of_chunk(SEEDS[0], 1)}
    found = {}
    for name, seed in seeds.items():
        run = _run(circuit, options, seed, shots=shots, sets=sets, circuits=circuits)
        found |= {(name, *place): bits for place, bits in run.items()}
    part = _run(circuit, options, SEEDS[0], shots=shots, sets=1, first_circuit=50, circuits=1)
    return found | {("part", *place): bits for place, bits in part.items()}


def _run(circuit, options, seed, *, shots, sets, circuits, first_circuit=0):
    if options.get("method") == "stabilizer":  # takes no parameters
        circuit, values, circuits = circuit.assign_parameters({A: 0.0}), None, circuits * sets
    else:
        values = {"a": np.linspace(0.1, 1.0, sets).tolist()}
    sent = payload(
        *[circuit] * circuits, shots=shots, options={"seed": seed, "memory": True, **options}, parameter_values=values
    )
    sent.meta["first_circuit"] = first_circuit
    answer = operations.simulate(sent)
    found = {}
    for index in range(first_circuit, first_circuit + circuits):
        packed = np.load(io.BytesIO(bytes(answer.parts[f"memory/{index}/c.npy"])))
        bits = np.unpackbits(packed, axis=-1)[..., -circuit.num_clbits :].astype(bool)
        assert bits.shape[-2] == shots
        found |= {(index, number): one for number, one in enumerate(bits.reshape(-1, shots, circuit.num_clbits))}
    return found
