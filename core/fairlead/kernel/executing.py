"""Work one plan and nothing else: a strategy that only starts it, and who waits for its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict

from fairlead.api import (
    Controller,
    ControllerContext,
    Decision,
    ExecutionResult,
    ExecutionView,
    Gate,
    Market,
    NoMemory,
    Offer,
    Offers,
    QuotesConfig,
    Record,
    Start,
    View,
)
from fairlead.config import Settings, StrategySettings
from fairlead.kernel.plans_run import PlanRun, markets_in
from fairlead.kernel.session import Session
from fairlead.model import MarketId, trimmed
from fairlead.store import AdmittedLeg, ExecutionEnded

__all__ = ["EXECUTE", "Executing", "ExecutionProgress", "OnePlan", "OnePlanOptions", "only_plan"]

#: The name of the strategy that works a plan of the command line.
EXECUTE = "execute"
_SECOND = 1_000_000_000
_LOOK_NS = _SECOND // 5
# What the start, a valid book and the warm-up may take, before it goes on without.
_PATIENCE_NS = 180 * _SECOND


class OnePlanOptions(BaseModel):
    """The markets that the plan names besides its strategy's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    markets: tuple[Market, ...] = ()


class OnePlan:
    """A controller that quotes nothing and asks for one plan until it is admitted or denied."""

    plan = QuotesConfig()

    def __init__(self, start: Start) -> None:
        self._start = start
        #: What it was told of the plan last; None = nothing yet.
        self.seen: ExecutionView | None = None

    def initial(self) -> NoMemory:
        """Give the memory to start with: none."""
        return NoMemory()

    def decide(self, view: View, memory: NoMemory) -> Decision[NoMemory]:
        """Ask for the plan as soon as there is a market, and again while nobody answered."""
        for one in view.executions:
            if one.name == self._start.name:
                self.seen = one
        gates = (Gate("one plan", "works one plan and quotes nothing"),)
        if self.seen is not None or view.book is None:
            return Decision(memory, quotes=(), gates=gates)
        return Decision(memory, quotes=(), gates=gates, start=(self._start,))


@dataclass(frozen=True, slots=True)
class ExecutionProgress:
    """How far a plan is; quantities of its first leg, in base units or contracts."""

    elapsed_ns: int
    #: "waiting", "working" or "ending".
    phase: str
    #: None before it is admitted.
    run: PlanRun | None
    #: What of an earlier run is worked in its place, in one line; "" = nothing.
    earlier: str = ""


class Executing:
    """Beside a session that works one plan: tells how far it is, and ends the session with it."""

    def __init__(
        self, start: Start, controller: OnePlan, tell: Callable[[ExecutionProgress], None]
    ) -> None:
        self._start = start
        self._controller = controller
        self._tell = tell
        #: What the plan came to, as it is stored; None = it was never admitted.
        self.ended: ExecutionEnded | None = None
        #: Whether it, or what an earlier run left of it, has begun.
        self.begun = False
        #: Why there is no result; "" = there is one.
        self.problem = "it was not admitted in time"
        #: What of an earlier run is worked in its place, in one line; "" = nothing.
        self.earlier = ""
        self._begun_ns = 0

    async def __call__(self, session: Session) -> None:
        """Run until the plan is over; the session ends then."""
        self._begun_ns = session.clock.now_ns()
        session.journal.observe(self._recorded)
        try:
            while not self._over(session, session.clock.now_ns() - self._begun_ns):
                await session.clock.sleep_ns(_LOOK_NS)
        finally:
            session.engine.request_stop()

    def _over(self, session: Session, elapsed_ns: int) -> bool:
        if not session.engine.assembled:
            return False
        desk = session.engine.desk
        mine = [run for run in desk.plans.runs.values() if run.name == self._start.name]
        run = mine[0] if mine else None
        phase = "waiting" if run is None else "working" if run.closing is None else "ending"
        if run is not None and run.strategy == EXECUTE and run.started_ns < self._begun_ns:
            self.earlier = _earlier(run.name, run.execution, run.admitted_legs())
        if run is not None and self.ended is None:
            self.begun, self.problem = True, "it has no end yet"
        self._tell(ExecutionProgress(elapsed_ns, phase, run, self.earlier))
        seen = self._controller.seen
        denied = seen is not None and not seen.execution
        if denied and seen is not None and seen.result is not None:
            self.problem = seen.result.end
        if run is None and self.ended is None and not denied:
            posture = desk.gate.posture(self._market(session))
            if posture.rule:
                self.problem = f"not admitted in time: {posture.rule}: {posture.reason}"
            return elapsed_ns > _PATIENCE_NS
        # What an earlier run left is worked to its end, too.
        return not desk.plans.runs

    @staticmethod
    def _market(session: Session) -> MarketId:
        return session.engine.desk.runners[EXECUTE].market.market

    def _recorded(self, seq: int, t_ns: int, record: Record) -> None:
        del seq, t_ns
        if (
            isinstance(record, ExecutionEnded)
            and (record.strategy, record.name) == (EXECUTE, self._start.name)
            # One that an earlier run left and that could only be ended is none of ours.
            and record.result.legs
            and self._fresh(record.result)
        ):
            self.ended, self.problem = record, ""

    def _fresh(self, result: ExecutionResult) -> bool:
        # One of the same name of an earlier run may end here, too: the later one is ours.
        return self.ended is None or result.started_ns >= self.ended.result.started_ns


def _earlier(name: str, execution: str, legs: tuple[AdmittedLeg, ...]) -> str:
    what = ", ".join(f"{one.side} {trimmed(one.quantity)} of {one.market}" for one in legs)
    return (
        f"an earlier run left {name} {execution[-8:]} ({what}) unfinished: it is gone on with "
        "instead, and the plan of this command is not begun"
    )


def only_plan(settings: Settings, offers: Offers, start: Start) -> tuple[Settings, Offers, OnePlan]:
    """Change a configuration so that it works one plan: its strategies are left out.

    :raises ValueError: when the plan names no market.
    """
    markets = markets_in(start.plan)
    if not markets:
        raise ValueError("the plan names no market")
    controller = OnePlan(start)

    def build(config: OnePlanOptions, context: ControllerContext) -> Controller[Any]:
        del config, context
        return controller

    offer: Offer[ControllerContext, Controller[Any]] = Offer(
        EXECUTE, "fairlead", "fairlead", "works one plan", OnePlanOptions, build
    )
    table = StrategySettings(
        controller=EXECUTE, market=markets[0], options=OnePlanOptions(markets=markets)
    )
    controllers: Mapping[str, Offer[ControllerContext, Controller[Any]]] = MappingProxyType(
        {**offers.controllers, EXECUTE: offer}
    )
    return (
        settings.model_copy(update={"strategies": {EXECUTE: table}}),
        replace(offers, controllers=controllers),
        controller,
    )
