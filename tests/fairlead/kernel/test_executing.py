from decimal import Decimal

from fairlead.api import Start
from fairlead.api.plans import TwapPlan
from fairlead.cli.config import configured
from fairlead.errors import ExitCode
from fairlead.kernel import Session, SessionOptions
from fairlead.kernel.executing import Executing, ExecutionProgress, OnePlan, only_plan
from fairlead.model import MarketId, Side
from fairlead.store import Durability, TraceHash
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


def test_what_keeps_it_from_beginning_is_told() -> None:
    start = started()
    one, controller = session_of(start, "risk.warm_up=2 h")
    executing = Executing(start, controller, lambda now: None)

    result = one.run(executing).result

    assert result.exit_code is ExitCode.CLEAN
    assert executing.ended is None
    assert "warm_up" in executing.problem
