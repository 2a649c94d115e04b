"""Say which prices an order may have: a venue's price grid, and rounding onto it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fairlead.model.numbers import ZERO, ceil_to, floor_to, is_multiple, power_of_ten
from fairlead.model.order import Side

__all__ = ["ConstantStep", "PriceBands", "PriceGrid", "SignificantDigits", "round_price"]


@dataclass(frozen=True, slots=True)
class ConstantStep:
    """Every multiple of one tick size."""

    tick: Decimal

    def __post_init__(self) -> None:
        if self.tick <= 0:
            raise ValueError(f"tick size {self.tick} is not above zero")

    def step_at(self, price: Decimal) -> Decimal:
        """Give the distance to the neighbouring price (quote currency)."""
        del price  # the same everywhere
        return self.tick


@dataclass(frozen=True, slots=True)
class SignificantDigits:
    """Prices of at most ``digits`` significant digits and ``max_decimals`` decimals.

    Integers are always allowed, however many digits they have.
    Source: Hyperliquid documentation, "Tick and lot size", 2025.
    """

    digits: int
    max_decimals: int

    def __post_init__(self) -> None:
        if self.digits < 1 or self.max_decimals < 0:
            raise ValueError(f"{self.digits} digits with {self.max_decimals} decimals is no grid")

    def step_at(self, price: Decimal) -> Decimal:
        """Give the distance to the next price above (quote currency), finest at small prices."""
        exponent = price.adjusted() - self.digits + 1 if price else -self.max_decimals
        return power_of_ten(min(0, max(exponent, -self.max_decimals)))


@dataclass(frozen=True, slots=True)
class PriceBands:
    """A tick size for each band of prices: ``bands`` are (from price, tick), rising from 0."""

    bands: tuple[tuple[Decimal, Decimal], ...]

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.bands]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("price bands must start at 0 and rise")
        if any(tick <= 0 for _, tick in self.bands):
            raise ValueError("a tick size is not above zero")
        if any(not is_multiple(start, tick) for start, tick in self.bands):
            raise ValueError("a band must start on its own tick")

    def step_at(self, price: Decimal) -> Decimal:
        """Give the distance to the next price above (quote currency)."""
        step = self.bands[0][1]
        for start, tick in self.bands:
            if price >= start:
                step = tick
        return step


PriceGrid = ConstantStep | SignificantDigits | PriceBands


def round_price(price: Decimal, side: Side, grid: PriceGrid) -> Decimal:
    """Round onto the grid without becoming more aggressive: a buy down, a sell up.

    A buy below the smallest step gives 0, which no venue accepts; the caller drops it.
    """
    if price <= 0:
        return ZERO
    step = grid.step_at(price)
    return floor_to(price, step) if side is Side.BUY else ceil_to(price, step)
