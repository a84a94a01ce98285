"""Generated programs: every result agrees with a judge, or the program is refused by what it holds."""

from __future__ import annotations

import pytest

from answers.running import generated

PROGRAMS = 1000


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # of the judge
@pytest.mark.timeout(600)
def test_no_generated_program_is_answered_wrongly(panel):
    tally = generated("qpy", PROGRAMS, panel)
    assert tally.programs == PROGRAMS
    assert tally.verdicts["right"] > PROGRAMS / 2, tally.document()
