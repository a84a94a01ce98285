"""One circuit of 24 qubits through the service, against a bare run of Aer: all the rest costs next to nothing.

Both sides have one OpenMP thread for each processor. The fastest of each side's rounds count, since a busy machine only
ever makes a run slower.
"""

from __future__ import annotations

import sys

import numpy as np
from harness.figures import interleaved, show, spread
from harness.jobs import Service, sampler_body
from harness.openmp import processors, with_threads
from harness.service import service
from qiskit import QuantumCircuit, qasm3
from qiskit_aer import AerSimulator

QUBITS = int(sys.argv[1]) if len(sys.argv) > 1 else 24
LAYERS = 4
SHOTS = 1024
ROUNDS = 5


def layered() -> QuantumCircuit:
    rng = np.random.default_rng(1)
    circuit = QuantumCircuit(QUBITS, QUBITS)
    for layer in range(LAYERS):
        for qubit in range(QUBITS):
            circuit.rx(rng.uniform(0, 6), qubit)
        for qubit in range(layer % 2, QUBITS - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure(range(QUBITS), range(QUBITS))
    return circuit


def main() -> None:
    print(__doc__)
    circuit, simulator = layered(), AerSimulator()
    body = sampler_body(qasm3.dumps(circuit), shots=SHOTS)
    with service() as url:

        def through_qdepot() -> None:
            api = Service(url)
            job = api.call("POST", "/v1/jobs", body)
            while job["status"] != "COMPLETED":
                job = api.call("GET", f"/v1/jobs/{job['id']}/status?wait=30")

        times = interleaved(
            {
                f"{QUBITS} qubits: bare AerSimulator().run(circuit).result()": lambda: simulator.run(
                    circuit, shots=SHOTS
                ).result(),
                f"{QUBITS} qubits: through qdepot": through_qdepot,
            },
            rounds=ROUNDS,
        )
    for name, seconds in times.items():
        show(name, spread(seconds))
    bare, whole = (min(seconds) for seconds in times.values())
    show("ratio of the fastest", f"{whole / bare:9.3f} x")


if __name__ == "__main__":
    with_threads(processors())
    main()
