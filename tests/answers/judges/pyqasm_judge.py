"""pyqasm's reader, which writes loops, subroutines and constants out; MQT Core simulates what it wrote."""

from __future__ import annotations

import re
from typing import Any

import mqt_judge
import pyqasm

COMPARED = re.compile(r"\((\w+\[\d+\]) == (true|false)\)")
"""pyqasm compares bits with words; MQT Core would compare the whole register with a digit."""

BOOLEAN = re.compile(r"\b(true|false)\b")


def judged(source: str) -> dict[str, Any]:
    """What the program answers, exactly."""
    module = pyqasm.loads(source)
    module.unroll()
    written = COMPARED.sub(lambda found: f"({'!' * (found[2] == 'false')}{found[1]})", pyqasm.dumps(module))
    return mqt_judge.judged(BOOLEAN.sub(lambda found: str(int(found[0] == "true")), written))
