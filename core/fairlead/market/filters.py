"""Refuse what a market's rules forbid, under the names that venues give to their filters.

Source: Binance Spot API documentation, "Filters" and "Error codes", 2025.
"""

from __future__ import annotations

from decimal import Decimal

from fairlead.model import (
    Instrument,
    OrderIntent,
    RejectClass,
    Rejected,
    Scale,
    TimeInForce,
    trimmed,
)

__all__ = ["feed_integer", "refused_by_rules"]


def refused_by_rules(intent: OrderIntent, instrument: Instrument, scale: Scale) -> Rejected | None:
    """Say which rule an order breaks, before anyone looks at account or book; None: none.

    ``scale`` is the feed's: what cannot be written in its decimals cannot be matched.
    """
    return (
        _market(intent, instrument)
        or _price(intent, instrument, scale)
        or _quantity(intent, instrument)
        or _notional(intent, instrument)
    )


def feed_integer(value: Decimal, decimals: int) -> int | None:
    """Give a value as an integer of so many decimals, or None when it is finer than that."""
    scaled = value.scaleb(decimals)
    number = int(scaled)
    return number if number == scaled else None


def _market(intent: OrderIntent, instrument: Instrument) -> Rejected | None:
    market = intent.instrument.market
    if market != instrument.market:
        return Rejected("UNKNOWN_MARKET", RejectClass.OTHER, f"{market} is not traded here")
    if intent.post_only and intent.time_in_force is not TimeInForce.GTC:
        detail = f"post-only cannot be {intent.time_in_force}"
        return Rejected("INVALID_COMBINATION", RejectClass.OTHER, detail)
    return None


def _price(intent: OrderIntent, instrument: Instrument, scale: Scale) -> Rejected | None:
    price = intent.price
    if (
        price.is_finite()
        and instrument.on_grid(price)
        and feed_integer(price, scale.price_decimals) is not None
    ):
        return None
    return Rejected("PRICE_FILTER", RejectClass.PRICE, f"price {price} is not on the grid")


def _quantity(intent: OrderIntent, instrument: Instrument) -> Rejected | None:
    quantity, lot = intent.quantity, instrument.lot
    if not quantity.is_finite() or quantity <= 0 or quantity % lot:
        detail = f"quantity {quantity} is no multiple of {trimmed(lot)} above zero"
    elif quantity < instrument.min_quantity:
        detail = f"quantity {quantity} below the minimum {trimmed(instrument.min_quantity)}"
    else:
        return None
    return Rejected("LOT_SIZE", RejectClass.QUANTITY, detail)


def _notional(intent: OrderIntent, instrument: Instrument) -> Rejected | None:
    below = instrument.below_minimum(intent.price, intent.quantity)
    return None if below is None else Rejected("MIN_NOTIONAL", RejectClass.NOTIONAL, below)
