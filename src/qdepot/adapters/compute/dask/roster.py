"""Which workers the cluster has, and which of them may be given work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ASK_AGAIN_S = 5.0


@dataclass(slots=True, kw_only=True, eq=False)
class Post:
    """One worker.

    Attributes:
        address: Where it is.
        last_seen: The scheduler's clock when it heard of it last.
        heard_at: Our clock when that was new.
        boot: The station that was made on it; None while there is none.
        slots: Tasks that it does at once.
        busy: Tasks of ours that it has.
        reported: Its heartbeats tell of this station.
        ready: The station has a warm child.
        running: The scheduler would give it work: it is not paused, and not about to leave.
        refusal: Why it gets no work; empty if nothing is known against it.
        ask_at: When it may be asked for a station.
    """

    address: str
    last_seen: object = None
    heard_at: float = 0.0
    boot: str | None = None
    slots: int = 0
    busy: int = 0
    reported: bool = False
    ready: bool = False
    running: bool = True
    refusal: str = ""
    ask_at: float = 0.0

    def leave(self) -> None:
        """What was made on it is gone."""
        self.boot = None
        self.busy = 0
        self.reported = self.ready = False
        self.ask_at = 0.0


class Roster:
    """Decides; the dispatcher acts. Used on the pool's thread alone.

    Args:
        station: Name of our station in a worker's heartbeats.
        silence_s: A worker that the scheduler did not hear of for so long is lost.
    """

    def __init__(self, *, station: str, silence_s: float) -> None:
        self._station = station
        self._silence_s = silence_s
        self._posts: dict[str, Post] = {}

    @property
    def is_ready(self) -> bool:
        """True if a worker can start a task at once, or is at one."""
        return any(post.ready and post.running for post in self._posts.values())

    @property
    def is_usable(self) -> bool:
        """True if a worker takes tasks, now or once it has done those that it has."""
        return any(post.boot is not None for post in self._posts.values())

    @property
    def slots(self) -> int:
        """Tasks that the workers do at once. One that is paused counts: it goes on with those that it has."""
        return sum(post.slots for post in self._posts.values() if post.boot is not None)

    def complaint(self) -> str:
        """Why no worker takes tasks."""
        refusals = [f"{post.address} {post.refusal}" for post in self._posts.values() if post.refusal]
        return "; ".join(refusals[:3]) or "it has no workers"

    def update(self, workers: Mapping[str, Mapping[str, object]], *, now: float) -> list[Post]:
        """Take in what the scheduler tells; returns posts as they were whose tasks are lost."""
        gone = [self._posts.pop(address) for address in list(self._posts) if address not in workers]
        lost = [post for post in gone if post.boot is not None]
        for address, told in workers.items():
            post = self._posts.setdefault(address, Post(address=address, heard_at=now))
            if not self._is_same(post, told, now=now):
                lost.append(Post(address=address, boot=post.boot))
                post.leave()
        return lost

    def to_ask(self, *, now: float) -> list[Post]:
        """Workers to make a station on."""
        return [
            post
            for post in self._posts.values()
            if post.boot is None and now >= post.ask_at and now - post.heard_at < self._silence_s
        ]

    def free(self) -> Post | None:
        """The worker with the most room, as a share of what it has; None if all are at work."""
        free = [post for post in self._posts.values() if post.boot and post.running and post.busy < post.slots]
        return min(free, key=lambda post: (not post.ready, post.busy / post.slots), default=None)

    def hired(self, post: Post, *, boot: str, slots: int) -> None:
        """A station stands on it."""
        post.boot, post.slots, post.refusal = boot, slots, ""

    def refused(self, post: Post, why: str, *, now: float) -> None:
        """No station can be made on it, now."""
        post.refusal, post.ask_at = why, now + _ASK_AGAIN_S

    def _is_same(self, post: Post, told: Mapping[str, object], *, now: float) -> bool:
        """Take in what is told of one worker; False if the station that was made on it is gone."""
        if told.get("last_seen") != post.last_seen:
            post.last_seen, post.heard_at = told.get("last_seen"), now
        post.running = told.get("status") == "running"
        if post.boot is None:
            return True
        metrics = told.get("metrics")
        report = metrics.get(self._station) if isinstance(metrics, Mapping) else None
        if isinstance(report, Mapping):
            post.reported = True
            post.ready = bool(report.get("ready"))
            return report.get("boot") == post.boot and now - post.heard_at < self._silence_s
        return not post.reported and now - post.heard_at < self._silence_s
