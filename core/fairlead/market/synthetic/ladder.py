"""Keep one side of the synthetic book: sorted prices, quantities, and what changed last.

A *key* is a price in ticks whose sign makes a larger key the better one: the price itself for
bids, its negative for asks. So both sides run through the same code, the best stands last, and
the book is uncrossed while the two best keys add up to less than zero.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from fairlead.model import Level

__all__ = ["FEWEST_LEVELS", "SideLevels"]

#: A side never holds fewer, whoever takes or cancels.
FEWEST_LEVELS = 5


class SideLevels:
    """One side of a book; ``sign`` is +1 for bids and -1 for asks.

    ``keys`` rise towards the best; callers may read it and must change it by `put` alone.
    """

    __slots__ = ("_changed", "keys", "quantities", "sign", "updates")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.quantities: dict[int, int] = {}
        #: How often something was put.
        self.updates = 0
        self._changed: dict[int, int] = {}

    def put(self, key: int, quantity: int) -> None:
        """Set a level's quantity in lots; 0 takes the level away."""
        quantities, keys = self.quantities, self.keys
        if quantity:
            if key not in quantities:
                if not keys or key > keys[-1]:
                    keys.append(key)
                else:
                    insort(keys, key)
            quantities[key] = quantity
        elif quantities.pop(key, 0):
            if keys[-1] == key:
                keys.pop()
            else:
                del keys[bisect_left(keys, key)]
        self.updates += 1
        self._changed[key] = quantity

    def changes(self) -> tuple[Level, ...]:
        """Give (price, quantity) of all that was put since the last call, best first."""
        if not self._changed:
            return ()
        changed = sorted(self._changed.items(), reverse=True)
        self._changed.clear()
        if self.sign > 0:
            return tuple(changed)
        return tuple([(-key, quantity) for key, quantity in changed])

    def levels(self) -> tuple[Level, ...]:
        """Give every level as (price, quantity), best first; forgets what changed before."""
        self._changed.clear()
        sign, quantities = self.sign, self.quantities
        return tuple((sign * key, quantities[key]) for key in reversed(self.keys))
