"""One child as the pool sees it: a channel, a state, and the order that it works on."""

from __future__ import annotations

import itertools
import math
import socket
from collections import deque
from enum import Enum, auto

from qdepot.adapters.compute.orders import Order, Serves
from qdepot.domain.framing import Frame, FrameDecoder
from qdepot.errors import QDepotError
from qdepot.ports.compute_pool import Lane

_READS_AT_ONCE = 8
_PIECES_AT_ONCE = 64


class ChildState(Enum):
    """What a child is doing."""

    STARTING = auto()
    """It was ordered and has not said that it is ready."""
    IDLE = auto()
    BUSY = auto()
    DYING = auto()
    """It was ordered to be killed; the supervisor's report is awaited."""


class ChildLink:
    """The service's side of one child. Used on the pool's thread alone.

    Attributes:
        number: The pool's name for it; unlike a process id never used twice.
        lane: Whose crew it belongs to.
        channel: To the child; does not block.
        state: See there.
        serves: What it was bound to with its first task, for its whole life; None before.
        order: What it works on.
        began_at: When it was given that, on the monotonic clock.
        turn_ends_at: Until then its owner may go on without waiting for another turn.
        due_at: When something must happen, on the monotonic clock: the end of a start, of a task, or of a kill.
        verdict: How its order ends once it is dead; None: as the supervisor's report says.
        was_ready: It came to life.
        tasks_done: Orders that it has answered.
        resident_at_start, resident_bytes: RAM that it had when it was ready, and after its last task, by its own word.
    """

    def __init__(self, *, number: int, lane: Lane, channel: socket.socket, decoder: FrameDecoder) -> None:
        self.number = number
        self.lane = lane
        self.channel = channel
        self.state = ChildState.STARTING
        self.serves: Serves | None = None
        self.order: Order | None = None
        self.began_at = -math.inf
        self.turn_ends_at = -math.inf
        self.due_at = math.inf
        self.verdict: QDepotError | None = None
        self.was_ready = False
        self.tasks_done = 0
        self.resident_at_start = 0
        self.resident_bytes = 0
        self.hung_up = False
        self._decoder = decoder
        self._unsent: deque[memoryview] = deque()

    @property
    def is_fresh(self) -> bool:
        """True if it has served nobody yet and is to serve somebody."""
        return self.serves is None and (self.state is ChildState.IDLE or self.state is ChildState.STARTING)

    @property
    def is_spent(self) -> bool:
        """True if it served somebody and has nothing to do."""
        return self.serves is not None and self.state is ChildState.IDLE

    def started(self, *, resident_bytes: int) -> None:
        """It is ready for its first order."""
        self.state = ChildState.IDLE
        self.was_ready = True
        self.due_at = math.inf
        self.resident_at_start = resident_bytes

    def give(self, order: Order, *, now: float) -> None:
        """Start an order; :meth:`send` gets it out."""
        self.state = ChildState.BUSY
        self.serves = order.serves
        self.order = order
        self.began_at = now
        self.due_at = now + order.limits.time_s
        self._unsent.extend(order.request)

    def send(self) -> bool:
        """Send what there is room for; True if more is waiting."""
        while self._unsent:
            try:
                sent = self.channel.sendmsg(itertools.islice(self._unsent, _PIECES_AT_ONCE))
            except BlockingIOError:
                return True
            except OSError:
                self._unsent.clear()  # it is dead; the supervisor's report will say how it died
                return False
            self._drop(sent)
        return False

    def _drop(self, sent: int) -> None:
        while self._unsent and sent >= len(self._unsent[0]):
            sent -= len(self._unsent.popleft())
        if sent:
            self._unsent[0] = self._unsent[0][sent:]

    def receive(self, buffer: memoryview) -> list[Frame]:
        """The frames that came, of at most a few megabytes. Sets ``hung_up`` where the channel has ended.

        Args:
            buffer: To read into; free again afterwards.

        Raises:
            InternalError, ResourceLimitError: What came is no frame, or too large.
            OSError: A large body could not be stored.
        """
        frames: list[Frame] = []
        for _ in range(_READS_AT_ONCE):
            try:
                size = self.channel.recv_into(buffer)
            except BlockingIOError:
                break
            except ConnectionError:
                size = 0
            frames += self._decoder.feed(buffer[:size])
            self.hung_up = not size
            if size < len(buffer):
                break
        return frames

    def answered(self, *, resident_bytes: int) -> None:
        """Its order is answered: it is idle again."""
        self.order = None
        self.state = ChildState.IDLE
        self.due_at = math.inf
        self.tasks_done += 1
        self.resident_bytes = resident_bytes

    def close(self) -> None:
        """Let go of the channel."""
        self._decoder.close()
        self._unsent.clear()
        self.channel.close()
