"""Book each fill once, in the order in which the books must learn of it.

The ledger comes before the order: whoever is told that an order moved may look at the position.
A fill of an earlier run's order is recorded but not booked as profit, however late it is told:
none of them rests any more when the books open, so the balances of then contain it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from fairlead.kernel.reporter import Reporter
from fairlead.ledger import AccountLedger, BookedFill
from fairlead.model import ZERO, ClientId, Fill, MarketId, Slot
from fairlead.store import Incident, Journal
from fairlead.trackers import MarketTracker, Order, OrderTracker

__all__ = ["Booking", "books_of"]


def books_of(ledger: AccountLedger, strategy: str, market: MarketId) -> str:
    """Name the books in which a strategy's fills on a market belong.

    A strategy's own are those of its market; what its plans trade elsewhere is booked apart.
    """
    own = ledger.strategies.get(strategy)
    if own is not None and own.terms.instrument.market == market:
        return strategy
    return f"{strategy}@{market}"


# Fills of others that were reported once and need not be again.
_MOST_FOREIGN = 10_000


class Booking:
    """The way of a fill into ledger, journal and order tracker."""

    def __init__(
        self,
        ledger: AccountLedger,
        orders: OrderTracker,
        markets: Mapping[MarketId, MarketTracker],
        journal: Journal,
        now_ns: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._orders = orders
        self._markets = markets
        self._journal = journal
        self._reporter = Reporter(journal)
        self._now_ns = now_ns
        self._foreign: OrderedDict[tuple[MarketId, str], None] = OrderedDict()
        self._listeners: list[Callable[[Fill, Slot], None]] = []
        #: False until the account was read at the start: fills until then belong to before.
        self.opened = False

    def on_fill(self, listener: Callable[[Fill, Slot], None]) -> None:
        """Call ``listener`` after each fill is booked."""
        self._listeners.append(listener)

    def mark(self) -> None:
        """Put the mids of all valid books in force."""
        now_ns = self._now_ns()
        for market, tracker in self._markets.items():
            mid = tracker.mid
            if mid is not None:
                self._ledger.on_mark(market, mid, now_ns)

    def book(self, fill: Fill) -> None:
        """Book a fill, unless it is a repetition or none of ours."""
        order = self._orders.expects(fill)
        if order is None:
            if self._orders.get(fill.client_id) is None:
                self._report_foreign(fill)
            return
        booked = self._in_ledger(fill, order)
        self._reporter.fill(fill, order.intent, booked)
        self._orders.apply_fill(fill, self._now_ns())
        for listener in self._listeners:
            listener(fill, order.intent.slot)

    def _in_ledger(self, fill: Fill, order: Order) -> BookedFill:
        slot = order.intent.slot
        tracker = self._markets.get(slot.market)
        books = books_of(self._ledger, slot.strategy, slot.market)
        if (
            not self.opened
            or order.earlier
            or tracker is None
            or books not in self._ledger.strategies
        ):
            return BookedFill(None, ZERO, None)
        self.mark()
        booked = self._ledger.on_fill(books, fill, order.intent.reference)
        self._ledger.strategies[books].markout.on_fill(
            slot.strategy,
            slot.level,
            fill,
            tracker.instrument.notional(fill.price, fill.quantity),
            tracker.mid,
        )
        return booked

    def _report_foreign(self, fill: Fill) -> None:
        key = (fill.market, fill.trade_id)
        if key in self._foreign:
            return
        self._foreign[key] = None
        if len(self._foreign) > _MOST_FOREIGN:
            self._foreign.popitem(last=False)
        if self.opened or ClientId.parse(fill.client_id) is None:
            detail = f"{fill.market} trade {fill.trade_id} of {fill.client_id[-8:] or '-'}"
            self._journal.append(Incident(name="foreign_fill", detail=detail))
