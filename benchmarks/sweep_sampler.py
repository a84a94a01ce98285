"""A sweep of 1,000 parameter sets, from bytes to the packed result, against one bare Aer call with the same sets."""

from __future__ import annotations

import io
import statistics

import numpy as np
from harness.figures import interleaved, show, spread
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ParameterVector
from qiskit_aer import AerSimulator

from qdepot.ports.compute_pool import Payload
from qdepot.quantum import operations

SETS = 1000
SHOTS = 1024
ROUNDS = 5
SHAPES = ((2, 1), (4, 2), (8, 3))  # qubits, layers
LIMIT = 1.2


def ansatz(num_qubits: int, layers: int) -> QuantumCircuit:
    angles = ParameterVector("angle", num_qubits * layers)
    circuit = QuantumCircuit(num_qubits, num_qubits)
    for layer in range(layers):
        for qubit in range(num_qubits):
            circuit.ry(angles[layer * num_qubits + qubit], qubit)
        for qubit in range(num_qubits - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def payload(circuit: QuantumCircuit, values: np.ndarray) -> Payload:
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    sent = {"format": "qpy", "part": "circuit/0", "parameter_values": values.tolist()}
    meta = {"kind": "sampler", "shots": SHOTS, "circuits": [sent], "options": {"seed": 7}, "threads": 1}
    return Payload(meta=meta, parts={"circuit/0": buffer.getvalue()})


def compare(num_qubits: int, layers: int) -> float:
    circuit, simulator = ansatz(num_qubits, layers), AerSimulator()
    values = np.random.default_rng(0).uniform(0, 2 * np.pi, (SETS, circuit.num_parameters))
    binds = {parameter: values[:, index] for index, parameter in enumerate(circuit.parameters)}
    sent = payload(circuit, values)
    bare, whole = f"{num_qubits} qubits: one bare Aer call", f"{num_qubits} qubits: simulate()"
    times = interleaved(
        {
            bare: lambda: simulator.run(
                circuit, shots=SHOTS, seed_simulator=7, parameter_binds=[binds], max_parallel_threads=1
            ).result(),
            whole: lambda: operations.simulate(sent),
        },
        rounds=ROUNDS,
    )
    for name, seconds in times.items():
        show(name, spread(seconds))
    ratio = statistics.median(times[whole]) / statistics.median(times[bare])
    show(f"{num_qubits} qubits: ratio of the medians", f"{ratio:9.2f} x (at most {LIMIT})")
    return ratio


def main() -> None:
    print(__doc__)
    operations.preload()
    for shape in SHAPES:
        compare(*shape)


if __name__ == "__main__":
    main()
