"""A QPY file that is almost right is read or refused: no exception of the reader gets through."""

from __future__ import annotations

import sys

import pytest

from hostile.mutated_qpy import files, mutation, wrong_ends

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a process's memory is limited on Linux only")


def test_hundreds_of_mutated_files_end_as_a_summary_or_an_error_of_ours():
    assert wrong_ends(0, 300) == {}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thousands_of_mutated_files_end_as_a_summary_or_an_error_of_ours():
    assert wrong_ends(300, 5000) == {}


def test_mutations_are_of_many_files_and_the_same_each_time():
    mutations = [mutation(number) for number in range(300)]
    assert mutations == [mutation(number) for number in range(300)]
    assert len(set(mutations)) > 280
    assert len(files()) > 15
