"""Show a book in decimals, converted where it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from itertools import islice

from fairlead.book.depth import Depth, Walk
from fairlead.book.ladder import Ladder
from fairlead.model import ZERO, Level, Scale, Side, unscaled

__all__ = ["DecimalView"]


class DecimalView:
    """A valid book with two sides, of one instant; it reads the ladders while they stand still.

    Own orders are subtracted as far as ``own`` names them, (side, price) to quantity in integers.
    """

    def __init__(
        self,
        ladders: Mapping[Side, Ladder],
        scale: Scale,
        own: Mapping[tuple[Side, int], int],
        best: tuple[Level, Level],
    ) -> None:
        self._ladders = ladders
        self._scale = scale
        self._own = own
        self._bid, self._ask = best

    @classmethod
    def of(
        cls, bids: Ladder, asks: Ladder, scale: Scale, own: Mapping[tuple[Side, int], int]
    ) -> DecimalView | None:
        """Look at two ladders; None when a side is empty, or holds nothing but our own orders."""
        bid = next(_others(bids, Side.BUY, own), None)
        ask = next(_others(asks, Side.SELL, own), None)
        if bid is None or ask is None:
            return None
        return cls({Side.BUY: bids, Side.SELL: asks}, scale, own, (bid, ask))

    @cached_property
    def best_bid(self) -> Depth:
        """Give the highest bid."""
        return self._depth(self._bid)

    @cached_property
    def best_ask(self) -> Depth:
        """Give the lowest ask."""
        return self._depth(self._ask)

    @cached_property
    def mid(self) -> Decimal:
        """Give (best bid + best ask) / 2, exactly."""
        return unscaled(5 * (self._bid[0] + self._ask[0]), self._scale.price_decimals + 1)

    @property
    def microprice(self) -> Decimal:
        """Give the mid weighted by the opposite side's quantity at the best prices.

        Much on the bid pulls it to the ask: (bid × ask quantity + ask × bid quantity) / both.

        Source: S. Stoikov, "The micro-price", Quantitative Finance 18 (2018), where this is the
        weighted mid.
        """
        (bid, bid_quantity), (ask, ask_quantity) = self._bid, self._ask
        weighted = Decimal(bid * ask_quantity + ask * bid_quantity)
        return (weighted / (bid_quantity + ask_quantity)).scaleb(-self._scale.price_decimals)

    def depth(self, side: Side, levels: int) -> tuple[Depth, ...]:
        """Give up to ``levels`` levels from the best outwards: bids high to low, asks low up."""
        return tuple(self._depth(level) for level in self._first(side, levels))

    def imbalance(self, levels: int) -> float:
        """Give (bid − ask) / (bid + ask) quantity of the first ``levels`` ≥ 1, from -1 to 1."""
        if levels < 1:
            raise ValueError(f"the imbalance of {levels} levels has no meaning")
        bid = sum(quantity for _, quantity in self._first(Side.BUY, levels))
        ask = sum(quantity for _, quantity in self._first(Side.SELL, levels))
        return (bid - ask) / (bid + ask)

    def walk(self, side: Side, quantity: Decimal) -> Walk:
        """Take ``quantity`` as a taker of that side would: a buyer walks the asks.

        ``average`` is the volume-weighted price of what was filled; what is beyond the known
        depth is not filled.

        :raises ValueError: when the quantity is not above zero.
        """
        if quantity <= 0:
            raise ValueError(f"quantity {quantity} is not above zero")
        left, cost, worst = quantity, ZERO, ZERO
        for level in self._levels(side.opposite):
            worst = self._scale.price(level[0])
            taken = min(left, self._scale.quantity(level[1]))
            cost += taken * worst
            left -= taken
            if not left:
                break
        filled = quantity - left
        # Within one level there is nothing to divide, so the price stays as it is.
        average = worst if cost == filled * worst else cost / filled
        return Walk(filled=filled, average=average, worst=worst, complete=not left)

    def _depth(self, level: Level) -> Depth:
        return Depth(self._scale.price(level[0]), self._scale.quantity(level[1]))

    def _levels(self, side: Side) -> Iterator[Level]:
        return _others(self._ladders[side], side, self._own)

    def _first(self, side: Side, levels: int) -> Iterator[Level]:
        return islice(self._levels(side), max(levels, 0))


def _others(ladder: Ladder, side: Side, own: Mapping[tuple[Side, int], int]) -> Iterator[Level]:
    # The levels as they would be without our own orders.
    if not own:
        return ladder.outwards()
    return _subtracted(ladder, side, own)


def _subtracted(ladder: Ladder, side: Side, own: Mapping[tuple[Side, int], int]) -> Iterator[Level]:
    for price, quantity in ladder.outwards():
        left = quantity - own.get((side, price), 0)
        if left > 0:
            yield price, left
