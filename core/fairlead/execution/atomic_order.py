"""Make the orders of an atomic plan's own legs."""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import ExecutorContext, MarketLook, Place, PlanView
from fairlead.api.plans.atomic import AtomicOrder, AtomicPlan
from fairlead.execution.liquidity import needed_price
from fairlead.execution.partial import PairedLeg, missing_quantity
from fairlead.model import ZERO, Purpose, Reason, Side, Slot, TimeInForce

__all__ = ["LEG_LEVEL", "entry_order", "entry_price", "lead_order", "lead_price"]

#: The slot level of a leg's own order.
LEG_LEVEL = 0
_KINDS = {
    AtomicOrder.IOC: TimeInForce.IOC,
    AtomicOrder.FOK: TimeInForce.FOK,
    AtomicOrder.LIMIT: TimeInForce.GTC,
}


def lead_price(side: Side, bound: Decimal, look: MarketLook) -> Decimal:
    """Give where a leading leg rests: at the best price of its own side, within its bound.

    0 without a valid book.
    """
    if look.book is None:
        return ZERO
    best = look.book.best_bid if side is Side.BUY else look.book.best_ask
    price = min(best.price, bound) if side is Side.BUY else max(best.price, bound)
    return look.instrument.round_price(price, side)


def entry_price(leg: PairedLeg, plan: AtomicPlan, view: PlanView) -> Decimal:
    """Give where a leg that leaves with the others is priced now, never beyond its bound.

    What takes at once goes as deep as its size needs and the plan's cushion; what may rest waits
    at its bound.
    """
    if plan.order is AtomicOrder.LIMIT:
        return leg.bound
    look = view.market(leg.market)
    price = needed_price(look.book, leg.side, leg.quantity, leg.bound, plan.cushion.value)
    price = look.instrument.round_price(price, leg.side)
    short = look.instrument.below_minimum(price, leg.quantity)
    return price if short is None else leg.bound


def entry_order(
    leg: PairedLeg, plan: AtomicPlan, view: PlanView, context: ExecutorContext
) -> Place:
    """Send a leg whole."""
    price = entry_price(leg, plan, view)
    return _place(leg, leg.quantity, price, view, context, _KINDS[plan.order])


def lead_order(leg: PairedLeg, view: PlanView, context: ExecutorContext) -> tuple[Place, ...]:
    """Rest what the leading leg still lacks, as a maker; nothing when that is too small."""
    look = view.market(leg.market)
    price, quantity = lead_price(leg.side, leg.bound, look), missing_quantity(leg, view)
    if price <= 0 or look.instrument.below_minimum(price, quantity) is not None:
        return ()
    return (_place(leg, quantity, price, view, context, TimeInForce.GTC, post_only=True),)


def _place(
    leg: PairedLeg,
    quantity: Decimal,
    price: Decimal,
    view: PlanView,
    context: ExecutorContext,
    kind: TimeInForce,
    *,
    post_only: bool = False,
) -> Place:
    book = view.market(leg.market).book
    mid = None if book is None else book.mid
    return Place(
        slot=Slot(context.strategy, leg.market, leg.side, LEG_LEVEL, context.execution),
        side=leg.side,
        price=price,
        quantity=quantity,
        decided_ns=view.now_ns,
        purpose=Purpose.ENTRY,
        time_in_force=kind,
        post_only=post_only,
        reference=mid,
        reasons=(Reason("leg", "price", mid, price, f"never worse than {leg.bound}"),),
    )
