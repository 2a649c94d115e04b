"""Show the risk rules the account and its markets as they stand this instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fairlead.api import AccountRisk, MarketRisk, OrderView, PriceSource, StreamRisk
from fairlead.model import ZERO, MarketId, OrderIntent, OrderState
from fairlead.pipeline import queued_id
from fairlead.trackers import MarketTracker, OrderTracker

__all__ = ["AccountFigures", "EngineRiskView", "as_order"]


class AccountFigures:
    """The account's figures as of the last guard phase; None = unavailable."""

    __slots__ = ("account", "day_start", "equity", "peak")

    def __init__(self) -> None:
        self.equity: Decimal | None = None
        self.peak: Decimal | None = None
        self.day_start: Decimal | None = None
        self.account = AccountRisk()


@dataclass(frozen=True, slots=True)
class EngineRiskView:
    """A live view: every look gives the state of the moment."""

    currency: str
    figures: AccountFigures
    trackers: Mapping[MarketId, MarketTracker]
    orders: OrderTracker
    now: Callable[[], int]
    position: Callable[[MarketId], Decimal]
    target: Callable[[MarketId], Decimal | None]
    waiting: Callable[[], Sequence[OrderIntent]]
    worth: Callable[[str], Decimal | None]
    #: What admitted plans may still place, as orders on their way.
    reserved: Callable[[MarketId], Sequence[OrderView]] = lambda market: ()
    #: How a venue's account stream and clock do.
    health: Callable[[str], StreamRisk] = lambda venue: StreamRisk()
    #: The same market elsewhere.
    elsewhere: Callable[[MarketId], tuple[PriceSource, ...]] = lambda market: ()
    #: What was looked at already, in a view of one instant; None = nothing is kept.
    seen: dict[MarketId, MarketRisk] | None = None

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

    @property
    def account(self) -> AccountRisk:
        """Give all figures of the last guard phase."""
        return self.figures.account

    def market(self, market: MarketId) -> MarketRisk:
        """Show one market."""
        if self.seen is None:
            return self._market(market)
        found = self.seen.get(market)
        if found is None:
            found = self.seen[market] = self._market(market)
        return found

    def markets(self) -> Sequence[MarketId]:
        """Name the markets that strategies trade."""
        return tuple(self.trackers)

    def rate(self, asset: str) -> Decimal | None:
        """Give the currency per unit of an asset."""
        return self.worth(asset)

    def stream(self, venue: str) -> StreamRisk:
        """Tell how a venue's account stream and clock do."""
        return self.health(venue)

    def sources(self, market: MarketId) -> tuple[PriceSource, ...]:
        """Give the same market at other venues."""
        return self.elsewhere(market)

    def still(self) -> EngineRiskView:
        """Give a view of this instant; drop it before anything changes."""
        return replace(self, seen={})

    def _market(self, market: MarketId) -> MarketRisk:
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
            + tuple(
                as_order(intent, queued_id(intent.slot))
                for intent in self.waiting()
                if intent.slot.market == market
            )
            + tuple(self.reserved(market)),
        )


def as_order(intent: OrderIntent, client_id: str) -> OrderView:
    """Show what is allowed but not yet sent: for limits and plans it is an order on its way."""
    return OrderView(
        client_id=client_id,
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
