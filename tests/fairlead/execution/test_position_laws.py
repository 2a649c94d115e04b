"""Whatever happens to a position, it ends flat or says what is left of it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.api.plans import ExitOrder
from fairlead.execution import PROFIT_LEVEL, Barrier, PositionExecutor
from fairlead.model import Side
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_schedule import LATE_SCHEDULES, SCHEDULES, Move, drive, finish
from tests.fairlead.execution.position_kit import MARKET, MID, SPOT, TRAIL, entered, plan


@given(
    schedule=SCHEDULES,
    side=st.sampled_from(["BUY", "SELL"]),
    entry=st.sampled_from(["limit", "market"]),
    profit=st.sampled_from([None, "20 bps", "60 bps"]),
    profit_order=st.sampled_from(ExitOrder),
    stop_order=st.sampled_from(ExitOrder),
    trail=st.booleans(),
    stop=st.booleans(),
)
def test_it_ends_flat_or_with_its_residual_whatever_happens(
    schedule: list[Move],
    side: str,
    entry: str,
    profit: str | None,
    profit_order: ExitOrder,
    stop_order: ExitOrder,
    trail: bool,
    stop: bool,
) -> None:
    asked = plan(
        side=side,
        entry=entry,
        stop_loss="30 bps",
        take_profit=profit,
        take_profit_order=profit_order,
        stop_loss_order=stop_order,
        trailing_stop={"activation": "30 bps", "delta": "20 bps"} if trail else None,
        time_limit="60 s",
    )
    kit = Kit(PositionExecutor, asked, [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.start()

    drive(kit, MARKET, schedule, MID)
    if stop and not kit.end:
        kit.stop()
    finish(kit, MARKET, MID, 200)

    exposure = kit.view.exposure(MARKET)
    assert kit.done(MARKET, Side(side)) <= 10
    assert exposure * Side(side).sign >= 0
    assert kit.residual.get(MARKET, Decimal(0)) + kit.kept.get(MARKET, Decimal(0)) == exposure
    assert kit.kept.get(MARKET, Decimal(0)) * Side(side).sign < Decimal("0.5")
    if kit.end in {barrier.value for barrier in Barrier}:
        assert kit.residual == {}


def test_an_exit_that_fills_too_late_ends_it_with_what_is_open() -> None:
    kit = entered(take_profit="1%")
    first = kit.only(PROFIT_LEVEL)
    kit.cancelled(first)
    kit.advance(1)
    kit.fill(kit.only(PROFIT_LEVEL), "8")

    kit.fill_late(first, "7")
    kit.settle()

    assert kit.end == "a fill too late"
    assert kit.residual == {MARKET: Decimal(-5)}


@given(
    schedule=LATE_SCHEDULES,
    side=st.sampled_from(["BUY", "SELL"]),
    profit=st.sampled_from([None, "20 bps"]),
)
def test_what_a_late_fill_leaves_open_is_reported(
    schedule: list[Move], side: str, profit: str | None
) -> None:
    asked = plan(side=side, entry="market", take_profit=profit, time_limit="30 s")
    kit = Kit(PositionExecutor, asked, [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    kit.start()

    drive(kit, MARKET, schedule, MID)
    finish(kit, MARKET, MID, 200)
    drive(kit, MARKET, [move for move in schedule if move.kind == "late"], MID)

    late = sum(kit.late.values(), start=Decimal(0))
    exposure = kit.view.exposure(MARKET)
    assert kit.done(MARKET, Side(side)) <= 10 + late
    assert kit.residual.get(MARKET, Decimal(0)) + kit.kept.get(MARKET, Decimal(0)) == exposure
    assert abs(kit.kept.get(MARKET, Decimal(0))) < Decimal("0.5")


@given(
    mids=st.lists(st.integers(9_700, 10_600), min_size=1, max_size=30),
    side=st.sampled_from(["BUY", "SELL"]),
)
def test_a_trailing_stop_only_ever_tightens(mids: list[int], side: str) -> None:
    kit = entered(side=side, **TRAIL)
    sign, last = Side(side).sign, None

    for cents in mids:
        mid = Decimal(cents if side == "BUY" else 20_000 - cents) / 100
        kit.quote(MARKET, mid - Decimal("0.05"), mid + Decimal("0.05"))
        trail = kit.state.trail
        if kit.state.barrier is not None:
            assert sign * mid <= sign * trail
            return
        if last is not None:
            assert sign * trail >= sign * last
        last = trail
        if trail is not None:
            assert sign * mid > sign * trail
