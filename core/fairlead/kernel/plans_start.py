"""Admit a plan on a tick or say why not; and take up those that an earlier run left unfinished."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import ValidationError

from fairlead.api import (
    Admitted,
    Denied,
    ExecutorContext,
    Leg,
    Offer,
    Plan,
    PlanExecutor,
    PostureLevel,
    RiskView,
    Start,
)
from fairlead.kernel.plans_book import PlanBook
from fairlead.kernel.plans_run import PlanLook, PlanRun, PlanSurroundings, markets_in
from fairlead.model import Instrument, MarketId
from fairlead.pipeline import TARGET_UNKNOWN, RiskGate, growing
from fairlead.store import UnfinishedExecution

__all__ = ["NotResumed", "PlanStarter", "state_text"]

_encoder = msgspec.json.Encoder(order="deterministic")


def state_text(state: msgspec.Struct) -> str:
    """Write an executor's state as it is stored."""
    return _encoder.encode(state).decode()


@dataclass(frozen=True, slots=True)
class NotResumed:
    """Why an execution of an earlier run cannot be gone on with."""

    why: str


@dataclass(frozen=True, slots=True)
class PlanStarter:
    """Builds the machine of a plan and asks it for its admission."""

    executors: Mapping[str, Offer[ExecutorContext, PlanExecutor[Any]]]
    around: PlanSurroundings
    gate: RiskGate
    risk: Callable[[], RiskView]
    new_id: Callable[[], str]

    def admit(self, strategy: str, start: Start) -> PlanRun | Denied:
        """Admit a plan as of now, or give the reason that it must not begin."""
        offer = self.executors.get(start.executor)
        if offer is None:
            return Denied("executor", start.executor, ", ".join(self.executors) or "none")
        if offer.config is None or not isinstance(start.plan, offer.config):
            wanted = "" if offer.config is None else offer.config.__name__
            return Denied("plan", type(start.plan).__name__, wanted, "not what the executor takes")
        instruments = self._instruments(start.plan)
        if isinstance(instruments, Denied):
            return instruments
        execution, book = self.new_id(), PlanBook(instruments)
        look = PlanLook(self.around, execution, instruments, book, {})
        try:
            executor = offer.build(start.plan, ExecutorContext(strategy, execution, instruments))
            admitted = executor.admit(look)
            if isinstance(admitted, Denied):
                return admitted
            _check(admitted, instruments)
            text = state_text(admitted.state)
        except Exception as error:  # noqa: BLE001 - plugin boundary: what fails is not admitted
            return Denied("executor", repr(error), "an admission", f"{start.executor} failed")
        return self._against(admitted.legs) or PlanRun(
            execution=execution,
            name=start.name,
            strategy=strategy,
            executor_name=start.executor,
            plan=start.plan,
            executor=executor,
            state=admitted.state,
            durable=text,
            legs=admitted.legs,
            loss_cap=admitted.loss_cap,
            mids={market: self.around.markets[market].mid for market in instruments},
            instruments=instruments,
            started_ns=self.around.now_ns(),
            book=book,
        )

    def take_up(self, left: UnfinishedExecution) -> PlanRun | NotResumed:
        """Build the machine of an earlier run's execution as it was; it sleeps at first."""
        if not left.resumable:
            return NotResumed("engine restarted")
        offer = self.executors.get(left.executor)
        if offer is None or offer.config is None or not issubclass(offer.config, Plan):
            return NotResumed(f"the executor {left.executor!r} is not there any more")
        try:
            plan = offer.config.model_validate_json(left.plan)
            instruments = self._instruments(plan)
            if isinstance(instruments, Denied):
                return NotResumed(f"{instruments.observed}: {instruments.limit}")
            context = ExecutorContext(left.strategy, left.execution, instruments)
            executor = offer.build(plan, context)
            state = msgspec.json.decode(left.state, type=executor.state)
        except (ValidationError, msgspec.DecodeError) as error:
            return NotResumed(f"what is stored of it cannot be read: {_one_line(error)}")
        except Exception as error:  # noqa: BLE001 - plugin boundary: what fails is not resumed
            return NotResumed(f"its executor failed: {error!r}")
        run = PlanRun(
            execution=left.execution,
            name=left.name,
            strategy=left.strategy,
            executor_name=left.executor,
            plan=plan,
            executor=executor,
            state=state,
            durable=left.state,
            legs=tuple(
                Leg(MarketId.parse(one.market), one.side, one.quantity, one.bound, one.expected)
                for one in left.legs
            ),
            mids={MarketId.parse(one.market): one.mid for one in left.legs},
            instruments=instruments,
            started_ns=left.started_ns,
            book=PlanBook(instruments),
            awake=False,
            ended_before=left.end,
        )
        for fill in left.fills:
            run.book.recall(fill)
        return run

    def _instruments(self, plan: object) -> dict[MarketId, Instrument] | Denied:
        markets = markets_in(plan)
        if not markets:
            return Denied("market", "none", "one market or more", "the plan names no market")
        for market in markets:
            if market not in self.around.markets:
                known = ", ".join(map(str, self.around.markets))
                return Denied("market", str(market), known, "no strategy has it, nor its options")
        return {market: self.around.markets[market].instrument for market in markets}

    def _against(self, legs: tuple[Leg, ...]) -> Denied | None:
        # What restrains a market keeps new risk out whole, before any of it is placed.
        for leg in legs:
            posture = self.gate.posture(leg.market)
            if posture.level.rank >= PostureLevel.CANCEL_ONLY.rank:
                return Denied(posture.rule, posture.level.value, "ACTIVE", posture.reason)
            if posture.level is PostureLevel.REDUCING:
                gap = self.risk().market(leg.market).gap
                if gap is None:
                    return Denied(posture.rule, TARGET_UNKNOWN, "reduce only", posture.reason)
                if growing(leg.side, gap) or leg.quantity > abs(gap):
                    return Denied(posture.rule, leg.quantity, abs(gap), "reduce only")
            if leg.side in posture.paused:
                return Denied(posture.rule, f"{leg.side} paused", "trading", posture.reason)
        return self.gate.admit(legs, self.risk())


def _check(admitted: Admitted[Any], instruments: Mapping[MarketId, Instrument]) -> None:
    if not isinstance(admitted, Admitted) or not admitted.legs:
        raise TypeError(f"no admission: {admitted!r}")
    legs = admitted.legs
    if len({(leg.market, leg.side) for leg in legs}) < len(legs):
        raise ValueError("two legs of one market and side")
    for leg in legs:
        if leg.market not in instruments:
            raise ValueError(f"{leg.market} is no market of the plan")
        if not all(_is_above_zero(figure) for figure in (leg.quantity, leg.bound)):
            raise ValueError(f"no quantity and bound: {leg!r}")


def _is_above_zero(figure: Decimal) -> bool:
    return figure.is_finite() and figure > 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
