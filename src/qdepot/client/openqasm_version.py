"""Which version of OpenQASM a text is written in."""

from __future__ import annotations

import re

from qdepot.domain.program import ProgramFormat

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_VERSION_LINE = re.compile(r"\s*OPENQASM\s+(\d+)(?:\.\d+)?\s*;")
_LIBRARY = re.compile(r"\binclude\s*[\"'](qelib1|stdgates)\.inc[\"']")
_FIRST_WORD = re.compile(r"(?:^|[;{}])\s*#?([A-Za-z]+)\b")
_WORDS = {
    **dict.fromkeys(["qreg", "creg", "opaque"], ProgramFormat.OPENQASM2),
    **dict.fromkeys(
        [
            "qubit",
            "bit",
            "bool",
            "int",
            "uint",
            "float",
            "angle",
            "array",
            "duration",
            "stretch",
            "complex",
            "const",
            "input",
            "output",
            "let",
            "def",
            "defcal",
            "cal",
            "defcalgrammar",
            "extern",
            "for",
            "while",
            "switch",
            "box",
            "pragma",
        ],
        ProgramFormat.OPENQASM3,
    ),
}
"""Words that begin a statement in one of the versions only; ``qreg`` and ``creg`` are rare in version 3."""
_LIBRARIES = {"qelib1": ProgramFormat.OPENQASM2, "stdgates": ProgramFormat.OPENQASM3}
_VERSIONS = {"2": ProgramFormat.OPENQASM2, "3": ProgramFormat.OPENQASM3}


def openqasm_format(text: str) -> ProgramFormat | None:
    """The format that a text is in: by its version line, else by the library that it includes, else by its first words.

    Returns:
        None where the text is in no version that is known, or nothing tells.
    """
    code = _COMMENT.sub(" ", text)
    version = _VERSION_LINE.match(code)
    if version is not None:
        return _VERSIONS.get(version[1])
    library = _LIBRARY.search(code)
    if library is not None:
        return _LIBRARIES[library[1]]
    for word in _FIRST_WORD.finditer(code):
        if word[1] in _WORDS:
            return _WORDS[word[1]]
    return None
