"""Makes wstate.qpy: a W state on 20 qubits, taken from the collection MQT Bench.

Measured, exactly one of its 20 bits is 1, and each is as likely as the others. The file is written in QPY version 13,
which every Qiskit from 1.3 on reads. Run it again after a change: python examples/make_qpy.py
"""

from pathlib import Path

from mqt.bench import BenchmarkLevel, get_benchmark
from qiskit import qpy

QUBITS = 20
QPY_VERSION = 13


def main() -> None:
    circuit = get_benchmark("wstate", BenchmarkLevel.INDEP, QUBITS)
    circuit.name = "wstate"
    target = Path(__file__).with_name("wstate.qpy")
    with target.open("wb") as file:
        qpy.dump(circuit, file, version=QPY_VERSION)
    print(f"{target}: {circuit.num_qubits} qubits, {circuit.size()} operations, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
