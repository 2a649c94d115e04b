"""Misread what answers prove: what is unknown is called done, and what is done is done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from fairlead.kernel.reconcile import Reconciler
from fairlead.model import (
    NotSent,
    OrderIntent,
    OrderState,
    OrderTrigger,
    Outcome,
    RejectClass,
    Rejected,
    Unknown,
)
from fairlead.pipeline import Gateway
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
