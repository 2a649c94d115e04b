"""Work a `TwapPlan`: one slice after the other, each as maker or taker, none larger than its turn.

Whose turn it is follows from the clock alone, so a pause, a lost answer or a restart never ends in
a burst: what was missed is spread over the slices that are left, or left out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from fairlead.api import (
    Action,
    Admitted,
    Denied,
    Leg,
    MarketLook,
    OrderChanged,
    Place,
    PlanEvent,
    PlanStep,
    PlanView,
    Refused,
    Stop,
)
from fairlead.api.plans import TwapMode, TwapPlan
from fairlead.execution.admission import affordable, portion, price_bound, refusal_text, smaller
from fairlead.execution.liquidity import CUSHION
from fairlead.execution.maker import at_distance, has_drifted
from fairlead.execution.taker import Nothing, cancels, take
from fairlead.execution.twap_slices import Slices, cut, smallest_order
from fairlead.model import ZERO, OrderState, Purpose, Reason, Slot, trimmed

if TYPE_CHECKING:
    from fairlead.api import ExecutorContext

__all__ = ["TwapExecutor", "TwapState"]

#: Slot levels by role.
_MAKER, _TAKER = 0, 1


class TwapState(msgspec.Struct, frozen=True):
    """What it remembers between steps; what was filled is not here."""

    slices: Slices
    bound: Decimal
    #: When the first slice began; 0 = not yet.
    started_ns: int = 0
    #: The slice that is worked; -1 = none yet.
    index: int = -1
    #: What was filled when it began, and what it may fill.
    done_before: Decimal = ZERO
    quota: Decimal = ZERO
    #: When it was tried last to take, and when an order was refused last; 0 = never.
    taken_ns: int = 0
    refused_ns: int = 0
    #: No order is larger, since a limit of size was in the way; None = any size.
    most: Decimal | None = None
    #: Slices whose turn passed without their quota being filled.
    missed: int = 0
    end: str = ""
    refusal: str = ""


class TwapExecutor:
    """Work one `TwapPlan`; pure, see `fairlead.api.PlanExecutor`."""

    def __init__(self, plan: TwapPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._context = context

    @property
    def state(self) -> type[TwapState]:
        """Give the class of its state."""
        return TwapState

    def admit(self, view: PlanView) -> Admitted[TwapState] | Denied:
        """Ask for the whole quantity within the bound."""
        plan, look = self._plan, view.market(self._plan.market)
        if look.book is None:
            return Denied("book", "invalid", "valid", f"{plan.market} has no valid book")
        instrument, mid = look.instrument, look.book.mid
        bound = plan.bound or price_bound(plan.side, mid, 2 * plan.max_slippage.value, None)
        bound = instrument.round_price(bound, plan.side)
        slices = cut(plan, instrument, mid)
        if slices is None:
            short = f"below {trimmed(smallest_order(instrument, mid))}, the venue's minimum now"
            return Denied(
                "minimum", trimmed(plan.quantity), trimmed(instrument.min_quantity), short
            )
        denied = affordable(look, plan.side, slices.quantity, bound)
        if denied is not None:
            return denied
        leg = Leg(plan.market, plan.side, slices.quantity, bound)
        return Admitted(TwapState(slices, bound), (leg,))

    def step(self, state: TwapState, event: PlanEvent, view: PlanView) -> PlanStep[TwapState]:
        """Take one step; what it does follows from the time, the fills and what lives."""
        state = self._learn(state, event, view)
        if state.started_ns == 0:
            state = msgspec.structs.replace(state, started_ns=view.now_ns)
        done = view.done(self._plan.market, self._plan.side).quantity
        turn = state.slices.index(view.now_ns - state.started_ns)
        if not state.end and done >= state.slices.quantity:
            state = _ending(state, "done")
        elif turn >= state.slices.count:
            state = _ending(state, "time")
        if state.end:
            return self._close(state, view, done)
        if turn > state.index:
            if view.orders:
                return self._wait(state, view, cancels(view.orders, "the next slice"))
            state = self._next(state, turn, done, view)
        left = state.quota - (done - state.done_before)
        look = view.market(self._plan.market)
        piece = portion(left, state.most, look)
        if self._plan.mode is TwapMode.TAKER:
            return self._take(state, view, look, piece)
        return self._rest(state, view, look, piece)

    def _learn(self, state: TwapState, event: PlanEvent, view: PlanView) -> TwapState:
        match event:
            case Stop():
                return _ending(state, "stopped")
            case OrderChanged(order=order) if order.state is OrderState.REJECTED:
                return msgspec.structs.replace(state, refused_ns=view.now_ns)
            case Refused(stage="queue"):
                return state  # it did not leave in time, or was taken back: nobody refused it
            case Refused():
                instrument = view.market(self._plan.market).instrument
                return msgspec.structs.replace(
                    state,
                    refused_ns=view.now_ns,
                    most=smaller(event, instrument, state.most),
                    refusal=refusal_text(event),
                )
            case _:
                return state

    def _next(self, state: TwapState, turn: int, done: Decimal, view: PlanView) -> TwapState:
        look = view.market(self._plan.market)
        price = state.bound if look.book is None else look.book.mid
        smallest = smallest_order(look.instrument, price)
        short = state.index >= 0 and done < state.done_before + state.quota
        passed = turn - state.index - 1
        return msgspec.structs.replace(
            state,
            index=turn,
            done_before=done,
            quota=state.slices.quota(turn, done, smallest, self._plan),
            taken_ns=0,
            refused_ns=0,
            missed=state.missed + passed + int(short),
        )

    def _take(
        self, state: TwapState, view: PlanView, look: MarketLook, piece: Decimal
    ) -> PlanStep[TwapState]:
        again_ns = state.taken_ns + self._plan.order_resubmission_time.ns if state.taken_ns else 0
        if view.orders or view.now_ns < again_ns:
            return self._wait(state, view)
        wanted = take(
            look,
            self._slot(_TAKER),
            piece,
            self._bound_now(state, look),
            now_ns=view.now_ns,
            purpose=Purpose.ENTRY,
            # What was refused once goes no further than it needs.
            cushion=ZERO if state.refusal else CUSHION,
        )
        if isinstance(wanted, Nothing):
            return self._wait(state, view)
        return self._wait(msgspec.structs.replace(state, taken_ns=view.now_ns), view, (wanted,))

    def _rest(
        self, state: TwapState, view: PlanView, look: MarketLook, piece: Decimal
    ) -> PlanStep[TwapState]:
        plan, price = self._plan, None
        if look.book is not None:
            buffer = plan.limit_order_buffer.value
            bound = self._bound_now(state, look)
            price = at_distance(buffer, plan.side, look.book, look.instrument, bound)
        if view.orders:
            return self._renew(state, view, price)
        quantity = look.instrument.round_quantity(piece)
        if (
            price is None
            or look.instrument.below_minimum(price, quantity) is not None
            or view.now_ns < (state.refused_ns + view.tick_ns if state.refused_ns else 0)
        ):
            return self._wait(state, view)
        mid = None if look.book is None else look.book.mid
        place = Place(
            slot=self._slot(_MAKER),
            side=plan.side,
            price=price,
            quantity=quantity,
            decided_ns=view.now_ns,
            purpose=Purpose.ENTRY,
            reference=mid,
            reasons=(
                Reason("buffer", "price", mid, price, str(plan.limit_order_buffer)),
                Reason(f"slice {state.index + 1}", "quantity", None, quantity),
            ),
        )
        return self._wait(state, view, (place,))

    def _renew(
        self, state: TwapState, view: PlanView, price: Decimal | None
    ) -> PlanStep[TwapState]:
        order = view.orders[0]
        if order.state not in (OrderState.OPEN, OrderState.PARTIALLY_FILLED):
            return self._wait(state, view)
        if price is None:
            return self._wait(state, view, cancels(view.orders, "no valid book"))
        young = view.now_ns - order.decided_ns < self._plan.order_resubmission_time.ns
        if young or not has_drifted(order, price, ZERO):
            return self._wait(state, view)
        return self._wait(state, view, cancels(view.orders, f"renewed at {trimmed(price)}"))

    def _bound_now(self, state: TwapState, look: MarketLook) -> Decimal:
        if look.book is None:
            return state.bound
        slippage = self._plan.max_slippage.value
        return price_bound(self._plan.side, look.book.mid, slippage, state.bound)

    def _close(self, state: TwapState, view: PlanView, done: Decimal) -> PlanStep[TwapState]:
        if view.orders:
            return self._wait(state, view, cancels(view.orders, state.end))
        left = state.slices.quantity - done
        texts = {
            "mode": self._plan.mode.value,
            "slices": str(state.slices.count),
            "missed": str(state.missed) if state.missed else "",
            "unfilled": trimmed(left) if left > ZERO else "",
            "refusal": state.refusal,
        }
        return PlanStep(
            state,
            end="done" if left <= ZERO else state.end,
            complete=left <= ZERO,
            notes=tuple((name, text) for name, text in texts.items() if text),
        )

    def _wait(
        self, state: TwapState, view: PlanView, actions: tuple[Action, ...] = ()
    ) -> PlanStep[TwapState]:
        next_ns = state.started_ns + (state.index + 1) * state.slices.interval_ns
        soon_ns = view.now_ns + view.tick_ns
        wake_ns = min(next_ns, soon_ns) if next_ns > view.now_ns else soon_ns
        return PlanStep(state, actions, wake_ns=wake_ns)

    def _slot(self, level: int) -> Slot:
        plan, context = self._plan, self._context
        return Slot(context.strategy, plan.market, plan.side, level, context.execution)


def _ending(state: TwapState, end: str) -> TwapState:
    return state if state.end else msgspec.structs.replace(state, end=end)
