"""Keep one side of a book in order of price, in integers of the feed's decimals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol

from sortedcontainers import SortedList

from fairlead.model import Level, Side

__all__ = ["Ladder", "LadderMaker", "SortedLadder"]


class Ladder(Protocol):
    """The price levels of one side; *best* is the highest bid or the lowest ask.

    Prices and quantities are integers; every quantity held is above zero.
    """

    def __len__(self) -> int:
        """Count the levels."""

    def apply(self, levels: Iterable[Level]) -> bool:
        """Set the quantities of these prices, in order; 0 deletes, an unknown price too.

        Tells whether anything is different from before.
        """

    def replace(self, levels: Iterable[Level]) -> bool:
        """Forget everything and hold these levels; tells whether anything is different."""

    def best(self) -> Level | None:
        """Give the best level; None when there is none."""

    def outwards(self, limit: int | None = None) -> Iterator[Level]:
        """Give up to ``limit`` levels from the best outwards (None: all).

        The ladder must not change meanwhile.
        """

    def quantity_at(self, price: int) -> int:
        """Give the quantity at a price; 0 when there is no such level."""

    def volume_through(self, price: int) -> int:
        """Give the total quantity at ``price`` (inclusive) and at every better price."""


#: Make an empty ladder for a side.
LadderMaker = Callable[[Side], Ladder]


class SortedLadder:
    """The reference ladder: a dictionary of quantities beside a sorted list of prices.

    A change of quantity, which most updates are, touches the dictionary alone; an insert or a
    delete costs O(log n) in the sorted list.
    """

    def __init__(self, side: Side) -> None:
        self._rising = side is Side.SELL
        self._held: dict[int, int] = {}
        self._prices: SortedList[int] = SortedList()

    def __len__(self) -> int:
        """Count the levels."""
        return len(self._held)

    def apply(self, levels: Iterable[Level]) -> bool:
        """Set the quantities of these prices, in order; 0 deletes, an unknown price too."""
        held = self._held
        changed = False
        for price, quantity in levels:
            before = held.get(price)
            if quantity:
                if before != quantity:
                    if before is None:
                        self._prices.add(price)
                    held[price] = quantity
                    changed = True
            elif before is not None:
                del held[price]
                self._prices.remove(price)
                changed = True
        return changed

    def replace(self, levels: Iterable[Level]) -> bool:
        """Forget everything and hold these levels; tells whether anything is different."""
        before = self._held
        self._held = {price: quantity for price, quantity in dict(levels).items() if quantity}
        self._prices = SortedList(self._held)
        return self._held != before

    def best(self) -> Level | None:
        """Give the best level; None when there is none."""
        if not self._held:
            return None
        price = self._prices[0 if self._rising else -1]
        return price, self._held[price]

    def outwards(self, limit: int | None = None) -> Iterator[Level]:
        """Give up to ``limit`` levels from the best outwards (None: all)."""
        held = self._held
        prices = iter(self._prices) if self._rising else reversed(self._prices)
        return ((price, held[price]) for price in islice(prices, limit))

    def quantity_at(self, price: int) -> int:
        """Give the quantity at a price; 0 when there is no such level."""
        return self._held.get(price, 0)

    def volume_through(self, price: int) -> int:
        """Give the total quantity at ``price`` (inclusive) and at every better price."""
        held = self._held
        prices = self._prices.irange(maximum=price) if self._rising else self._prices.irange(price)
        return sum(held[better] for better in prices)
