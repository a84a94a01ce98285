"""What Aer offers: a backend for each simulation method, and one for each recorded device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from qdepot.domain.backend import BackendInfo
from qdepot.domain.program import ProgramKind
from qdepot.ports.compute_pool import Limits

PROVIDER = "aer"
"""The provider's name."""

_METHODS = {
    "aer": ("automatic", "Aer simulator; picks the method by the circuit."),
    "aer_statevector": ("statevector", "Aer, state vector: exact; memory doubles with each qubit."),
    "aer_mps": ("matrix_product_state", "Aer, matrix product state: many qubits, little entanglement."),
    "aer_stabilizer": ("stabilizer", "Aer, stabilizer: Clifford circuits of thousands of qubits."),
    "aer_density_matrix": ("density_matrix", "Aer, density matrix: noise without sampling it; few qubits."),
}
_OPTIONS = frozenset({"seed", "memory", "optimization_level", "noise", "sampling"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendLimits:
    """What a simulation may use up.

    Attributes:
        default: On every backend but those.
        by_backend: Names of backends, each with its own limits.
    """

    default: Limits
    by_backend: tuple[tuple[str, Limits], ...] = ()

    def of(self, backend: str) -> Limits:
        """Those of one backend."""
        return dict(self.by_backend).get(backend, self.default)


@lru_cache(maxsize=4)
def aer_backends(devices: tuple[tuple[str, int], ...], limits: BackendLimits) -> Sequence[BackendInfo]:
    """One backend per simulation method, and one per fake device, by the names that Qiskit has for these.

    Kept, since each submit asks for them.

    Args:
        devices: Names of fake devices, each with its number of qubits.
        limits: Told as the properties ``time_limit_s`` and ``memory_limit_bytes``.
    """
    methods = [_backend(name, about, limits, method=method) for name, (method, about) in _METHODS.items()]
    return (*methods, *(_fake_device(name, num_qubits, limits) for name, num_qubits in devices))


def _backend(
    name: str,
    description: str,
    limits: BackendLimits,
    *,
    method: str,
    device: str | None = None,
    num_qubits: int | None = None,
) -> BackendInfo:
    options = _OPTIONS | {"method"} if name == "aer" else _OPTIONS
    own = limits.of(name)
    used_up = {"time_limit_s": own.time_s, "memory_limit_bytes": own.memory_bytes}
    return BackendInfo(
        name=name,
        provider=PROVIDER,
        description=description,
        num_qubits=num_qubits,
        max_shots=10_000_000,
        kinds=frozenset(ProgramKind),
        simulator=True,
        repeatable=True,
        runs_here=True,
        takes_key=True,
        options=options if device is None else options - {"noise"},
        properties={"method": method, **({"device": device} if device else {}), **used_up},
    )


def _fake_device(device: str, num_qubits: int, limits: BackendLimits) -> BackendInfo:
    about = f"Aer with the qubits, gates and noise of the device behind {device}, from a recorded calibration."
    name = f"fake_devices/{device.removeprefix('fake_')}"
    return _backend(name, about, limits, method="automatic", device=device, num_qubits=num_qubits)
