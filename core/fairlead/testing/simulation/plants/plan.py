"""Work plans carelessly: decide while orders may fill, count no fills, and forget what is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from fairlead.api import ExecutionResult, PlanView, Progress
from fairlead.execution import AtomicExecutor, TieredExecutor, TwapExecutor, atomic, xemm
from fairlead.kernel import Admissions, PlanDesk, PlanEnds, PlanRestart, plans_end
from fairlead.model import ONE, ZERO, Fill, MarketId, OrderState, Side, Slot
from fairlead.testing.simulation.plants.plant import Mutation, Plant

__all__ = ["PLAN_PLANTS"]


class _Altered:
    """A plan's view, of which something is not shown."""

    def __init__(self, view: PlanView, **altered: Any) -> None:  # noqa: ANN401 - whatever it shows
        self._view = view
        self._altered = altered

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it shows
        return self._altered[name] if name in self._altered else getattr(self._view, name)


def _unjudged(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda self, intent: None


#: Nobody else keeps a plan within its admission.
_UNJUDGED = Mutation(Admissions, "check", _unjudged)


def _unproven(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, state, view, left: right(self, state, _Altered(view, orders=()), left)


def _whole(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, state, view, left: right(self, state, view, state.quantity)


def _any_price(right: Callable[..., Decimal]) -> Callable[..., Decimal]:
    def bound_now(self: TieredExecutor, *what: Any) -> Decimal:  # noqa: ANN401 - as the right one
        side: Side = self._plan.side
        return right(self, *what) * (ONE + side.sign * Decimal("0.01"))

    return bound_now


def _counts_nothing(right: Callable[..., Any]) -> Callable[..., Any]:
    def step(self: TwapExecutor, state: Any, event: Any, view: PlanView) -> Any:  # noqa: ANN401 - as the right one
        return right(self, state, event, _Altered(view, done=lambda *which: Progress()))

    return step


def _nothing_in_flight(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda waiting, view: {}


def _legs_only(right: Callable[..., Decimal]) -> Callable[..., Decimal]:
    del right

    def net_base(view: PlanView, markets: Iterable[MarketId]) -> Decimal:
        return sum(
            (
                side.sign * view.done(market, side, 0).quantity
                for market in markets
                for side in Side
            ),
            start=ZERO,
        )

    return net_base


def _believed(right: Callable[..., Any]) -> Callable[..., Any]:
    # Where one leg is filled the others must be.
    def settle(self: AtomicExecutor, state: Any, view: PlanView) -> Any:  # noqa: ANN401 - as the right one
        if any(view.done(leg.market, leg.side).quantity >= leg.quantity for leg in state.legs):
            step = self._finish(state, view, "done")
            return msgspec.structs.replace(step, kept=(), residual=())
        return right(self, state, view)

    return settle


def _leaving_forgotten(right: Callable[..., None]) -> Callable[..., None]:
    def filled(self: PlanDesk, fill: Fill, slot: Slot) -> None:
        order = self._parts.orders.get(fill.client_id)
        if order is None or order.state is OrderState.PENDING_CANCEL or order.cancel_sent_ns:
            return
        right(self, fill, slot)

    return filled


def _nothing_left(right: Callable[..., ExecutionResult]) -> Callable[..., ExecutionResult]:
    def execution_result(*what: Any, **more: Any) -> ExecutionResult:  # noqa: ANN401 - as the right one
        return msgspec.structs.replace(right(*what, **more), residual={})

    return execution_result


def _nothing(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda *what, **more: None


PLAN_PLANTS = (
    Plant(
        "fallback_unproven",
        "a plan takes the rest before its resting order is proven gone",
        (Mutation(TieredExecutor, "_take", _unproven), _UNJUDGED),
    ),
    Plant(
        "fallback_for_the_whole",
        "a plan takes the whole quantity when its time to rest is over, not what is left of it",
        (Mutation(TieredExecutor, "_take", _whole), _UNJUDGED),
    ),
    Plant(
        "plan_bound_ignored",
        "a plan takes beyond the price that it was admitted for",
        (Mutation(TieredExecutor, "_bound_now", _any_price), _UNJUDGED),
    ),
    Plant(
        "slices_count_no_fills",
        "a plan that goes in slices does not count what was filled",
        (Mutation(TwapExecutor, "step", _counts_nothing), _UNJUDGED),
    ),
    Plant(
        "hedged_in_flight",
        "what is open is hedged again while its hedge may still fill",
        (
            Mutation(xemm, "unresolved", _nothing_in_flight),
            Mutation(atomic, "unresolved", _nothing_in_flight),
            _UNJUDGED,
        ),
    ),
    Plant(
        "leaving_quote_forgotten",
        "a fill of an order that is being cancelled is not counted for its plan",
        (Mutation(PlanDesk, "filled", _leaving_forgotten),),
    ),
    Plant(
        "unwind_counts_no_fills",
        "what was traded to close an open side is not counted",
        (Mutation(atomic, "net_base", _legs_only),),
    ),
    Plant(
        "other_leg_believed",
        "a leg counts as filled because another one is",
        (Mutation(AtomicExecutor, "_settle", _believed),),
    ),
    Plant(
        "residual_untold",
        "the result of a plan does not tell what it left open",
        (Mutation(plans_end, "execution_result", _nothing_left),),
    ),
    Plant(
        "residual_unheard",
        "what a plan leaves open restrains no market, and nobody hears of it",
        (Mutation(PlanEnds, "leave_open", _nothing),),
    ),
    Plant(
        "plans_forgotten",
        "a start does not take up the plans of an earlier run",
        (Mutation(PlanRestart, "take_up", _nothing),),
    ),
)
