"""Programs of the QASMBench suite through REST, CLI and client agree with an ideal simulation."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from qdepot import Client
from support.service import run_cli
from support.statistics import assert_same_source, assert_sampled_from

CIRCUITS = Path(os.environ.get("QDEPOT_TEST_CIRCUITS", Path(__file__).parents[2] / "../shared/circuits/qasmbench"))
FILES = sorted(CIRCUITS.glob("*.qasm"))
SHOTS = 4000
LARGEST_EXACT = 16

pytestmark = pytest.mark.skipif(
    not FILES, reason=f"no circuits in {CIRCUITS}: set QDEPOT_TEST_CIRCUITS to a folder of OpenQASM 2 files"
)


def by_rest(service, path: Path) -> dict[str, int]:
    program = {"kind": "sampler", "shots": SHOTS, "circuits": [{"format": "openqasm2", "source": path.read_text()}]}
    answer = httpx.post(f"{service.url}/v1/jobs", json={"backend": "aer", "program": program}, timeout=60)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    status = httpx.get(f"{service.url}/v1/jobs/{job['id']}/status?wait=60", timeout=90).json()
    assert status["status"] == "COMPLETED", status
    return httpx.get(f"{service.url}/v1/jobs/{job['id']}/result").json()["results"][0]["counts"]


def by_cli(service, path: Path) -> dict[str, int]:
    options = ("--backend", "aer", "--shots", str(SHOTS), "--wait", "--json")
    ended = run_cli("submit", str(path), *options, QDEPOT_URL=service.url)
    assert ended.returncode == 0, ended.stderr
    job_id = json.loads(ended.stdout)["jobs"][0]["id"]
    result = run_cli("result", job_id, "--json", QDEPOT_URL=service.url)
    return json.loads(result.stdout)["results"][0]["counts"]


def by_client(service, path: Path) -> dict[str, int]:
    circuit = qasm2.load(str(path), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    return Client(service.url).submit(circuit, shots=SHOTS).result(timeout_s=60)[0].counts


@pytest.mark.parametrize("way", [by_rest, by_cli, by_client])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_counts_agree_with_an_ideal_simulation(service, path, way):
    counts = way(service, path)
    assert sum(counts.values()) == SHOTS
    circuit = qasm2.load(str(path), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    exact = exact_distribution(circuit)
    if exact is not None:
        assert_sampled_from(counts, exact)
    else:
        reference = (
            AerSimulator().run(transpile(circuit, AerSimulator()), shots=SHOTS, seed_simulator=1).result().get_counts()
        )
        assert_same_source(counts, reference)


def exact_distribution(circuit: QuantumCircuit) -> dict[str, float] | None:
    """Probabilities by bit string as get_counts() prints it; None where measuring is not all that comes last."""
    measured: dict[int, int] = {}
    plain = circuit.copy_empty_like()
    for item in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in item.qubits]
        if item.operation.name == "measure":
            measured[circuit.find_bit(item.clbits[0]).index] = qubits[0]
        elif item.operation.name == "barrier":
            continue
        elif item.clbits or item.operation.name in {"reset", "if_else"} or set(qubits) & set(measured.values()):
            return None
        else:
            plain.append(item)
    if circuit.num_qubits > LARGEST_EXACT or len(set(measured.values())) != circuit.num_clbits:
        return None
    plain.remove_final_measurements()
    probabilities = Statevector(plain).probabilities([measured[clbit] for clbit in range(circuit.num_clbits)])
    return {
        separated(circuit, format(int(index), f"0{circuit.num_clbits}b")): float(probabilities[index])
        for index in np.flatnonzero(probabilities > 0)
    }


def separated(circuit: QuantumCircuit, bits: str) -> str:
    """Spaces between registers, the one declared last leftmost."""
    parts, end = [], len(bits)
    for register in circuit.cregs:
        parts.append(bits[end - register.size : end])
        end -= register.size
    return " ".join(reversed(parts))
