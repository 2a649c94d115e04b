"""Hold the engine's book to the true one, and its new orders to a book that is of now."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from typing_extensions import override

from fairlead.api import Record
from fairlead.book import Book
from fairlead.model import MarketId, Side
from fairlead.store import TickPassed
from fairlead.testing.neutral import PlaceBatch
from fairlead.testing.simulated import SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["BookOracle"]

_SECOND = 1_000_000_000
# New risk stops one tick and one second after a book has become too old to be trusted.
_GRACE_NS = 1 * _SECOND
# Looks at the true book kept: minutes.
_REMEMBERED = 1_000


class BookOracle(Oracle):
    """A valid book is the venue's own, update by update; nothing new is risked on an old one."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
        oldest_ns: int,
    ) -> None:
        self._add = add
        self._venues = venues
        self._now_ns = now_ns
        self._oldest_ns = oldest_ns + _GRACE_NS
        #: The true book's updates, and when each was still the last one, by the second.
        self._updates: dict[MarketId, deque[tuple[int, int]]] = {}

    @override
    def second(self) -> None:
        for name, venue in self._venues.items():
            book = venue.account.exchange.book
            market = MarketId(name, venue.instrument.symbol)
            updates = self._updates.setdefault(market, deque(maxlen=_REMEMBERED))
            updates.append((book.last_id or 0, self._now_ns()))

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if not isinstance(record, TickPassed):
            return
        for market, tracker in life.engine.desk.markets.items():
            true = self._venues[market.venue].account.exchange.book
            ours = tracker.book
            if not ours.valid or ours.last_id != true.last_id or _levels(ours) == _levels(true):
                continue
            self._add(
                "a valid book is the venue's own",
                f"{market} after update {ours.last_id}: {_top(ours)}, the venue {_top(true)}",
            )

    @override
    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        for symbol in {place.symbol: None for place in batch.orders}:
            market = MarketId(venue, symbol)
            age_ns = self._now_ns() - self._true_ns(market, life)
            if age_ns > self._oldest_ns:
                self._add(
                    "nothing new is risked on an old book",
                    f"{market} was last true {age_ns / _SECOND:.1f} s ago",
                )

    def _true_ns(self, market: MarketId, life: Life) -> int:
        # When what the engine holds was last the truth, to the tick.
        held = life.engine.desk.markets[market].book.last_id or 0
        true = self._venues[market.venue].account.exchange.book.last_id or 0
        if held >= true:
            return self._now_ns()
        updates = self._updates.get(market, ())
        return next((at_ns for number, at_ns in reversed(updates) if number <= held), 0)


def _levels(book: Book) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return list(book.levels(Side.BUY)), list(book.levels(Side.SELL))


def _top(book: Book) -> str:
    return "empty" if book.top is None else f"{book.top.bid} / {book.top.ask}"
