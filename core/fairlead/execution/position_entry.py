"""Enter a position: rest where it was asked to, or take at a bounded price."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from fairlead.api import Action, MarketLook, OrderView, Place, PlanView
from fairlead.api.plans import EntryOrder, MakerPrice, PositionPlan
from fairlead.execution.admission import portion, price_bound
from fairlead.execution.maker import maker_price, rest_at
from fairlead.execution.position_state import ENTRY_LEVEL, Holding, PositionState
from fairlead.execution.taker import Nothing, cancels, pace_ns, take
from fairlead.model import ZERO, OrderState, Purpose, Reason, Slot

if TYPE_CHECKING:
    from fairlead.api import ExecutorContext

__all__ = ["PositionEntry", "is_far", "refused_lately"]

# So many ticks in a row without anything within the bound end the entering.
_PATIENCE_TICKS = 5
# An order is pulled when the mid is so many times further away than where it may be placed.
_PULLED_BEYOND = Decimal("1.5")


class PositionEntry:
    """The way in of one `PositionPlan`."""

    def __init__(self, plan: PositionPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._slot = Slot(context.strategy, plan.market, plan.side, ENTRY_LEVEL, context.execution)

    def work(
        self, state: PositionState, view: PlanView, look: MarketLook, has: Holding
    ) -> tuple[PositionState, tuple[Action, ...]]:
        """Say what to do about the entry now."""
        left = state.quantity - has.entered
        piece = portion(left, state.entry_most, look)
        live = tuple(order for order in view.orders if order.slot.level == ENTRY_LEVEL)
        if not state.entry_over and left <= ZERO:
            state = msgspec.structs.replace(state, entry_over="entered")
        if state.entry_over:
            return state, cancels(live, state.entry_over)
        if live:
            return state, self._pull(live, look)
        if refused_lately(state, ENTRY_LEVEL, view):
            return state, ()
        if self._plan.entry is EntryOrder.MARKET:
            return self._take(state, view, look, piece)
        return self._rest(state, view, look, piece)

    def _rest(
        self, state: PositionState, view: PlanView, look: MarketLook, piece: Decimal
    ) -> tuple[PositionState, tuple[Action, ...]]:
        plan, instrument = self._plan, look.instrument
        if look.book is None:
            return state, ()
        if plan.entry_price is None:
            price = maker_price(MakerPrice.JOIN, plan.side, look.book, instrument, state.bound)
        else:
            price = rest_at(plan.entry_price, plan.side, look.book, instrument, state.bound)
        quantity = instrument.round_quantity(piece)
        if price is None or is_far(plan, price, look, Decimal(1)):
            return state, ()
        if instrument.below_minimum(price, quantity) is not None:
            return msgspec.structs.replace(state, entry_over="entered"), ()
        place = Place(
            slot=self._slot,
            side=plan.side,
            price=price,
            quantity=quantity,
            decided_ns=view.now_ns,
            purpose=Purpose.ENTRY,
            reference=look.book.mid,
            reasons=(Reason("entry", "price", look.book.mid, price),),
        )
        return state, (place,)

    def _take(
        self, state: PositionState, view: PlanView, look: MarketLook, piece: Decimal
    ) -> tuple[PositionState, tuple[Action, ...]]:
        if view.now_ns < state.entered_ns + pace_ns(view):
            return state, ()
        bound = state.bound
        if look.book is not None:
            slippage = self._plan.entry_slippage.value
            bound = price_bound(self._plan.side, look.book.mid, slippage, bound)
        wanted = take(look, self._slot, piece, bound, now_ns=view.now_ns, purpose=Purpose.ENTRY)
        if isinstance(wanted, Place):
            state = msgspec.structs.replace(state, entered_ns=view.now_ns, empty_ns=None)
            return state, (wanted,)
        if wanted is Nothing.DUST:
            return msgspec.structs.replace(state, entry_over="entered"), ()
        if wanted is Nothing.NO_BOOK:
            return msgspec.structs.replace(state, empty_ns=None), ()
        since = view.now_ns if state.empty_ns is None else state.empty_ns
        over = "bound" if view.now_ns - since >= _PATIENCE_TICKS * view.tick_ns else ""
        return msgspec.structs.replace(state, empty_ns=since, entry_over=over), ()

    def _pull(self, live: tuple[OrderView, ...], look: MarketLook) -> tuple[Action, ...]:
        order = live[0]
        standing = order.state in (OrderState.OPEN, OrderState.PARTIALLY_FILLED)
        if self._plan.entry is EntryOrder.MARKET or not standing:
            return ()
        if look.book is None:
            return cancels(live, "no valid book")
        if is_far(self._plan, order.price, look, _PULLED_BEYOND):
            return cancels(live, "the mid is too far away")
        return ()


def is_far(plan: PositionPlan, price: Decimal, look: MarketLook, times: Decimal) -> bool:
    """Tell whether the mid is beyond ``times`` the activation bound from a price."""
    if plan.activation_bound is None or look.book is None:
        return False
    return abs(look.book.mid - price) > times * plan.activation_bound.value * price


def refused_lately(state: PositionState, level: int, view: PlanView) -> bool:
    """Tell whether an order of that role was refused within the last tick."""
    times = (at_ns for at_level, at_ns in state.refused_ns if at_level == level)
    return any(view.now_ns - at_ns < view.tick_ns for at_ns in times)
