"""Take what is offered, at once and at a bounded price: there is no order without a bound."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

from fairlead.api import Cancel, MarketLook, OrderView, Place, PlanView
from fairlead.execution.liquidity import CUSHION, needed_price
from fairlead.execution.sizing import taking_price
from fairlead.model import ZERO, OrderState, Purpose, Reason, Slot, TimeInForce

__all__ = ["Nothing", "cancels", "pace_ns", "take"]

# Until a book shows what was eaten from it, taking again would only be refused or find nothing.
_PACE_NS = 200_000_000


class Nothing(StrEnum):
    """Why there is nothing to take now."""

    NO_BOOK = "no valid book"
    BOUND = "nothing is offered within the bound"
    #: What is left is less than the venue takes as an order.
    DUST = "the rest is too small for an order"


def take(
    look: MarketLook,
    slot: Slot,
    quantity: Decimal,
    bound: Decimal,
    *,
    now_ns: int,
    purpose: Purpose,
    cushion: Decimal = CUSHION,
) -> Place | Nothing:
    """Give an immediate-or-cancel order over ``quantity``, at ``bound`` at the worst.

    The price is no worse than what walking the book for it needs and ``cushion``, a share of it:
    a stale look at the book must not cost the whole way to the bound.
    """
    side, instrument = slot.side, look.instrument
    rounded = instrument.round_quantity(quantity)
    price = instrument.round_price(needed_price(look.book, side, rounded, bound, cushion), side)
    if price <= ZERO:
        return Nothing.BOUND
    if rounded <= ZERO or instrument.below_minimum(price, rounded) is not None:
        return Nothing.DUST
    if look.book is None:
        return Nothing.NO_BOOK
    best, mid = taking_price(look.book, side), look.book.mid
    if side.sign * best > side.sign * price:
        return Nothing.BOUND
    away = (side.sign * (price - mid) / mid).scaleb(4)
    return Place(
        slot=slot,
        side=side,
        price=price,
        quantity=rounded,
        decided_ns=now_ns,
        purpose=purpose,
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reference=mid,
        reasons=(Reason("bound", "price", mid, price, f"{away:.1f} bps beyond the mid at most"),),
    )


def cancels(orders: Iterable[OrderView], reason: str) -> tuple[Cancel, ...]:
    """Ask for orders to be cancelled, those apart that are leaving already.

    One on its way is named too: the pipeline holds its cancel back until it has landed.
    """
    return tuple(
        Cancel(order.client_id, reason)
        for order in orders
        if order.state is not OrderState.PENDING_CANCEL
    )


def pace_ns(view: PlanView) -> int:
    """Give how long to wait from one taking to the next: a tick, 200 ms at most."""
    return min(view.tick_ns, _PACE_NS)
