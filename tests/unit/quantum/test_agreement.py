"""Sampler and estimator against Qiskit's reference primitives, over generated programs.

The odds that any comparison of a run fails by chance are below 1e-6: every sampling is checked with odds of 1e-9
(bounds stated in ``support.statistics``), every value that is drawn from a normal distribution within eight standard
deviations (odds 1.3e-15), and there are 200 programs of each kind with at most 6 parameter sets.
"""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Statevector

from support.circuits import FORMATS, results, written
from support.statistics import assert_same_source, assert_sampled_from

ALARM = 1e-6 / (200 * 6 * 2)
SHOTS = 500
PROGRAMS = settings(
    max_examples=200,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # to explain takes longer than to find
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

GATES = {  # name of the method: qubits, angles
    "h": (1, 0), "x": (1, 0), "y": (1, 0), "s": (1, 0), "sdg": (1, 0), "t": (1, 0), "sx": (1, 0), "id": (1, 0),
    "rx": (1, 1), "ry": (1, 1), "rz": (1, 1), "p": (1, 1), "u": (1, 3),
    "cx": (2, 0), "cz": (2, 0), "ch": (2, 0), "swap": (2, 0), "iswap": (2, 0), "ecr": (2, 0), "dcx": (2, 0),
    "crx": (2, 1), "cp": (2, 1), "rzz": (2, 1), "rxx": (2, 1), "cu": (2, 4), "ccx": (3, 0), "cswap": (3, 0),
    "rccx": (3, 0), "barrier": (1, 0),
}  # fmt: skip

angles = st.floats(-7, 7, allow_nan=False).map(lambda value: round(value, 4))


@st.composite
def circuits(draw, *, parameters):
    """A circuit on up to 5 qubits; parameters are used as they are, or in an expression."""
    num_qubits = draw(st.integers(1, 5))
    circuit = QuantumCircuit(QuantumRegister(num_qubits, "q"))
    free = [Parameter(name) for name in parameters]
    for _ in range(draw(st.integers(0, 12))):
        name = draw(st.sampled_from(sorted(gate for gate, (width, _) in GATES.items() if width <= num_qubits)))
        width, num_angles = GATES[name]
        qubits = draw(st.permutations(range(num_qubits)))[:width]
        getattr(circuit, name)(*(draw(_angle(free)) for _ in range(num_angles)), *qubits)
    return circuit


def _angle(free):
    if not free:
        return angles
    parameter = st.sampled_from(free)
    return st.one_of(angles, parameter, st.builds(lambda factor, each: factor * each + 0.25, angles, parameter))


@st.composite
def values(draw, circuit):
    """Values of all parameters as they are sent, or None."""
    if not circuit.num_parameters:
        return None
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)]))
    size = int(np.prod(shape, dtype=int))
    columns = {
        each.name: np.reshape(draw(st.lists(angles, min_size=size, max_size=size)), shape)
        for each in circuit.parameters
    }
    if draw(st.booleans()):
        return {name: column.tolist() for name, column in columns.items()}
    return np.stack(list(columns.values()), axis=-1).tolist()


def _for_qiskit(sets):
    """The same values with their shape: by name, Qiskit takes a last axis of length 1 for the parameter's."""
    return BindingsArray(sets, shape=np.shape(next(iter(sets.values())))) if isinstance(sets, dict) else sets


@st.composite
def sampler_programs(draw):
    circuit = draw(circuits(parameters=draw(st.sampled_from([[], ["b", "a"], ["θ"]]))))
    measured = draw(st.permutations(range(circuit.num_qubits)))[: draw(st.integers(1, circuit.num_qubits))]
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3).filter(lambda each: sum(each) >= len(measured)))
    for index, width in enumerate(widths):
        circuit.add_register(ClassicalRegister(width, f"c{index}"))
    bits = draw(st.permutations(range(circuit.num_clbits)))[: len(measured)]
    circuit.measure(measured, bits)
    return circuit, dict(zip(bits, measured, strict=True)), draw(values(circuit)), draw(_options(circuit))


def _options(circuit):
    """Qiskit 2.6 trips over some expressions at level 3."""
    levels = st.integers(0, 2 if circuit.num_parameters else 3)
    return st.fixed_dictionaries({"seed": st.integers(0, 2**53)}, optional={"optimization_level": levels})


def _formats(circuit):
    """OpenQASM 2 has no parameters."""
    return FORMATS[1:] if circuit.num_parameters else FORMATS


@pytest.mark.timeout(600)
@PROGRAMS
@given(sampler_programs(), st.data())
def test_sampler_agrees_with_the_reference(program, data):
    circuit, measured, sets, options = program
    source = written(circuit, data.draw(st.sampled_from(_formats(circuit))))
    (entry,) = results(source, parameter_values=sets, options=options, shots=SHOTS)
    reference = (
        StatevectorSampler(seed=options["seed"]).run([(circuit, _for_qiskit(sets))], shots=SHOTS).result()[0].data
    )
    assert tuple(entry["shape"]) == reference.shape
    assert [register["num_bits"] for register in entry["registers"].values()] == [each.size for each in circuit.cregs]
    bound = _bound(circuit, sets)
    for place, each in enumerate(bound):
        ours = entry["counts"][place] if entry["shape"] else entry["counts"]
        assert_sampled_from(ours, _exact(each, measured), alarm=ALARM)
        for register in circuit.cregs:
            own = entry["registers"][register.name]["counts"]
            theirs = reference[register.name].reshape(len(bound)).get_counts(place)
            assert_same_source(own[place] if entry["shape"] else own, theirs, alarm=ALARM)


def _bound(circuit, sets):
    """The circuit with each set of values, in C order."""
    if sets is None:
        return [circuit]
    if isinstance(sets, dict):
        sets = np.stack([np.asarray(sets[each.name]) for each in circuit.parameters], axis=-1)
    return [circuit.assign_parameters(row) for row in np.asarray(sets, dtype=float).reshape(-1, circuit.num_parameters)]


def _exact(circuit, measured):
    """Probability of each joined bit string."""
    state = Statevector(circuit.remove_final_measurements(inplace=False))
    bits = sorted(measured)
    exact = {}
    for outcome, probability in enumerate(state.probabilities([measured[bit] for bit in bits])):
        ones = {bit for position, bit in enumerate(bits) if outcome >> position & 1}
        places = itertools.count()
        words = ["".join(str(int(next(places) in ones)) for _ in range(each.size))[::-1] for each in circuit.cregs]
        exact[" ".join(reversed(words))] = probability
    return exact


@st.composite
def estimator_programs(draw):
    circuit = draw(circuits(parameters=draw(st.sampled_from([[], ["b", "a"]]))))
    sets = draw(values(circuit))
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 1)]))
    assume(_broadcast(SamplerPub.coerce((circuit, _for_qiskit(sets))).shape, shape))
    term = st.text("IXYZ", min_size=circuit.num_qubits, max_size=circuit.num_qubits)
    nonzero = angles.filter(lambda value: abs(value) > 0.01)
    single = st.one_of(term, st.dictionaries(term, nonzero, min_size=1, max_size=3))
    return circuit, sets, draw(_nested(single, shape)), draw(_options(circuit))


def _broadcast(one, other):
    return all(a == b or 1 in (a, b) for a, b in zip(reversed(one), reversed(other), strict=False))


def _nested(single, shape):
    if not shape:
        return single
    return st.lists(_nested(single, shape[1:]), min_size=shape[0], max_size=shape[0])


@pytest.mark.timeout(600)
@PROGRAMS
@given(estimator_programs(), st.data())
def test_estimator_agrees_with_the_reference(program, data):
    circuit, sets, observables, options = program
    source = written(circuit, data.draw(st.sampled_from(_formats(circuit))))
    how = {"kind": "estimator", "observables": observables, "parameter_values": sets, "options": options}
    reference = StatevectorEstimator().run([(circuit, observables, _for_qiskit(sets))]).result()[0].data
    (entry,) = results(source, **how)
    assert tuple(entry["shape"]) == reference.shape
    np.testing.assert_allclose(entry["evs"], reference.evs, atol=1e-9)
    np.testing.assert_array_equal(entry["stds"], np.zeros(reference.shape))
    (rough,) = results(source, precision=0.05, **how)
    np.testing.assert_allclose(rough["evs"], reference.evs, atol=8 * 0.05)
    np.testing.assert_array_equal(rough["stds"], np.full(reference.shape, 0.05))
