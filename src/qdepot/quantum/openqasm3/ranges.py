"""Index sets and ranges of OpenQASM 3: both ends are included, and negative indices count from the end."""

from __future__ import annotations

from qdepot.quantum.openqasm3.refusal import unsupported, wrong

MAX_ROUNDS = 200_000
"""Most values in a range."""


def values(start: int, step: int, end: int) -> range:
    """The integers of ``start:step:end``.

    Raises:
        Refusal: The step is 0, or they are too many.
    """
    if step == 0:
        raise wrong("a range with the step 0", solution="Leave the step out, or take 1 or -1.")
    found = range(start, end + (1 if step > 0 else -1), step)
    if (end - start) // step >= MAX_ROUNDS:
        raise unsupported(f"loops over more than {MAX_ROUNDS} values")
    return found


def place(index: int, size: int) -> int:
    """The place of an index in a register.

    Raises:
        Refusal: It is outside of the register.
    """
    found = index + size if index < 0 else index
    if not 0 <= found < size:
        raise wrong(
            f"index {index} is out of range",
            solution=f"Indices go from 0 to {size - 1}, or from -{size} to -1." if size else "The register is empty.",
        )
    return found


def places(start: int | None, step: int | None, end: int | None, size: int) -> range:
    """The places in a register of the indices ``[start:step:end]``.

    What is left out is the register's end from which, and to which, the step leads.

    Raises:
        Refusal: An index is outside of the register, or the set is empty.
    """
    by = 1 if step is None else step
    first, last = (0, size - 1) if by > 0 else (size - 1, 0)
    begin = first if start is None else place(start, size)
    finish = last if end is None else place(end, size)
    found = values(begin, by, finish)
    if not found:
        shown = ":".join("" if each is None else str(each) for each in (start, step, end) if each is not step or step)
        raise wrong(
            f"the range [{shown}] selects nothing of {size}",
            solution="Both ends are included; to go down, give the step: [3:-1:0].",
        )
    return found
