"""Measure what an execution cost against the mid at its decision: signed, positive = worse.

Source: TRADING, "Quality": slippage = side x (average - mid) / mid, for maker fills too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import BookView, Progress
from fairlead.model import ZERO, Instrument, Side

__all__ = ["Slippage", "actual_slippage", "expected_slippage", "model_error"]


@dataclass(frozen=True, slots=True)
class Slippage:
    """What a quantity cost more than the mid; negative = less, as a maker's usually does."""

    #: In quote currency, over the whole quantity.
    quote: Decimal
    #: As a share of the mid, 0.0001 = 1 bp.
    fraction: Decimal

    @property
    def bps(self) -> Decimal:
        """Give the share in basis points."""
        return self.fraction.scaleb(4)


def actual_slippage(
    side: Side, done: Progress, mid: Decimal | None, instrument: Instrument
) -> Slippage | None:
    """Give the slippage of what was filled; None without a fill or without a mid.

    Exact in quote currency: side x (value of the fills - mid x quantity x contract size).
    """
    average = done.average
    if average is None or not mid:
        return None
    even = instrument.notional(mid, done.quantity)
    return Slippage(side.sign * (done.value - even), side.sign * (average - mid) / mid)


def expected_slippage(
    side: Side, quantity: Decimal, book: BookView, instrument: Instrument
) -> Slippage | None:
    """Give the slippage of taking ``quantity`` at once; None when the known depth ends before."""
    walk = book.walk(side, quantity) if quantity > ZERO else None
    if walk is None or not walk.complete:
        return None
    gap = side.sign * (walk.average - book.mid)
    return Slippage(instrument.notional(gap, quantity), gap / book.mid)


def model_error(actual: Slippage, expected: Slippage) -> Decimal:
    """Give how much worse it was than the walked book said, as a share of the mid."""
    return actual.fraction - expected.fraction
