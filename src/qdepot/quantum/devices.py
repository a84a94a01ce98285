"""Fake devices: real machines' couplings and calibrations, kept in the package ``qiskit-ibm-runtime``.

That package takes seconds to import. It is imported when a job names a device, and not before.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from qdepot.errors import UnsupportedProgramError
from qdepot.quantum.compact import Compact

if TYPE_CHECKING:
    from qiskit_aer.noise import NoiseModel

_PACKAGE = "qiskit_ibm_runtime"
_PREFIX = "fake_"
_QUBITS = re.compile(r'"n_qubits"\s*:\s*(\d+)')
_DT = re.compile(r'"dt"\s*:\s*[\d.]')
_Used = set[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A fake device.

    Attributes:
        name: E.g. ``fake_torino``.
        target: Its instructions, couplings and error rates.
        calibration: Its properties as JSON data; None where it has none.
    """

    name: str
    target: Target
    calibration: dict[str, Any] | None

    @property
    def num_qubits(self) -> int:
        """How many qubits it has."""
        return int(self.target.num_qubits)

    def calibration_bytes(self) -> bytes:
        """The calibration as UTF-8 JSON."""
        return json.dumps(self.calibration, default=str, indent=None).encode()


@cache
def device_names() -> tuple[str, ...]:
    """The fake devices that are installed; none without ``qiskit-ibm-runtime``. Imports nothing."""
    return tuple(_records())


@cache
def device_qubits() -> dict[str, int]:
    """How many qubits each fake device has, as its record says. Reads some megabytes; imports nothing."""
    sizes = {name: _QUBITS.search(record.read_text()) for name, record in _records().items()}
    return {name: int(size[1]) for name, size in sizes.items() if size is not None}


@cache
def has_dt(name: str) -> bool:
    """Whether a device's record says how long its unit of time is. Imports nothing."""
    return _DT.search(_records()[name].read_text()) is not None


def _records() -> dict[str, Path]:
    """The file with the configuration of each device, by its name."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        return {}
    folder = Path(package.origin).parent / "fake_provider" / "backends"
    return {f"{_PREFIX}{record.parent.name}": record for record in sorted(folder.glob("*/conf_*.json"))}


def check_device_name(name: str) -> None:
    """Check that there is such a device.

    Raises:
        UnsupportedProgramError: There is not, or the package that knows it is not installed.
    """
    if name in device_names():
        return
    known = ", ".join(device_names())
    raise UnsupportedProgramError(
        f"there is no fake device {name!r} here",
        solution=f"There are: {known}." if known else "None is installed: the service lacks the extra `fake-devices`.",
        details={"device": name},
    )


@cache
def device(name: str) -> Device:
    """Load a device.

    Raises:
        UnsupportedProgramError: There is no such device.
    """
    check_device_name(name)
    provider = importlib.import_module(f"{_PACKAGE}.fake_provider")
    (found,) = (
        entry
        for entry in vars(provider).values()
        if isinstance(entry, type) and vars(entry).get("backend_name") == name
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some say that their error rates are made up; that is in their calibration too
        backend = found()
        properties, target = backend.properties(), backend.target
    target.granularity = target.pulse_alignment = target.acquire_alignment = 1  # a simulator starts at any time
    return Device(
        name=name,
        target=target,
        calibration=None if properties is None else json.loads(json.dumps(properties.to_dict(), default=str)),
    )


def noise_for(chosen: Device, compact: Compact) -> NoiseModel:
    """The device's noise, as far as a circuit feels it, on the circuit's compact qubits.

    The noise of a whole device of 133 qubits takes seconds to work out, and again for each run.
    """
    from qiskit_aer.noise import NoiseModel  # not there where circuits are only checked

    used: _Used = set()
    _collect(compact.circuit, tuple(range(compact.circuit.num_qubits)), used)
    return NoiseModel.from_backend(_Excerpt(_excerpt(chosen.target, compact.qubits, used)))


def _collect(circuit: QuantumCircuit, places: tuple[int, ...], used: _Used) -> None:
    place = dict(zip(circuit.qubits, places, strict=True))
    for instruction in circuit.data:
        qubits = tuple(place[bit] for bit in instruction.qubits)
        for block in _blocks(instruction):
            _collect(block, qubits, used)
        used.add((instruction.name, qubits))


def _blocks(instruction: CircuitInstruction) -> tuple[QuantumCircuit, ...]:
    return tuple(instruction.operation.blocks) if instruction.is_control_flow() else ()


def _excerpt(target: Target, qubits: tuple[int, ...], used: _Used) -> Target:
    """What a target says of the instructions in use; ``qubits`` are the places of the compact ones in it."""
    properties = target.qubit_properties
    excerpt = Target(
        num_qubits=len(qubits),
        dt=target.dt,
        qubit_properties=None if properties is None else [properties[qubit] for qubit in qubits],
    )
    for name in target.operation_names:
        known = target[name]
        here = {
            own: known[tuple(qubits[qubit] for qubit in own)]
            for used_name, own in sorted(used)
            if used_name == name and known is not None and tuple(qubits[qubit] for qubit in own) in known
        }
        if here:
            excerpt.add_instruction(target.operation_from_name(name), here, name=name)
    return excerpt


class _Excerpt(BackendV2):  # type: ignore[misc] # Qiskit has no types
    """A backend as far as the making of a noise model needs one."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="excerpt")
        self._target = target

    @property
    def target(self) -> Target:
        return self._target

    @property
    def max_circuits(self) -> None:
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: object, **options: object) -> None:
        raise NotImplementedError("it is only looked at")
