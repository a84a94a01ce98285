"""What each judge is not asked, since it is known to answer it wrongly: found by hand where two judges differed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_DEFINITION = re.compile(r"\b(?:gate|def)\b[^{]*\{[^}]*\}")
_OPERAND = r"[A-Za-z_θ]\w*(?:\[[^\]]*[:{][^\]]*\])?"
_WHOLE_REGISTERS = re.compile(rf"[\w)]\s+(?:{_OPERAND}\s*,[^;{{}}]*|[^;{{}}]*,\s*{_OPERAND}\s*);")
_NOT_DECIMAL = re.compile(r"\b0[xbo][0-9A-Fa-f]")
_STEPPED = re.compile(r"\bin\s*\[[^\]:]*:\s*(?!-?1\s*:)[^\]:]*:")
_ASSIGNED = re.compile(r"\w(?:\[[^\]]*\])?\s*=\s*(?:true|false|[01]|\"[01]*\")\s*;")
_BIT_OF_NUMBER = re.compile(r"\b(?:u?int|angle)(?:\[[^\]]*\])?\s+(\w+)\b(?=.*\b\1\s*\[)", re.DOTALL)
_BIT_COMPARED = re.compile(r"\]\s*[=!]=\s*(?:\d|true|false)")
_OWN_GATE = re.compile(
    r"\bgate\s+(?:[cr]?[xyz]|id|[hst]|[st]dg|sx|sxdg|c?sx|ch|cr[xyz]|c?p|c?u[123]?|cc[xz]|c?swap|dcx|ecr|iswap(?:dg)?"
    r"|r(?:xx|yy|zz|zx)|xx_(?:minus|plus)_yy)\b"
)
_CONTROLLED_PHASE = re.compile(r"ctrl[^;]*@\s*gphase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A construct that a judge gets wrong.

    Attributes:
        judge: Its name.
        what: The construct, and what the judge makes of it.
        is_in: Whether a text has the construct.
    """

    judge: str
    what: str
    is_in: Callable[[str], bool]


FAULTS = (
    Fault(
        judge="braket",
        what="bits of a number are counted from the highest: after `uint[4] a = 1;`, `a[0]` is 0",
        is_in=lambda text: bool(_BIT_OF_NUMBER.search(text)),
    ),
    Fault(
        judge="mqt",
        what="`^` of OpenQASM 2 is taken from the left, after a minus: `2^3^2` as 64, `-2^2` as 4",
        is_in=lambda text: ("OPENQASM 2" in text or "qreg" in text) and "^" in text,
    ),
    Fault(
        judge="mqt",
        what="a bit that is compared with a number is taken for its whole register: `if (c[1] == 1)`",
        is_in=lambda text: bool(_BIT_COMPARED.search(text)),
    ),
    Fault(
        judge="mqt",
        what="a gate that the text defines under the name of one of its own: `gate ryy(t) a, b { x a; }`",
        is_in=lambda text: bool(_OWN_GATE.search(text)),
    ),
    Fault(
        judge="mqt",
        what="the controls of `ctrl @ gphase` are left out",
        is_in=lambda text: bool(_CONTROLLED_PHASE.search(text)),
    ),
    Fault(
        judge="mqt",
        what="whole numbers that are not decimal are no numbers as angles: `U(0x1F, 0, 0)`",
        is_in=lambda text: bool(_NOT_DECIMAL.search(text)),
    ),
    Fault(
        judge="pyqasm",
        what="a gate on several operands, one of them a register, mixes qubits up: `cx a, b;` as `cx a[0], a[1];`",
        is_in=lambda text: bool(_WHOLE_REGISTERS.search(_DEFINITION.sub("", text))),
    ),
    Fault(
        judge="pyqasm",
        what="a loop whose step misses its end goes one round too far: `for int i in [1:2:4]` as 1, 3, 5",
        is_in=lambda text: bool(_STEPPED.search(text)),
    ),
    Fault(
        judge="pyqasm",
        what="bits that are assigned and not measured are left out: `c[2] = 1;`",
        is_in=lambda text: bool(_ASSIGNED.search(text)),
    ),
    Fault(
        judge="pyqasm",
        what="`^` of OpenQASM 2 is an exclusive or",
        is_in=lambda text: "OPENQASM 2" in text and "^" in text,
    ),
)


def trusted(judges: Sequence[str], text: str) -> tuple[list[str], dict[str, str]]:
    """Those who can be asked about a text, and why the others are not."""
    reasons: dict[str, str] = {}
    for fault in FAULTS:
        if fault.judge in judges and fault.judge not in reasons and fault.is_in(text):
            reasons[fault.judge] = fault.what
    return [judge for judge in judges if judge not in reasons], reasons
