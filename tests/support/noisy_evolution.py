"""What a device's noise makes of a circuit, worked out without Aer's simulator and without qdepot.

The state is a density matrix of ``qiskit.quantum_info``. What disturbs a gate, and what a measurement misreads, is
read from Aer's noise model of the whole device; what happens to a qubit that waits is calculated from its T1 and T2.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.quantum_info import DensityMatrix, Kraus, SuperOp
from qiskit_aer.noise import NoiseModel


def fake_backend(name: str) -> BackendV2:
    """The backend itself, as the package that has it makes it."""
    provider = importlib.import_module("qiskit_ibm_runtime.fake_provider")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (found,) = (
            each()
            for each in vars(provider).values()
            if isinstance(each, type) and vars(each).get("backend_name") == name
        )
    return found


class NoisyDevice:
    """Calculates exact distributions on one device."""

    def __init__(self, backend: BackendV2) -> None:
        self._target = backend.target
        model = NoiseModel.from_backend(backend)
        data = model.to_dict()
        assert not model._default_quantum_errors, "errors for all qubits"
        self._errors = {
            (name, qubits): SuperOp(error)
            for name, by_qubits in model._local_quantum_errors.items()
            for qubits, error in by_qubits.items()
        }
        self._misreading = {
            qubits[0]: np.array(entry["probabilities"])
            for entry in data["errors"]
            if entry["type"] == "roerror"
            for qubits in entry["gate_qubits"]
        }

    def distribution(self, circuit: QuantumCircuit) -> dict[str, float]:
        """Of the classical bits of a circuit on the device's qubits that measures each bit once, at its end."""
        state = DensityMatrix.from_label("0" * circuit.num_qubits)
        read: dict[int, int] = {}
        for instruction in circuit.data:
            qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
            name = instruction.operation.name
            if name == "measure":
                read[circuit.find_bit(instruction.clbits[0]).index] = qubits[0]
            elif name != "barrier":
                assert not set(qubits) & set(read.values()), "a gate after a measurement"
                state = self._applied(state, instruction.operation, qubits)
        qubits = [read[bit] for bit in sorted(read)]
        assert sorted(read) == list(range(circuit.num_clbits)), "a bit is not measured"
        probabilities = self._misread(state.probabilities(qubits), qubits)
        width = len(qubits)
        return {f"{index:0{width}b}": float(each) for index, each in enumerate(probabilities)}

    def _applied(self, state: DensityMatrix, operation: object, qubits: Sequence[int]) -> DensityMatrix:
        if operation.name == "reset":
            state = state.reset(list(qubits))
        elif operation.name == "delay":
            return state.evolve(self._waiting(operation, qubits[0]), list(qubits))
        else:
            state = state.evolve(operation, list(qubits))
        error = self._errors.get((operation.name, tuple(qubits)))
        return state if error is None else state.evolve(error, list(qubits))

    def _waiting(self, delay: object, qubit: int) -> Kraus:
        """Energy is lost with T1, and phase with T2, for as long as the qubit waits."""
        assert delay.unit == "dt"
        seconds = delay.duration * self._target.dt
        properties = self._target.qubit_properties[qubit]
        t1, t2 = properties.t1, min(properties.t2, 2 * properties.t1)
        kept, coherent = np.exp(-seconds / t1), np.exp(-seconds / t2)
        decay = [np.array([[1, 0], [0, np.sqrt(kept)]]), np.array([[0, np.sqrt(1 - kept)], [0, 0]])]
        dephased = (1 - coherent / np.sqrt(kept)) / 2
        phase = [np.sqrt(1 - dephased) * np.eye(2), np.sqrt(dephased) * np.diag([1.0, -1.0])]
        return Kraus([one @ other for one in phase for other in decay])

    def _misread(self, probabilities: NDArray[np.float64], qubits: Sequence[int]) -> NDArray[np.float64]:
        found = probabilities.reshape((2,) * len(qubits))
        for place, qubit in enumerate(reversed(qubits)):
            matrix = self._misreading.get(qubit)
            if matrix is not None:
                found = np.moveaxis(np.tensordot(found, matrix, axes=(place, 0)), -1, place)
        return found.ravel()
