"""Put the plan desk onto the engine's desk: what it sees, what it asks for, what it hears."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from fairlead.api import Action, Gate, OrderView
from fairlead.kernel.plans import PlanDesk, PlanDeskParts
from fairlead.kernel.plans_end import RESIDUALS
from fairlead.kernel.plans_restart import PlanRestart
from fairlead.kernel.plans_run import PlanSurroundings
from fairlead.kernel.plans_start import PlanStarter
from fairlead.kernel.plans_wish import waiting_id
from fairlead.kernel.riskview import as_order
from fairlead.model import MarketId
from fairlead.store import ControlAsked

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk, DeskParts

__all__ = ["build_plans"]


def build_plans(
    desk: Desk,
    parts: DeskParts,
    wake: Callable[[], None],
    rate: Callable[[str], Decimal | None],
) -> tuple[PlanDesk, PlanRestart]:
    """Build what works the plans of a desk, and what takes up those of an earlier run."""

    def waiting(execution: str) -> tuple[OrderView, ...]:
        return tuple(
            as_order(intent, waiting_id(intent.slot)) for intent in desk.pipeline.waiting(execution)
        )

    def submit(actions: tuple[Action, ...]) -> None:
        desk.pipeline.submit(actions, desk.view)

    def enforce(market: MarketId) -> None:
        if market in desk.markets:  # of an earlier run, it may be traded no more
            desk.guard.enforce(market)

    def held(strategy: str) -> Gate | None:
        runner = desk.runners.get(strategy)
        return None if runner is None else runner.held

    around = PlanSurroundings(
        now_ns=parts.clock.now_ns,
        tick_ns=parts.tick_ns,
        markets=desk.markets,
        balance=desk.balance,
        position=desk.position,
        rate=rate,
        waiting=waiting,
    )
    starter = PlanStarter(
        executors=parts.executors,
        around=around,
        gate=desk.gate,
        risk=lambda: desk.view,
        new_id=parts.new_id,
    )
    plans = PlanDesk(
        PlanDeskParts(
            clock=parts.clock,
            journal=parts.journal,
            orders=desk.orders,
            gate=desk.gate,
            starter=starter,
            around=around,
            waiting=desk.pipeline.waiting,
            waiting_of=desk.pipeline.waiting,
            submit=submit,
            withdraw=lambda slot: desk.pipeline.drop_creates(slot=slot),
            wake=wake,
            is_open=lambda: desk.pipeline.open_for_creates,
            keep_books=desk.cast.keep_books,
            held=held,
            enforce=enforce,
        )
    )
    left = parts.memory.states.get(RESIDUALS)
    if left is not None:
        plans.ends.recall(left)
        if parts.memory.lift_residuals:
            plans.ends.lift()
            asked = ControlAsked("a command before the start", "reduce", {"on": "False"})
            parts.journal.append(asked)
    return plans, PlanRestart(plans, starter, parts.journal)
