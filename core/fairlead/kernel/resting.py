"""Look at what of ours rests at a venue now."""

from __future__ import annotations

from decimal import Decimal

from fairlead.model import MarketId, OrderState, Scale, Side
from fairlead.trackers import OrderTracker

__all__ = ["Levels", "own_levels", "resting"]

#: (price, leaves quantity), best first.
Levels = list[tuple[Decimal, Decimal]]

_RESTING = (OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.PENDING_CANCEL)


def resting(orders: OrderTracker, strategy: str) -> tuple[Levels, Levels]:
    """Give a strategy's acknowledged bids and asks; the orders of its plans are none."""
    sides: dict[Side, Levels] = {Side.BUY: [], Side.SELL: []}
    for order in orders.live(strategy=strategy):
        if order.intent.slot.plan:
            continue  # works a plan, and quotes nothing
        if order.acknowledged_ns is not None and order.state in _RESTING:
            sides[order.intent.side].append((order.intent.price, order.leaves))
    return sorted(sides[Side.BUY], reverse=True), sorted(sides[Side.SELL])


def own_levels(
    orders: OrderTracker, market: MarketId, scale: Scale | None
) -> dict[tuple[Side, int], int]:
    """Give what of a market's public book is ours, in the book's integers."""
    own: dict[tuple[Side, int], int] = {}
    if scale is None:
        return own
    for order in orders.live(market=market):
        if order.acknowledged_ns is not None and order.state in _RESTING:
            key = (order.intent.side, scale.price_units(order.intent.price))
            own[key] = own.get(key, 0) + scale.quantity_units(order.leaves)
    return own
