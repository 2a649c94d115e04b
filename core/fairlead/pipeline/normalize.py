"""Turn a wish into an order that the venue can take: on the grid, on the lot, above minimums."""

from __future__ import annotations

from fairlead.api import Denied, Place
from fairlead.model import Instrument, OrderIntent

__all__ = ["normalize"]


def normalize(place: Place, instrument: Instrument) -> OrderIntent | Denied:
    """Round price and quantity, never more aggressive or larger, and refuse what is too small.

    The intent has no client id yet: it gets one when it is recorded.
    """
    price = instrument.round_price(place.price, place.side)
    quantity = instrument.round_quantity(place.quantity)
    if price <= 0:
        return Denied("price_grid", place.price, instrument.grid.step_at(place.price))
    short = instrument.below_minimum(price, quantity)
    if short is not None:
        below_quantity = quantity <= 0 or quantity < instrument.min_quantity
        return Denied(
            "minimum_quantity" if below_quantity else "minimum_notional",
            quantity if below_quantity else instrument.notional(price, quantity),
            instrument.min_quantity if below_quantity else instrument.min_notional,
            short,
        )
    return OrderIntent(
        client_id="",
        instrument=instrument,
        side=place.side,
        price=price,
        quantity=quantity,
        slot=place.slot,
        time_in_force=place.time_in_force,
        post_only=place.post_only,
        reduce_only=place.reduce_only,
        purpose=place.purpose,
        decided_ns=place.decided_ns,
        reference=place.reference,
        reasons=place.reasons,
    )
