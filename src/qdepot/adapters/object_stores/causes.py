"""What went wrong at a store in a cloud, in one line."""

from __future__ import annotations

import re

_MOST_CHARACTERS = 400
_DEBUG = "\n\nDebug source:"

_SAID_BY_STORE = re.compile(r"<(Code|Message)>(.*?)</\1>", re.DOTALL)
"""What a store answers is XML, whose first line says nothing."""

_INNER = re.compile(r'\b(?:message|error): (?:"((?:[^"\\]|\\.)*)"|(\w+\(\w+\)))')
"""What an error inside of an error says: a text, or a name such as ``InvalidCertificate(UnknownIssuer)``."""


def cause_of(error: Exception) -> str:
    """What an error of the library for stores says, with its innermost cause and without the library's inner state."""
    said, _, debug = str(error).partition(_DEBUG)
    answer = [text for _, text in _SAID_BY_STORE.findall(said)]
    before, is_xml, _ = said.partition("<?xml") if "<?xml" in said else said.partition("<Error>")
    parts = [before if is_xml else said, ": ".join(answer), *_innermost(debug)]
    lines = [" ".join(part.split()).rstrip(" :") for part in parts]
    line = ": ".join(dict.fromkeys(each for each in lines if each))
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}..."


def _innermost(debug: str) -> list[str]:
    found = [text or name for text, name in _INNER.findall(debug)]
    return found[-1:]
