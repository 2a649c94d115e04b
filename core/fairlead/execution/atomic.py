"""Trade several legs together, and never leave one of them open by hope.

All legs are checked before any is sent. What they did is known only once none of their orders can
fill any more; until then nothing is decided. If they did not fill alike, the plan's policy closes
the open side at a bounded price and within the loss cap. What it does not reach is reported, never
assumed. Everything is computed from the plan's fills, so a restart goes on from what is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from fairlead.api import (
    Action,
    Admitted,
    Denied,
    ExecutorContext,
    Leg,
    PlanEvent,
    PlanStep,
    PlanView,
)
from fairlead.api.plans.atomic import AtomicPlan, AtomicPolicy
from fairlead.execution.atomic_check import check_legs, coarsest_lot
from fairlead.execution.atomic_mend import following, repair_costs, repair_ways
from fairlead.execution.atomic_order import entry_order, entry_price, lead_order
from fairlead.execution.atomic_state import AtomicPhase, AtomicState, hear_event, remember_sent
from fairlead.execution.flight import unresolved
from fairlead.execution.partial import (
    cancel_rest,
    matched_share,
    missing_quantity,
    partial_fill_report,
)
from fairlead.execution.unwind import Closing, Way, closing_orders, excess_by_market, net_base
from fairlead.model import MarketId, trimmed

__all__ = ["AtomicExecutor"]

_UNLIKE = "the legs did not fill alike"
_MENDED = {
    AtomicPolicy.COMPLETE: "matched in part",
    AtomicPolicy.UNWIND: "unwound",
    AtomicPolicy.HEDGE: "hedged",
    AtomicPolicy.ACCEPT: "accepted",
}


class AtomicExecutor:
    """Work one `AtomicPlan`; pure, see `fairlead.api.PlanExecutor`."""

    def __init__(self, plan: AtomicPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._context = context
        self._owner = (context.strategy, context.execution)
        self._markets = [leg.market for leg in plan.legs]
        if plan.hedge_market is not None:
            self._markets.append(plan.hedge_market)

    @property
    def state(self) -> type[AtomicState]:
        """Give the class of its state."""
        return AtomicState

    def admit(self, view: PlanView) -> Admitted[AtomicState] | Denied:
        """Check every leg: liquidity, bound, minimums and balance; one that fails denies all."""
        legs = check_legs(self._plan, self._context, view)
        if isinstance(legs, Denied):
            return legs
        first = legs[0]
        value = self._context.instruments[first.market].notional(first.expected, first.quantity)
        return Admitted(
            state=AtomicState(legs),
            # What follows a leading leg shrinks what that has opened: it is no new risk.
            legs=tuple(
                Leg(
                    market=leg.market,
                    side=leg.side,
                    quantity=leg.quantity,
                    bound=leg.bound,
                    expected=leg.expected,
                    priced=None if self._plan.lead else entry_price(leg, self._plan, view),
                )
                for leg in legs
                if self._plan.lead in {None, leg.market}
            ),
            loss_cap=value * self._plan.loss_cap.value,
        )

    def step(self, state: AtomicState, event: PlanEvent, view: PlanView) -> PlanStep[AtomicState]:
        """Take one step; nothing is decided on a leg whose order may still fill."""
        lead = self._plan.lead
        state = hear_event(state, event, view)
        match state.phase:
            case AtomicPhase.READY if state.cause:
                return self._finish(state, view, state.cause)
            case AtomicPhase.READY:
                return self._begin(state, view)
            case AtomicPhase.OPEN if lead is not None:
                return self._leading(state, lead, view)
            case AtomicPhase.OPEN:
                return self._open(state, view)
            case AtomicPhase.MENDING:
                return self._mend(state, view)
            case AtomicPhase.ENDED:
                return self._finish(state, view, state.end, alarm=state.alarm)

    # The plan's own orders.

    def _begin(self, state: AtomicState, view: PlanView) -> PlanStep[AtomicState]:
        plan = self._plan
        span = plan.timeout if plan.lead is None else plan.lead_time
        state = msgspec.structs.replace(
            state, phase=AtomicPhase.OPEN, deadline_ns=view.now_ns + span.ns
        )
        if plan.lead is not None:
            return self._leading(state, plan.lead, view)
        places = tuple(entry_order(leg, plan, view, self._context) for leg in state.legs)
        return remember_sent(state, places, state.deadline_ns, view)

    def _open(self, state: AtomicState, view: PlanView) -> PlanStep[AtomicState]:
        busy = unresolved(state.asked, view)
        if not busy:
            return self._settle(state, view)
        short = [
            leg for leg in state.legs if leg.market not in busy and missing_quantity(leg, view)
        ]
        if not state.cause and view.now_ns >= state.deadline_ns:
            state = msgspec.structs.replace(state, cause="timeout")
        elif not state.cause and short:
            # It cannot be matched any more, so the others need not wait for their time.
            state = msgspec.structs.replace(state, cause=f"{short[0].market} was not filled")
        if not state.cause:
            return PlanStep(state, wake_ns=state.deadline_ns)
        return PlanStep(state, cancel_rest(view.orders, state.cause), view.now_ns + view.tick_ns)

    def _leading(self, state: AtomicState, lead: MarketId, view: PlanView) -> PlanStep[AtomicState]:
        busy = unresolved(state.asked, view)
        following_now = [market for market in self._markets if market != lead and market in busy]
        net = net_base(view, self._markets)
        closing = Closing((), possible=bool(following_now))
        if net and not following_now:
            closing = self._closing(state, net, following(state.legs, lead, view), view)
        state = self._clocked(state, view, open_side=closing.possible)
        leg = next(leg for leg in state.legs if leg.market == lead)
        late = self._late(state, view)
        # While the others may still follow within their bounds they get their time for it.
        followed = not state.open_ns or late
        if not busy and followed and (state.cause or not missing_quantity(leg, view)):
            return self._settle(state, view)
        actions: tuple[Action, ...] = ()
        if state.cause:
            leaving = [order for order in view.orders if late or order.slot.market == lead]
            actions = cancel_rest(leaving, state.cause)
        filled = view.done(lead, leg.side).quantity
        due = view.now_ns >= state.next_ns
        if (due or filled > state.followed) and not late and closing.places:
            actions = (*actions, *closing.places)
            state = msgspec.structs.replace(state, followed=filled)
        if due and lead not in busy and not state.cause:
            actions = (*actions, *lead_order(leg, view, self._context))
        quiet = lead in busy and not state.open_ns and not state.cause
        wake_ns = state.deadline_ns if quiet else view.now_ns + view.tick_ns
        return remember_sent(state, actions, wake_ns, view)

    def _clocked(self, state: AtomicState, view: PlanView, *, open_side: bool) -> AtomicState:
        open_ns = (state.open_ns or view.now_ns) if open_side else 0
        state = msgspec.structs.replace(state, open_ns=open_ns)
        cause = ""
        if self._late(state, view):
            cause = "timeout"
        elif view.now_ns >= state.deadline_ns:
            cause = "lead time"
        return msgspec.structs.replace(state, cause=state.cause or cause)

    def _late(self, state: AtomicState, view: PlanView) -> bool:
        return bool(state.open_ns) and view.now_ns >= state.open_ns + self._plan.timeout.ns

    # What happens when they are done.

    def _settle(self, state: AtomicState, view: PlanView) -> PlanStep[AtomicState]:
        net = net_base(view, self._markets)
        if abs(net) <= self._lot:
            return self._finish(state, view, self._outcome(state, view))
        if self._plan.policy is AtomicPolicy.ACCEPT:
            return self._finish(state, view, _MENDED[AtomicPolicy.ACCEPT])
        state = msgspec.structs.replace(
            state,
            phase=AtomicPhase.MENDING,
            policy=self._plan.policy,
            cause=state.cause or _UNLIKE,
            since_ns=view.now_ns,
            next_ns=0,
        )
        return self._mend(state, view)

    def _mend(self, state: AtomicState, view: PlanView) -> PlanStep[AtomicState]:
        soon_ns = view.now_ns + view.tick_ns
        if unresolved(state.asked, view):
            oldest_ns = view.now_ns - self._plan.timeout.ns
            stuck = [order for order in view.orders if order.decided_ns <= oldest_ns]
            return PlanStep(state, cancel_rest(stuck, "timeout"), soon_ns)
        net = net_base(view, self._markets)
        if abs(net) <= self._lot:
            return self._finish(state, view, self._outcome(state, view))
        state = self._anchored(state, view)
        routes = repair_ways(state.policy, net, view, self._plan, state.legs, self._hedge(state))
        closing = self._closing(state, net, routes, view)
        # Until the hedge market shows a price nothing can be said about it.
        possible = closing.possible or (state.policy is AtomicPolicy.HEDGE and not routes)
        until_ns = state.since_ns + self._plan.repair_time.ns
        if possible and view.now_ns < until_ns:
            actions = closing.places if view.now_ns >= state.next_ns else ()
            next_ns = state.next_ns if state.next_ns > view.now_ns else soon_ns
            return remember_sent(state, actions, min(next_ns, until_ns), view)
        if state.policy is AtomicPolicy.UNWIND:
            end = "not closed" if possible else "the rest is too small for an order"
            return self._finish(state, view, end, alarm=possible)
        state = msgspec.structs.replace(
            state, policy=AtomicPolicy.UNWIND, since_ns=view.now_ns, next_ns=0
        )
        return self._mend(state, view)

    def _closing(
        self, state: AtomicState, net: Decimal, ways: Iterable[Way], view: PlanView
    ) -> Closing:
        cushion = self._plan.cushion.value
        return closing_orders(net, ways, view, self._owner, cushion=cushion, easings=state.easings)

    def _anchored(self, state: AtomicState, view: PlanView) -> AtomicState:
        market = self._plan.hedge_market
        if market is None or state.hedge_mid is not None:
            return state
        book = view.market(market).book
        return state if book is None else msgspec.structs.replace(state, hedge_mid=book.mid)

    def _hedge(self, state: AtomicState) -> tuple[MarketId, Decimal] | None:
        if self._plan.hedge_market is None or state.hedge_mid is None:
            return None
        return self._plan.hedge_market, state.hedge_mid

    def _outcome(self, state: AtomicState, view: PlanView) -> str:
        if self._whole(state, view):
            return "done"
        if not view.done().quantity:
            return state.cause or "nothing filled"
        return _MENDED[state.policy] if state.since_ns else "matched in part"

    def _finish(
        self, state: AtomicState, view: PlanView, end: str, *, alarm: bool = False
    ) -> PlanStep[AtomicState]:
        state = msgspec.structs.replace(state, phase=AtomicPhase.ENDED, end=end, alarm=alarm)
        net = net_base(view, self._markets)
        rest = excess_by_market(view, self._markets, net)
        left = rest if abs(net) > self._lot else ()
        share = matched_share(state.legs, view).scaleb(2)
        notes = [("matched", f"{trimmed(round(share, 4))}%"), ("cause", state.cause)]
        if rest and not left:
            notes.append(("dust", ", ".join(f"{m} {trimmed(value)}" for m, value in rest)))
        if state.since_ns or left:
            policy = state.policy if state.since_ns else self._plan.policy
            losses = repair_costs(state.legs, self._hedge(state), view)
            cause = state.cause or _UNLIKE
            told = partial_fill_report(state.legs, losses, left, view, cause=cause, policy=policy)
            notes += [("policy", policy.value), ("incident", told.text), told.note()]
        return PlanStep(
            state,
            end=end,
            complete=self._whole(state, view),
            residual=left if alarm else (),
            kept=() if alarm else left,
            notes=tuple((name, text) for name, text in notes if text),
        )

    def _whole(self, state: AtomicState, view: PlanView) -> bool:
        return all(
            missing_quantity(leg, view) * view.market(leg.market).instrument.multiplier <= self._lot
            for leg in state.legs
        )

    @property
    def _lot(self) -> Decimal:
        return coarsest_lot(self._plan, self._context)
