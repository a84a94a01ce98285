"""Names of the files of a result that are made from names of a program's own.

A register may be called anything. Its file keeps the name where that is made of letters, digits and ``_ - . ~``; every
other character is percent-encoded as in a URL, and a name that is then too long for a file is replaced by its number.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

_LONGEST = 150
_NUMBERED = "%register-"
"""No encoded name begins like this: the percent sign of a name is written ``%25``."""


def memory_member(circuit: int, register: str, *, index: int) -> str:
    """The file with the per-shot outcomes of a register.

    Args:
        circuit: The circuit's place in the program.
        register: The register's name.
        index: The register's place among those of the circuit.
    """
    return f"memory/{circuit}/{_encoded(register, index=index)}.npy"


def register_named(name: str) -> str:
    """The register whose file has this name (without folder and ending); a number where its name was too long."""
    return name if name.startswith(_NUMBERED) else unquote(name)


def _encoded(register: str, *, index: int) -> str:
    encoded = quote(register, safe="", errors="surrogatepass")
    if encoded.strip(".") == "":
        encoded = encoded.replace(".", "%2E")
    return encoded if len(encoded) <= _LONGEST else f"{_NUMBERED}{index}"
