"""Names that mean one thing to the transpiler and to Aer, whatever a gate of that name is made of."""

from __future__ import annotations

from functools import cache

from qiskit.circuit import CONTROL_FLOW_OP_NAMES
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping

from qdepot.quantum.versions import has_aer

_AER_INTERNAL = frozenset({"mark", "jump", "aer_store", "bfunc", "barrier", "measure", "reset", "delay", "box"})

_LEFT_ALONE: frozenset[str] = CONTROL_FLOW_OP_NAMES | {"break_loop", "continue_loop", "snapshot", "store"}
"""Names of instructions that the transpiler passes on unchanged, whatever their definition is."""

_SYNTHESISED = frozenset(
    {"annotated", "clifford", "linear_function", "mcmt", "permutation", "qft"}
    | {"FullAdder", "HalfAdder", "IntComp", "ModularAdder", "Multiplier", "PauliEvolution", "WeightedSum"}
)
"""Names by which the transpiler finds the plugins that break gates of Qiskit's library down."""


@cache
def reserved_names() -> frozenset[str]:
    """What no gate of a user's own may be called while it is worked on.

    The transpiler and Aer know gates by their names. A user's ``gate ecr a, b { x a; }`` would be run as the
    well-known ECR gate, without a word.
    """
    return _AER_INTERNAL | _LEFT_ALONE | _SYNTHESISED | frozenset(get_standard_gate_name_mapping()) | _aer_names()


def _aer_names() -> frozenset[str]:
    if not has_aer():
        return frozenset()
    from qiskit_aer import AerSimulator

    return frozenset(AerSimulator().target.operation_names)
