"""A queue in which nobody waits for another owner's whole backlog."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Owners take turns; among one owner's items the oldest goes first. Not thread-safe."""

    def __init__(self) -> None:
        self._by_owner: OrderedDict[str, OrderedDict[int, Item]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        """Items that wait."""
        return self._length

    def add(self, owner: str, number: int, item: Item) -> None:
        """Put an item at the end of its owner's row, under a number that is unique for the owner."""
        self._by_owner.setdefault(owner, OrderedDict())[number] = item
        self._length += 1

    def first(self) -> Item | None:
        """The item whose turn it is, left where it is."""
        for row in self._by_owner.values():
            return next(iter(row.values()))
        return None

    def first_of(self, owner: str) -> Item | None:
        """The oldest item of an owner, left where it is."""
        row = self._by_owner.get(owner)
        return next(iter(row.values())) if row else None

    def first_of_others(self, owners: Container[str]) -> Item | None:
        """The oldest item of the owner who is next in line and not among ``owners``, left where it is."""
        for owner, row in self._by_owner.items():
            if owner not in owners:
                return next(iter(row.values()))
        return None

    def take(self) -> Item:
        """Take the item whose turn it is; its owner goes to the end of the line.

        Raises:
            StopIteration: The queue is empty.
        """
        return self.take_of(next(iter(self._by_owner)))

    def take_of(self, owner: str) -> Item:
        """Take the oldest item of an owner, who goes to the end of the line.

        Raises:
            KeyError: The owner has none.
        """
        row = self._by_owner[owner]
        _, item = row.popitem(last=False)
        self._by_owner.move_to_end(owner)
        self._taken_from(owner, row)
        return item

    def remove(self, owner: str, number: int) -> None:
        """Drop an item out of turn; one that is not (or no longer) there is fine."""
        row = self._by_owner.get(owner)
        if row is not None and row.pop(number, None) is not None:
            self._taken_from(owner, row)

    def _taken_from(self, owner: str, row: OrderedDict[int, Item]) -> None:
        self._length -= 1
        if not row:
            del self._by_owner[owner]
