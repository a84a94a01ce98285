"""Circuits that other people wrote: a folder of OpenQASM 2 files, and MQT Bench."""

import os
from pathlib import Path

import pytest
from mqt.bench import BenchmarkLevel, get_benchmark
from qiskit.quantum_info import Statevector

from support.circuits import FORMATS, checked, counts, results, written
from support.statistics import assert_sampled_from

FOLDER = Path(os.environ.get("QDEPOT_TEST_CIRCUITS", Path(__file__).parents[4] / "shared" / "circuits" / "qasmbench"))
FILES = sorted(FOLDER.glob("*.qasm"))
WIDEST = 16
BENCHMARKS = [("ghz", 5), ("qft", 4), ("wstate", 4), ("graphstate", 5), ("bv", 5), ("dj", 4), ("qpeexact", 4)]


@pytest.mark.skipif(not FILES, reason=f"no circuits in {FOLDER}: set QDEPOT_TEST_CIRCUITS to a folder of .qasm files")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_real_files_are_read_and_checked(path):
    found = checked(path.read_bytes(), program_format="openqasm2")
    assert found["circuits"][0]["size"] > 0
    if found["num_qubits"] <= WIDEST:
        (entry,) = results(path.read_bytes(), program_format="openqasm2", shots=50)
        assert sum(entry["counts"].values()) == 50


def _benchmark(name, size):
    circuit = get_benchmark(name, BenchmarkLevel.INDEP, size)
    return circuit if circuit.num_clbits else circuit.measure_all(inplace=False)


@pytest.mark.parametrize(("name", "size"), BENCHMARKS)
def test_benchmarks_agree_with_the_exact_distribution_in_every_format(name, size):
    circuit = _benchmark(name, size)
    exact = _distribution(circuit)
    for program_format in FORMATS:
        found = counts(written(circuit, program_format), shots=2000, program_format=program_format)
        assert_sampled_from({bits.replace(" ", ""): count for bits, count in found.items()}, exact)


def _distribution(circuit):
    """Of a circuit that measures each of its qubits once, at the end: by bit string, without spaces."""
    measured = {
        circuit.find_bit(each.clbits[0]).index: each.qubits[0] for each in circuit.data if each.name == "measure"
    }
    bare = circuit.remove_final_measurements(inplace=False)
    order = [bare.find_bit(measured[bit]).index for bit in sorted(measured)]
    assert sorted(measured) == list(range(len(measured)))
    return Statevector(bare).probabilities_dict(order)
