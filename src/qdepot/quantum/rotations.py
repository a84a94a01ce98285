"""Matrices of gates with angles, for many sets of angles at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Entry = NDArray[np.complex128] | None
Matrices = tuple[tuple[Entry, ...], ...]
"""The entries of a matrix by row and column, each for all sets; None where they are 0 in all."""

Angles = NDArray[np.float64]


def _cos(angle: Angles) -> NDArray[np.complex128]:
    cosine: NDArray[np.complex128] = np.cos(angle / 2).astype(np.complex128)
    return cosine


def _i_sin(angle: Angles) -> NDArray[np.complex128]:
    sine: NDArray[np.complex128] = -1j * np.sin(angle / 2)
    return sine


def _turn(angle: Angles) -> NDArray[np.complex128]:
    turned: NDArray[np.complex128] = np.exp(1j * angle)
    return turned


def _one(angle: Angles) -> NDArray[np.complex128]:
    return np.ones(len(angle), dtype=np.complex128)


def _rx(theta: Angles) -> Matrices:
    return (_cos(theta), _i_sin(theta)), (_i_sin(theta), _cos(theta))


def _ry(theta: Angles) -> Matrices:
    sin = np.sin(theta / 2).astype(np.complex128)
    return (_cos(theta), -sin), (sin, _cos(theta))


def _rz(phi: Angles) -> Matrices:
    return (_turn(-phi / 2), None), (None, _turn(phi / 2))


def _p(lam: Angles) -> Matrices:
    return (_one(lam), None), (None, _turn(lam))


def _r(theta: Angles, phi: Angles) -> Matrices:
    return (_cos(theta), _i_sin(theta) * _turn(-phi)), (_i_sin(theta) * _turn(phi), _cos(theta))


def _u(theta: Angles, phi: Angles, lam: Angles) -> Matrices:
    sin = np.sin(theta / 2)
    return (_cos(theta), -_turn(lam) * sin), (_turn(phi) * sin, _turn(phi + lam) * _cos(theta))


def _u2(phi: Angles, lam: Angles) -> Matrices:
    return _u(np.full(len(phi), np.pi / 2), phi, lam)


def _rxx(theta: Angles) -> Matrices:
    cos, sin = _cos(theta), _i_sin(theta)
    return (cos, None, None, sin), (None, cos, sin, None), (None, sin, cos, None), (sin, None, None, cos)


def _ryy(theta: Angles) -> Matrices:
    cos, sin = _cos(theta), _i_sin(theta)
    return (cos, None, None, -sin), (None, cos, sin, None), (None, sin, cos, None), (-sin, None, None, cos)


def _rzz(theta: Angles) -> Matrices:
    same, other = _turn(-theta / 2), _turn(theta / 2)
    return (same, None, None, None), (None, other, None, None), (None, None, other, None), (None, None, None, same)


def _rzx(theta: Angles) -> Matrices:
    cos, sin = _cos(theta), _i_sin(theta)
    return (cos, None, sin, None), (None, cos, None, -sin), (sin, None, cos, None), (None, -sin, None, cos)


ROTATIONS: dict[str, Callable[..., Matrices]] = {
    "rx": _rx,
    "ry": _ry,
    "rz": _rz,
    "p": _p,
    "u1": _p,
    "r": _r,
    "u": _u,
    "u3": _u,
    "u2": _u2,
    "rxx": _rxx,
    "ryy": _ryy,
    "rzz": _rzz,
    "rzx": _rzx,
}
"""By Qiskit's names. Controlled rotations with free angles are not among them: they are rewritten before (Aer misreads
them)."""
