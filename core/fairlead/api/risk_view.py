"""Show the account to risk rules: figures of one instant, where None is unavailable, never zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from fairlead.api.view import OrderView
from fairlead.model import ZERO, Instrument, MarketId, Side

__all__ = [
    "AccountRisk",
    "EquityFigures",
    "MarginRisk",
    "MarketRisk",
    "PositionMargin",
    "PriceSource",
    "RiskView",
    "StreamRisk",
]


@dataclass(frozen=True, slots=True)
class MarketRisk:
    """One market as risk sees it at an instant; None is *unavailable*, never zero."""

    instrument: Instrument
    #: Mid of the valid book now; None while there is none.
    mid: Decimal | None
    #: Last valid mark, and how old it is.
    mark: Decimal | None
    book_valid: bool
    #: Since when the book has been valid without a break, and when it last changed.
    valid_since_ns: int | None
    book_changed_ns: int | None
    position: Decimal
    #: What the market's strategies steer to together, or what is held where none of them steers;
    #: None = one of them has yet to say it.
    target: Decimal | None
    #: Every order of ours that may still fill, of all strategies: unproven ones included, and
    #: those that were allowed in this dispatch but are not yet sent.
    orders: tuple[OrderView, ...]

    def working(self, side: Side) -> Decimal:
        """Give what one side may still fill: every order, and what plans may still place."""
        return sum((order.leaves for order in self.orders if order.side is side), start=ZERO)

    @property
    def gap(self) -> Decimal | None:
        """Give position - target, in base units or contracts; None = the target is unknown."""
        return None if self.target is None else self.position - self.target


@dataclass(frozen=True, slots=True)
class EquityFigures:
    """One measure of what the account is worth; transfers are taken out of what lies before."""

    now: Decimal | None = None
    peak: Decimal | None = None
    #: At the start of the trading day, or of the run when later.
    day_start: Decimal | None = None
    #: The day's highest, its start included.
    day_peak: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PositionMargin:
    """What one position holds as margin: to rules in the engine's currency."""

    market: MarketId
    initial: Decimal
    maintenance: Decimal
    #: Where the venue would liquidate it; None = it did not say.
    liquidation_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MarginRisk:
    """Margin in use by amounts, in the engine's currency; never a venue's ready-made ratio."""

    initial: Decimal
    maintenance: Decimal
    positions: tuple[PositionMargin, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """The account as of the last guard phase."""

    #: Number of the trading day since the epoch; None before the first sample.
    day: int | None = None
    equity: EquityFigures = field(default_factory=EquityFigures)
    #: The same without the price moves of what the strategies mean to hold.
    trading: EquityFigures = field(default_factory=EquityFigures)
    #: What closed trades of the day came to, fees included; a loss is negative.
    realised_today: Decimal | None = None
    #: None = no venue trades on margin, or one that does has not said how much is bound.
    margin: MarginRisk | None = None
    #: The venue that trades on margin and has not answered lately; "" = there is none.
    margin_missing: str = ""
    #: Ticks so far that took longer than a tick.
    overruns: int = 0


@dataclass(frozen=True, slots=True)
class StreamRisk:
    """What is known of a venue's account stream and of its clock."""

    #: Since when its user stream has not been proven to deliver; None = it is proven.
    unproven_since_ns: int | None = None
    #: How far its clock is ahead of ours; None = never measured.
    skew_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PriceSource:
    """Another venue's market of the same base and quote."""

    market: MarketId
    #: None while its book is invalid.
    mid: Decimal | None
    changed_ns: int | None


class RiskView(Protocol):
    """The account at an instant, in the engine's currency."""

    @property
    def now_ns(self) -> int:
        """Give kernel time."""

    @property
    def currency(self) -> str:
        """Name the currency of every figure here."""

    @property
    def equity(self) -> Decimal | None:
        """Give the account's equity; None = unavailable."""

    @property
    def peak_equity(self) -> Decimal | None:
        """Give the highest equity, transfers taken out."""

    @property
    def day_start_equity(self) -> Decimal | None:
        """Give the equity at the start of the trading day, or of the run when later."""

    @property
    def account(self) -> AccountRisk:
        """Give the account's figures: both measures of equity, the day, margin."""

    def market(self, market: MarketId) -> MarketRisk:
        """Show one market that a strategy trades."""

    def markets(self) -> Sequence[MarketId]:
        """Name the markets that strategies trade, in the configuration's order."""

    def rate(self, asset: str) -> Decimal | None:
        """Give the engine's currency per unit of ``asset``; None = no mark path."""

    def stream(self, venue: str) -> StreamRisk:
        """Tell how a venue's account stream and clock do."""

    def sources(self, market: MarketId) -> tuple[PriceSource, ...]:
        """Give the same market at other venues; empty = no second source is configured."""

    def still(self) -> RiskView:
        """Give the view of this instant: what is looked at twice there is made once."""
