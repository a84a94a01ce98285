"""The table of shapes that parameter values and observables may have, and what the results must be.

The circuit turns qubit 0 by ``a`` and qubit 1 by ``b``, so the expected values are cosines and sines, written out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

Array = NDArray[np.float64]

SETS = [(), (1,), (2,), (3,), (3, 1), (1, 3), (2, 3), (2, 1, 3), (3, 1, 1)]
"""Shapes of parameter sets."""

OBSERVABLES = [(), (1,), (2,), (3,), (1, 3), (3, 1), (2, 3)]
"""Shapes of observables."""

_VALUES: dict[str, Callable[[Array, Array], Array]] = {
    "IZ": lambda a, b: np.cos(a),
    "ZI": lambda a, b: np.cos(b),
    "IX": lambda a, b: np.sin(a),
    "XI": lambda a, b: np.sin(b),
    "ZZ": lambda a, b: np.cos(a) * np.cos(b),
    "XZ": lambda a, b: np.cos(a) * np.sin(b),
}


def angles(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Values of ``a`` and ``b`` in all sets; no two are alike."""
    size = int(np.prod(shape))
    return 0.1 + 0.3 * np.arange(size).reshape(shape), 2.9 - 0.2 * np.arange(size).reshape(shape)


def observables(shape: tuple[int, ...]) -> NDArray[np.object_]:
    """Pauli strings; no two in a row are alike."""
    names = list(_VALUES)
    array = np.empty(shape, dtype=object)
    for index, place in enumerate(np.ndindex(shape)):
        array[place] = names[index % len(names)]
    return array


def expected(a: Array, b: Array, wanted: NDArray[np.object_]) -> Array | None:
    """What the estimator must answer; None where the shapes do not fit together."""
    try:
        sets_a, sets_b, names = np.broadcast_arrays(a, b, wanted)
    except ValueError:
        return None
    found = np.empty(names.shape)
    for place in np.ndindex(names.shape):
        found[place] = _VALUES[names[place]](sets_a[place], sets_b[place])
    return found


@dataclass(frozen=True)
class Form:
    """One way to give the values: a circuit, and how the arrays of ``a`` and ``b`` are written for it."""

    circuit: QuantumCircuit
    values: Callable[[Array, Array], Any]


def _turned(a: Any, b: Any) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.ry(a, 0)
    circuit.ry(b, 1)
    return circuit


def _forms() -> Iterator[tuple[str, Form]]:
    a, b, vector = Parameter("a"), Parameter("b"), ParameterVector("v", 2)
    one_each = _turned(a, ParameterVector("w", 1)[0])
    by_two = _turned(*vector)
    yield "by name", Form(_turned(a, b), lambda a, b: {"a": a.tolist(), "b": b.tolist()})
    yield "by array", Form(_turned(a, b), lambda a, b: np.stack([a, b], axis=-1).tolist())
    yield "by vector", Form(by_two, lambda a, b: {"v": np.stack([a, b], axis=-1).tolist()})
    yield "by element", Form(by_two, lambda a, b: {"v[1]": b.tolist(), "v[0]": a.tolist()})
    yield "by vector of the circuit", Form(by_two, lambda a, b: np.stack([a, b], axis=-1).tolist())
    yield "by name and vector", Form(one_each, lambda a, b: {"w": b[..., np.newaxis].tolist(), "a": a.tolist()})
    yield "by name and element", Form(one_each, lambda a, b: {"a": a.tolist(), "w[0]": b.tolist()})


FORMS = dict(_forms())
