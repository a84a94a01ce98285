"""What names mean, and where they can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from openqasm3 import ast
from qiskit.circuit import ClassicalRegister, Clbit, Qubit

from qdepot.quantum.openqasm3.refusal import wrong
from qdepot.quantum.openqasm3.types import ArrayType, Type
from qdepot.quantum.openqasm3.values import Array, Value


@dataclass(slots=True, eq=False)
class Variable:
    """A classical variable.

    Attributes:
        name: As it was declared.
        type: Its type.
        value: What it holds; bits that are measured are read from ``clbits``. None where nothing was assigned yet.
        depth: How many branches and loops on measurements were around its declaration.
        is_constant: Whether it never changes.
        clbits: Where its bits are stored while the circuit runs; None where they are known.
        register: The register that reports it as a result.
    """

    name: str
    type: Type | ArrayType
    value: Value | Array | None
    depth: int = 0
    is_constant: bool = False
    clbits: list[Clbit] | None = None
    register: ClassicalRegister | None = None


@dataclass(frozen=True, slots=True)
class Qubits:
    """A qubit, a register of qubits, or an alias of some.

    Attributes:
        qubits: In order.
        is_single: Whether it is one qubit and not a register of one.
    """

    qubits: tuple[Qubit, ...]
    is_single: bool = False


@dataclass(frozen=True, slots=True)
class BitAlias:
    """Another name for bits of variables.

    Attributes:
        places: Variable and index in it, for each bit.
        is_single: Whether it is one bit and not a register of one.
    """

    places: tuple[tuple[Variable, int], ...]
    is_single: bool = False


@dataclass(frozen=True, slots=True)
class Subroutine:
    """A subroutine of the program."""

    definition: ast.SubroutineDefinition


@dataclass(frozen=True, slots=True)
class External:
    """A function that is only declared."""

    name: str


@dataclass(slots=True)
class _Frame:
    names: dict[str, Any] = field(default_factory=dict)
    is_body: bool = False


class Scopes:
    """Names from the innermost scope outwards.

    The body of a gate or of a subroutine sees nothing of what is around its call, and of the program only constants,
    gates and subroutines.
    """

    def __init__(self, builtin: dict[str, Any]) -> None:
        self._builtin = builtin
        self._frames = [_Frame()]

    @property
    def is_global(self) -> bool:
        """Whether a declaration at this place is one of the whole program."""
        return len(self._frames) == 1

    def find(self, name: str) -> Any:  # noqa: ANN401 - variables, qubits, gates, subroutines
        """What a name means; None where it means nothing."""
        for frame in reversed(self._frames):
            if name in frame.names:
                return frame.names[name]
            if frame.is_body:
                found = self._frames[0].names.get(name)
                hidden = isinstance(found, (Qubits, BitAlias)) or (
                    isinstance(found, Variable) and not found.is_constant
                )
                if hidden:
                    raise wrong(
                        f"{name!r} cannot be seen here: gates and subroutines see only the constants of a program",
                        solution="Hand it over as an argument.",
                    )
                return found if found is not None else self._builtin.get(name)
        return self._builtin.get(name)

    def declare(self, name: str, meaning: Any) -> None:  # noqa: ANN401 - as for find
        """Give a name a meaning in the innermost scope.

        Raises:
            Refusal: It has one there.
        """
        names = self._frames[-1].names
        if name in names or (self.is_global and name in self._builtin):
            raise wrong(
                f"{name!r} is already declared",
                solution="Choose another name; stdgates.inc takes x, s, t, p, h and more.",
            )
        names[name] = meaning

    def replace(self, name: str, meaning: Any) -> None:  # noqa: ANN401 - as for find
        """Give a name a meaning in the innermost scope, in place of another that it may have there."""
        self._frames[-1].names[name] = meaning

    def global_variables(self) -> list[Variable]:
        """All variables of the program's top level, in order of declaration."""
        return [found for found in self._frames[0].names.values() if isinstance(found, Variable)]

    @contextmanager
    def block(self, *, is_body: bool = False) -> Iterator[list[Variable]]:
        """A scope. After it the list that was given has the variables that were declared in it."""
        ended: list[Variable] = []
        self._frames.append(_Frame(is_body=is_body))
        try:
            yield ended
        finally:
            frame = self._frames.pop()
            ended.extend(found for found in frame.names.values() if isinstance(found, Variable))
