"""Show the risk rules the account and its markets as they stand this instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import MarketRisk, OrderView
from fairlead.model import ZERO, MarketId, OrderIntent, OrderState
from fairlead.trackers import MarketTracker, OrderTracker

__all__ = ["AccountFigures", "EngineRiskView"]


class AccountFigures:
    """The account's figures as of the last guard phase; None = unavailable."""

    __slots__ = ("day_start", "equity", "peak")

    def __init__(self) -> None:
        self.equity: Decimal | None = None
        self.peak: Decimal | None = None
        self.day_start: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EngineRiskView:
    """A live view: every look gives the state of the moment."""

    currency: str
    figures: AccountFigures
    trackers: Mapping[MarketId, MarketTracker]
    orders: OrderTracker
    now: Callable[[], int]
    position: Callable[[MarketId], Decimal]
    target: Callable[[MarketId], Decimal]
    waiting: Callable[[], Sequence[OrderIntent]]
    worth: Callable[[str], Decimal | None]

    @property
    def now_ns(self) -> int:
        """Give kernel time."""
        return self.now()

    @property
    def equity(self) -> Decimal | None:
        """Give equity at the last guard phase."""
        return self.figures.equity

    @property
    def peak_equity(self) -> Decimal | None:
        """Give the highest equity, transfers taken out."""
        return self.figures.peak

    @property
    def day_start_equity(self) -> Decimal | None:
        """Give the equity at the begin of the day or of the run."""
        return self.figures.day_start

    def market(self, market: MarketId) -> MarketRisk:
        """Show one market."""
        tracker = self.trackers[market]
        book = tracker.book
        return MarketRisk(
            instrument=tracker.instrument,
            mid=tracker.mid,
            mark=tracker.mark,
            book_valid=book.top is not None,
            valid_since_ns=tracker.valid_since_ns,
            book_changed_ns=book.changed_ns or None,
            position=self.position(market),
            target=self.target(market),
            orders=tuple(order.view() for order in self.orders.live(market=market))
            + tuple(_as_order(intent) for intent in self.waiting() if intent.slot.market == market),
        )

    def markets(self) -> Sequence[MarketId]:
        """Name the markets that strategies trade."""
        return tuple(self.trackers)

    def rate(self, asset: str) -> Decimal | None:
        """Give the currency per unit of an asset."""
        return self.worth(asset)


def _as_order(intent: OrderIntent) -> OrderView:
    # Allowed but not yet sent: for the limits it counts as an order on its way.
    return OrderView(
        client_id=intent.client_id,
        slot=intent.slot,
        side=intent.side,
        price=intent.price,
        quantity=intent.quantity,
        filled=ZERO,
        state=OrderState.PENDING_CREATE,
        purpose=intent.purpose,
        decided_ns=intent.decided_ns,
        acknowledged_ns=None,
    )
