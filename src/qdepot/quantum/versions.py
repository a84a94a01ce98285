"""Which versions read and run circuits here."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

_PACKAGES = ("qdepot", "qiskit", "qiskit-aer", "openqasm3", "numpy")


@cache
def package_versions() -> dict[str, str]:
    """Version by name of package; what is not installed is left out."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def has_aer() -> bool:
    """Whether circuits can be simulated here. Without Aer they can still be read and checked, for other backends."""
    return find_spec("qiskit_aer") is not None
