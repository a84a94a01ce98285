"""The vendor's side of a provider, as far as a test has it in its hands."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Ability(StrEnum):
    """What a test can do on the vendor's side; a suite that declares less skips the tests that need it."""

    HOLD = "jobs can be kept from running, and from ending"
    COUNT = "submissions can be counted"
    GO_AWAY = "the vendor can be made to not answer"
    LOSE_ANSWERS = "the vendor can be made to take a job and not say so"
    SAY = "the vendor can be made to say a word that nobody knows"


class Outside(Protocol):
    """The other side. What is not among the declared abilities is never called."""

    def hold(self) -> None:
        """HOLD: jobs that are submitted from now on wait in the queue."""
        ...

    def let_run(self) -> None:
        """HOLD: jobs that wait begin to run, and do not end."""
        ...

    def let_end(self) -> None:
        """HOLD: all jobs run to their ends."""
        ...

    def submissions(self, tag: str) -> int:
        """COUNT: how many jobs were taken with this tag."""
        ...

    def go_away(self) -> None:
        """GO_AWAY: nothing is answered, and nothing is carried out."""
        ...

    def lose_answers(self) -> None:
        """LOSE_ANSWERS: what is asked is carried out, and its answer does not arrive."""
        ...

    def come_back(self) -> None:
        """GO_AWAY, LOSE_ANSWERS: all is well again."""
        ...

    def say(self, word: str) -> None:
        """SAY: the status of every job is given in this word."""
        ...
