"""Misread what answers prove: what is unknown is called done, and what is done is done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fairlead.api import ExecutorView
from fairlead.execution import QuotesExecutor
from fairlead.kernel.reconcile import Reconciler
from fairlead.model import (
    NotSent,
    OrderIntent,
    OrderState,
    OrderTrigger,
    Outcome,
    Quote,
    RejectClass,
    Rejected,
    Unknown,
)
from fairlead.pipeline import Gateway, Pipeline
from fairlead.testing.neutral import NeutralConnector
from fairlead.testing.simulation.plants.plant import Mutation, Plant
from fairlead.trackers import Order, OrderTracker

__all__ = ["OUTCOME_PLANTS"]


def _exception_is_failed(right: Callable[..., None]) -> Callable[..., None]:
    def apply_outcome(self: OrderTracker, client_id: str, outcome: Outcome, now_ns: int) -> None:
        if isinstance(outcome, Unknown):
            outcome = NotSent(0, outcome.cause)
        right(self, client_id, outcome, now_ns)

    return apply_outcome


def _cancel_is_done(lost: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def make(right: Callable[..., None]) -> Callable[..., None]:
        def apply_cancel_outcome(self: OrderTracker, client_id: str, outcome: Outcome) -> None:
            order = self.get(client_id)
            if order is not None and not order.state.is_closed and _is_it(outcome, lost=lost):
                self._move(order, OrderTrigger.CANCELLED)
                return
            right(self, client_id, outcome)

        return apply_cancel_outcome

    return make


def _is_it(outcome: Outcome, *, lost: bool) -> bool:
    if lost:
        return isinstance(outcome, Unknown)
    return isinstance(outcome, Rejected) and outcome.reason is RejectClass.NOT_FOUND


def _always_proof(right: Callable[..., bool]) -> Callable[..., bool]:
    del right
    return lambda self, order, reading: True


def _impatient_proof(right: Callable[..., bool]) -> Callable[..., bool]:
    del right

    def is_proof(self: Reconciler, order: Order, reading: Any) -> bool:  # noqa: ANN401 - not looked at
        del reading
        sent_ns = order.sent_ns or order.recorded_ns
        return self._parts.clock.now_ns() > sent_ns + 1_000_000_000

    return is_proof


def _wall_proves(right: Callable[..., bool]) -> Callable[..., bool]:
    del right

    def is_proof(self: Reconciler, order: Order, reading: Any) -> bool:  # noqa: ANN401 - not looked at
        del reading
        limits = self._parts.connectors[order.intent.slot.market.venue].capabilities
        wait_ns = limits.deadline_ns + limits.visibility_ns + 2_000_000_000
        return self._parts.clock.now_ns() > (order.sent_ns or order.recorded_ns) + wait_ns

    return is_proof


def _sends_again(right: Callable[..., Any]) -> Callable[..., Any]:
    async def submit(self: NeutralConnector, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        outcomes: tuple[Outcome, ...] = await right(self, intents)
        lost = [
            intent
            for intent, outcome in zip(intents, outcomes, strict=True)
            if isinstance(outcome, Unknown)
        ]
        return await right(self, intents) if lost else outcomes

    return submit


def _free_slot(right: Callable[..., Any]) -> Callable[..., Any]:
    def live(self: OrderTracker, **chosen: Any) -> tuple[Order, ...]:  # noqa: ANN401 - as it is called
        found: tuple[Order, ...] = right(self, **chosen)
        if chosen.get("strategy") is None:
            return found
        return tuple(order for order in found if order.state is not OrderState.UNKNOWN)

    return live


def _one_by_one(right: Callable[..., Any]) -> Callable[..., Any]:
    async def submit(self: NeutralConnector, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        outcomes: tuple[Outcome, ...] = await right(self, intents)
        if len(intents) == 1 or not all(isinstance(one, Unknown) for one in outcomes):
            return outcomes
        return tuple([(await right(self, (intent,)))[0] for intent in intents])

    return submit


def _slot_is_free(right: Callable[..., bool]) -> Callable[..., bool]:
    def may_place(
        self: QuotesExecutor, quote: Quote, leaving: set[str], view: ExecutorView
    ) -> bool:
        others = tuple(
            order
            for order in view.orders
            if (order.slot.level, order.side) != (quote.level, quote.side)
        )
        return right(self, quote, leaving, replace(view, orders=others))

    return may_place


def _old_wishes(right: Callable[..., Any]) -> Callable[..., Any]:
    def act(self: QuotesExecutor, *what: Any) -> Any:  # noqa: ANN401 - as the right one
        *others, view = what
        return right(self, *others, replace(view, tick_ns=1 << 62))

    return act


def _keeps_old(right: Callable[..., Any]) -> Callable[..., Any]:
    def dispatch(self: Pipeline, **more: Any) -> Any:  # noqa: ANN401 - as the right one
        kept, self._parts = self._parts, replace(self._parts, tick_ns=1 << 62)
        try:
            return right(self, **more)
        finally:
            self._parts = kept

    return dispatch


def _unpaid(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda self, intent: None


def _breaker(right: Callable[..., Any]) -> Callable[..., Any]:
    # Three lost answers in a row, and for half a minute nothing leaves: cancels are not spared.
    lost: dict[int, int] = {}
    open_until_s: dict[int, float] = {}

    async def ask(self: Gateway, question: Callable[..., Any], count: int) -> tuple[Outcome, ...]:
        now_s, key = asyncio.get_running_loop().time(), id(self)
        if now_s < open_until_s.get(key, 0.0):
            return (NotSent(0, "the breaker is open"),) * count
        outcomes: tuple[Outcome, ...] = await right(self, question, count)
        lost[key] = lost.get(key, 0) + 1 if isinstance(outcomes[0], Unknown) else 0
        if lost[key] >= 3:
            open_until_s[key] = now_s + 30
        return outcomes

    return ask


OUTCOME_PLANTS = (
    Plant(
        "exception_is_failed",
        "a create whose answer is lost counts as failed",
        (Mutation(OrderTracker, "apply_outcome", _exception_is_failed),),
    ),
    Plant(
        "absent_is_gone",
        "an order that is not found counts as gone at once",
        (Mutation(Reconciler, "_is_proof", _always_proof),),
    ),
    Plant(
        "deadline_ignored",
        "an order that is not found after 1 s counts as gone, whatever its deadline",
        (Mutation(Reconciler, "_is_proof", _impatient_proof),),
    ),
    Plant(
        "wall_clock_proves",
        "a deadline has passed when the wall clock says so, although somebody may have set it",
        (Mutation(Reconciler, "_is_proof", _wall_proves),),
    ),
    Plant(
        "lost_cancel_is_done",
        "a cancel whose answer is lost counts as done",
        (Mutation(OrderTracker, "apply_cancel_outcome", _cancel_is_done(lost=True)),),
    ),
    Plant(
        "not_found_is_cancelled",
        'a cancel that is answered with "not found" counts as done, without a look at the fills',
        (Mutation(OrderTracker, "apply_cancel_outcome", _cancel_is_done(lost=False)),),
    ),
    Plant(
        "sends_again",
        "a create whose answer is lost is sent once more",
        (Mutation(NeutralConnector, "submit", _sends_again),),
    ),
    Plant(
        "batch_sent_one_by_one",
        "a batch whose answer is lost is sent again, order by order",
        (Mutation(NeutralConnector, "submit", _one_by_one),),
    ),
    Plant(
        "slot_not_waited_for",
        "a new order leaves before the cancel of the one in its slot is proven",
        (Mutation(QuotesExecutor, "_may_place", _slot_is_free),),
    ),
    Plant(
        "old_wishes_placed",
        "a wish whose slot becomes free late is placed however old it is",
        (
            Mutation(QuotesExecutor, "_act", _old_wishes),
            Mutation(Pipeline, "dispatch", _keeps_old),
        ),
    ),
    Plant(
        "reserves_nothing",
        "an order is placed without a look at what is free",
        (Mutation(Pipeline, "_reserve", _unpaid),),
    ),
    Plant(
        "unknown_frees_its_slot",
        "an unproven order does not block its slot",
        (Mutation(OrderTracker, "live", _free_slot),),
    ),
    Plant(
        "breaker_blocks_cancels",
        "a circuit breaker that is open for creates stops cancels too",
        (Mutation(Gateway, "_ask", _breaker),),
    ),
)
