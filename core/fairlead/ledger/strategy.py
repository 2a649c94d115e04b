"""Gather what is known of one strategy: its profit and loss, its fills, how well it quoted."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from fairlead.ledger.arithmetic import exactly
from fairlead.ledger.cost import CostBook
from fairlead.ledger.estimate import IncrementSeries
from fairlead.ledger.markout import MarkoutTracker
from fairlead.ledger.nav import Drawdown
from fairlead.ledger.pnl import PnlBook
from fairlead.ledger.uptime import Obligation, Uptime
from fairlead.model import ZERO, Fill, Instrument, Liquidity, Side, statistic

__all__ = ["FillTotals", "StrategyLedger", "StrategyTerms"]


@dataclass(frozen=True, slots=True)
class StrategyTerms:
    """What the ledger must know of a strategy before it starts."""

    name: str
    instrument: Instrument
    obligation: Obligation = field(default_factory=Obligation)
    #: The limit on |position − target| in the engine's currency, for plots; None = no limit.
    max_position: Decimal | None = None


@dataclass(slots=True)
class FillTotals:
    """Counts and volumes of a strategy's fills; base units or contracts, and quote currency."""

    buys: int = 0
    sells: int = 0
    volume_base: Decimal = ZERO
    volume_quote: Decimal = ZERO
    maker_quote: Decimal = ZERO
    #: Volume in the engine's currency, at the rate of each fill; for figures in bps.
    turnover: Decimal = ZERO

    @property
    def fills(self) -> int:
        """Give the number of fills."""
        return self.buys + self.sells

    @property
    def maker_share(self) -> float | None:
        """Give maker notional / notional; None without fills."""
        if not self.volume_quote:
            return None
        return statistic(self.maker_quote) / statistic(self.volume_quote)

    def add(self, fill: Fill, notional: Decimal, value: Decimal) -> None:
        """Count a fill of ``notional`` in quote currency, ``value`` in the engine's."""
        if fill.side is Side.BUY:
            self.buys += 1
        else:
            self.sells += 1
        with exactly():
            self.volume_base += fill.quantity
            self.volume_quote += notional
            self.turnover += value
            if fill.liquidity is Liquidity.MAKER:
                self.maker_quote += notional


@dataclass(slots=True)
class StrategyLedger:
    """One strategy's books. `AccountLedger` feeds the money; the engine feeds the rest.

    ``markout`` wants the mid of the strategy's market, ``uptime`` its best prices and our
    acknowledged quotes.
    """

    terms: StrategyTerms
    book: PnlBook = field(init=False)
    cost: CostBook = field(init=False)
    uptime: Uptime = field(init=False)
    markout: MarkoutTracker = field(default_factory=MarkoutTracker)
    totals: FillTotals = field(default_factory=FillTotals)
    #: Trading PnL by the minute.
    trading: IncrementSeries = field(default_factory=IncrementSeries)
    #: Of the account's starting equity plus this strategy's total PnL.
    drawdown: Drawdown = field(default_factory=Drawdown)

    def __post_init__(self) -> None:
        multiplier = self.terms.instrument.multiplier
        self.book = PnlBook(multiplier=multiplier)
        self.cost = CostBook(multiplier=multiplier)
        self.uptime = Uptime(self.terms.obligation)

    def on_mark(self, mark: Decimal) -> None:
        """Put a mark in the engine's currency in force; the first one sets the cost."""
        if self.book.mark is None:
            self.cost.move(self.book.quantity, mark)
        self.book.on_mark(mark)

    def move(self, quantity: Decimal) -> None:
        """Change the position without a trade of this strategy."""
        self.book.move(quantity)
        if self.book.mark is not None:
            self.cost.move(quantity, self.book.mark)
