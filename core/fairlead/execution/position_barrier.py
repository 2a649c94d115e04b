"""Judge a position against its barriers, and say at which prices to look again.

Everything is seen by the mid against the average entry price; a gain is signed, positive = the
right way for the position.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from fairlead.api import Watch
from fairlead.api.plans import ExitOrder, PositionPlan
from fairlead.model import ONE

__all__ = ["Barrier", "Judged", "exit_order", "judge", "profit_price", "watches"]

# A trailing stop follows in steps of this part of its delta between ticks.
_RATCHET = Decimal("0.1")


class Barrier(StrEnum):
    """What made a position leave."""

    STOP_LOSS = "stop loss"
    TRAILING_STOP = "trailing stop"
    TAKE_PROFIT = "take profit"
    TIME_LIMIT = "time limit"


class Judged(msgspec.Struct, frozen=True):
    """What a mid means for a position."""

    #: The first barrier that it reached; None = it stays.
    barrier: Barrier | None
    #: Where the trailing stop stands now; None = it is not armed. It never moves back.
    trail: Decimal | None


def judge(plan: PositionPlan, trail: Decimal | None, mid: Decimal, average: Decimal) -> Judged:
    """Judge one mid: first the stop, then the trailing stop, then a take profit by market."""
    trail = _ratcheted(plan, trail, mid, average)
    barrier = None
    if plan.stop_loss is not None and not _beyond(plan, mid, _stop_price(plan, average)):
        barrier = Barrier.STOP_LOSS
    elif trail is not None and not _beyond(plan, mid, trail):
        barrier = Barrier.TRAILING_STOP
    elif plan.take_profit is not None and plan.take_profit_order is ExitOrder.MARKET:
        # Reached exactly counts, as for a stop.
        there = not _beyond(plan, profit_price(plan, average), mid)
        barrier = Barrier.TAKE_PROFIT if there else None
    return Judged(barrier, trail)


def watches(plan: PositionPlan, trail: Decimal | None, average: Decimal) -> tuple[Watch, ...]:
    """Give the mids at which a held position is to be judged again at once."""
    found = []
    if plan.stop_loss is not None:
        found.append(_watch(plan, "stop loss", _stop_price(plan, average), -1))
    if plan.take_profit is not None and plan.take_profit_order is ExitOrder.MARKET:
        found.append(_watch(plan, "take profit", profit_price(plan, average), 1))
    trailing = plan.trailing_stop
    if trailing is not None and trail is None:
        armed = _at(plan, average, trailing.activation.value)
        found.append(_watch(plan, "trailing stop arms", armed, 1))
    elif trailing is not None and trail is not None:
        delta = trailing.delta.value
        best = trail / (ONE - plan.side.sign * delta)
        further = best * (ONE + plan.side.sign * delta * _RATCHET)
        found.append(_watch(plan, "trailing stop", trail, -1))
        found.append(_watch(plan, "trailing stop follows", further, 1))
    return tuple(found)


def profit_price(plan: PositionPlan, average: Decimal) -> Decimal:
    """Give the price of the take profit, not rounded; only for a plan that has one."""
    if plan.take_profit is None:
        raise ValueError("the plan has no take profit")
    return _at(plan, average, plan.take_profit.value)


def exit_order(plan: PositionPlan, barrier: Barrier) -> ExitOrder:
    """Say how a barrier's exit leaves."""
    match barrier:
        case Barrier.STOP_LOSS:
            return plan.stop_loss_order
        case Barrier.TRAILING_STOP:
            return plan.trailing_stop_order
        case Barrier.TIME_LIMIT:
            return plan.time_limit_order
        case Barrier.TAKE_PROFIT:
            return plan.take_profit_order


def _ratcheted(
    plan: PositionPlan, trail: Decimal | None, mid: Decimal, average: Decimal
) -> Decimal | None:
    trailing, sign = plan.trailing_stop, plan.side.sign
    if trailing is None:
        return trail
    if trail is None and _beyond(plan, _at(plan, average, trailing.activation.value), mid):
        return None
    now = mid * (ONE - sign * trailing.delta.value)
    return now if trail is None else sign * max(sign * now, sign * trail)


def _beyond(plan: PositionPlan, price: Decimal, other: Decimal) -> bool:
    # Whether a price is strictly better for the position than another.
    return plan.side.sign * price > plan.side.sign * other


def _stop_price(plan: PositionPlan, average: Decimal) -> Decimal:
    return average if plan.stop_loss is None else _at(plan, average, -plan.stop_loss.value)


def _at(plan: PositionPlan, average: Decimal, gained: Decimal) -> Decimal:
    return average * (ONE + plan.side.sign * gained)


def _watch(plan: PositionPlan, name: str, price: Decimal, way: int) -> Watch:
    return Watch(name, plan.market, price, above=plan.side.sign * way > 0)
