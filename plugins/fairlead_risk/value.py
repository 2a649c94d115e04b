"""Bring what rules compare to one unit; unavailable stays None, it is never zero."""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import Amount, MarketRisk, RiskView
from fairlead.model import ONE, Instrument, OrderIntent, Side

__all__ = ["limit_and_value", "rate_of", "reach", "reach_with", "reduces"]


def limit_and_value(
    limit: Amount, instrument: Instrument, quantity: Decimal, price: Decimal | None, view: RiskView
) -> tuple[Decimal, Decimal | None]:
    """Give a limit and the value of ``quantity`` at ``price`` in one unit.

    A limit in the market's base asset is compared with the base quantity, any other in the
    engine's currency; without a way to compare, the limit is given as written and the value is
    None.
    """
    if limit.asset == instrument.base:
        return limit.value, quantity * instrument.multiplier
    unit, rate = rate_of(limit.asset, view), rate_of(instrument.quote, view)
    if price is None or unit is None or rate is None:
        return limit.value, None
    return limit.value * unit, instrument.notional(price, quantity) * rate


def reach(intent: OrderIntent, market: MarketRisk) -> Decimal | None:
    """Give the gap in the order's direction if it and all its side's live orders filled.

    Below or at zero the order can only bring the position closer to its target. None = the target
    is unknown.
    """
    return reach_with(intent.side, intent.quantity, market)


def reach_with(side: Side, quantity: Decimal, market: MarketRisk) -> Decimal | None:
    """Give the gap towards a side if so much more of it filled, with all its live orders.

    None = the target is unknown.
    """
    gap = market.gap
    return None if gap is None else side.sign * gap + market.working(side) + quantity


def reduces(intent: OrderIntent, market: MarketRisk) -> bool:
    """Tell whether the order can only bring the position closer to its target."""
    after = reach(intent, market)
    return after is not None and after <= 0


def rate_of(asset: str, view: RiskView) -> Decimal | None:
    """Give the engine's currency per unit of an asset; None = no mark path."""
    return ONE if asset == view.currency else view.rate(asset)
