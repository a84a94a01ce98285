"""Ranges and index sets, against the rules of the specification written down once more in plain Python.

The rules: ``[a:b]`` and ``[a:s:b]`` go from a by steps of s (1 where none is given) as long as b is not passed, both
ends included. A negative index counts from the end of the register. An end that is left out is the register's own.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdepot.errors import InvalidProgramError
from qdepot.quantum.openqasm3.reader import read_openqasm3

WIDTH = 6


def _expected(start, step, end):
    """The selected places; None where the program is wrong."""
    if step is not None and end is None:  # the grammar wants an end after a step
        return None
    step = 1 if step is None else step
    if step == 0:
        return None
    first, last = (0, WIDTH - 1) if step > 0 else (WIDTH - 1, 0)
    ends = [default if given is None else given for given, default in ((start, first), (end, last))]
    if not all(-WIDTH <= each < WIDTH for each in ends):
        return None
    place, stop = (each % WIDTH for each in ends)
    selected = []
    while place <= stop if step > 0 else place >= stop:
        selected.append(place)
        place += step
    return selected or None


def _read(text):
    return read_openqasm3(f'OPENQASM 3.0; include "stdgates.inc"; qubit[{WIDTH}] q; bit[{WIDTH}] c;\n{text}'.encode())[
        0
    ]


def _written(start, step, end):
    parts = [start, end] if step is None else [start, step, end]
    return ":".join("" if each is None else str(each) for each in parts)


def _touched(circuit, name):
    return [circuit.find_bit(each.qubits[0]).index for each in circuit.data if each.name == name]


indices = st.none() | st.integers(-WIDTH - 1, WIDTH)
ranges = st.tuples(indices, st.none() | st.integers(-3, 3), indices)
STATEMENTS = {
    "x": "x q[{}];",
    "reset": "reset q[{}];",
    "h": "let some = q[{}]; h some;",
}


@pytest.mark.parametrize("name", ["x", "reset", "h"])
@settings(max_examples=150, deadline=None)
@given(chosen=ranges)
def test_a_range_of_qubits_selects_what_the_specification_says(name, chosen):
    selected, text = _expected(*chosen), STATEMENTS[name].format(_written(*chosen))
    if selected is None:
        with pytest.raises(InvalidProgramError) as caught:
            _read(text)
        assert caught.value.details["line"] == 2
    else:
        assert _touched(_read(text), name) == selected


@settings(max_examples=100, deadline=None)
@given(ranges, ranges)
def test_ranges_on_both_sides_of_a_measurement_go_together_in_order(qubits, clbits):
    ours, theirs = _expected(*qubits), _expected(*clbits)
    text = f"c[{_written(*clbits)}] = measure q[{_written(*qubits)}];"
    if ours is None or theirs is None or len(ours) != len(theirs):
        with pytest.raises(InvalidProgramError):
            _read(text)
        return
    circuit = _read(text)
    pairs = [(circuit.find_bit(each.qubits[0]).index, circuit.find_bit(each.clbits[0]).index) for each in circuit.data]
    assert pairs == list(zip(ours, theirs, strict=True))


@settings(max_examples=100, deadline=None)
@given(ranges, ranges)
def test_a_range_of_an_alias_counts_in_the_alias(outer, inner):
    first = _expected(*outer)
    if first is None or len(first) != WIDTH:
        first, outer = list(range(WIDTH - 1, -1, -1)), (WIDTH - 1, -1, 0)
    second = _expected(*inner)
    text = f"let all = q[{_written(*outer)}]; x all[{_written(*inner)}];"
    if second is None:
        with pytest.raises(InvalidProgramError):
            _read(text)
    else:
        assert _touched(_read(text), "x") == [first[place] for place in second]


@settings(max_examples=100, deadline=None)
@given(st.integers(-4, 6), st.none() | st.integers(-3, 3), st.integers(-4, 6))
def test_a_loop_runs_through_both_ends_of_its_range(start, step, end):
    text = f"for int i in [{_written(start, step, end)}] {{ rz(i) q[0]; }}"
    if step == 0:
        with pytest.raises(InvalidProgramError):
            _read(text)
        return
    by = 1 if step is None else step
    expected = []
    while start <= end if by > 0 else start >= end:
        expected.append(start)
        start += by
    assert [each.operation.params[0] for each in _read(text).data] == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-WIDTH, WIDTH - 1), max_size=5))
def test_a_set_of_indices_selects_them_in_its_order(chosen):
    text = f"x q[{{{', '.join(map(str, chosen))}}}];"
    if not chosen:
        with pytest.raises(InvalidProgramError):  # the grammar has no empty set
            _read(text)
    else:
        assert _touched(_read(text), "x") == [each % WIDTH for each in chosen]
