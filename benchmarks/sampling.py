"""Drawing from the exact distribution against Aer's shot loop, in one process, by qubits and shots.

The circuits are layers of turns and CX, all qubits measured. Nothing is known of a circuit when its time begins; in the
service, the distribution of one that comes again is kept. Figures are processor time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from harness.figures import show
from harness.openmp import with_threads
from qiskit import QuantumCircuit

from qdepot.quantum import engine, exact_sampling
from qdepot.quantum.bits import Wording, registers_of

QUBITS = (2, 4, 8, 12, 14, 16)
SHOTS = (1, 1024, 10_000, 100_000)
LAYERS = 6
ROUNDS = 5


def layered(num_qubits: int) -> QuantumCircuit:
    rng = np.random.default_rng(num_qubits)
    circuit = QuantumCircuit(num_qubits, num_qubits)
    for layer in range(LAYERS):
        for qubit in range(num_qubits):
            circuit.u(*rng.uniform(0, 6, 3), qubit)
        for qubit in range(layer % 2, num_qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def draw(circuit: QuantumCircuit, shots: int) -> None:
    """The distribution, then draws, with nothing known of the circuit."""
    found = exact_sampling.distribution(circuit)
    assert found is not None
    wanted = exact_sampling.Shots(number=shots, memory=False, seed=7)
    exact_sampling.drawn(found, {}, wanted, sets=1, wording=Wording(registers_of(circuit)))


def run(circuit: QuantumCircuit, shots: int) -> None:
    """One call of Aer, as the service makes it."""
    engine.run(circuit, engine.Values(), engine.Settings(method="automatic", seed=7, shots=shots))


def _processor_times(ways: dict[str, Callable[[], None]]) -> list[list[float]]:
    """Seconds of processor time, in turns: all of it is this process's, and its neighbours do not count."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, seconds in zip(ways.values(), times, strict=True):
            begin = time.process_time()
            way()
            seconds.append(time.process_time() - begin)
    return times


def main() -> None:
    print(__doc__)
    for num_qubits in QUBITS:
        circuit = layered(num_qubits)
        for shots in SHOTS:
            ways = {way.__name__: partial(way, circuit, shots) for way in (draw, run)}
            for way in ways.values():
                way()
            exact, aer = (statistics.median(seconds) * 1e3 for seconds in _processor_times(ways))
            show(
                f"{num_qubits} qubits, {shots} shots",
                f"{exact:8.2f} ms, Aer {aer:8.2f} ms: {aer / exact:6.1f} x faster",
            )


if __name__ == "__main__":
    with_threads(1)
    main()
