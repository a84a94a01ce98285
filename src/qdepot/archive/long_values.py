"""The long values of a request, taken out of it: what is left is small and can be read as objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from qdepot.archive.json_shape import JsonShape, Member
from qdepot.domain.program import JsonText

LONG_BYTES = 256

_SHORT_REQUEST_BYTES = 4096
"""A request of at most this many bytes is left as it is."""

_DEPTH = 4
"""Of the members of a circuit: request, program, circuits, circuit."""

_STAND_INS: Mapping[str, bytes] = MappingProxyType(
    {"source": b'"-"', "parameter_values": b"null", "observables": b"null"}
)


@dataclass(frozen=True, slots=True)
class LeanRequest:
    """A request for a job without the long values of its circuits.

    Attributes:
        text: The request, with a short value in the place of each that was taken out.
        taken: Those values by circuit and name: a source as UTF-8 bytes, others as :class:`JsonText`.
    """

    text: bytes
    taken: Mapping[tuple[int, str], bytes | JsonText]

    def complete(self, program: dict[str, Any]) -> dict[str, Any]:
        """Put the values that were taken out into a program that was read from the text."""
        for (index, name), value in self.taken.items():
            program["circuits"][index][name] = value
        return program


def lean_request(raw: bytes) -> LeanRequest:
    """Take the long values out of a request.

    Args:
        raw: Valid JSON in which no object has a name twice.
    """
    if len(raw) <= _SHORT_REQUEST_BYTES:
        return LeanRequest(raw, {})
    pieces: list[bytes] = []
    taken: dict[tuple[int, str], bytes | JsonText] = {}
    at = 0
    for index, name, value in _long_values(raw):
        taken[index, name] = _source(raw, value) if name == "source" else JsonText(raw[value.start : value.end])
        pieces += [raw[at : value.start], _STAND_INS[name]]
        at = value.end
    return LeanRequest(b"".join([*pieces, raw[at:]]), taken)


def members_named(shape: JsonShape, wanted: str, *, start: int | None = None, level: int = 1) -> list[Member]:
    """The members of an object that have this name: one, or none."""
    return [each for each in shape.members(start, level=level) if each.name and json.loads(each.name) == wanted]


def _long_values(raw: bytes) -> Iterator[tuple[int, str, Member]]:
    """Circuit, name and place of each value that is taken out, in the order of the text."""
    shape = JsonShape(raw, depth=_DEPTH)
    for program in members_named(shape, "program"):
        for circuits in members_named(shape, "circuits", start=program.start, level=2):
            for index, circuit in enumerate(shape.members(circuits.start, level=3)):
                for value in shape.members(circuit.start, level=4):
                    if value.end - value.start > LONG_BYTES and value.name:
                        name = json.loads(value.name)
                        is_text = raw[value.start : value.start + 1] == b'"'
                        if name in _STAND_INS and (is_text or name != "source"):
                            yield index, name, value


def _source(raw: bytes, value: Member) -> bytes:
    """The text of a JSON string; without escapes it is the same bytes."""
    text = raw[value.start + 1 : value.end - 1]
    if b"\\" not in text:
        return text
    decoded: str = json.loads(raw[value.start : value.end])
    return decoded.encode()
