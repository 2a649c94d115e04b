"""Say by which markets an atomic plan's open side can be closed, how far, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fairlead.api import PlanView
from fairlead.api.plans.atomic import AtomicPlan, AtomicPolicy
from fairlead.execution.atomic_order import LEG_LEVEL
from fairlead.execution.partial import PairedLeg, missing_quantity
from fairlead.execution.unwind import Spent, Way, worst_price
from fairlead.model import ZERO, MarketId, Purpose, Side

__all__ = ["COVER_LEVEL", "UNWIND_LEVEL", "following", "repair_costs", "repair_ways"]

#: Slot levels: what covers an open side, and what gives it back.
COVER_LEVEL, UNWIND_LEVEL = 1, 2


def following(legs: Sequence[PairedLeg], lead: MarketId, view: PlanView) -> tuple[Way, ...]:
    """Give the ways by which the other legs follow the leading one, each within its bound."""
    return tuple(
        Way(
            market=leg.market,
            side=leg.side,
            level=LEG_LEVEL,
            purpose=Purpose.HEDGE,
            most=missing_quantity(leg, view) * view.market(leg.market).instrument.multiplier,
            bound=leg.bound,
            why="the leg's bound",
        )
        for leg in legs
        if leg.market != lead
    )


def repair_costs(
    legs: Sequence[PairedLeg],
    hedge: tuple[MarketId, Decimal] | None,
    view: PlanView,
) -> tuple[Spent, ...]:
    """Count what mending has traded; ``hedge`` = the hedge market and its mid when it began."""
    found: list[Spent | None] = []
    for leg in legs:
        found.append(_spent(leg.market, leg.side, COVER_LEVEL, leg.expected, view))
        found.append(_given_back(leg.market, leg.side.opposite, view))
    if hedge is not None:
        market, reference = hedge
        for side in Side:
            found.append(_spent(market, side, COVER_LEVEL, reference, view))
            found.append(_given_back(market, side, view))
    return tuple(one for one in found if one is not None)


def repair_ways(
    policy: AtomicPolicy,
    net: Decimal,
    view: PlanView,
    plan: AtomicPlan,
    legs: Sequence[PairedLeg],
    hedge: tuple[MarketId, Decimal] | None,
) -> tuple[Way, ...]:
    """Give the ways that a policy has to close ``net`` (signed base units), in the plan's order.

    Whatever they all trade together at their bounds, the loss stays within the plan's cap.
    """
    side = Side.SELL if net > 0 else Side.BUY
    lost = max(sum((one.share for one in repair_costs(legs, hedge, view)), start=ZERO), ZERO)
    room = max(plan.loss_cap.value * _notional(legs, view) - lost, ZERO) / abs(net)

    def way(
        market: MarketId, level: int, purpose: Purpose, most: Decimal, reference: Decimal
    ) -> Way:
        look = view.market(market)
        bound = worst_price(
            look, side, reach=plan.repair_slippage.value, reference=reference, room=room
        )
        why = f"{policy}: at most {room.scaleb(4):.1f} bps worse than {reference:.8f}"
        return Way(market, side, level, purpose, most, bound, why)

    match policy:
        case AtomicPolicy.COMPLETE:
            return tuple(
                way(leg.market, COVER_LEVEL, Purpose.HEDGE, most, leg.expected)
                for leg in legs
                if leg.side is side
                and (most := missing_quantity(leg, view) * _size(leg.market, view)) > 0
            )
        case AtomicPolicy.HEDGE if hedge is not None:
            return (way(hedge[0], COVER_LEVEL, Purpose.HEDGE, abs(net), hedge[1]),)
        case AtomicPolicy.UNWIND:
            markets = [leg.market for leg in legs] + ([] if hedge is None else [hedge[0]])
            return tuple(
                way(market, UNWIND_LEVEL, Purpose.EXIT, held, entry)
                for market in markets
                if (held := -side.sign * view.exposure(market) * _size(market, view)) > 0
                and (entry := view.done(market, side.opposite).average) is not None
            )
        case AtomicPolicy.HEDGE | AtomicPolicy.ACCEPT:
            return ()


def _spent(
    market: MarketId, side: Side, level: int, reference: Decimal, view: PlanView
) -> Spent | None:
    done = view.done(market, side, level)
    if done.average is None:
        return None
    return Spent(market, side, done.quantity * _size(market, view), done.average, reference)


def _given_back(market: MarketId, side: Side, view: PlanView) -> Spent | None:
    entry = view.done(market, side.opposite).average
    return None if entry is None else _spent(market, side, UNWIND_LEVEL, entry, view)


def _size(market: MarketId, view: PlanView) -> Decimal:
    return view.market(market).instrument.multiplier


def _notional(legs: Sequence[PairedLeg], view: PlanView) -> Decimal:
    # In base units, so that legs in different quote currencies need no rate.
    buys = [leg for leg in legs if leg.side is Side.BUY]
    return sum((leg.quantity * _size(leg.market, view) for leg in buys), start=ZERO)
