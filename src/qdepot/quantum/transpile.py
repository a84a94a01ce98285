"""Making a circuit fit what runs it. What fits already stays as it is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.transpiler import PassManager, Target, TranspileLayout
from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.devices import Device, device
from qdepot.quantum.durations import with_delays_in_dt, without_delays
from qdepot.quantum.methods import AUTOMATIC, STABILIZER, native_names, simulator_target, takes
from qdepot.quantum.stabilizer import in_clifford_gates
from qdepot.quantum.survey import Survey
from qdepot.quantum.writing_out import widened, with_plain_numbers

DEFAULT_LEVEL = 1
SEED = 0
"""Of the transpiler: what runs depends on the circuit and the versions alone, never on a job's seed."""

_WITHOUT_QUBITS = frozenset({"store", "break_loop", "continue_loop"})
_SLOW_PLUGINS = "qiskit_ibm_runtime"
_WARM = (AUTOMATIC, "matrix_product_state", "density_matrix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A circuit as it runs.

    Attributes:
        circuit: On as many qubits as the circuit that was sent, or as many as the device has.
        method: Aer's simulation method.
        optimization_level: Of the transpiler; None if the circuit fitted and was left as it was.
        layout: Where this transpilation put the qubits of the circuit that was sent; None if it moved none. A layout
            that the circuit came with, from its author's transpiler, is not meant.
    """

    circuit: QuantumCircuit
    method: str
    optimization_level: int | None
    layout: TranspileLayout | None = None


def preload_pass_managers() -> None:
    """Build the pass managers that most jobs need (about 10 ms each). Runs none: forked children would hang."""
    for method in _WARM:
        native_names(method)
        for free in (False, True):
            _simulator_pass_manager(method, DEFAULT_LEVEL, free=free)
    native_names(STABILIZER)


def prepared(circuit: QuantumCircuit, survey: Survey, *, method: str, level: int | None, on: Device | None) -> Prepared:
    """Make a circuit fit.

    Args:
        circuit: What was sent, with all names meaning what they say.
        survey: What is in it.
        method: Aer's simulation method.
        level: Of optimization; None: change nothing that fits, else level 1.
        on: The device to be laid out on.

    Raises:
        UnsupportedProgramError: It cannot be made to fit.
    """
    if survey.has_durations:
        circuit = without_delays(circuit) if on is None else with_delays_in_dt(circuit, dt=on.target.dt)
    if survey.has_control_flow and not _WITHOUT_QUBITS.isdisjoint(survey.names):
        circuit = widened(circuit, [circuit.qubits[index] for index in sorted(survey.qubits)])
    if on is None and method == STABILIZER:
        return Prepared(circuit=in_clifford_gates(circuit), method=method, optimization_level=None)
    if level is None and _fits(circuit, survey, method=method, on=on):
        return Prepared(circuit=circuit, method=method, optimization_level=None)
    level = DEFAULT_LEVEL if level is None else level
    if on is None:
        manager = _simulator_pass_manager(method, level, free=bool(survey.free_names))
    else:
        manager = _device_pass_manager(on.name, level, has_layout=circuit.layout is not None)
    ready = _run(manager, circuit, on=on)
    # A pass manager hands on no layout of its input: the one that its output has is its own.
    return Prepared(circuit=ready, method=method, optimization_level=level, layout=ready.layout)


def _fits(circuit: QuantumCircuit, survey: Survey, *, method: str, on: Device | None) -> bool:
    if on is None:
        return takes(method, survey)
    places = tuple(range(circuit.num_qubits))
    return circuit.num_qubits == on.num_qubits and _all_supported(circuit, places, on.target)


def _all_supported(circuit: QuantumCircuit, places: tuple[int, ...], target: Target) -> bool:
    place = dict(zip(circuit.qubits, places, strict=True))
    for instruction in circuit.data:
        qubits = tuple(place[bit] for bit in instruction.qubits)
        if instruction.is_control_flow():
            blocks = getattr(instruction.operation, "blocks", ())
            if not all(_all_supported(block, qubits, target) for block in blocks):
                return False
        elif instruction.name != "barrier" and not target.instruction_supported(instruction.name, qubits):
            return False
    return True


@cache
def _simulator_pass_manager(method: str, level: int, *, free: bool) -> PassManager:
    target = simulator_target(method, with_free_parameters=free)
    with _without_slow_plugins():
        return generate_preset_pass_manager(level, target=target, seed_transpiler=SEED)


@cache
def _device_pass_manager(name: str, level: int, *, has_layout: bool) -> PassManager:
    """Qubits that the author placed on the device by number (``$3``) stay there."""
    target = device(name).target
    layout_method = "trivial" if has_layout else None
    with _without_slow_plugins():
        return generate_preset_pass_manager(level, target=target, seed_transpiler=SEED, layout_method=layout_method)


@contextmanager
def _without_slow_plugins() -> Iterator[None]:
    """Keep the transpiler from loading plugins that take seconds and are never asked for here.

    It loads every plugin that is installed, whichever stages a pass manager has; those of ``qiskit-ibm-runtime`` bring
    their whole package with them. A plugin that cannot be imported is passed over, with a complaint in the log.
    """
    if _SLOW_PLUGINS in sys.modules:
        yield
        return
    complaints = logging.getLogger("stevedore.extension")
    level = complaints.level
    complaints.setLevel(logging.CRITICAL)
    sys.modules[_SLOW_PLUGINS] = None  # type: ignore[assignment] # how Python marks what cannot be imported
    try:
        yield
    finally:
        del sys.modules[_SLOW_PLUGINS]
        complaints.setLevel(level)


def _run(manager: PassManager, circuit: QuantumCircuit, *, on: Device | None) -> QuantumCircuit:
    if on is not None and circuit.num_qubits > on.num_qubits:
        raise UnsupportedProgramError(f"the circuit has {circuit.num_qubits} qubits, and {on.name} has {on.num_qubits}")
    where = "the simulator" if on is None else on.name
    try:
        ready = manager.run(circuit)
    except QiskitError as error:
        raise UnsupportedProgramError(
            f"the circuit cannot be transpiled for {where}: {str(error.message)[:400]}",
            solution="Write the instruction that it names in terms of standard gates.",
        ) from error
    except (TypeError, ValueError, OverflowError, IndexError) as error:  # it trips over some expressions
        raise UnsupportedProgramError(
            f"Qiskit's transpiler fails on the circuit for {where} ({type(error).__name__}: {str(error)[:200]})",
            solution="Ask for a lower optimization level, or send it transpiled, or with values for its parameters.",
        ) from error
    return with_plain_numbers(ready) if ready.num_parameters else ready
