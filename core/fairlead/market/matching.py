"""Match own orders against a market that others made: who fills, how much, at which price.

The model is the one of "Paper fills" in the reference documentation, for paper, backtest and
simulation alike. It is pure and synchronous: market events in the venue's order and own arrivals
and cancels go in, matches come out. Own orders never move the feed.

An own resting order fills

(a) by a print at its price, beyond what is ahead of it in the queue;
(b) by a print through its price, up to the print, whichever side took;
(c) when the opposite best reaches its price, up to the quantity shown there.

A print serves all own orders together once, the better price first, then the older order. So
does the quantity that crosses: only what a later message adds to it serves again, and prints
that follow a crossing count for what they have above it. Hence the law: the filled quantity is
never above the prints at or through the price plus the quantity that crossed it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from fairlead.book import Book, BookResult
from fairlead.market.queue import QueuedOrder, QueueModel
from fairlead.model import (
    BestQuote,
    BookDiff,
    BookSnapshot,
    Level,
    Liquidity,
    MarketEvent,
    Side,
    TimeInForce,
    Trade,
)

__all__ = ["Match", "Matcher", "Placement", "Standing"]


class Match(msgspec.Struct, frozen=True, gc=False):
    """A fill of an own order; price and quantity are integers in the feed's decimals."""

    key: str
    side: Side
    price: int
    quantity: int
    liquidity: Liquidity
    #: What of the order is left after it.
    leaves: int


class Standing(StrEnum):
    """What became of an order on arrival."""

    RESTING = "resting"
    FILLED = "filled"
    #: What could not fill at once is gone: IOC and FOK.
    EXPIRED = "expired"
    #: Post-only, and it would have taken: it never entered the book.
    WOULD_TAKE = "would take"


class Placement(msgspec.Struct, frozen=True, gc=False):
    """The answer to an arrival: where the order stands, and what filled at once."""

    standing: Standing
    matches: tuple[Match, ...] = ()


class _OwnSide:
    # The own orders of one side, best price first, and what crossed them.

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sign = side.sign
        self.orders: list[QueuedOrder] = []
        # Opposite levels that reach own orders, and the quantity there that has served them.
        self.crossed: dict[int, int] = {}
        # Quantity served by a crossing; the prints that follow it are the same event.
        self.credit = 0
        self.credit_price = 0

    def reached_by(self, price: int) -> bool:
        return bool(self.orders) and self.sign * price <= self.sign * self.orders[0].price


class Matcher:
    """The own orders at one market, and the book that they meet.

    Prices and quantities are integers in the feed's decimals. The matcher feeds ``book``; nobody
    else may.
    """

    def __init__(self, book: Book, model: QueueModel) -> None:
        self.book = book
        self._model = model
        self._orders: dict[str, QueuedOrder] = {}
        self._own = {side: _OwnSide(side) for side in Side}
        # What own takers took of the shown quantity, by side of the book and price.
        self._eaten: dict[Side, dict[int, int]] = {side: {} for side in Side}
        # The worst price of the last snapshot: beyond it a level is known only when shown.
        self._depth: dict[Side, int | None] = dict.fromkeys(Side)

    def on_event(self, event: MarketEvent) -> Sequence[Match]:
        """Let the market move; gives the fills in the order in which they happen."""
        if isinstance(event, BestQuote):  # by far the most frequent, and no part of the book
            return ()
        if isinstance(event, Trade):
            return self._on_trade(event) if self._orders else ()
        if isinstance(event, BookDiff):
            return self._on_diff(event)
        if isinstance(event, BookSnapshot):
            return self._on_snapshot(event)
        self.book.lose(event.reason)
        return ()

    def place(
        self,
        key: str,
        side: Side,
        price: int,
        quantity: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        post_only: bool = False,
    ) -> Placement:
        """Let an own order arrive, judged on the book as it is now.

        What it takes it takes at the shown prices, level by level; what is left of a GTC order
        rests behind the quantity shown at its price.

        :raises ValueError: when an order rests under that key, or price or quantity is not
            above zero.
        """
        if key in self._orders or price <= 0 or quantity <= 0:
            raise ValueError(f"not an order: {key} {side} {quantity} at {price}")
        own = self._own[side]
        reached = self._reached(side, price)
        if post_only and reached:
            return Placement(Standing.WOULD_TAKE)
        if time_in_force is TimeInForce.FOK and quantity > sum(left for _, _, left in reached):
            return Placement(Standing.EXPIRED)
        leaves, matches = quantity, []
        eaten = self._eaten[side.opposite]
        for level, shown, left in reached:
            taken = min(left, leaves)
            if not taken:
                continue
            leaves -= taken
            eaten[level] = shown - left + taken
            matches.append(Match(key, side, level, taken, Liquidity.TAKER, leaves))
        if not leaves:
            return Placement(Standing.FILLED, tuple(matches))
        if time_in_force is not TimeInForce.GTC:
            return Placement(Standing.EXPIRED, tuple(matches))
        if reached:
            # It stays in reach of what it ate, which must not serve it again.
            own.crossed |= {level: shown for level, shown, _ in reached}
            own.credit += quantity - leaves
            own.credit_price = price
        self._rest(own, key, price, leaves)
        return Placement(Standing.RESTING, tuple(matches))

    def cancel(self, key: str) -> int | None:
        """Take an order out and give what was left of it; None when none rests under the key."""
        order = self._orders.pop(key, None)
        if order is None:
            return None
        self._own[order.side].orders.remove(order)
        return order.leaves

    def ahead(self, key: str) -> int | None:
        """Give the quantity ahead of a resting order; None when that is unknown."""
        order = self._orders.get(key)
        return None if order is None else order.ahead

    def best_own(self, side: Side) -> int | None:
        """Give the best price at which an own order of that side rests."""
        orders = self._own[side].orders
        return orders[0].price if orders else None

    # --- arrival

    def _reached(self, side: Side, price: int) -> list[tuple[int, int, int]]:
        # The opposite levels that an order takes: (price, shown, left of it), best first.
        eaten = self._eaten[side.opposite]
        return [
            (level, shown, shown - eaten.get(level, 0))
            for level, shown in self._within(side, price)
        ]

    def _within(self, side: Side, price: int) -> Iterator[Level]:
        sign, limit = side.sign, side.sign * price
        for level in self.book.levels(side.opposite):
            if sign * level[0] > limit:
                return
            yield level

    def _rest(self, own: _OwnSide, key: str, price: int, leaves: int) -> None:
        shown = self.book.quantity_at(own.side, price)
        ahead = shown if shown or not self._is_unknown(own.side, price) else None
        order = QueuedOrder(key, own.side, price, leaves, ahead, shown, self.book.venue_ns)
        self._orders[key] = order
        insort(own.orders, order, key=lambda queued: -own.sign * queued.price)

    def _is_unknown(self, side: Side, price: int) -> bool:
        if not self.book.valid:
            return True
        worst = self._depth[side]
        return worst is None or side.sign * price < side.sign * worst

    # --- prints

    def _on_trade(self, trade: Trade) -> Sequence[Match]:
        matches: list[Match] = []
        for own in self._own.values():
            if own.reached_by(trade.price):
                self._serve_print(own, trade, matches)
        return matches

    def _serve_print(self, own: _OwnSide, trade: Trade, matches: list[Match]) -> None:
        price, sign = trade.price, own.sign
        same_event = min(own.credit, trade.quantity)
        own.credit -= same_event
        left = trade.quantity - same_event
        for order in tuple(own.orders):
            if sign * price < sign * order.price:
                filled = min(order.leaves, left)
            elif price == order.price and trade.side is not own.side:
                beyond = order.on_print(trade.quantity, left, trade.venue_ns)
                filled = min(order.leaves, beyond)
            else:
                break
            if filled:
                left -= filled
                self._fill(own, order, filled, matches)

    def _fill(self, own: _OwnSide, order: QueuedOrder, quantity: int, matches: list[Match]) -> None:
        order.leaves -= quantity
        if not order.leaves:
            del self._orders[order.key]
            own.orders.remove(order)
        matches.append(
            Match(order.key, own.side, order.price, quantity, Liquidity.MAKER, order.leaves)
        )

    # --- the book

    def _on_diff(self, diff: BookDiff) -> Sequence[Match]:
        if self.book.on_diff(diff) is not BookResult.APPLIED:
            return ()
        for side, levels in ((Side.BUY, diff.bids), (Side.SELL, diff.asks)):
            if eaten := self._eaten[side]:
                for price, _ in levels:
                    eaten.pop(price, None)
        return self._settle(diff)

    def _on_snapshot(self, snapshot: BookSnapshot) -> Sequence[Match]:
        if self.book.on_snapshot(snapshot) is BookResult.DROPPED or not self.book.valid:
            return ()
        self._depth = {
            Side.BUY: min(_prices(snapshot.bids), default=None),
            Side.SELL: max(_prices(snapshot.asks), default=None),
        }
        for side in Side:
            self._eaten[side].clear()
        for order in self._orders.values():
            shown = self.book.quantity_at(order.side, order.price)
            if not shown and self._is_unknown(order.side, order.price):
                order.forget()
            else:
                order.on_level(shown, self.book.venue_ns, self._model)
        return self._settle(None)

    def _settle(self, diff: BookDiff | None) -> Sequence[Match]:
        # What the new book means to own orders: queues first, then crossings.
        for order in self._orders.values():
            shown = self.book.quantity_at(order.side, order.price)
            if shown != order.shown or (order.ahead is None and self._is_told(order, diff)):
                order.on_level(shown, self.book.venue_ns, self._model)
        matches: list[Match] = []
        for own in self._own.values():
            if not own.orders and not own.credit:
                own.crossed.clear()
                continue
            best = next(self.book.levels(own.side.opposite, 1), None)
            if own.credit and (best is None or own.sign * (best[0] - own.credit_price) > 0):
                own.credit = 0
            if best is not None and own.reached_by(best[0]):
                self._serve_crossing(own, matches)
            else:
                own.crossed.clear()
        return matches

    def _is_told(self, order: QueuedOrder, diff: BookDiff | None) -> bool:
        # Whether the feed has said now that nothing stands at a price beyond the known depth.
        best = next(self.book.levels(order.side, 1), None)
        if best is None or order.side.sign * (order.price - best[0]) > 0:
            return True
        if diff is None:
            return False
        return order.price in _prices(diff.bids if order.side is Side.BUY else diff.asks)

    def _serve_crossing(self, own: _OwnSide, matches: list[Match]) -> None:
        before, own.crossed = own.crossed, {}
        eaten = self._eaten[own.side.opposite]
        own.credit_price = own.orders[0].price
        for price, shown in self._within(own.side, own.credit_price):
            # What served them is spent: only what the level gains since can serve again.
            left = max(shown - before.get(price, 0), 0)
            for order in tuple(own.orders):
                if own.sign * order.price < own.sign * price:
                    break
                filled = min(order.leaves, left)
                if filled:
                    left -= filled
                    own.credit += filled
                    eaten[price] = min(eaten.get(price, 0) + filled, shown)
                    self._fill(own, order, filled, matches)
            own.crossed[price] = shown


def _prices(levels: Iterable[Level]) -> Iterator[int]:
    return (price for price, _ in levels)
