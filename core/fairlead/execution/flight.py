"""Remember orders that were asked for and have not been seen yet.

Between a step that asks for an order and the news of it, nothing of it shows among the plan's
orders; a decision taken then would decide on what may be filling already.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from fairlead.api import Action, Filled, OrderChanged, Place, PlanEvent, PlanView, Refused, Resumed
from fairlead.model import MarketId, Side

__all__ = ["Asked", "asked_orders", "still_asked", "unresolved"]


class Asked(msgspec.Struct, frozen=True, gc=False):
    """An order that was asked for at ``at_ns``."""

    market: MarketId
    side: Side
    level: int
    at_ns: int


def asked_orders(actions: Iterable[Action]) -> tuple[Asked, ...]:
    """Note the orders among a step's actions."""
    return tuple(
        Asked(place.slot.market, place.side, place.slot.level, place.decided_ns)
        for place in actions
        if isinstance(place, Place)
    )


def still_asked(before: Iterable[Asked], event: PlanEvent, view: PlanView) -> tuple[Asked, ...]:
    """Leave out what was seen or refused since, and what is too old to leave any more.

    Nothing leaves that was decided a tick ago or earlier, and a restart forgets what waited.
    """
    if isinstance(event, Resumed):
        return ()
    return tuple(
        one
        for one in before
        if view.now_ns - one.at_ns < view.tick_ns and not _seen(one, event, view)
    )


def unresolved(waiting: Iterable[Asked], view: PlanView) -> dict[MarketId, Decimal]:
    """Give the markets where an own order may still fill, with what is left of those seen."""
    found: dict[MarketId, Decimal] = {one.market: Decimal(0) for one in waiting}
    for order in view.orders:
        market = order.slot.market
        found[market] = found.get(market, Decimal(0)) + order.leaves
    return found


def _seen(one: Asked, event: PlanEvent, view: PlanView) -> bool:
    match event:
        case OrderChanged(order=order):
            slots = [(order.slot, order.decided_ns)]
        case Refused(place=place):
            slots = [(place.slot, place.decided_ns)]
        case Filled(slot=slot):
            slots = [(slot, one.at_ns)]
        case _:
            slots = []
    slots += [(order.slot, order.decided_ns) for order in view.orders]
    return any(
        (slot.market, slot.side, slot.level) == (one.market, one.side, one.level)
        and at_ns >= one.at_ns
        for slot, at_ns in slots
    )
