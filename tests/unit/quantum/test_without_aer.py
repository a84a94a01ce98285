"""Without Aer, circuits are still read and checked: a service whose jobs run elsewhere needs no simulator."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import importlib.util, sys

sys.modules["qiskit_aer"] = None  # an import fails
really = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "qiskit_aer" else really(name, package)

from qdepot.ports.compute_pool import Payload
from qdepot.quantum import operations

operations.preload()
order = {
    "kind": "sampler", "shots": 10, "precision": 0.0, "options": {}, "max_total_shots": 1000, "threads": 1,
    "circuits": [{"format": "openqasm2", "part": "circuit/0"}],
    "backend": {"name": "qpu", "method": "automatic", "num_qubits": 5, "max_shots": 100, "device": None},
}
good = b'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
print(operations.check(Payload(meta=order, parts={"circuit/0": good})).meta["num_qubits"])
for circuit in (good.replace(b"cx", b"nonsense"), b"OPENQASM 2.0; qreg q[9];"):
    try:
        operations.check(Payload(meta=order, parts={"circuit/0": circuit}))
    except Exception as error:
        print(type(error).__name__)
try:
    operations.simulate(Payload(meta=order, parts={"circuit/0": good}))
except ImportError as error:
    print("no Aer")
"""


def test_circuits_are_checked_without_aer_and_not_run():
    done = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", CODE], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == ["2", "InvalidProgramError", "UnsupportedProgramError", "no Aer"]
