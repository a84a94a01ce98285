"""Names of members of a bundle that no name which a provider hands over can lead astray.

A provider takes names from the user's program, among them those of registers. What a name is made of here is safe to
unpack on any system, and is stored; so no name keeps a result out of the archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from urllib.parse import quote

from qdepot.domain.result import Buffer

_UNSAFE = frozenset('\\:*?"<>|')
_LONGEST_PART = 200


def safe_members(members: Mapping[str, Buffer], *, taken: Collection[str]) -> dict[str, Buffer]:
    """The same files under names that may stand in a bundle, in their order.

    A name that is safe stays as it is, so that doing it twice changes nothing. Of others, the characters that are not
    safe are percent-encoded. Where two names would become one, the later one gets a number.

    Args:
        members: Files by the names that a provider gave them.
        taken: Names that the bundle needs for itself.
    """
    safe: dict[str, Buffer] = {}
    for name, content in members.items():
        wanted = chosen = "/".join(map(_safe_part, name.split("/")))
        number = 2
        while chosen in safe or chosen in taken or (chosen != name and chosen in members):
            chosen = f"{wanted}~{number}"
            number += 1
        safe[chosen] = content
    return safe


def is_safe(name: str) -> bool:
    """True if a name cannot lead out of the folder that somebody unpacks a bundle into."""
    return all(_safe_part(part) == part for part in name.split("/"))


def _safe_part(part: str) -> str:
    if not part.strip("."):  # nothing at all, or a way upwards
        return quote(part, safe="").replace(".", "%2E") or "%"
    encoded = "".join(_safe_character(character) for character in part)
    if len(encoded.encode()) <= _LONGEST_PART:
        return encoded
    digest = hashlib.sha256(part.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{encoded[:40]}~{digest}"


def _safe_character(character: str) -> str:
    if character.isprintable() and character not in _UNSAFE:
        return character
    return quote(character, safe="", errors="surrogatepass")
