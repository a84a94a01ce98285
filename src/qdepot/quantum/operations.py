"""What the supervisor's children can do, by name: plain data and bytes in and out.

The payloads are described here, once:

``check`` and ``simulate`` take ``meta``::

    {"kind": "sampler" | "estimator", "shots": 1024, "precision": 0.0,
     "circuits": [{"format": "openqasm2" | "openqasm3" | "qpy", "part": "circuit/0", "parameter_values": ...,
                   "observables": ..., "shots": null, "precision": null}],
     "options": {"seed", "memory", "optimization_level", "method", "noise", "sampling"},
     "backend": {"name", "method", "num_qubits", "max_shots", "device"},
     "max_total_shots": 100000000, "threads": 1, "memory_mb": 2048, "first_circuit": 0}

and ``parts`` with the bytes of each circuit. In place of ``parameter_values`` and ``observables`` there may be
``parameter_values_part`` and ``observables_part``, which name parts with their JSON text. ``threads`` matters to
``simulate`` alone; without ``memory_mb`` all of the machine's memory counts. A program may be run in several pieces:
then ``first_circuit`` is the place in it of the first circuit that is sent, and seeds, names of members and errors go
by that.

``noise`` names a fake device, and the circuit is laid out on its qubits as on the device's own backend: a gate between
qubits that the device does not couple would have no noise. An estimation with noise is exact, as a density matrix.
"""

from __future__ import annotations

from importlib import import_module

from qdepot.ports.compute_pool import Payload
from qdepot.quantum.check import checked, summary
from qdepot.quantum.devices import device_names, device_qubits
from qdepot.quantum.gate_names import reserved_names
from qdepot.quantum.openqasm3.syntax import warm_up
from qdepot.quantum.order import Order
from qdepot.quantum.qpy_file import NEWEST_VERSION, OLDEST_VERSION
from qdepot.quantum.transpile import preload_pass_managers
from qdepot.quantum.versions import has_aer, package_versions
from qdepot.quantum.walls import probe


def check(payload: Payload) -> Payload:
    """Tell whether circuits can be run, and what they are.

    Returns:
        ``meta``: the program's summary (see :attr:`qdepot.domain.job.Job.summary`).

    Raises:
        InvalidProgramError: A circuit cannot be read, or values or observables do not fit it. Details hold ``circuit``
            (its index) and, for OpenQASM, ``line`` and ``column``, both counted from 1.
        UnsupportedProgramError: A circuit cannot be run as it was asked for; details as above.
    """
    return Payload(meta=summary(checked(Order.read(payload))))


def simulate(payload: Payload) -> Payload:
    """Run circuits on Aer.

    Running it again with the seed that the metadata name gives identical counts.

    Returns:
        ``meta``: ``metadata`` (versions, seed, methods, device, times) and ``summary`` as of :func:`check`.
        ``parts``: ``result.json``, ``{"results": [...]}`` with one entry for each circuit, each with metadata of its
        own (seed, method, optimization level, times); ``prepared/<i>.qpy``, what ran; with the option ``memory`` also
        ``memory/<i>/<register>.npy`` (see :class:`qdepot.domain.result.Outcome`); for a fake device
        ``calibration/<device>.json``. Where a copy of what ran or a calibration cannot be written, ``left_out`` in the
        metadata says why.

    Raises:
        InvalidProgramError, UnsupportedProgramError: As :func:`check`; or Aer cannot run it.
        MemoryLimitExceededError: A state does not fit into memory.
    """
    from qdepot.quantum.simulate import simulated  # needs Aer

    return simulated(Order.read(payload))


def simulate_together(payload: Payload) -> Payload:
    """Run several orders of one owner, each as :func:`simulate` would.

    ``meta`` and ``parts`` come and go as :func:`qdepot.ports.operations.together_task` says.
    """
    from qdepot.quantum.together import simulated_together  # needs Aer

    return simulated_together(payload)


def describe(payload: Payload) -> Payload:
    """Tell what is installed.

    Returns:
        ``meta``: ``packages`` (version by name), ``qpy_versions`` (oldest and newest that is read), ``fake_devices``
        (number of qubits by name), ``sandbox`` (by name of a wall, whether it stands round this child).
    """
    del payload
    return Payload(
        meta={
            "packages": package_versions(),
            "qpy_versions": [OLDEST_VERSION, NEWEST_VERSION],
            "fake_devices": device_qubits(),
            "sandbox": probe(),
        }
    )


def preload() -> None:
    """Do once, before children are forked, what each of them would have to do.

    Imports, builds pass managers, fills tables. It runs no pass manager and not Aer: children that are forked from a
    process that did hang.
    """
    if has_aer():
        import_module("qdepot.quantum.together")
        preload_pass_managers()
    reserved_names()
    package_versions()
    device_names()
    warm_up()
