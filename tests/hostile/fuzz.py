"""Fuzz all doors for a while, with new inputs each time: ``python -m hostile.fuzz --minutes 60``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings

from hostile import growing
from hostile.doors import Doors

ROUND = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def main() -> None:
    """Go round the doors until the time is over; a failure ends it, with the smallest input that shows it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    until = time.monotonic() + 60 * parser.parse_args().minutes
    with Doors() as doors:
        targets = {
            "openqasm2": (growing.programs(2), lambda source: doors.check(source, "openqasm2")),
            "openqasm3": (growing.programs(3), lambda source: doors.check(source, "openqasm3")),
            "qpy": (growing.qpy_files(), lambda source: doors.check(source, "qpy")),
            "values": (growing.VALUES, doors.check_values),
            "observables": (growing.VALUES, doors.check_observables),
            "body": (growing.bodies(), doors.parse),
        }
        rounds = 0
        while time.monotonic() < until:
            for name, (inputs, door) in targets.items():
                _tell(f"round {rounds}: {name}")
                ROUND(given(inputs)(_through(door)))()
            rounds += 1
    _tell(f"{rounds} rounds of {ROUND.max_examples} inputs at each of {len(targets)} doors, nothing found")


def _through(door: Callable[[Any], None]) -> Callable[[Any], None]:
    def come_in(each: Any) -> None:
        door(each)

    return come_in


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
