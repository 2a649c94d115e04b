"""Go on with the executions of an earlier run, each from its last durable step, or end them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fairlead.api import ExecutionMode, ExecutionResult, Resumed
from fairlead.kernel.plans import PlanDesk
from fairlead.kernel.plans_start import NotResumed, PlanStarter
from fairlead.model import ZERO, MarketId
from fairlead.store import ExecutionEnded, Journal, UnfinishedExecution

__all__ = ["PlanRestart"]


class PlanRestart:
    """The executions that an earlier run left, from the start until the account is reconciled."""

    def __init__(self, desk: PlanDesk, starter: PlanStarter, journal: Journal) -> None:
        self._desk = desk
        self._starter = starter
        self._journal = journal
        self._others: list[tuple[UnfinishedExecution, str]] = []

    def take_up(self, left: Iterable[UnfinishedExecution], *, go_on: bool) -> None:
        """Take them up before their orders are: fills that come to light count, nothing steps.

        ``go_on`` False: they are only to be ended.
        """
        for one in left:
            found = self._starter.take_up(one) if go_on else NotResumed("only exits are made")
            if isinstance(found, NotResumed):
                self._others.append((one, found.why))
            else:
                self._desk.adopt(found)

    def resume(self, now_ns: int) -> None:
        """Let them go on: the account is read, and no order of before is live."""
        for run in self._desk.runs.values():
            if not run.awake:
                run.awake = True
                run.events.clear()
                self._desk.tell(run, Resumed())
        others, self._others = self._others, []
        for one, why in others:
            self._end(one, why, now_ns)

    def _end(self, left: UnfinishedExecution, why: str, now_ns: int) -> None:
        residual: dict[MarketId, Decimal] = {}
        for fill in left.fills if left.resumable else ():
            market = MarketId.parse(fill.market)
            residual[market] = residual.get(market, ZERO) + fill.side.sign * fill.quantity
        open_ = {market: quantity for market, quantity in residual.items() if quantity}
        result = ExecutionResult(
            complete=False,
            end=why,
            mode=ExecutionMode.NONE,
            legs=(),
            residual={str(market): quantity for market, quantity in open_.items()},
            started_ns=left.started_ns,
            ended_ns=now_ns,
            notes={},
        )
        self._journal.append(
            ExecutionEnded(
                execution=left.execution,
                name=left.name,
                strategy=left.strategy,
                executor=left.executor,
                market=left.legs[0].market if left.legs else "",
                complete=False,
                end=why,
                mode=result.mode.value,
                slippage_bps=None,
                duration_ns=now_ns - left.started_ns,
                result=result,
            )
        )
        for market, quantity in open_.items():
            self._desk.ends.leave_open(left.strategy, left.name, market, quantity, why)
