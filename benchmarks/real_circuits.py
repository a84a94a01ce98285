"""Circuits that people wrote, through the service as one batch, against bare runs of Aer one after the other.

A folder of OpenQASM 2 files (QDEPOT_TEST_CIRCUITS, or ../shared/circuits), else circuits of MQT Bench. Wider ones than
20 qubits are left out: there only the simulation counts (see large_circuit.py). The bare side has the circuits read and
in gates that Aer knows before its time begins.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from harness.figures import interleaved, show, spread
from harness.jobs import Service, sampler_body
from harness.openmp import processors, with_threads
from harness.service import service
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit_aer import AerSimulator

WIDEST = 20
SHOTS = 1024
ROUNDS = 5
TIMES = 5
MQT = (("ghz", 10), ("qft", 8), ("wstate", 8), ("graphstate", 10), ("bv", 10), ("qpeexact", 8))


def circuits() -> dict[str, QuantumCircuit]:
    """By name."""
    here = Path(__file__).resolve()
    folder = Path(os.environ.get("QDEPOT_TEST_CIRCUITS", here.parents[2] / "shared" / "circuits"))
    read = {
        path.stem: qasm2.load(path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
        for path in sorted(folder.glob("**/*.qasm"))
    }
    found = read or _of_mqt_bench()
    return {name: circuit for name, circuit in found.items() if circuit.num_qubits <= WIDEST and circuit.num_clbits}


def _of_mqt_bench() -> dict[str, QuantumCircuit]:
    from mqt.bench import BenchmarkLevel, get_benchmark

    return {f"{name}_{size}": get_benchmark(name, BenchmarkLevel.INDEP, size) for name, size in MQT}


def main() -> None:
    print(__doc__)
    simulator = AerSimulator()
    found = circuits()
    ready = [transpile(circuit, simulator, optimization_level=1) for circuit in found.values()] * TIMES
    bodies = [sampler_body(qasm2.dumps(circuit), shots=SHOTS, circuit_format="openqasm2") for circuit in found.values()]
    show("circuits", f"{len(found)}, each {TIMES} times: {', '.join(found)}")
    with service() as url:

        def bare() -> None:
            for circuit in ready:
                simulator.run(circuit, shots=SHOTS).result()

        def through_qdepot() -> None:
            api = Service(url)
            api.wait_for_all(api.submit_batch(bodies * TIMES))

        through_qdepot()
        times = interleaved(
            {"bare, one after the other": bare, "through qdepot, one batch": through_qdepot}, rounds=ROUNDS
        )
    for name, seconds in times.items():
        show(name, spread(seconds))
    one, other = (statistics.median(seconds) for seconds in times.values())
    show("ratio of the sums", f"{other / one:9.2f} x")


if __name__ == "__main__":
    with_threads(processors())
    main()
