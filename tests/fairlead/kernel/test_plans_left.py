"""Executions that an earlier run left: gone on with, or ended with what they have open."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fairlead.api import PostureLevel, Record, Resumed
from fairlead.model import Liquidity, OrderState, OrderTrigger, Purpose, Side, TimeInForce
from fairlead.store import (
    AdmittedLeg,
    ExecutionEnded,
    ExecutionStarted,
    ExecutionStepped,
    FillBooked,
    OrderMoved,
    OrderRecorded,
)
from fairlead.testing import MARKET, MemoryDisk, client_id
from tests.fairlead.kernel.plans_world import CarryPlan, PlanWorld, begun, work
from tests.fairlead.store.records import begin

PLAN = CarryPlan(market=MARKET, quantity=Decimal(4), slice=Decimal(2), bound=Decimal(100))
LEG = AdmittedLeg(str(MARKET), Side.BUY, Decimal(4), Decimal(100), None, Decimal(99))
STARTED = ExecutionStarted(
    execution="x" * 18,
    name="one",
    strategy="alt",
    executor="carry",
    plan=PLAN.model_dump_json(),
    legs=(LEG,),
    loss_cap=None,
    state='{"steps":0}',
)


def bought(quantity: str) -> list[Record]:
    """Records of an entry that was filled so far and then closed."""
    order = client_id(7)
    size = Decimal(quantity)
    return [
        OrderRecorded(
            order=order,
            strategy="alt",
            market=str(MARKET),
            side=Side.BUY,
            level=0,
            price=Decimal(100),
            quantity=size,
            time_in_force=TimeInForce.GTC,
            post_only=True,
            reduce_only=False,
            purpose=Purpose.ENTRY,
            decided_ns=1,
            reference=None,
            mid=Decimal(101),
            reasons=(),
            execution=STARTED.execution,
        ),
        FillBooked(
            trade="t-before",
            order=order,
            strategy="alt",
            market=str(MARKET),
            side=Side.BUY,
            level=0,
            price=Decimal(100),
            quantity=size,
            fee=Decimal("0.1"),
            fee_asset="USDT",
            liquidity=Liquidity.MAKER,
            venue_ns=1,
            mark=None,
            reference=None,
            spread=None,
        ),
        OrderMoved(
            order=order,
            before=OrderState.OPEN,
            trigger=OrderTrigger.FULL_FILL,
            after=OrderState.FILLED,
            filled=size,
        ),
    ]


def disk_of(*records: Record, mode: str = "rehearse") -> MemoryDisk:
    """A disk as a run leaves it that was killed."""
    disk = MemoryDisk()
    store = disk.open()
    begin(store, mode=mode)
    for number, record in enumerate(records):
        store.append(2_000 + number, record)
    store.close()
    return disk


def resumed(*records: Record, act: Callable[[PlanWorld], Any] | None = None) -> PlanWorld:
    async def nothing(world: PlanWorld) -> None:
        await begun(world)

    world, result = work(act or nothing, disk=disk_of(*records), mode="rehearse", for_s=4)
    assert (result.exit_code, result.proven) == (0, True)
    return world


def test_it_goes_on_from_its_last_durable_step_and_knows_what_was_filled() -> None:
    step = ExecutionStepped(execution=STARTED.execution, state='{"steps":41}')

    world = resumed(STARTED, step, *bought("3"))

    assert isinstance(world.carry.events[0], Resumed)
    first = world.trace.of(ExecutionStepped)[0]
    assert (first.execution, first.state.split(",")[0]) == (STARTED.execution, '{"steps":42')
    # 3 of 4 are there; the rest is asked for again, and no more.
    assert [order.quantity for order in world.trace.of(OrderRecorded)] == [1]
    ended = world.ended
    assert ended.end == "stopped"
    assert ended.duration_ns > 0
    (leg,) = ended.result.legs
    assert (leg.filled, leg.decision_mid) == (Decimal(3), Decimal(99))
    assert leg.fees == {"USDT": Decimal("0.1")}


def test_one_that_had_ended_is_ended_even_when_its_executor_has_forgotten() -> None:
    step = ExecutionStepped(execution=STARTED.execution, state='{"steps":3}', end="late")

    world = resumed(STARTED, step, *bought("3"))

    assert world.trace.of(OrderRecorded) == []
    assert world.ended.end == "late"
    assert world.ended.result.residual == {str(MARKET): Decimal(3)}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"executor": "gone"}, "the executor 'gone' is not there any more"),
        ({"plan": "{}"}, "what is stored of it cannot be read: "),
        ({"state": "[]"}, "what is stored of it cannot be read: "),
        (
            {"plan": PLAN.model_dump_json().replace("ALT/", "XYZ/")},
            "main:XYZ/USDT: main:ALT/USDT",
        ),
    ],
    ids=["executor", "plan", "state", "market"],
)
def test_one_that_cannot_be_gone_on_with_ends_with_what_it_has_open(
    changes: dict[str, str], why: str
) -> None:
    levels: list[PostureLevel] = []

    async def act(world: PlanWorld) -> None:
        await begun(world)
        levels.append(world.engine.desk.gate.posture(MARKET).level)

    values = {name: getattr(STARTED, name) for name in STARTED.__struct_fields__}
    world = resumed(ExecutionStarted(**(values | changes)), *bought("3"), act=act)

    assert world.ended.end.startswith(why)
    assert world.ended.result.residual == {str(MARKET): Decimal(3)}
    assert levels == [PostureLevel.REDUCING]


def test_one_of_play_money_is_not_gone_on_with_for_real() -> None:
    disk = disk_of(STARTED, *bought("3"), mode="paper")

    async def act(world: PlanWorld) -> None:
        await begun(world)

    world, _ = work(act, disk=disk, mode="rehearse", for_s=3)

    assert (world.ended.end, world.ended.result.residual) == ("engine restarted", {})
    assert world.trace.of(OrderRecorded) == []


def test_what_has_an_end_stays_ended() -> None:
    first = resumed(STARTED, *bought("3"))
    second, _ = work(begun, disk=first.disk, mode="rehearse", for_s=3)

    assert second.trace.of(ExecutionEnded) == []
    reader = first.disk.reader()
    (stored,) = reader.executions("demo")
    assert (stored.execution, stored.result) == (STARTED.execution, first.ended.result)
    assert reader.open_executions("demo") == []


def test_what_one_without_an_end_holds_is_read_from_its_fills() -> None:
    reader = disk_of(STARTED, *bought("3")).reader()

    assert [row["name"] for row in reader.open_executions("demo")] == ["one"]
    assert reader.held(STARTED.execution) == {str(MARKET): Decimal(3)}
    assert reader.held("another") == {}
