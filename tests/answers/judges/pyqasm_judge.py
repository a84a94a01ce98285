"""pyqasm's reader, which writes loops, subroutines and constants out; MQT Core simulates what it wrote."""

from __future__ import annotations

import re
from typing import Any

import mqt_judge
import pyqasm

BOOLEAN = re.compile(r"\b(true|false)\b")
"""pyqasm compares bits with words, and MQT Core reads them compared with digits."""


def judged(source: str) -> dict[str, Any]:
    """What the program answers, exactly."""
    module = pyqasm.loads(source)
    module.unroll()
    return mqt_judge.judged(BOOLEAN.sub(lambda found: str(int(found[0] == "true")), pyqasm.dumps(module)))
