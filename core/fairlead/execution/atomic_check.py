"""Check every leg of an atomic plan before any of it is sent."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.api import Denied, ExecutorContext, MarketLook, PlanView
from fairlead.api.plans.atomic import AtomicLeg, AtomicPlan
from fairlead.execution.atomic_order import lead_price
from fairlead.execution.partial import PairedLeg
from fairlead.execution.preflight import large_enough, matching_markets, payable
from fairlead.execution.unwind import lot_base
from fairlead.model import ONE, ZERO, floor_to

__all__ = ["check_legs", "coarsest_lot"]

_NAME = "atomic"


def coarsest_lot(plan: AtomicPlan, context: ExecutorContext) -> Decimal:
    """Give the largest step of quantities among the legs, in base units."""
    return max(lot_base(context.instruments[leg.market]) for leg in plan.legs)


def check_legs(
    plan: AtomicPlan, context: ExecutorContext, view: PlanView
) -> tuple[PairedLeg, ...] | Denied:
    """Give the legs as they can be sent, or the figures of the first one that cannot."""
    markets = [leg.market for leg in plan.legs]
    if plan.hedge_market is not None:
        markets.append(plan.hedge_market)
    denied = matching_markets(_NAME, markets, context)
    if denied is not None:
        return denied
    lot = coarsest_lot(plan, context)
    needs: dict[tuple[str, str], Decimal] = {}
    legs: list[PairedLeg] = []
    for wish in plan.legs:
        look = view.market(wish.market)
        leg = _leg(plan, wish, lot, look)
        if isinstance(leg, Denied):
            return leg
        denied = payable(_NAME, leg, look, needs)
        if denied is not None:
            return denied
        legs.append(leg)
    uneven = sum(
        (leg.side.sign * leg.quantity * context.instruments[leg.market].multiplier for leg in legs),
        start=ZERO,
    )
    if abs(uneven) > lot:
        return Denied("atomic_lots", abs(uneven), lot, "rounded to lots, the legs do not match")
    return tuple(legs)


def _leg(plan: AtomicPlan, wish: AtomicLeg, lot: Decimal, look: MarketLook) -> PairedLeg | Denied:
    market, side, instrument = wish.market, wish.side, look.instrument
    if look.book is None:
        return Denied("atomic_book", "no valid book", "a valid book", f"{market}: no valid book")
    quantity = instrument.round_quantity(floor_to(wish.quantity, lot) / instrument.multiplier)
    bound = wish.bound or look.book.mid * (ONE + side.sign * plan.max_slippage.value)
    bound = instrument.round_price(bound, side)
    leg = PairedLeg(market, side, quantity, bound, bound)
    denied = large_enough(_NAME, leg, look)
    if denied is not None:
        return denied
    if plan.lead == market:
        # It waits to be filled, so the depth does not matter.
        return msgspec.structs.replace(leg, expected=lead_price(side, bound, look))
    walk = look.book.walk(side, quantity)
    if walk is None or not walk.complete:
        offered = ZERO if walk is None else walk.filled
        return Denied("atomic_liquidity", offered, quantity, f"{market}: the book is too thin")
    if side.sign * walk.worst > side.sign * bound:
        detail = f"{market}: {quantity} reaches beyond the bound"
        return Denied("atomic_bound", walk.worst, bound, detail)
    return msgspec.structs.replace(leg, expected=walk.average)
