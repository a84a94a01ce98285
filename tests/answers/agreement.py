"""Whether what qdepot answers can come from what a judge says.

False alarms: odds below 1e-6 for 100,000 programs together.
"""

from __future__ import annotations

from collections.abc import Mapping

from answers.panel import Answer
from support.statistics import assert_sampled_from

ALARM = 1e-11
"""Odds of a false alarm for one program."""

CLOSE = 1e-7
"""How near two exact values have to be."""


def differs(counts: Mapping[str, int], answer: Answer) -> str:
    """What speaks against ``counts``; empty if nothing does."""
    try:
        assert_sampled_from(counts, answer.probabilities, alarm=ALARM)
    except AssertionError as error:
        return str(error)
    return ""
