"""The judges, for all tests of a file."""

from __future__ import annotations

import pytest

from answers.panel import PYTHON, Panel


@pytest.fixture(scope="module")
def panel():
    """Judges in a process of their own."""
    if not Panel.is_here():
        pytest.skip(f"NO JUDGES at {PYTHON}: `make judges` installs them")
    judges = Panel()
    yield judges
    judges.close()
