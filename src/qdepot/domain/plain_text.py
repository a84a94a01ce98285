"""Texts of others (vendors, libraries, users' programs) as a job's history may hold and show them."""

from __future__ import annotations

LONGEST = 1000


def plain_text(text: str) -> str:
    """The text without characters that a database refuses or a terminal obeys, and not too long.

    What is not printable (NUL, escape sequences, changes of writing direction, halves of surrogate pairs) is shown as
    its escape, line breaks as spaces.
    """
    if text.isprintable() and len(text) <= LONGEST:
        return text
    shown = "".join(_plain(character) for character in text[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."


def _plain(character: str) -> str:
    if character in "\r\n\t":
        return " "
    return character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
