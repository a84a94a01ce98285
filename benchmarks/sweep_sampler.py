"""A sweep of parameter sets, from bytes to the packed result, against one bare Aer call with the same sets.

First what is drawn from exact distributions, then what Aer runs, with a seed for each set: from a final state, shot by
shot, with a device's noise, and with that and more shots than there are seeds from one set to the next in a call.
"""

from __future__ import annotations

import io
import statistics

import numpy as np
from harness.figures import interleaved, show, spread
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ParameterVector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qdepot.ports.compute_pool import Payload
from qdepot.quantum import operations
from qdepot.quantum.compact import compacted
from qdepot.quantum.devices import device, noise_for
from qdepot.quantum.survey import surveyed

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


def measured_in_the_middle() -> QuantumCircuit:
    angle = ParameterVector("angle", 2)
    circuit = QuantumCircuit(2, 4)
    for begin in (0, 2):
        circuit.ry(angle[0], 0)
        circuit.ry(angle[1], 1)
        circuit.cx(0, 1)
        circuit.measure([0, 1], [begin, begin + 1])
    return circuit


def payload(circuit: QuantumCircuit, values: np.ndarray, *, shots: int, options: dict[str, object]) -> Payload:
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    sent = {"format": "qpy", "part": "circuit/0", "parameter_values": values.tolist()}
    meta = {"kind": "sampler", "shots": shots, "circuits": [sent], "options": {"seed": 7, **options}, "threads": 1}
    return Payload(meta=meta, parts={"circuit/0": buffer.getvalue()})


def compare(name: str, circuit: QuantumCircuit, *, sets: int = SETS, shots: int = SHOTS, **options: object) -> None:
    values = np.random.default_rng(0).uniform(0, 2 * np.pi, (sets, circuit.num_parameters))
    sent = payload(circuit, values, shots=shots, options=options)
    runs, noise = prepared(sent, options.get("noise"))
    binds = {parameter: values[:, circuit.parameters.data.index(parameter)] for parameter in runs.parameters}
    simulator = AerSimulator()
    given = {} if noise is None else {"noise_model": noise}
    bare, whole = f"{name}: one bare Aer call", f"{name}: simulate()"
    times = interleaved(
        {
            bare: lambda: simulator.run(
                runs, shots=shots, seed_simulator=7, parameter_binds=[binds], max_parallel_threads=1, **given
            ).result(),
            whole: lambda: operations.simulate(sent),
        },
        rounds=ROUNDS,
    )
    for each, seconds in times.items():
        show(each, spread(seconds))
    ratio = statistics.median(times[whole]) / statistics.median(times[bare])
    show(f"{name}: ratio of the medians", f"{ratio:9.2f} x (at most {LIMIT})")


def prepared(sent: Payload, noise: object) -> tuple[QuantumCircuit, NoiseModel | None]:
    """What runs in the end, on the qubits that it uses."""
    (circuit,) = qpy.load(io.BytesIO(bytes(operations.simulate(sent).parts["prepared/0.qpy"])))
    if noise is None:
        return circuit, None
    compact = compacted(circuit, surveyed(circuit).qubits)
    return compact.circuit, noise_for(device(str(noise)), compact)


def main() -> None:
    print(__doc__)
    operations.preload()
    for num_qubits, layers in SHAPES:
        compare(f"{num_qubits} qubits", ansatz(num_qubits, layers))
    compare("4 qubits, sampling by Aer", ansatz(4, 2), sampling="aer")
    compare("2 qubits, shot by shot", measured_in_the_middle(), sets=40)
    compare("2 qubits, shot by shot, 5,000 shots", measured_in_the_middle(), sets=8, shots=5000)
    compare("4 qubits, noise", ansatz(4, 2), sets=200, noise="fake_manila")
    compare("4 qubits, noise, 5,000 shots", ansatz(4, 2), sets=200, shots=5000, noise="fake_manila")


if __name__ == "__main__":
    main()
