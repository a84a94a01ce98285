"""What goes wrong, at random moments: processes die or stand still, the database, the store and the cloud go away."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from durability.fleet import Fleet
from qdepot.testing.fault_proxy import Fault, FaultProxy

FAULTS: dict[str, Callable[[random.Random], Fault]] = {
    "delay": lambda chance: Fault(delay_s=chance.uniform(0.05, 1.0)),
    "throttle": lambda chance: Fault(bytes_per_s=chance.uniform(2_000, 50_000)),
    "request cut": lambda chance: Fault(cut_after_sent=chance.randrange(2_000)),
    "answer cut": lambda chance: Fault(cut_after_answered=chance.randrange(200)),
    "answer lost": lambda chance: Fault(cut_after_answered=0),
    "black hole": lambda chance: Fault(black_hole=True),
    "refused": lambda chance: Fault(refuse=True),
    "reset": lambda chance: Fault(reset=True),
}


@dataclass
class Chaos:
    """Causes trouble at an even pace.

    Attributes:
        fleet: Whose processes suffer.
        proxies: What can be broken, by name.
        chance: Decides.
        lease_s: Processes are stopped for longer than this.
        crashes: Kills servers that come up again by themselves, by their names.
        done: What happened, how often.
    """

    fleet: Fleet
    proxies: Mapping[str, FaultProxy]
    chance: random.Random
    lease_s: float
    crashes: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    _under_way: list[threading.Thread] = field(default_factory=list)

    def run(self, *, events: int, seconds: float, go_on: Callable[[], bool]) -> None:
        """So many events, spread over so many seconds; more at the same pace while ``go_on`` says so."""
        pace_s = seconds / events
        began = time.monotonic()
        while self.done.total() < events or go_on():
            due_at = began + self.done.total() * pace_s
            time.sleep(max(0.0, due_at - time.monotonic()))
            self.fleet.count()
            self._cause()
        for thread in self._under_way:
            thread.join()
        for proxy in self.proxies.values():
            proxy.heal()

    def _cause(self) -> None:
        kind = self.chance.choices(["kill", "stop", "crash", "fault"], weights=[45, 20, 5 * bool(self.crashes), 35])[0]
        member = self.chance.choice(self.fleet.members)
        if kind == "kill":
            self.done["kill"] += self.fleet.kill(member)
        elif kind == "stop":
            self.done["stop"] += 1
            self._in_background(self.fleet.freeze, member, self.lease_s * self.chance.uniform(1.2, 2.5))
        elif kind == "crash":
            where = self.chance.choice(sorted(self.crashes))
            self.done[f"{where}: crash"] += 1
            self.crashes[where]()
        else:
            where, what = self.chance.choice(sorted(self.proxies)), self.chance.choice(sorted(FAULTS))
            self.done[f"{where}: {what}"] += 1
            self._in_background(self._break, self.proxies[where], FAULTS[what](self.chance))

    def _break(self, proxy: FaultProxy, fault: Fault) -> None:
        proxy.play(fault)
        time.sleep(self.chance.uniform(0.3, 4.0))
        proxy.heal()

    def _in_background(self, step: Callable[..., object], *given: object) -> None:
        thread = threading.Thread(target=step, args=given)
        self._under_way.append(thread)
        thread.start()
