"""What Aer offers: a backend for each simulation method, and one for each recorded device."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import ProgramKind

PROVIDER = "aer"
"""The provider's name."""

_METHODS = {
    "aer": ("automatic", "Aer simulator; picks the method by the circuit."),
    "aer_statevector": ("statevector", "Aer, state vector: exact; memory doubles with each qubit."),
    "aer_mps": ("matrix_product_state", "Aer, matrix product state: many qubits, little entanglement."),
    "aer_stabilizer": ("stabilizer", "Aer, stabilizer: Clifford circuits of thousands of qubits."),
    "aer_density_matrix": ("density_matrix", "Aer, density matrix: noise without sampling it; few qubits."),
}
_OPTIONS = frozenset({"seed", "memory", "optimization_level", "noise"})


@lru_cache(maxsize=4)
def aer_backends(devices: tuple[str, ...]) -> Sequence[BackendInfo]:
    """One backend per simulation method, and one per fake device, by the names that Qiskit has for these.

    Kept, since each submit asks for them.
    """
    methods = [_backend(name, about, method=method) for name, (method, about) in _METHODS.items()]
    return (*methods, *map(_fake_device, devices))


def _backend(name: str, description: str, *, method: str, device: str | None = None) -> BackendInfo:
    options = _OPTIONS | {"method"} if name == "aer" else _OPTIONS
    return BackendInfo(
        name=name,
        provider=PROVIDER,
        description=description,
        max_shots=10_000_000,
        kinds=frozenset(ProgramKind),
        simulator=True,
        repeatable=True,
        runs_here=True,
        takes_key=True,
        options=options if device is None else options - {"noise"},
        properties={"method": method, **({"device": device} if device else {})},
    )


def _fake_device(device: str) -> BackendInfo:
    about = f"Aer with the qubits, gates and noise of the device behind {device}, from a recorded calibration."
    return _backend(f"fake_devices/{device.removeprefix('fake_')}", about, method="automatic", device=device)
