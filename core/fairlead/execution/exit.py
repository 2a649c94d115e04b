"""Leave a position at once and at a bounded price: one immediate-or-cancel order at a time.

No order is ever priced beyond the bound or larger than what is left to do, and the next one
leaves only when nothing of the last can fill any more. What the bound does not let through stays
and is reported.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from fairlead.api import (
    Action,
    Cancel,
    ExecutorEvent,
    ExecutorView,
    Filled,
    OrderChanged,
    Place,
    Pull,
    Step,
    Stop,
    Wake,
    Wish,
)
from fairlead.execution.admission import price_bound
from fairlead.model import ZERO, MarketId, Purpose, Reason, Side, Slot, TimeInForce

__all__ = ["EXIT_LEVEL", "ExitEnd", "ExitExecutor", "ExitPlan", "ExitState"]

#: The level of an exit's slot: no quote has it.
EXIT_LEVEL = 999
# So many looks in a row at a market without anything within the bound end it.
_PATIENCE = 5


class ExitEnd(StrEnum):
    """Why an exit is over."""

    DONE = "done"
    #: What is left is less than the venue takes as an order.
    DUST = "the rest is too small for an order"
    BOUND = "nothing is offered within the bound"
    STOPPED = "stopped"


class ExitPlan(msgspec.Struct, frozen=True):
    """What to leave: at most ``quantity`` (base units) at ``bound`` or better."""

    strategy: str
    market: MarketId
    side: Side
    quantity: Decimal
    bound: Decimal
    #: The mid at the decision.
    mid: Decimal


class ExitState(msgspec.Struct, frozen=True):
    """What an exit remembers between steps."""

    left: Decimal
    #: Looks in a row that found nothing within the bound.
    empty: int = 0
    end: ExitEnd | None = None


class ExitExecutor:
    """Work one `ExitPlan`; pure, see `fairlead.api.Executor`. Wake it on every tick."""

    def __init__(self, plan: ExitPlan) -> None:
        self._plan = plan

    def initial(self) -> ExitState:
        """Give the state to start with."""
        return ExitState(self._plan.quantity)

    def step(self, state: ExitState, event: ExecutorEvent, view: ExecutorView) -> Step[ExitState]:
        """Take one step; ``view.orders`` are the exit's own."""
        match event:
            case Filled(fill=fill):
                left = max(state.left - fill.quantity, ZERO)
                end = state.end or (None if left else ExitEnd.DONE)
                return Step(msgspec.structs.replace(state, left=left, empty=0, end=end))
            case Stop() | Pull():
                end = state.end or ExitEnd.STOPPED
                cancels = tuple(Cancel(order.client_id, end.value) for order in view.orders)
                return Step(msgspec.structs.replace(state, end=end), cancels)
            case Wake() if state.end is None and not view.orders:
                return self._next(state, view)
            case Wake() | OrderChanged() | Wish():
                return Step(state)

    def _next(self, state: ExitState, view: ExecutorView) -> Step[ExitState]:
        plan = self._plan
        price = view.instrument.round_price(_bound_now(plan, view), plan.side)
        quantity = view.instrument.round_quantity(state.left)
        if view.instrument.below_minimum(price, quantity) is not None or quantity <= 0:
            return Step(msgspec.structs.replace(state, end=ExitEnd.DUST))
        best = view.best_ask if plan.side is Side.BUY else view.best_bid
        if best is None or plan.side.sign * best > plan.side.sign * price or price <= 0:
            empty = state.empty + 1
            end = ExitEnd.BOUND if empty >= _PATIENCE else None
            return Step(msgspec.structs.replace(state, empty=empty, end=end))
        actions: tuple[Action, ...] = (self._place(price, quantity, view.now_ns),)
        return Step(msgspec.structs.replace(state, empty=0), actions)

    def _place(self, price: Decimal, quantity: Decimal, now_ns: int) -> Place:
        plan = self._plan
        slip = (abs(plan.bound - plan.mid) / plan.mid).scaleb(4)
        return Place(
            slot=Slot(plan.strategy, plan.market, plan.side, EXIT_LEVEL),
            side=plan.side,
            price=price,
            quantity=quantity,
            decided_ns=now_ns,
            purpose=Purpose.EXIT,
            time_in_force=TimeInForce.IOC,
            post_only=False,
            reasons=(Reason("exit bound", "price", plan.mid, price, f"{slip:.1f} bps at most"),),
        )


def _bound_now(plan: ExitPlan, view: ExecutorView) -> Decimal:
    # No further from the mid of the moment than the bound was at the decision: where the market
    # has come our way since, the bound lies so far through it that a price band would refuse it.
    if view.best_bid is None or view.best_ask is None:
        return plan.bound
    slippage = plan.side.sign * (plan.bound - plan.mid) / plan.mid
    return price_bound(plan.side, (view.best_bid + view.best_ask) / 2, slippage, plan.bound)
