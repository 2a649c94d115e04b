"""Measure how far the inventory is from where it should be; every skew follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import View
from fairlead.model import ONE, ZERO, InstrumentKind, clamp
from fairlead_pmm.config import InventoryConfig

__all__ = ["Inventory", "measure"]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Where the inventory stands; quantities in the instrument's units."""

    held: Decimal
    #: Where it should be, floored to the lot.
    target: Decimal
    #: clamp((held - target) / band, -1, 1): above zero when long.
    lean: Decimal

    def describe(self) -> str:
        """Say it as a trader would: ``long, 10 % of band``."""
        if self.lean == 0:
            return "at target"
        return f"{'long' if self.lean > 0 else 'short'}, {abs(self.lean).scaleb(2):.0f} % of band"


def measure(view: View, mid: Decimal, config: InventoryConfig) -> Inventory | None:
    """Measure a strategy's inventory at ``mid``; None when there is no capital at all.

    Capital is base + quote / mid, locked parts included; target and band are shares of it. A
    contract steers to zero, and its capital is what the quote balance could hold.
    """
    instrument = view.instrument
    capital = view.quote.total / (mid * instrument.multiplier)
    share = ZERO
    if instrument.kind is InstrumentKind.SPOT:
        capital += view.base.total
        share = config.target.value
    if capital <= 0:
        return None
    # The lean is taken from the exact target: flooring would let it fall while holding more.
    lean = (view.position - share * capital) / (config.band.value * capital)
    return Inventory(
        held=view.position,
        target=instrument.round_quantity(share * capital),
        lean=clamp(lean, -ONE, ONE),
    )
