"""Ask for less after a refusal: smaller orders, and no further through the book than they need.

A limit on prices or sizes refuses a hedge as it is; a smaller one need not go as deep into the
book, and what is left of it follows. Nobody gives up for that a better price would fill.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.api import MarketLook, PlanEvent, PlanView, Refused
from fairlead.execution.admission import portion, smaller
from fairlead.model import ZERO, MarketId, Purpose, Side

__all__ = ["Easing", "Easings", "eased_cushion", "eased_quantity", "hear_refusal"]


class Easing(msgspec.Struct, frozen=True, gc=False):
    """What hedges and exits of one market and side give up, since one was refused by risk."""

    market: MarketId
    side: Side
    #: No order is larger, in base units or contracts; None = any size.
    most: Decimal | None


#: At most one for each market and side.
Easings = tuple[Easing, ...]


def hear_refusal(before: Easings, event: PlanEvent, view: PlanView) -> Easings:
    """Take in an event; only what risk refuses of a hedge or an exit changes anything."""
    match event:
        case Refused(stage="risk", place=place) if place.purpose in (Purpose.HEDGE, Purpose.EXIT):
            market, side = place.slot.market, place.side
            others = tuple(one for one in before if (one.market, one.side) != (market, side))
            had = _of(before, market, side)
            instrument = view.market(market).instrument
            most = smaller(event, instrument, None if had is None else had.most)
            return (*others, Easing(market, side, most))
        case _:
            return before


def eased_cushion(easings: Easings, market: MarketId, side: Side, cushion: Decimal) -> Decimal:
    """Give how far beyond what it needs an order is priced: not at all once one was refused."""
    return cushion if _of(easings, market, side) is None else ZERO


def eased_quantity(easings: Easings, side: Side, quantity: Decimal, look: MarketLook) -> Decimal:
    """Give what of ``quantity`` the next order asks for, not rounded to the lot."""
    found = _of(easings, look.instrument.market, side)
    return portion(quantity, None if found is None else found.most, look)


def _of(easings: Easings, market: MarketId, side: Side) -> Easing | None:
    return next((one for one in easings if (one.market, one.side) == (market, side)), None)
