"""Which versions read and run circuits here."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("qdepot", "qiskit", "qiskit-aer", "qiskit-qasm3-import", "numpy")


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
