"""Inputs that a machine makes up: by a grammar that is almost right, and by changes to what is right."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter

from hostile import corpus

NAMES = st.sampled_from(["q", "c", "a", "b", "t", "g", "x", "rx", "pi", "i", "U", "if", "π", "_", "q0", "gate"])
NUMBERS = st.one_of(
    st.integers(-3, 12).map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.sampled_from(["1e999", "0x10", "0b11", "1_000", "1.", ".5", "1ns", "2.0im", "true", '"01"', "pi", "tau"]),
)
SIGNS = ["+", "-", "*", "/", "**", "^", "%", "<<", "==", "&&", "|", "++"]
EXPRESSIONS = st.recursive(
    st.one_of(NUMBERS, NAMES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(SIGNS), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        st.tuples(st.sampled_from(["sin", "ln", "sqrt", "arccos", "ctrl", "int[8]", "float"]), inner).map(
            lambda pair: f"{pair[0]}({pair[1]})"
        ),
        st.tuples(NAMES, inner).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
    ),
    max_leaves=8,
)
QUBITS = st.one_of(NAMES, st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"{pair[0]}[{pair[1]}]"), st.just("$0"))


def _filled(pattern: str) -> st.SearchStrategy[str]:
    """A statement of which ``N``, ``E``, ``Q`` and ``S`` are to be filled in."""
    makers = {"N": NAMES, "E": EXPRESSIONS, "Q": QUBITS}
    parts = [makers.get(part, st.just(part)) for part in pattern.split("~")]
    return st.tuples(*parts).map("".join)


STATEMENTS2 = [
    "qreg ~N~[~E~];\n", "creg ~N~[~E~];\n", "~N~ ~Q~;\n", "~N~(~E~) ~Q~, ~Q~;\n", "measure ~Q~ -> ~Q~;\n",
    "barrier ~Q~, ~Q~;\n", "reset ~Q~;\n", "if (~N~ == ~E~) ~N~ ~Q~;\n", "gate ~N~(~N~) ~N~, ~N~ { ~N~(~E~) ~N~; }\n",
    "opaque ~N~ ~N~;\n", 'include "~N~";\n', "// ~E~\n", "U(~E~,~E~,~E~) ~Q~;\n", "CX ~Q~, ~Q~;\n",
]  # fmt: skip
STATEMENTS3 = [
    "qubit[~E~] ~N~;\n", "bit[~E~] ~N~;\n", "~N~ ~Q~;\n", "~N~(~E~) ~Q~, ~Q~;\n", "~Q~ = measure ~Q~;\n",
    "barrier ~Q~;\n", "reset ~Q~;\n", "if (~E~) { ~N~ ~Q~; } else { ~N~ ~Q~; }\n",
    "for int ~N~ in [~E~:~E~] { ~N~ ~Q~; }\n",
    "while (~E~) { ~N~ ~Q~; break; }\n", "gate ~N~(~N~) ~N~, ~N~ { ~N~(~E~) ~N~; }\n", "ctrl(~E~) @ ~N~ ~Q~, ~Q~;\n",
    "pow(~E~) @ inv @ ~N~ ~Q~;\n", "gphase(~E~);\n", "let ~N~ = ~Q~ ++ ~Q~;\n", "const int ~N~ = ~E~;\n",
    "input angle[32] ~N~;\n", "delay[~E~] ~Q~;\n", "box { ~N~ ~Q~; }\n", "switch (~E~) { case ~E~ { ~N~ ~Q~; } }\n",
    'include "~N~";\n', "@~N~ ~E~\n", "#pragma ~N~\n", "/* ~E~ */\n", "def ~N~(qubit ~N~) { ~N~ ~N~; }\n", "end;\n",
]  # fmt: skip


def programs(version: int) -> st.SearchStrategy[bytes]:
    """Texts that look like OpenQASM, and sometimes are."""
    head, bell = (corpus.HEAD2, corpus.BELL2) if version == 2 else (corpus.HEAD3, corpus.BELL3)
    patterns = STATEMENTS2 if version == 2 else STATEMENTS3
    statements = st.lists(st.sampled_from(patterns).flatmap(_filled), max_size=8).map("".join)
    begun = st.sampled_from([head, bell, "OPENQASM 2.0;\n", "OPENQASM 3;\n", ""])
    grown = st.tuples(begun, statements).map(lambda pair: "".join(pair).encode())
    return st.one_of(grown, changed([bell.encode(), *_examples(version)]))


def _examples(version: int) -> list[bytes]:
    kind = f"openqasm{version}"
    return [each.source for each in corpus.texts() if each.format == kind and len(each.source) < 1500]


def qpy_files() -> st.SearchStrategy[bytes]:
    """Files of all versions that are read, with a few other bytes in them."""
    return changed(_qpy_seeds())


@cache
def _qpy_seeds() -> list[bytes]:
    theta = Parameter("theta")
    inner = QuantumCircuit(2, name="inner")
    inner.rx(theta, 0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(3, 3, metadata={"a": [1, 2]}, global_phase=theta)
    circuit.append(inner.to_gate(), [0, 1])
    circuit.append(inner.assign_parameters([0.5]).to_gate().control(1), [0, 1, 2])
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(2)
    with circuit.for_loop(range(3)):
        circuit.h(1)
    circuit.unitary([[0, 1], [1, 0]], [0])
    circuit.measure([0, 1, 2], [0, 1, 2])
    seeds = []
    for version in (13, 15, 16, qpy.QPY_VERSION):
        for each in (circuit, QuantumCircuit.from_qasm_str(corpus.BELL2)):
            file = io.BytesIO()
            qpy.dump(each, file, version=version)
            seeds.append(file.getvalue())
    return seeds


@st.composite
def changed(draw: Any, seeds: list[bytes]) -> bytes:
    """One of the seeds after a few changes: bytes replaced, cut out, doubled, put in, or taken from another seed."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 2, 4, 8, 40])))
        piece = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [b"", b"\xff" * 4, b"\xff" * 8, b"\0" * 4, b"\x7f\xff\xff\xff", b"(", b"}", b";", b"9" * 20]
                ),
                st.just(bytes(data[start:end]) * 2),
            )
        )
        data[start:end] = piece
    return bytes(data)


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["t", "u", "theta", "ZZ", "IX", "Z" * 5, "", "__class__"]), inner, max_size=3),
    ),
    max_leaves=12,
)
"""JSON data of any shape."""

BODY = {
    "backend": "aer",
    "program": {
        "kind": "sampler",
        "shots": 10,
        "circuits": [{"format": "openqasm2", "source": corpus.BELL2, "parameter_values": {"t": [1.0]}}],
    },
    "options": {"seed": 1},
    "name": "bell",
    "tags": ["a"],
}


@st.composite
def _bent(draw: Any, value: Any) -> Any:
    """A document like ``value``, with other things in some places."""
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    if isinstance(value, dict):
        items = {key: draw(_bent(each)) for key, each in value.items() if draw(st.integers(0, 9))}
        return items | (draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=1)))
    return [draw(_bent(each)) for each in value] if isinstance(value, list) else value


def bodies() -> st.SearchStrategy[bytes]:
    """Bodies of requests: bent out of shape, changed byte by byte, or no JSON at all."""
    document = json.dumps(BODY).encode()
    bent = _bent(BODY).map(lambda value: json.dumps(value).encode())
    return st.one_of(
        bent, changed([document]), st.binary(max_size=50), VALUES.map(lambda value: json.dumps(value).encode())
    )
