"""Work a `PositionPlan`: enter, guard every fill from the first, leave by the first barrier.

All is decided on what is filled. An exit never asks for more than what is held less what other
exits of the plan may still take, so a resting take profit has to be proven gone before a stop
leaves with its part. What the bound of an exit does not let through is reported, never chased.
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
    PlanEvent,
    PlanStep,
    PlanView,
    Refused,
    Stop,
    Triggered,
    Watch,
)
from fairlead.api.plans import EntryOrder, PositionPlan
from fairlead.execution.admission import affordable, price_bound, refusal_text, smaller
from fairlead.execution.position_barrier import Barrier, judge, watches
from fairlead.execution.position_entry import PositionEntry
from fairlead.execution.position_exit import PositionExit
from fairlead.execution.position_state import (
    ENTRY_LEVEL,
    PROFIT_LEVEL,
    Holding,
    PositionState,
    holding,
)
from fairlead.execution.taker import cancels
from fairlead.model import ZERO, OrderState, trimmed

if TYPE_CHECKING:
    from fairlead.api import ExecutorContext

__all__ = ["PositionExecutor"]


class PositionExecutor:
    """Work one `PositionPlan`; pure, see `fairlead.api.PlanExecutor`."""

    def __init__(self, plan: PositionPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._entry = PositionEntry(plan, context)
        self._exit = PositionExit(plan, context)

    @property
    def state(self) -> type[PositionState]:
        """Give the class of its state."""
        return PositionState

    def admit(self, view: PlanView) -> Admitted[PositionState] | Denied:
        """Ask for the entry's quantity within its bound; exits need no admission."""
        plan, look = self._plan, view.market(self._plan.market)
        if look.book is None:
            return Denied("book", "invalid", "valid", f"{plan.market} has no valid book")
        instrument = look.instrument
        limit = plan.entry_price if plan.entry is EntryOrder.LIMIT else None
        bound = price_bound(plan.side, look.book.mid, plan.entry_slippage.value, limit)
        bound = instrument.round_price(bound, plan.side)
        quantity = instrument.round_quantity(plan.quantity)
        short = instrument.below_minimum(bound, quantity)
        if short is not None:
            return Denied("minimum", trimmed(quantity), trimmed(instrument.min_quantity), short)
        denied = affordable(look, plan.side, quantity, bound)
        if denied is not None:
            return denied
        leg = Leg(plan.market, plan.side, quantity, bound, limit)
        return Admitted(PositionState(quantity, bound), (leg,))

    def step(
        self, state: PositionState, event: PlanEvent, view: PlanView
    ) -> PlanStep[PositionState]:
        """Take one step; what it does follows from what is held, what lives and the mid."""
        look = view.market(self._plan.market)
        has = holding(self._plan, view, look)
        if state.started_ns == 0:
            state = msgspec.structs.replace(state, started_ns=view.now_ns)
        state = self._learn(state, event, view, has)
        if look.book is not None:
            state = self._judge(state, look.book.mid, view, has)
        state = self._time(state, view)
        if state.barrier is not None and state.exit_bound is None and look.book is not None:
            state = self._bounded(state, look.book.mid)
        if state.end:
            return self._ended(state, view, look, has)
        if state.stopped:
            return self._stop(state, view, look, has)
        state, entering = self._entry.work(state, view, look, has)
        state, leaving = self._exit.work(state, view, look, has)
        actions = (*entering, *leaving)
        end = "" if actions or view.orders else self._over(state, view, look, has)
        if end:
            return self._ended(msgspec.structs.replace(state, end=end), view, look, has)
        return self._wait(state, view, has, actions)

    # What it learns.

    def _learn(
        self, state: PositionState, event: PlanEvent, view: PlanView, has: Holding
    ) -> PositionState:
        match event:
            case Stop():
                return msgspec.structs.replace(state, stopped=True)
            case Triggered(mid=mid):
                return self._judge(state, mid, view, has)
            case OrderChanged(order=order) if order.state is OrderState.REJECTED:
                return _refused(state, order.slot.level, view.now_ns)
            case Refused(stage="queue"):
                return state  # it did not leave in time, or was taken back: nobody refused it
            case Refused(place=place):
                state = _refused(state, place.slot.level, view.now_ns)
                entry = place.slot.level == ENTRY_LEVEL
                instrument = view.market(self._plan.market).instrument
                most = smaller(event, instrument, state.entry_most if entry else state.exit_most)
                return msgspec.structs.replace(
                    state,
                    entry_most=most if entry else state.entry_most,
                    exit_most=state.exit_most if entry else most,
                    refusal=refusal_text(event),
                )
            case _:
                return state

    def _judge(
        self, state: PositionState, mid: Decimal, view: PlanView, has: Holding
    ) -> PositionState:
        if state.barrier is not None or has.average is None or has.held <= ZERO:
            return state
        judged = judge(self._plan, state.trail, mid, has.average)
        if judged.trail != state.trail:
            state = msgspec.structs.replace(state, trail=judged.trail)
        if judged.barrier is None:
            return state
        return self._bounded(_leaves_by(state, judged.barrier, view.now_ns), mid)

    def _bounded(self, state: PositionState, mid: Decimal) -> PositionState:
        bound = price_bound(self._plan.side.opposite, mid, self._plan.exit_slippage.value, None)
        return msgspec.structs.replace(state, exit_bound=bound)

    def _time(self, state: PositionState, view: PlanView) -> PositionState:
        plan, age_ns = self._plan, view.now_ns - state.started_ns
        if plan.time_limit is not None and age_ns >= plan.time_limit.ns and state.barrier is None:
            state = _leaves_by(state, Barrier.TIME_LIMIT, view.now_ns)
        if plan.entry_timeout is not None and age_ns >= plan.entry_timeout.ns:
            state = msgspec.structs.replace(state, entry_over=state.entry_over or "entry timeout")
        if not state.entry_over and self._profited(view):
            # The price has been where it wanted to go: nothing more is entered.
            state = msgspec.structs.replace(state, entry_over=Barrier.TAKE_PROFIT.value)
        return state

    def _profited(self, view: PlanView) -> bool:
        return view.done(self._plan.market, level=PROFIT_LEVEL).quantity > ZERO

    # How it ends.

    def _over(self, state: PositionState, view: PlanView, look: MarketLook, has: Holding) -> str:
        if not state.entry_over:
            return ""
        if not self._exit.tradable(state, look, has):
            if has.entered <= ZERO:
                return f"not entered: {state.entry_over}"
            return self._left_by(state, view) or "dust"
        if has.net < ZERO:
            return "a fill too late"
        return "bound" if self._exit.gives_up(state, view) else ""

    def _left_by(self, state: PositionState, view: PlanView) -> str:
        if state.barrier is not None:
            return state.barrier.value
        return Barrier.TAKE_PROFIT.value if self._profited(view) else ""

    def _stop(
        self, state: PositionState, view: PlanView, look: MarketLook, has: Holding
    ) -> PlanStep[PositionState]:
        if view.orders:
            return PlanStep(
                state, cancels(view.orders, "stopped"), wake_ns=view.now_ns + view.tick_ns
            )
        return self._ended(msgspec.structs.replace(state, end="stopped"), view, look, has)

    def _ended(
        self, state: PositionState, view: PlanView, look: MarketLook, has: Holding
    ) -> PlanStep[PositionState]:
        plan = self._plan
        # Less than a lot is nothing: a fee in base leaves that much.
        some = abs(has.net) >= look.instrument.lot
        left = ((plan.market, plan.side.sign * has.net),) if some else ()
        tradable = self._exit.tradable(state, look, has)
        texts = {
            "barrier": self._left_by(state, view),
            "entry": state.entry_over,
            "entered": trimmed(has.entered),
            "trail": "" if state.trail is None else trimmed(state.trail),
            "exit bound": "" if state.exit_bound is None else trimmed(state.exit_bound),
            "refusal": state.refusal,
        }
        return PlanStep(
            state,
            end=state.end,
            complete=has.entered > ZERO and not tradable and state.end not in {"stopped", "dust"},
            residual=left if tradable else (),
            kept=() if tradable else left,
            notes=tuple((name, text) for name, text in texts.items() if text),
        )

    def _wait(
        self, state: PositionState, view: PlanView, has: Holding, actions: tuple[Action, ...]
    ) -> PlanStep[PositionState]:
        plan = self._plan
        due = [view.now_ns + view.tick_ns]
        for limit in (plan.time_limit, plan.entry_timeout):
            if limit is not None:
                due.append(state.started_ns + limit.ns)
        due += [at_ns + view.tick_ns for _, at_ns in state.refused_ns]
        due.append(self._exit.wake_ns(state, view))
        guards: tuple[Watch, ...] = ()
        if state.barrier is None and has.average is not None and has.held > ZERO:
            guards = watches(plan, state.trail, has.average)
        wake_ns = min(at for at in due if at > view.now_ns)
        return PlanStep(state, actions, wake_ns=wake_ns, watches=guards)


def _leaves_by(state: PositionState, barrier: Barrier, now_ns: int) -> PositionState:
    return msgspec.structs.replace(
        state,
        barrier=barrier,
        barrier_ns=now_ns,
        entry_over=state.entry_over or barrier.value,
        empty_ns=None,
    )


def _refused(state: PositionState, level: int, now_ns: int) -> PositionState:
    others = tuple(one for one in state.refused_ns if one[0] != level)
    return msgspec.structs.replace(state, refused_ns=(*others, (level, now_ns)))
