"""Leave a position: a take profit that rests, and the exit that a barrier asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from fairlead.api import Action, MarketLook, OrderView, Place, PlanView
from fairlead.api.plans import ExitOrder, MakerPrice, PositionPlan
from fairlead.execution.admission import portion, price_bound
from fairlead.execution.liquidity import CUSHION
from fairlead.execution.maker import has_drifted, maker_price
from fairlead.execution.position_barrier import exit_order, profit_price
from fairlead.execution.position_entry import is_far, refused_lately
from fairlead.execution.position_state import (
    ENTRY_LEVEL,
    LEAVE_LEVEL,
    PROFIT_LEVEL,
    REST_LEVEL,
    Holding,
    PositionState,
)
from fairlead.execution.sizing import taking_price
from fairlead.execution.taker import Nothing, cancels, pace_ns, take
from fairlead.model import (
    ZERO,
    InstrumentKind,
    OrderState,
    Purpose,
    Reason,
    Slot,
    TimeInForce,
)

if TYPE_CHECKING:
    from fairlead.api import ExecutorContext

__all__ = ["PositionExit"]

# So many ticks in a row without anything within the bound end the leaving.
_PATIENCE_TICKS = 5
_PULLED_BEYOND = Decimal("1.5")
_STANDING = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)
_Worked = tuple[PositionState, tuple[Action, ...]]


class PositionExit:
    """The way out of one `PositionPlan`."""

    def __init__(self, plan: PositionPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._side = plan.side.opposite
        self._context = context

    def work(self, state: PositionState, view: PlanView, look: MarketLook, has: Holding) -> _Worked:
        """Say what to do about the exits now."""
        if state.barrier is None:
            return self._profit(state, view, look, has)
        profits = _at_level(view, PROFIT_LEVEL)
        stale = cancels(profits, state.barrier.value)
        if exit_order(self._plan, state.barrier) is ExitOrder.LIMIT:
            patience_ns = state.barrier_ns + self._plan.limit_patience.ns
            if view.now_ns < patience_ns:
                return state, stale + self._rest(state, view, look, has)
        stale += cancels(_at_level(view, REST_LEVEL), "patience is over")
        state, taken = self._leave(state, view, look, has)
        return state, stale + taken

    def tradable(self, state: PositionState, look: MarketLook, has: Holding) -> bool:
        """Tell whether what is open is enough for an order that could close it."""
        instrument = look.instrument
        price = state.exit_bound or look.mark or has.average
        quantity = instrument.round_quantity(abs(has.net))
        return price is not None and instrument.below_minimum(price, quantity) is None

    def gives_up(self, state: PositionState, view: PlanView) -> bool:
        """Tell whether nothing was offered within the bound for so long that leaving ends."""
        return (
            state.barrier is not None
            and state.empty_ns is not None
            and view.now_ns - state.empty_ns >= _PATIENCE_TICKS * view.tick_ns
        )

    def wake_ns(self, state: PositionState, view: PlanView) -> int:
        """Say when an exit has something to do next; in the past = nothing but the ticks."""
        if state.barrier is None:
            return 0
        patience_ns = state.barrier_ns + self._plan.limit_patience.ns
        taking_ns = state.left_ns + pace_ns(view)
        return min((at for at in (patience_ns, taking_ns) if at > view.now_ns), default=0)

    # The take profit.

    def _profit(
        self, state: PositionState, view: PlanView, look: MarketLook, has: Holding
    ) -> _Worked:
        plan, instrument = self._plan, look.instrument
        resting = plan.take_profit is not None and plan.take_profit_order is ExitOrder.LIMIT
        if not resting or has.average is None or look.book is None:
            return state, ()
        price = instrument.round_price(profit_price(plan, has.average), self._side)
        live = _at_level(view, PROFIT_LEVEL)
        if live:
            return state, self._refit(state, live[0], price, view, look, has)
        quantity = instrument.round_quantity(_piece(state, has, look))
        if (
            price <= ZERO
            or instrument.below_minimum(price, quantity) is not None
            or refused_lately(state, PROFIT_LEVEL, view)
            or is_far(plan, price, look, Decimal(1))
        ):
            return state, ()
        # Where the market is beyond it already there is nothing to wait for.
        sign = self._side.sign
        takes = sign * price >= sign * taking_price(look.book, self._side)
        if takes and view.now_ns < state.profited_ns + pace_ns(view):
            return state, ()
        if takes:
            state = msgspec.structs.replace(state, profited_ns=view.now_ns)
        return state, (self._order(PROFIT_LEVEL, price, quantity, view, look, takes=takes),)

    def _refit(
        self,
        state: PositionState,
        order: OrderView,
        price: Decimal,
        view: PlanView,
        look: MarketLook,
        has: Holding,
    ) -> tuple[Action, ...]:
        most = has.room if state.exit_most is None else state.exit_most - order.leaves
        missing = look.instrument.round_quantity(min(has.room, most))
        why = ""
        if order.leaves > has.held:
            why = "less is held"  # an exit filled after its end was proven
        elif view.now_ns - order.decided_ns < view.tick_ns:
            pass  # what was filled since is in it only when it is placed anew; once a tick
        elif order.price != price:
            why = "the average entry has moved"
        elif look.instrument.below_minimum(price, missing) is None:
            why = "more is held"
        elif is_far(self._plan, price, look, _PULLED_BEYOND):
            why = "the mid is too far away"
        return cancels((order,), why) if why and order.state in _STANDING else ()

    # The exit of a barrier.

    def _rest(
        self, state: PositionState, view: PlanView, look: MarketLook, has: Holding
    ) -> tuple[Action, ...]:
        if look.book is None or state.exit_bound is None:
            return ()
        instrument = look.instrument
        price = maker_price(MakerPrice.JOIN, self._side, look.book, instrument, state.exit_bound)
        live = _at_level(view, REST_LEVEL)
        if price is None:
            return ()
        if live:
            standing = live[0].state in _STANDING
            moved = has_drifted(live[0], price, ZERO)
            return cancels(live, "the best price has moved") if standing and moved else ()
        quantity = instrument.round_quantity(_piece(state, has, look))
        short = instrument.below_minimum(price, quantity)
        if (
            short is not None
            or refused_lately(state, REST_LEVEL, view)
            or self._crosses(price, view)
        ):
            return ()
        return (self._order(REST_LEVEL, price, quantity, view, look, takes=False),)

    def _leave(
        self, state: PositionState, view: PlanView, look: MarketLook, has: Holding
    ) -> _Worked:
        if (
            state.exit_bound is None
            or _at_level(view, LEAVE_LEVEL)
            or refused_lately(state, LEAVE_LEVEL, view)
            or view.now_ns < state.left_ns + pace_ns(view)
        ):
            return state, ()
        bound = state.exit_bound
        if look.book is not None:
            slippage = self._plan.exit_slippage.value
            bound = price_bound(self._side, look.book.mid, slippage, bound)
        if self._crosses(bound, view):
            return state, ()  # its own entry would be hit; the proof of its end is on the way
        wanted = take(
            look,
            self._slot(LEAVE_LEVEL),
            _piece(state, has, look),
            bound,
            now_ns=view.now_ns,
            purpose=Purpose.EXIT,
            # What was refused once goes no further than it needs.
            cushion=ZERO if state.refusal else CUSHION,
        )
        match wanted:
            case Place():
                place = msgspec.structs.replace(
                    wanted, reduce_only=self._shrinks(look, wanted.quantity)
                )
                state = msgspec.structs.replace(state, left_ns=view.now_ns, empty_ns=None)
                return state, (place,)
            case Nothing.BOUND | Nothing.DUST:
                since = view.now_ns if state.empty_ns is None else state.empty_ns
                return msgspec.structs.replace(state, empty_ns=since), ()
            case Nothing.NO_BOOK:
                return msgspec.structs.replace(state, empty_ns=None), ()

    def _crosses(self, price: Decimal, view: PlanView) -> bool:
        sign = self._plan.side.sign
        return any(
            sign * order.price >= sign * price
            for order in view.orders
            if order.slot.level == ENTRY_LEVEL
        )

    def _order(
        self,
        level: int,
        price: Decimal,
        quantity: Decimal,
        view: PlanView,
        look: MarketLook,
        *,
        takes: bool,
    ) -> Place:
        mid = None if look.book is None else look.book.mid
        why = "take profit" if level == PROFIT_LEVEL else "exit"
        return Place(
            slot=self._slot(level),
            side=self._side,
            price=price,
            quantity=quantity,
            decided_ns=view.now_ns,
            purpose=Purpose.EXIT,
            time_in_force=TimeInForce.IOC if takes else TimeInForce.GTC,
            post_only=not takes,
            reference=mid,
            reasons=(Reason(why, "price", mid, price),),
            reduce_only=self._shrinks(look, quantity),
        )

    def _shrinks(self, look: MarketLook, quantity: Decimal) -> bool:
        # A venue refuses the flag where the account's own position is another than the plan's.
        return (
            look.instrument.kind is InstrumentKind.PERPETUAL
            and self._plan.side.sign * look.position >= quantity
        )

    def _slot(self, level: int) -> Slot:
        context = self._context
        return Slot(context.strategy, self._plan.market, self._side, level, context.execution)


def _at_level(view: PlanView, level: int) -> tuple[OrderView, ...]:
    return tuple(order for order in view.orders if order.slot.level == level)


def _piece(state: PositionState, has: Holding, look: MarketLook) -> Decimal:
    return portion(has.room, state.exit_most, look)
