"""Know the market: one book for each market, its mark, and since when it can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import blake2b

import msgspec

from fairlead.api import BookView
from fairlead.book import Book, BookResult, SelfCheck, SequenceRule, Top
from fairlead.model import (
    HALF,
    BestQuote,
    BookDiff,
    BookLost,
    BookSnapshot,
    Instrument,
    MarketEvent,
    Side,
    Trade,
)
from fairlead.store import Incident, Journal

__all__ = ["Feed", "MarketTracker"]

_encode = msgspec.msgpack.Encoder().encode
_DISAGREES = "the venue's best quote disagrees with the book"
_BROKEN = (BookResult.GAP, BookResult.CROSSED)
# Prints kept for the next decision; a tick that brought more has seen enough.
_TRADES_KEPT = 10_000
# A feed that is silent for this long is not trusted to be merely quiet.
_STALE_NS = 10_000_000_000
# A book that stays invalid is asked for again this often.
_RESYNC_EVERY_NS = 2_000_000_000


class Feed:
    """Counts market messages and hashes them in order, so that traces need not hold them."""

    def __init__(self) -> None:
        self.messages = 0
        self._hash = blake2b(digest_size=8)

    def add(self, event: MarketEvent) -> None:
        """Count one message."""
        self.messages += 1
        self._hash.update(_encode(event))

    @property
    def digest(self) -> str:
        """Give the running hash over every message so far."""
        return self._hash.hexdigest()


class MarketTracker:
    """One market as of the last message that arrived."""

    def __init__(
        self,
        instrument: Instrument,
        rule: SequenceRule,
        journal: Journal,
        *,
        resync: Callable[[], None],
        stale_ns: int = _STALE_NS,
        own_orders: Callable[[], Mapping[tuple[Side, int], int]] | None = None,
    ) -> None:
        self.instrument = instrument
        self.market = instrument.market
        self.check = SelfCheck()
        self.book = Book(instrument.market, rule, check=self.check)
        #: Prints since the list was last taken.
        self._trades: list[Trade] = []
        #: Since when the book has been valid without a break; None while it is not.
        self.valid_since_ns: int | None = None
        self._journal = journal
        self._resync = resync
        self._own_orders = own_orders
        self._stale_ns = stale_ns
        self._asked_ns: int | None = None
        self._heard_ns = 0
        self._seen: Top | None = None
        self._last_top: Top | None = None
        self._mark: Decimal | None = None
        self._top_listeners: list[Callable[[int, Top | None], None]] = []
        self._validity_listeners: list[Callable[[bool, str], None]] = []

    def on_top(self, listener: Callable[[int, Top | None], None]) -> None:
        """Call ``listener(venue_ns, top)`` when a best price moved; None = no valid market."""
        self._top_listeners.append(listener)

    def on_validity(self, listener: Callable[[bool, str], None]) -> None:
        """Call ``listener(valid, reason)`` when the book became valid or invalid."""
        self._validity_listeners.append(listener)

    def apply(self, event: MarketEvent) -> None:
        """Take one message, in the order of arrival."""
        self._heard_ns = event.local_ns
        match event:
            case BestQuote():
                if self.check.on_quote(event) is False:
                    self._lose(event.local_ns, _DISAGREES)
            case BookDiff():
                self._after(self.book.on_diff(event), event.local_ns)
            case Trade():
                if len(self._trades) < _TRADES_KEPT:
                    self._trades.append(event)
            case BookSnapshot():
                self._after(self.book.on_snapshot(event), event.local_ns)
            case BookLost(reason=reason):
                self._lose(event.local_ns, reason)

    def take_trades(self) -> tuple[Trade, ...]:
        """Give the prints since the last call, oldest first."""
        trades = tuple(self._trades)
        self._trades.clear()
        return trades

    def view(self) -> BookView | None:
        """Show the valid book without our own orders; None while there is none."""
        own = None if self._own_orders is None else self._own_orders()
        return self.book.view(own)

    @property
    def mid(self) -> Decimal | None:
        """Give the mid of the valid book."""
        return None if self.book.top is None else self.mark

    @property
    def mark(self) -> Decimal | None:
        """Give the last valid mark; None before the first."""
        self._look()
        return self._mark

    def _look(self) -> None:
        # Marks are made where someone looks or prices moved, not for every message.
        top, scale = self.book.top, self.book.scale
        if self._own_orders is not None:
            view = self.view()
            if view is not None:
                self._mark = view.mid
        elif top is not None and scale is not None and top is not self._seen:
            self._mark = scale.price(top.bid + top.ask) * HALF
        self._seen = top

    def clock_back(self, back_ns: int, now_ns: int) -> None:
        """Move its times back with a wall clock that was set back, and shows ``now_ns``.

        Nothing may look younger than it is; and a book that has just become valid no older.
        """
        self._heard_ns -= back_ns
        self.book.changed_ns = max(self.book.changed_ns - back_ns, 0)
        if self._asked_ns is not None:
            self._asked_ns -= back_ns
        if self.valid_since_ns is not None:
            self.valid_since_ns = min(self.valid_since_ns, now_ns)

    def nudge(self, now_ns: int) -> None:
        """Give up a book of which nothing was heard, and ask again for one that is missing."""
        silent_ns = now_ns - self._heard_ns
        if self.book.valid and silent_ns > self._stale_ns:
            self._lose(now_ns, f"nothing was heard for {silent_ns / 1e9:.1f} s")
        if self._asked_ns is None:
            self._asked_ns = now_ns  # the connector has asked by itself; it may get no answer
        if not self.book.valid and now_ns - self._asked_ns >= _RESYNC_EVERY_NS:
            self._asked_ns = now_ns
            self._resync()

    def _after(self, result: BookResult, local_ns: int) -> None:
        if result is BookResult.DISAGREES:
            # The quote came first; it counts no less than one that comes after its diff.
            self._lose(local_ns, _DISAGREES)
            return
        if result in _BROKEN:
            self._journal.append(
                Incident(name=f"book_{result.value}", detail=f"{self.market}: {self.book.reason}")
            )
            self._ask(local_ns)
        if result is BookResult.DROPPED or result is BookResult.BUFFERED:
            return
        self._settle(local_ns)

    def _lose(self, local_ns: int, reason: str) -> None:
        if self.book.valid:
            self._journal.append(Incident(name="book_lost", detail=f"{self.market}: {reason}"))
        self.book.lose(reason)
        self._ask(local_ns)
        self._settle(local_ns)

    def _ask(self, local_ns: int) -> None:
        self._asked_ns = local_ns
        self._resync()

    def _settle(self, local_ns: int) -> None:
        # Tell who listens, and only when prices or validity moved.
        top, before = self.book.top, self._last_top
        self._last_top = top
        if top is not None and before is not None:
            if top.bid != before.bid or top.ask != before.ask:
                self._tell_top(top)
            return
        if top is before:
            return
        self.valid_since_ns = None if top is None else local_ns
        self._tell_top(top)
        for listener in self._validity_listeners:
            listener(top is not None, "" if top is not None else self._why_not())

    def _tell_top(self, top: Top | None) -> None:
        self._look()
        for listener in self._top_listeners:
            listener(self.book.venue_ns, top)

    def _why_not(self) -> str:
        return self.book.reason or "a side of the book is empty"
