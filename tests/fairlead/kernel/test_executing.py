import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from fairlead.api import ExecutionMode, ExecutionResult, LegResult, Start
from fairlead.api.plans import TwapPlan
from fairlead.cli.config import configured
from fairlead.errors import ExitCode
from fairlead.kernel import Session, SessionOptions
from fairlead.kernel.executing import Executing, ExecutionProgress, OnePlan, only_plan
from fairlead.model import MarketId, Side
from fairlead.store import AdmittedLeg, Durability, ExecutionEnded, TraceHash
from fairlead.testing import MemoryDisk, VirtualProcess
from tests.conftest import ROOT

MARKET = MarketId("main", "ALT/USDT")


def started(quantity: str = "900", **more: object) -> Start:
    # Slices so far behind the mid that none is filled.
    values = {"duration": "1 h", "interval": "10 min", "limit_order_buffer": "40 bps"}
    plan = {"market": MARKET, "side": Side.BUY, "quantity": quantity, **values, **more}
    return Start("twap", "twap", TwapPlan.model_validate(plan))


def session_of(start: Start, *sets: str) -> tuple[Session, OnePlan]:
    found = configured(ROOT / "plugins.toml", ("risk.warm_up=1 s", *sets), env={})
    settings, offers, controller = only_plan(found.settings, found.offers, start)
    one = Session(
        settings,
        found.plugins,
        offers,
        store=MemoryDisk().open(durability=Durability.NORMAL),
        traces=lambda name: TraceHash(),
        process=VirtualProcess(),
        options=SessionOptions(),
    )
    return one, controller


def test_a_stop_ends_the_plan_and_its_result_is_there() -> None:
    start = started()
    one, controller = session_of(start)
    told: list[ExecutionProgress] = []

    def tell(now: ExecutionProgress) -> None:
        told.append(now)
        if now.run is not None and now.run.orders:
            one.engine.request_stop()

    executing = Executing(start, controller, tell)
    result = one.run(executing).result

    assert (result.exit_code, result.proven) == (ExitCode.CLEAN, True)
    assert executing.problem == ""
    assert executing.ended is not None
    assert (executing.ended.end, executing.ended.complete) == ("stopped", False)
    assert executing.ended.result.legs[0].filled == Decimal(0)
    assert told[0].phase == "waiting"


def test_one_that_a_stop_leaves_without_an_end_says_so() -> None:
    start = started()
    one, controller = session_of(start)

    def tell(now: ExecutionProgress) -> None:
        if now.run is not None and now.run.orders:
            now.run.broken = True  # it hears of nothing any more
            one.engine.request_stop()

    executing = Executing(start, controller, tell)
    outcome = one.run(executing)

    assert executing.ended is None
    assert (executing.begun, executing.problem) == (True, "it has no end yet")
    assert outcome.report is not None
    (left,) = outcome.report["summary"]["plans_left"]
    assert left["text"] == "execute execution twap (twap): holds nothing"


def test_what_keeps_it_from_beginning_is_told() -> None:
    start = started()
    one, controller = session_of(start, "risk.warm_up=2 h")
    executing = Executing(start, controller, lambda now: None)

    result = one.run(executing).result

    assert result.exit_code is ExitCode.CLEAN
    assert executing.ended is None
    assert not executing.begun
    assert "warm_up" in executing.problem


LEG = LegResult(
    market=str(MARKET),
    side=Side.SELL,
    requested=Decimal(70),
    filled=Decimal(70),
    decision_mid=None,
    expected=None,
    average=None,
    slippage_quote=None,
    slippage_bps=None,
    maker=Decimal(0),
    fees={},
)


def ended(legs: tuple[LegResult, ...]) -> ExecutionEnded:
    """What is recorded at an end; without legs it was taken up only to be ended."""
    result = ExecutionResult(
        complete=bool(legs),
        end="done" if legs else "engine restarted",
        mode=ExecutionMode.NONE,
        legs=legs,
        residual={},
        started_ns=1,
        ended_ns=2,
        notes={},
    )
    return ExecutionEnded(
        execution="55nza5aaabaaaaaaac",
        name="twap",
        strategy="execute",
        executor="twap",
        market=str(MARKET),
        complete=result.complete,
        end=result.end,
        mode="none",
        slippage_bps=None,
        duration_ns=1,
        result=result,
    )


@dataclass
class Earlier:
    """A session that goes on with what an earlier run left; as much of one as is looked at."""

    runs: dict[str, Any]
    at_ns: int = 2_000_000_000
    assembled: bool = True
    stopped: bool = False

    def __post_init__(self) -> None:
        self.engine: Any = self
        self.clock = self.journal = self.plans = self.desk = self.engine

    def now_ns(self) -> int:
        return self.at_ns

    def observe(self, listener: object) -> None:
        self.listener = listener

    def request_stop(self) -> None:
        self.stopped = True

    async def sleep_ns(self, span_ns: int) -> None:
        self.at_ns += span_ns
        self.runs.clear()
        self.engine.listener(1, 1, ended(()))
        self.engine.listener(2, 1, ended((LEG,)))


@dataclass
class Left:
    """An execution of an earlier run."""

    started_ns: int
    name: str = "twap"
    strategy: str = "execute"
    execution: str = "55nza5aaabaaaaaaac"
    closing: object = None

    def admitted_legs(self) -> tuple[AdmittedLeg, ...]:
        return (AdmittedLeg(str(MARKET), Side.SELL, Decimal("70.0"), Decimal(1), None, None),)


@pytest.mark.parametrize("started_ns", [1, 2_000_000_000])
def test_an_earlier_plan_that_is_gone_on_with_instead_is_told(started_ns: int) -> None:
    told: list[str] = []
    start = started()
    executing = Executing(start, OnePlan(start), lambda now: told.append(now.earlier))
    session: Any = Earlier({"one": Left(started_ns)})

    asyncio.run(executing(session))

    line = (
        "an earlier run left twap aaaaaaac (SELL 70 of main:ALT/USDT) unfinished: it is gone on "
        "with instead, and the plan of this command is not begun"
    )
    assert told[0] == (line if started_ns == 1 else "")
    assert executing.earlier == told[0]
    assert session.stopped
    assert executing.ended is not None
    assert executing.ended.end == "done"


def test_one_that_could_only_be_ended_is_not_taken_for_the_plan_of_the_command() -> None:
    start = started()
    executing = Executing(start, OnePlan(start), lambda now: None)

    executing._recorded(1, 1, ended(()))

    assert executing.ended is None
