"""Whether circuits can be run as it was asked for, told before they are run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.primitives.containers.bindings_array import BindingsArray

from qdepot.domain.program import ProgramKind
from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum import rules
from qdepot.quantum.arithmetic import check_values
from qdepot.quantum.blame import circuit_blamed
from qdepot.quantum.devices import check_device_name, has_dt
from qdepot.quantum.drawing import MOST_DEVIATIONS
from qdepot.quantum.durations import check_can_be_timed
from qdepot.quantum.method_choice import method_for_estimation, method_for_sampling
from qdepot.quantum.observables import Observables, observables
from qdepot.quantum.order import CircuitOrder, Order
from qdepot.quantum.parameters import bindings, flat_columns
from qdepot.quantum.parse import Reading
from qdepot.quantum.simulator_instructions import check_state_is_left_alone
from qdepot.quantum.understood import Understood, understood


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A circuit that can be run.

    Attributes:
        index: Its place in the program.
        source: What was read.
        method: Aer's simulation method.
        values: Values of its parameters.
        shape: Of the result.
        shots: Executions for each set of values (sampler).
        observables: What is estimated; None for a sampler.
        precision: Wanted standard error (estimator).
    """

    index: int
    source: Understood
    method: str
    values: BindingsArray
    shape: tuple[int, ...]
    shots: int = 1
    observables: Observables | None = None
    precision: float = 0.0

    @property
    def reading(self) -> Reading:
        """The circuit and its registers as they were sent."""
        return self.source.reading

    def summary(self) -> dict[str, object]:
        """What users are told about it, as JSON data."""
        return {**self.source.about, "shape": list(self.shape)}


def checked(order: Order) -> list[Checked]:
    """Read and check all circuits of an order.

    Raises:
        InvalidProgramError: One cannot be read, or does not fit what was sent with it.
        UnsupportedProgramError: One cannot be run as it was asked for.
    """
    if not order.circuits:
        raise InvalidProgramError("there are no circuits", solution="Send at least one.")
    if order.device is not None:
        check_device_name(order.device)
    check_one = _checked_estimation if order.kind is ProgramKind.ESTIMATOR else _checked_sampling
    found = []
    for sent in order.circuits:
        with circuit_blamed(sent.index):
            found.append(check_one(sent, order))
    _check_total_shots(found, order)
    return found


def summary(found: Sequence[Checked]) -> dict[str, object]:
    """The summary of a program as JSON data (see :attr:`qdepot.domain.job.Job.summary`).

    Raises:
        UnsupportedProgramError: A circuit cannot be looked at.
    """
    circuits = []
    for each in found:
        with circuit_blamed(each.index):  # Qiskit builds a gate of a file only when it is asked for
            circuits.append(each.summary())
    return {"num_qubits": max(each.reading.circuit.num_qubits for each in found), "circuits": circuits}


def _checked_sampling(sent: CircuitOrder, order: Order) -> Checked:
    source = _read(sent, order)
    rules.check_registers(source.reading.registers, source.survey, storage=source.reading.storage)
    values = _values(source, sent)
    return Checked(
        index=sent.index,
        source=source,
        method=method_for_sampling(source.circuit, source.survey, order),
        values=values,
        shape=values.shape,
        shots=rules.checked_shots(sent.shots, order.backend),
    )


def _checked_estimation(sent: CircuitOrder, order: Order) -> Checked:
    source = _read(sent, order)
    rules.check_no_measurement(source.survey)
    values = _values(source, sent)
    wanted = observables(sent.observables, num_qubits=source.circuit.num_qubits)
    precision = rules.checked_precision(sent.precision)
    _check_draws(wanted, precision)
    return Checked(
        index=sent.index,
        source=source,
        method=method_for_estimation(source.circuit, source.survey, order),
        values=values,
        shape=_broadcast(values.shape, wanted.shape),
        observables=wanted,
        precision=precision,
    )


def _read(sent: CircuitOrder, order: Order) -> Understood:
    source = understood(sent.source, sent.format)
    check_state_is_left_alone(source.reading.circuit)
    rules.check_width(source.reading.circuit, order.backend)
    if order.device is not None:
        for circuit in (source.circuit, source.reading.circuit):  # with its own gates written out; with its boxes
            check_can_be_timed(circuit, device=order.device, has_dt=has_dt(order.device))
    return source


def _values(source: Understood, sent: CircuitOrder) -> BindingsArray:
    values = bindings(source.reading.circuit, sent.parameter_values)
    check_values(source.circuit, flat_columns(source.reading.circuit, values), shape=values.shape)
    return values


def _broadcast(values: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return tuple(np.broadcast_shapes(values, wanted))
    except ValueError as error:
        raise InvalidProgramError(
            f"parameter values of shape {list(values)} and observables of shape {list(wanted)} do not fit together",
            solution="Shapes are broadcast as NumPy does: aligned on the right, equal or 1. For every combination, "
            "make them e.g. [n, 1] and [m].",
        ) from error


def _check_draws(wanted: Observables, precision: float) -> None:
    """Check that every value that can be drawn with this precision is a number.

    Raises:
        InvalidProgramError: A value may be too large for one.
    """
    if precision == 0.0:
        return
    if not math.isfinite(wanted.bound + MOST_DEVIATIONS * precision):
        raise InvalidProgramError(
            f"with a precision of {precision:.3g}, a value may be more than a double-precision number holds",
            solution="Choose a smaller precision, or a larger unit.",
        )


def _check_total_shots(found: Sequence[Checked], order: Order) -> None:
    if order.max_total_shots is None or order.kind is not ProgramKind.SAMPLER:
        return
    total = sum(each.shots * math.prod(each.shape) for each in found)
    if total > order.max_total_shots:
        raise UnsupportedProgramError(
            f"the job asks for {total} shots over all circuits and parameter sets; at most {order.max_total_shots} "
            "are allowed",
            solution="Split it into several jobs.",
            details={"shots": total, "limit": order.max_total_shots},
        )
