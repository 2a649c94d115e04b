"""A small market for tests of the matching model: prices near 100, quantities of a few units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fairlead.book import CONTIGUOUS, Book
from fairlead.market import Match, Matcher, Placement, QueueModel
from fairlead.model import (
    BookDiff,
    BookSnapshot,
    Level,
    MarketId,
    Scale,
    Side,
    TimeInForce,
    Trade,
)

MARKET = MarketId("main", "ALT/USDT")
SCALE = Scale(price_decimals=1, quantity_decimals=0)
BIDS: tuple[Level, ...] = ((100, 10), (99, 20), (98, 30), (95, 50))
ASKS: tuple[Level, ...] = ((102, 10), (103, 20), (104, 30), (107, 50))


class World:
    """A matcher on a known book, and messages in the venue's order."""

    def __init__(
        self,
        model: QueueModel = QueueModel.CONSERVATIVE,
        bids: Iterable[Level] = BIDS,
        asks: Iterable[Level] = ASKS,
    ) -> None:
        self.book = Book(MARKET, CONTIGUOUS)
        self.matcher = Matcher(self.book, model)
        self._last_id = 0
        self._keys = 0
        #: The venue's time; each message is a little later.
        self.now_ns = 1_000
        self.snapshot(bids, asks)

    def snapshot(self, bids: Iterable[Level], asks: Iterable[Level]) -> list[Match]:
        self._last_id += 1
        message = BookSnapshot(
            MARKET, self._tick(), self.now_ns, self._last_id, tuple(bids), tuple(asks), SCALE
        )
        return list(self.matcher.on_event(message))

    def diff(
        self, bids: Iterable[Level] = (), asks: Iterable[Level] = (), *, skip: int = 0
    ) -> list[Match]:
        first_id = self._last_id + 1 + skip
        self._last_id = first_id
        message = BookDiff(
            MARKET, self._tick(), self.now_ns, first_id, first_id, None, tuple(bids), tuple(asks)
        )
        return list(self.matcher.on_event(message))

    def trade(
        self, taker: Side, price: int, quantity: int, *, venue_ns: int | None = None
    ) -> list[Match]:
        now_ns = self._tick()
        stamp = now_ns if venue_ns is None else venue_ns
        return list(
            self.matcher.on_event(Trade(MARKET, stamp, now_ns, "t", taker, price, quantity))
        )

    def place(
        self,
        side: Side,
        price: int,
        quantity: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        key: str | None = None,
        post_only: bool = False,
    ) -> Placement:
        self._keys += 1
        return self.matcher.place(
            key or f"o{self._keys}", side, price, quantity, time_in_force, post_only=post_only
        )

    def _tick(self) -> int:
        self.now_ns += 10
        return self.now_ns


def filled(matches: Sequence[Match], key: str | None = None) -> int:
    """Add up what filled, of one order or of all."""
    return sum(match.quantity for match in matches if key is None or match.key == key)


def prices(matches: Sequence[Match]) -> list[tuple[int, int]]:
    """Give (price, quantity) of each match."""
    return [(match.price, match.quantity) for match in matches]
