"""Generated programs: every result agrees with a judge, or the program is refused by what it holds."""

from __future__ import annotations

import pytest

from answers.running import SHORT_FORM, generated


@pytest.mark.timeout(600)
def test_no_generated_program_is_answered_wrongly(panel):
    tally = generated("openqasm3", SHORT_FORM, panel)
    assert tally.programs == SHORT_FORM
    assert tally.verdicts["right"] > SHORT_FORM / 2, tally.document()
