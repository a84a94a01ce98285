"""The rule of seeds, written down a second time from the documentation."""

from __future__ import annotations

import hashlib


def by_the_rule(*words: object, bits: int = 63) -> int:
    """The seed that the documentation derives from these words."""
    line = "qdepot-seed/1 " + " ".join(map(str, words))
    return int(hashlib.sha256(line.encode()).hexdigest()[:16], 16) >> (64 - bits)
