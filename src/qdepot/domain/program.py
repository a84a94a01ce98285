"""What is asked to be run."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from qdepot.errors import InvalidProgramError

DEFAULT_SHOTS = 1024
"""Executions of each circuit of a sampler that does not say how many."""
DEFAULT_PRECISION = 0.0
"""Wanted standard error of an estimator that does not say any: exact, where the method allows."""


class ProgramKind(StrEnum):
    """What is wanted of the circuits."""

    SAMPLER = "sampler"
    """Counts of measured bits."""
    ESTIMATOR = "estimator"
    """Expectation values of observables."""


class ProgramFormat(StrEnum):
    """How a circuit is written down."""

    OPENQASM2 = "openqasm2"
    OPENQASM3 = "openqasm3"
    QPY = "qpy"
    """Qiskit's binary format; one circuit a file."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON value that is passed on as text: as objects, a large one would take many times its size.

    Attributes:
        text: Valid UTF-8 JSON.
    """

    text: bytes

    def value(self) -> object:
        """The value itself."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One circuit as it was sent, with what belongs to it alone.

    Attributes:
        format: How ``source`` is written.
        source: The bytes: UTF-8 text for OpenQASM, the file itself for QPY.
        parameter_values: None, or by name (``{"theta": [...]}``), or an array in Qiskit's order of parameters; plain
            JSON data or its text, broadcast as Qiskit's PUBs do.
        observables: For an estimator: plain JSON data or its text, ``{"ZZ": 1.0}`` or nested lists of such.
        shots: Overrides the program's shots for this circuit.
        precision: Overrides the program's precision for this circuit.
    """

    format: ProgramFormat
    source: bytes
    parameter_values: object = None
    observables: object = None
    shots: int | None = None
    precision: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, index: int) -> Circuit:
        """Build it from its JSON form, in which the source of a QPY circuit is base64.

        The source may be given as bytes (UTF-8), and values and observables as :class:`JsonText`.

        Raises:
            InvalidProgramError: A QPY source is not base64.
        """
        fields = {name: document.get(name) for name in ("parameter_values", "observables", "shots", "precision")}
        program_format = ProgramFormat(document["format"])
        return cls(format=program_format, source=_source_bytes(document["source"], program_format, index), **fields)

    def document(self) -> dict[str, object]:
        """Its JSON form, from which :meth:`from_document` builds an equal circuit."""
        is_text = self.format is not ProgramFormat.QPY
        source = self.source.decode() if is_text else base64.b64encode(self.source).decode()
        plain = {"parameter_values": _plain(self.parameter_values), "observables": _plain(self.observables)}
        figures = {"shots": self.shots, "precision": self.precision}
        return {"format": self.format.value, "source": source, **_given(plain | figures)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What one job runs.

    Attributes:
        kind: Sampler or estimator.
        circuits: At least one.
        shots: Executions of each circuit (sampler).
        precision: Wanted standard error (estimator); 0: exact.
    """

    kind: ProgramKind
    circuits: tuple[Circuit, ...]
    shots: int | None = None
    precision: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Program:
        """Build it from the ``program`` of a request, as it is sent and as it is archived.

        What its kind has and it does not say has its default, which is the same wherever a program is read.

        Raises:
            InvalidProgramError: A QPY source is not base64.
        """
        circuits = tuple(
            Circuit.from_document(circuit, index=index) for index, circuit in enumerate(document["circuits"])
        )
        kind = ProgramKind(document["kind"])
        defaults = _DEFAULTS[kind]
        given = {name: document.get(name) for name in ("shots", "precision")}
        figures = {name: defaults.get(name) if value is None else value for name, value in given.items()}
        return cls(kind=kind, circuits=circuits, **figures)

    @property
    def figures(self) -> dict[str, object]:
        """What it says for all of its circuits: shots of a sampler, precision of an estimator."""
        return _given({"shots": self.shots, "precision": self.precision})

    def document(self) -> dict[str, object]:
        """Its JSON form, from which :meth:`from_document` builds an equal program."""
        return {"kind": self.kind.value, **self.figures, "circuits": [circuit.document() for circuit in self.circuits]}


_DEFAULTS: Mapping[ProgramKind, Mapping[str, Any]] = {
    ProgramKind.SAMPLER: {"shots": DEFAULT_SHOTS},
    ProgramKind.ESTIMATOR: {"precision": DEFAULT_PRECISION},
}


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _plain(value: object) -> object:
    return value.value() if isinstance(value, JsonText) else value


def _source_bytes(source: str | bytes, program_format: ProgramFormat, index: int) -> bytes:
    if program_format is not ProgramFormat.QPY:
        return source.encode() if isinstance(source, str) else source
    try:
        return base64.b64decode(source, validate=True)
    except ValueError as error:  # binascii.Error is one, too
        raise InvalidProgramError(
            f"circuit {index}: the source of a qpy circuit must be base64: {error}",
            solution="Send the bytes of the .qpy file in standard base64, without line breaks.",
            details={"circuit": index},
        ) from error
