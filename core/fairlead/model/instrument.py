"""Describe what is traded: one market of one venue and its trading rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from typing_extensions import override

from fairlead.model.grid import PriceGrid, round_price
from fairlead.model.numbers import ONE, ZERO, floor_to, is_multiple
from fairlead.model.order import Side

__all__ = ["Fees", "Instrument", "InstrumentKind", "MarketId"]


class InstrumentKind(StrEnum):
    """Whether coins change hands or a contract is held."""

    SPOT = "spot"
    PERPETUAL = "perpetual"


@dataclass(frozen=True, slots=True, order=True)
class MarketId:
    """A venue's role and a unified symbol, written ``main:BTC/USDT`` or ``main:BTC/USDT:USDT``."""

    venue: str
    symbol: str

    @classmethod
    def parse(cls, text: str) -> MarketId:
        """Split at the first colon.

        :raises ValueError: when the text has no venue or no symbol.
        """
        venue, colon, symbol = text.partition(":")
        base, slash, quote = symbol.partition("/")
        if not (venue and colon and base and slash and quote):
            raise ValueError('a market is written "venue:BASE/QUOTE", e.g. "main:BTC/USDT"')
        return cls(venue, symbol)

    @override
    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol}"


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees as a share of notional (0.0002 = 2 bps); a rebate is negative."""

    maker: Decimal = ZERO
    taker: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Instrument:
    """One market and its rules. Quantities are in base units, or contracts of ``multiplier``."""

    market: MarketId
    base: str
    quote: str
    grid: PriceGrid
    #: The step of order quantities; every quantity is a multiple of it.
    lot: Decimal
    #: Smallest order quantity and smallest price x quantity x multiplier; 0 = no minimum.
    min_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    fees: Fees = Fees()
    kind: InstrumentKind = InstrumentKind.SPOT
    #: Base units in one contract; 1 for spot.
    multiplier: Decimal = ONE
    #: The asset that profits and fees of a contract are paid in; None for spot.
    settle: str | None = None
    #: True where the contract's value is in base (COIN-M); strategies refuse it.
    inverse: bool = False
    #: True where tick and lot were found in data instead of being known; reports say so.
    derived: bool = False

    def __post_init__(self) -> None:
        if self.lot <= 0:
            raise ValueError(f"lot size {self.lot} is not above zero")
        if self.multiplier <= 0:
            raise ValueError(f"contract size {self.multiplier} is not above zero")
        if min(self.min_quantity, self.min_notional) < 0:
            raise ValueError("a minimum is below zero")

    @property
    def symbol(self) -> str:
        """Give the unified symbol without the venue."""
        return self.market.symbol

    def round_price(self, price: Decimal, side: Side) -> Decimal:
        """Round onto the price grid, never more aggressive: a buy down, a sell up."""
        return round_price(price, side, self.grid)

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Round down to the lot; a quantity below one lot gives 0."""
        return floor_to(quantity, self.lot) if quantity > 0 else ZERO

    def on_grid(self, price: Decimal) -> bool:
        """Tell whether an order may have this price."""
        return price > 0 and is_multiple(price, self.grid.step_at(price))

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Give the value in quote currency of ``quantity`` at ``price``."""
        return price * quantity * self.multiplier

    def below_minimum(self, price: Decimal, quantity: Decimal) -> str | None:
        """Say which minimum an order misses, with both figures; None when it misses none."""
        if quantity <= 0 or quantity < self.min_quantity:
            return f"quantity {quantity} below the minimum {self.min_quantity or self.lot}"
        if self.notional(price, quantity) < self.min_notional:
            return (
                f"notional {self.notional(price, quantity)} {self.quote} "
                f"below the minimum {self.min_notional}"
            )
        return None
