"""Work a `TieredPlan`: rest as maker, and take what is left where the plan allows it.

An order that may still fill counts as filled: nothing is decided about the rest before every order
is proven gone. So a timeout cancels, waits for the proof however long it takes, and only then
falls back, for the unfilled rest alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from fairlead.api import (
    Action,
    Admitted,
    Denied,
    MarketLook,
    OrderChanged,
    Place,
    PlanEvent,
    PlanStep,
    PlanView,
    Refused,
    Stop,
)
from fairlead.api.plans import TieredMode, TieredPlan
from fairlead.execution.admission import portion, price_bound, refusal_text, smaller
from fairlead.execution.liquidity import offered
from fairlead.execution.maker import has_drifted, maker_price
from fairlead.execution.taker import Nothing, cancels, pace_ns, take
from fairlead.execution.tiered_admission import TieredPhase, TieredState, admit_tiered
from fairlead.model import ONE, ZERO, OrderState, Purpose, Reason, Slot, trimmed

if TYPE_CHECKING:
    from fairlead.api import ExecutorContext

__all__ = ["TieredExecutor"]

#: Slot levels by role.
_MAKER, _TAKER = 0, 1
# So many ticks in a row without anything within the bound end the taking.
_PATIENCE_TICKS = 5


class TieredExecutor:
    """Work one `TieredPlan`; pure, see `fairlead.api.PlanExecutor`."""

    def __init__(self, plan: TieredPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._context = context

    @property
    def state(self) -> type[TieredState]:
        """Give the class of its state."""
        return TieredState

    def admit(self, view: PlanView) -> Admitted[TieredState] | Denied:
        """Ask for the whole quantity within the bound, or say why the book does not bear it."""
        return admit_tiered(self._plan, view.market(self._plan.market))

    def step(self, state: TieredState, event: PlanEvent, view: PlanView) -> PlanStep[TieredState]:
        """Take one step; what it does follows from what is filled and what lives, not from news."""
        state = self._learn(state, event, view)
        left = state.quantity - view.done(self._plan.market, self._plan.side).quantity
        if state.until_ns == 0 and state.phase is TieredPhase.RESTING:
            state = self._until(state, view)
        if not state.end and left <= ZERO:
            state = state.closing("done")
        if state.phase is TieredPhase.RESTING and view.now_ns >= state.until_ns:
            return self._turn(state, view, left)
        match state.phase:
            case TieredPhase.RESTING:
                return self._rest(state, view, left)
            case TieredPhase.TAKING:
                return self._take(state, view, left)
            case TieredPhase.CLOSING:
                return self._close(state, view, left)

    def _learn(self, state: TieredState, event: PlanEvent, view: PlanView) -> TieredState:
        match event:
            case Stop():
                return state.closing("stopped")
            case OrderChanged(order=order) if order.state is OrderState.REJECTED:
                return msgspec.structs.replace(
                    state,
                    requotes=state.requotes + 1,
                    refused_price=order.price,
                    refused_ns=view.now_ns,
                )
            case Refused(stage="queue"):
                return state  # it did not leave in time, or was taken back: nobody refused it
            case Refused(place=place):
                return msgspec.structs.replace(
                    state,
                    refused_price=place.price,
                    refused_ns=view.now_ns,
                    most=smaller(event, view.market(self._plan.market).instrument, state.most),
                    refusal=refusal_text(event),
                )
            case _:
                return state

    def _until(self, state: TieredState, view: PlanView) -> TieredState:
        taking = state.phase is TieredPhase.TAKING
        span = self._plan.taker_timeout if taking else self._plan.timeout
        return msgspec.structs.replace(state, until_ns=view.now_ns + span.ns)

    # Resting.

    def _rest(self, state: TieredState, view: PlanView, left: Decimal) -> PlanStep[TieredState]:
        look = view.market(self._plan.market)
        price = None
        if look.book is not None:
            price = maker_price(
                self._plan.maker_price, self._plan.side, look.book, look.instrument, state.bound
            )
        if view.orders:
            return self._follow(state, view, price)
        if price is None or self._refused_just_now(state, price, view):
            return self._wait(state, view)
        if state.refused_price is not None and state.requotes > self._plan.max_requotes:
            return self._turn(state, view, left)
        quantity = look.instrument.round_quantity(self._piece(state, look, left))
        if look.instrument.below_minimum(price, quantity) is not None:
            return self._turn(state, view, left)
        return self._wait(state, view, (self._maker(look, price, quantity, view),))

    def _follow(
        self, state: TieredState, view: PlanView, price: Decimal | None
    ) -> PlanStep[TieredState]:
        # Its successor leaves when the cancel is proven, at the price of then.
        order = view.orders[0]
        if order.state not in (OrderState.OPEN, OrderState.PARTIALLY_FILLED):
            return self._wait(state, view)
        if price is None:
            return self._wait(state, view, cancels(view.orders, "no valid book"))
        if (
            not has_drifted(order, price, self._plan.requote_within.value)
            or state.requotes >= self._plan.max_requotes
        ):
            return self._wait(state, view)
        state = msgspec.structs.replace(state, requotes=state.requotes + 1)
        return self._wait(state, view, cancels(view.orders, f"re-quote at {trimmed(price)}"))

    def _maker(self, look: MarketLook, price: Decimal, quantity: Decimal, view: PlanView) -> Place:
        plan = self._plan
        mid = None if look.book is None else look.book.mid
        return Place(
            slot=self._slot(_MAKER),
            side=plan.side,
            price=price,
            quantity=quantity,
            decided_ns=view.now_ns,
            purpose=Purpose.ENTRY,
            reference=mid,
            reasons=(Reason(f"maker {plan.maker_price}", "price", mid, price),),
        )

    def _turn(self, state: TieredState, view: PlanView, left: Decimal) -> PlanStep[TieredState]:
        # The resting is over: first the proof that nothing of it can fill any more.
        if state.mode is TieredMode.LIMIT_ONLY:
            end = "timeout" if view.now_ns >= state.until_ns else self._why(state, left, view)
            return self._close(state.closing(end), view, left)
        state = msgspec.structs.replace(
            state, phase=TieredPhase.TAKING, until_ns=0, refused_price=None, empty_ns=None
        )
        return self._take(state, view, left)

    def _why(self, state: TieredState, left: Decimal, view: PlanView) -> str:
        look = view.market(self._plan.market)
        rounded = look.instrument.round_quantity(left)
        if look.instrument.below_minimum(state.bound, rounded) is not None:
            return "dust"
        return "refused"

    # Taking.

    def _take(self, state: TieredState, view: PlanView, left: Decimal) -> PlanStep[TieredState]:
        makers = [order for order in view.orders if order.slot.level == _MAKER]
        if view.orders:
            return self._wait(state, view, cancels(makers, "timeout: the rest is taken"))
        if state.until_ns == 0:
            state = self._until(state, view)
        if view.now_ns >= state.until_ns:
            return self._again(state, view, left, "timeout")
        look = view.market(self._plan.market)
        wanted = take(
            look,
            self._slot(_TAKER),
            self._piece(state, look, left),
            self._bound_now(state, look),
            now_ns=view.now_ns,
            purpose=Purpose.ENTRY,
        )
        if isinstance(wanted, Nothing):
            return self._missed(state, view, left, wanted)
        if view.now_ns < state.taken_ns + pace_ns(view):
            return self._wait(state, view)  # the book does not show yet what the last one ate
        state = msgspec.structs.replace(state, empty_ns=None, taken_ns=view.now_ns)
        return self._wait(state, view, (wanted,))

    def _missed(
        self, state: TieredState, view: PlanView, left: Decimal, why: Nothing
    ) -> PlanStep[TieredState]:
        if why is Nothing.DUST and not state.sliced:
            return self._close(state.closing("dust"), view, left)
        if why is Nothing.NO_BOOK:
            return self._wait(state, view)  # its time is limited anyway
        since = view.now_ns if state.empty_ns is None else state.empty_ns
        state = msgspec.structs.replace(state, empty_ns=since)
        if view.now_ns - since >= _PATIENCE_TICKS * view.tick_ns:
            return self._again(state, view, left, "bound")
        return self._wait(state, view)

    def _again(
        self, state: TieredState, view: PlanView, left: Decimal, why: str
    ) -> PlanStep[TieredState]:
        # A sliced plan goes on as long as a round fills something.
        done = state.quantity - left
        if not state.sliced or done == state.round_from:
            return self._close(state.closing(why), view, left)
        state = msgspec.structs.replace(
            state,
            phase=TieredPhase.RESTING,
            until_ns=view.now_ns + self._plan.timeout.ns,
            round_from=done,
            requotes=0,
            refused_price=None,
            empty_ns=None,
        )
        return self._rest(state, view, left)

    def _bound_now(self, state: TieredState, look: MarketLook) -> Decimal:
        if look.book is None:
            return state.bound
        side = self._plan.side
        return price_bound(side, look.book.mid, self._plan.max_slippage.value, state.bound)

    def _piece(self, state: TieredState, look: MarketLook, left: Decimal) -> Decimal:
        piece = portion(left, state.most, look)
        if not state.sliced or look.book is None:
            return piece
        side, high = self._plan.side, self._plan.high_slippage.value
        return min(offered(look.book, side, look.book.mid * (ONE + side.sign * high)), piece)

    # The end.

    def _close(self, state: TieredState, view: PlanView, left: Decimal) -> PlanStep[TieredState]:
        if view.orders:
            return self._wait(state, view, cancels(view.orders, state.end))
        complete = left <= ZERO
        return PlanStep(
            state,
            end="done" if complete else state.end,
            complete=complete,
            notes=state.notes(left),
        )

    def _wait(
        self, state: TieredState, view: PlanView, actions: tuple[Action, ...] = ()
    ) -> PlanStep[TieredState]:
        due = (view.now_ns + view.tick_ns, state.until_ns, state.taken_ns + pace_ns(view))
        return PlanStep(state, actions, wake_ns=min(at for at in due if at > view.now_ns))

    def _refused_just_now(self, state: TieredState, price: Decimal, view: PlanView) -> bool:
        # Another price may go at once; the same one would be refused again.
        young = view.now_ns - state.refused_ns < view.tick_ns
        return state.refused_price == price and young

    def _slot(self, level: int) -> Slot:
        plan, context = self._plan, self._context
        return Slot(context.strategy, plan.market, plan.side, level, context.execution)
