"""Aer's simulation methods: which one is used, what it knows, how much memory it takes."""

from __future__ import annotations

import os
from functools import cache

from qiskit.transpiler import Target

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.order import Order
from qdepot.quantum.survey import Survey

AUTOMATIC = "automatic"
STATEVECTOR = "statevector"
DENSITY_MATRIX = "density_matrix"
STABILIZER = "stabilizer"
EXTENDED_STABILIZER = "extended_stabilizer"

_INTERNAL = ("save_", "set_", "kraus", "superop", "roerror", "qerror_loc", "quantum_channel")
_MISBOUND = ("cp", "cu", "cr", "mc")
"""Aer 0.18 runs controlled rotations as if their parameter were 0, where it is Aer that puts the values in."""

_BYTES_PER_NUMBER = 16
_RESERVED_BYTES = 64 * 1024**2
"""What a run takes besides the state, measured as 16 to 32 MiB."""
_RESERVED_FOR_DEVICE_BYTES = 576 * 1024**2
"""The package of fake devices, measured as 490 MiB of address space."""
_BYTES_PER_OUTCOME = 350
"""What each different outcome takes until it is counted, as measured."""


def chosen_method(order: Order) -> str:
    """The method that an order asks for.

    Raises:
        UnsupportedProgramError: The option contradicts the backend.
    """
    backend, wanted = order.backend, order.options.method
    if wanted is None or wanted == backend.method:
        return backend.method
    if backend.method == AUTOMATIC:
        return wanted
    raise UnsupportedProgramError(
        f"backend {backend.name!r} always uses the method {backend.method!r}, and the options ask for {wanted!r}",
        solution="Leave the option `method` out, or send the job to the backend `aer`.",
    )


@cache
def simulator_target(method: str, *, with_free_parameters: bool = False) -> Target:
    """What the simulator takes as it is, for the transpiler: any qubits, no coupling.

    Aer's own target ends at the qubits that fit into memory as a state vector, whatever the method.

    Args:
        method: Aer's simulation method.
        with_free_parameters: For circuits whose parameters get their values from Aer.
    """
    from qiskit_aer import AerSimulator  # not there where circuits are only checked

    target = Target(num_qubits=None)
    original = AerSimulator(method=_family(method)).target
    for name in original.operation_names:
        misbound = with_free_parameters and name.startswith(_MISBOUND)
        if not name.startswith(_INTERNAL) and not misbound:
            target.add_instruction(original.operation_from_name(name), name=name)
    return target


def takes(method: str, survey: Survey) -> bool:
    """Whether the simulator takes all instructions of a circuit as they are."""
    with_values = survey.names <= native_names(method)
    return with_values and not any(name.startswith(_MISBOUND) for name in survey.free_names)


@cache
def native_names(method: str) -> frozenset[str]:
    """Names of the instructions that the simulator takes as they are."""
    return frozenset({*simulator_target(method).operation_names, "barrier"})


def _family(method: str) -> str:
    """A state vector takes whatever the methods take that Aer chooses from."""
    return STATEVECTOR if method == AUTOMATIC else method


def state_bytes(method: str, num_qubits: int) -> int | None:
    """Memory that a state of so many qubits takes, in bytes; None where it depends on the circuit."""
    if _family(method) == STATEVECTOR:
        return _BYTES_PER_NUMBER << num_qubits
    return _BYTES_PER_NUMBER << (2 * num_qubits) if method == DENSITY_MATRIX else None


def available_bytes(survey: Survey, order: Order) -> int:
    """Memory that a state may take: what the order says, or all that the machine has, without what else a run takes.

    The check and the run both decide by it, so that what is let in is not refused when it runs.
    """
    if order.memory_mb is not None:
        limit = order.memory_mb * 1024**2
    else:
        limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    shots = max((circuit.shots for circuit in order.circuits if isinstance(circuit.shots, int)), default=0)
    outcomes = min(shots, 1 << min(len(survey.measured), shots.bit_length()))
    device = _RESERVED_FOR_DEVICE_BYTES if order.device is not None else 0
    return max(0, limit - _RESERVED_BYTES - device - outcomes * _BYTES_PER_OUTCOME)


def fits_memory(method: str, survey: Survey, order: Order) -> bool:
    """Whether the state of the qubits that anything happens to fits into memory."""
    needed = state_bytes(method, len(survey.qubits))
    return needed is None or needed <= available_bytes(survey, order)


def too_large(method: str, survey: Survey, order: Order) -> UnsupportedProgramError:
    """The error for a state that does not fit."""
    qubits = len(survey.qubits)
    needed = state_bytes(method, qubits)
    assert needed is not None
    available = available_bytes(survey, order)
    kind = "density matrix" if method == DENSITY_MATRIX else "state vector"
    return UnsupportedProgramError(
        f"a {kind} of {qubits} qubits takes {_readable(needed)} of memory, and {_readable(available)} can be used "
        "for it here",
        solution="Use fewer qubits; or, if the qubits are little entangled, the backend `aer_mps`; or, if all gates "
        "are Clifford gates, `aer_stabilizer`.",
        details={"required_bytes": needed, "available_bytes": available},
    )


def _readable(size: int) -> str:
    exponent = min(8, max(0, (size.bit_length() - 1) // 10))
    return f"{size / 1024**exponent:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB')[exponent]}"
