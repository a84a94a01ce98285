"""Instructions that save or set the simulator's state are refused, and the refusal says what to use instead."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction
from qiskit.quantum_info import Pauli
from qiskit_aer import library

from qdepot.errors import UnsupportedProgramError
from support.circuits import checked, counts, openqasm3

# QPY cannot hold a SetStabilizer.
INSTRUCTIONS = [
    each for name, each in vars(library).items() if name.startswith(("Save", "Set")) and name != "SetStabilizer"
]


def _instruction(each: type) -> Instruction:
    given = {
        "SaveExpectationValue": (Pauli("Z"),),
        "SaveExpectationValueVariance": (Pauli("Z"),),
        "SaveProbabilities": (1,),
        "SaveProbabilitiesDict": (1,),
        "SaveAmplitudes": (1, [0]),
        "SaveAmplitudesSquared": (1, [0]),
        "SetStatevector": (np.array([1, 0]),),
        "SetDensityMatrix": (np.diag([1, 0]),),
        "SetUnitary": (np.eye(2),),
        "SetSuperOp": (np.eye(4),),
        "SetMatrixProductState": (([(np.array([[1]]), np.array([[0]]))], []),),
    }
    return each(*given.get(each.__name__, (1,)))


def _refused(circuit, **how):
    with pytest.raises(UnsupportedProgramError) as caught:
        checked(circuit, **how)
    return caught.value


@pytest.mark.parametrize("each", INSTRUCTIONS, ids=lambda each: each.__name__)
def test_each_is_refused_by_name(each):
    instruction = _instruction(each)
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.append(instruction, [0])
    circuit.measure(0, 0)
    error = _refused(circuit)
    assert f"the instruction {instruction.name!r}" in error.message
    assert error.details["instruction"] == instruction.name
    assert error.solution.startswith("Leave it out")


@pytest.mark.parametrize(
    ("save", "instead"),
    [("save_statevector", "observables"), ("save_probabilities", "shots"), ("save_density_matrix", "measure")],
)
def test_the_refusal_names_what_to_use_instead(save, instead):
    circuit = QuantumCircuit(2)
    getattr(circuit, save)()
    assert instead in _refused(circuit, kind="estimator", observables="ZZ").solution


def test_it_is_found_inside_a_condition():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.save_statevector()
    assert "save_statevector" in _refused(circuit).message


def test_a_gate_of_that_name_that_its_author_defined_is_a_gate():
    source = openqasm3("gate save_statevector a { x a; } qubit[1] q; bit[1] c; save_statevector q[0]; c = measure q;")
    assert counts(source, shots=3) == {"1": 3}
