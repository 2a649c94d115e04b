"""End executions: record what they came to, and restrain markets on which they left something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from fairlead.api import ExecutionView, PostureLevel
from fairlead.kernel.plans_left import PlanLeft, plans_left
from fairlead.kernel.plans_result import execution_result, total_slippage_bps
from fairlead.kernel.plans_run import Closing, PlanRun
from fairlead.model import ZERO, MarketId, trimmed
from fairlead.pipeline import RiskGate
from fairlead.store import AlertRaised, ExecutionEnded, Incident, Journal, RuleState

__all__ = ["RESIDUALS", "PlanEnds", "ended_as_it_is"]

#: The name under which what restrains markets is stored, beside the memories of rules.
RESIDUALS = "residuals"


class _Left(msgspec.Struct, frozen=True):
    # Something that a plan left open, and what is said of it.
    label: str
    market: str
    detail: str


def ended_as_it_is(run: PlanRun, end: str) -> Closing:
    """End an execution with all that it has open as its residual."""
    open_ = {market: run.book.exposure(market) for market in run.instruments}
    return Closing(
        end=end,
        complete=False,
        residual={market: quantity for market, quantity in open_.items() if quantity},
        kept={},
        notes={},
    )


class PlanEnds:
    """Where executions go when none of their orders can fill any more."""

    def __init__(
        self,
        journal: Journal,
        gate: RiskGate,
        now_ns: Callable[[], int],
        *,
        enforce: Callable[[MarketId], None],
    ) -> None:
        self._journal = journal
        self._gate = gate
        self._now_ns = now_ns
        self._enforce = enforce
        #: Executions that had no end when the run ended.
        self.left: tuple[PlanLeft, ...] = ()
        self._left: dict[tuple[str, str], _Left] = {}

    def recall(self, text: str) -> None:
        """Restrain again what an earlier run left open and no person has looked at since."""
        try:
            left = msgspec.json.decode(text, type=tuple[_Left, ...])
            markets = [MarketId.parse(one.market) for one in left]
        except (msgspec.DecodeError, ValueError) as error:
            detail = f"what earlier plans left open cannot be read: {error}"
            self._journal.append(Incident(name="memory_unreadable", detail=detail))
            # Which market it was is not known, so it is all of them.
            self._left[RESIDUALS, ""] = _Left(RESIDUALS, "", detail)
            self._gate.impose(RESIDUALS, PostureLevel.REDUCING, detail)
            return
        for one, market in zip(left, markets, strict=True):
            self._left[one.label, one.market] = one
            self._gate.impose(one.label, PostureLevel.REDUCING, one.detail, market)

    def record(self, run: PlanRun, closing: Closing) -> ExecutionView:
        """Write down the end of an execution; gives what its controller sees of it."""
        now_ns = self._now_ns()
        result = execution_result(
            run.admitted_legs(),
            run.book,
            closing,
            run.instruments,
            started_ns=run.started_ns,
            ended_ns=now_ns,
        )
        left = dict(closing.residual)
        for market, quantity in closing.since.items():
            left[market] = left.get(market, ZERO) + quantity
        # Before the end: a death between both must not lose what nobody would take up again.
        for market, quantity in left.items():
            if quantity:
                self.leave_open(run.strategy, run.name, market, quantity, result.end)
        self._journal.append(
            ExecutionEnded(
                execution=run.execution,
                name=run.name,
                strategy=run.strategy,
                executor=run.executor_name,
                market=str(run.legs[0].market),
                complete=result.complete,
                end=result.end,
                mode=result.mode.value,
                slippage_bps=total_slippage_bps(result, run.instruments),
                duration_ns=now_ns - run.started_ns,
                result=result,
            )
        )
        if what := result.notes.get("incident"):
            detail = f"{run.strategy} {run.name} ({run.executor_name}): {what}"
            self._journal.append(Incident(name="execution_incident", detail=detail))
        run.let_go()
        return run.view(result)

    def leave_open(
        self, strategy: str, name: str, market: MarketId, quantity: Decimal, why: str
    ) -> None:
        """Restrain a market on which something is left open that nobody works any more.

        It may only be reduced there until a person has looked; a restart changes nothing in that.
        """
        label = f"execution {name}"
        detail = f"{strategy} {label}: {trimmed(quantity)} left open on {market} ({why})"
        self._left[label, str(market)] = _Left(label, str(market), detail)
        self._keep()
        self._gate.impose(label, PostureLevel.REDUCING, detail, market)
        self._journal.append(AlertRaised("critical", "residual_exposure", detail))
        # What was allowed before it, and waits to leave, must not leave any more.
        self._enforce(market)

    def leave(self, runs: Iterable[PlanRun]) -> None:
        """Take executions as unfinished at the end of the run; an alert says what is uncovered."""
        self.left = plans_left(runs)
        for one in self.left:
            if one.open:
                detail = f"{one.text}; the next run takes it up"
                self._journal.append(AlertRaised("critical", "plan_unfinished", detail))

    def lift(self) -> tuple[str, ...]:
        """Restrain no market any more: a person has looked; gives the rules that are lifted."""
        lifted = tuple(dict.fromkeys(label for label, _ in self._left))
        self._left = {}
        for label in lifted:
            self._gate.lift(label)
        if lifted:
            self._keep()
        return lifted

    def _keep(self) -> None:
        text = msgspec.json.encode(tuple(self._left.values())).decode()
        self._journal.append(RuleState(rule=RESIDUALS, state=text))
