"""Delays last as long as they say on a device, do nothing where there is no noise, or are refused by name."""

import io

import pytest
from qiskit import QuantumCircuit, qpy, transpile
from qiskit.circuit import Duration, Parameter
from qiskit.circuit.classical import expr
from qiskit_aer import AerSimulator

from qdepot.errors import InvalidProgramError, UnsupportedProgramError
from qdepot.quantum import devices
from support.circuits import checked, counts, openqasm2, openqasm3, results, simulated

SHOTS = 2000
NOISY = {"noise": "fake_manila", "seed": 3}
DT_S = 2.2222222222222221e-10
DURATIONS = {"s": 0.00032, "ms": 0.32, "us": 320.0, "ns": 320_000.0, "ps": 320_000_000.0}


def _waiting(wait, *, num_qubits=1):
    circuit = QuantumCircuit(num_qubits, 1)
    circuit.x(0)
    wait(circuit)
    circuit.measure(0, 0)
    return circuit


def _for(duration):
    return lambda circuit: circuit.delay(duration, 0)


def _timed(unit):
    return expr.lift(getattr(Duration, unit)(DURATIONS[unit]))


@pytest.fixture(scope="module")
def decayed():
    """How many of 2,000 shots Aer itself leaves in 1 after 320 us on qubit 0 of the device."""
    device = devices.device("fake_manila")
    backend = AerSimulator.from_backend(_backend())
    dt = round(320e-6 / device.target.dt / 16) * 16
    circuit = transpile(_waiting(_for(dt)), backend, initial_layout=[0], optimization_level=0)
    return backend.run(circuit, shots=20_000, seed_simulator=5).result().get_counts()["1"] / 10


def _backend():
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    return FakeManilaV2()


def _assert_near(found, wanted):
    assert found["1"] == pytest.approx(wanted, abs=6 * (SHOTS * 0.12 * 0.88) ** 0.5)


@pytest.mark.parametrize("unit", DURATIONS)
@pytest.mark.parametrize("level", [None, 0, 1])
def test_a_delay_decays_as_in_bare_aer_whatever_its_unit(unit, level, decayed):
    options = {**NOISY, "optimization_level": level}
    _assert_near(counts(_waiting(_for(_timed(unit))), shots=SHOTS, options=options), decayed)


@pytest.mark.parametrize("dt", [1_440_000, 1_440_001, 1_440_007])
def test_a_delay_in_dt_need_not_be_aligned(dt, decayed):
    _assert_near(counts(_waiting(_for(dt)), shots=SHOTS, options=NOISY), decayed)


@pytest.mark.parametrize(
    "wait",
    [
        "delay[320us] q[0];",
        "delay[0.32ms] q[0];",
        "delay[320000ns] q[0];",
        "delay[1440000dt] q[0];",
        "box { delay[320us] q[0]; }",
        "if (c == 0) { delay[320us] q[0]; }",
    ],
)
def test_units_of_openqasm3(wait, decayed):
    source = openqasm3(f"qubit[1] q; bit[1] c; x q[0]; {wait} c = measure q;")
    _assert_near(counts(source, shots=SHOTS, options=NOISY), decayed)


def test_a_delay_of_openqasm2_is_in_dt(decayed):
    source = openqasm2("opaque delay(t) a; qreg q[1]; creg c[1]; x q[0]; delay(1440000) q[0]; measure q -> c;")
    _assert_near(counts(source, shots=SHOTS, options=NOISY), decayed)


def test_a_delay_inside_an_instruction_of_one_s_own(decayed):
    inner = QuantumCircuit(1, name="wait")
    inner.delay(_timed("us"), 0)
    _assert_near(
        counts(_waiting(lambda it: it.append(inner.to_instruction(), [0])), shots=SHOTS, options=NOISY), decayed
    )


def test_a_delay_counts_in_an_estimation():
    circuit = QuantumCircuit(1)
    circuit.x(0)
    short, long = circuit.copy(), circuit.copy()
    long.delay(_timed("us"), 0)
    how = {"kind": "estimator", "observables": {"Z": 1}, "options": {"noise": "fake_manila"}}
    assert results(short, **how)[0]["evs"] < -0.9
    assert results(long, **how)[0]["evs"] > 0.6


def _stretch(circuit):
    circuit.delay(circuit.add_stretch("s"), 0)


def _stretch_in_a_box(circuit):
    stretch = circuit.add_stretch("s")
    with circuit.box():
        circuit.delay(stretch, 0)


def _stretch_in_a_branch(circuit):
    stretch = circuit.add_stretch("s")
    with circuit.if_test((circuit.clbits[0], False)):
        circuit.delay(stretch, 0)


def _box_with_a_duration(circuit):
    with circuit.box(duration=100, unit="us"):
        circuit.id(0)


OPEN = [_stretch, _stretch_in_a_box, _stretch_in_a_branch, _for(expr.add(_timed("us"), _timed("ns")))]


@pytest.mark.parametrize("wait", [*OPEN, _box_with_a_duration])
def test_what_is_not_timed_here_is_refused_on_a_device_by_name(wait):
    with pytest.raises(UnsupportedProgramError, match=r"a delay has a duration|a box has a duration"):
        checked(_waiting(wait), options=NOISY)


@pytest.mark.parametrize("wait", [*OPEN, _box_with_a_duration, _for(_timed("s")), _for(77)])
@pytest.mark.parametrize("num_qubits", [1, 4])
@pytest.mark.parametrize("options", [{}, {"optimization_level": 3}, {"sampling": "aer"}, {"method": "stabilizer"}])
def test_without_noise_time_does_not_matter(wait, num_qubits, options):
    circuit = _waiting(wait, num_qubits=num_qubits)
    assert counts(circuit, shots=3, options=options) == {"1": 3}


def test_a_device_without_a_unit_of_time_runs_no_delays():
    with pytest.raises(UnsupportedProgramError, match="fake_london does not say"):
        checked(_waiting(_for(5)), options={"noise": "fake_london"})
    assert checked(_waiting(lambda _: None), options={"noise": "fake_london"})


def test_the_record_of_a_device_and_its_target_agree_on_whether_there_is_a_unit_of_time():
    for name in ("fake_london", "fake_manila", "fake_torino"):
        assert devices.has_dt(name) == (devices.device(name).target.dt is not None)


def _file(circuit):
    """What Qiskit itself writes, which the client would not send."""
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("duration", [3.5, Parameter("t"), 2 * Parameter("t")])
@pytest.mark.parametrize("options", [{}, NOISY])
@pytest.mark.parametrize("where", ["plain", "branch", "instruction"])
def test_a_duration_that_a_file_has_lost_is_refused_by_name(duration, options, where):
    def wait(circuit):
        if where == "plain":
            circuit.delay(duration, 0, "us")
        elif where == "branch":
            with circuit.if_test((circuit.clbits[0], False)):
                circuit.delay(duration, 0, "us")
        else:
            inner = QuantumCircuit(1, name="wait")
            inner.delay(duration, 0, "us")
            circuit.append(inner.to_instruction(), [0])

    with pytest.raises(InvalidProgramError, match="no unit") as caught:
        checked(_file(_waiting(wait)), program_format="qpy", options=options)
    assert "scheduling" not in caught.value.solution


def test_a_delay_that_cannot_be_counted_is_refused():
    with pytest.raises(UnsupportedProgramError, match="too long"):
        simulated(_waiting(_for(expr.lift(Duration.s(1e9)))), options=NOISY)
