"""A clean stop that leaves a plan without an end says so, with what is held and not covered."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from fairlead.api import Start
from fairlead.api.plans import XemmPlan
from fairlead.kernel import PlanLeft, RunResult, VirtualClock, left_fact
from fairlead.model import Side
from fairlead.store import AlertRaised, ExecutionEnded
from fairlead.testing import MARKET, MemoryDisk, run_virtual
from tests.fairlead.kernel.engine_world import SECOND, START_NS, end_if_failed
from tests.fairlead.kernel.plans_world import HEDGED, Hedging, begun
from tests.fairlead.kernel.test_plans_shipped import Shipped

PLAN = XemmPlan.model_validate(
    {"maker_market": MARKET, "taker_market": HEDGED, "maker_side": Side.BUY, "order_amount": "4"}
)
Act = Callable[[Shipped], Coroutine[Any, Any, None]]


def stopped_after(act: Act, disk: MemoryDisk | None = None) -> tuple[Shipped, RunResult]:
    """Run an engine of two venues until ``act`` is over, and stop it clean."""

    async def main(clock: VirtualClock) -> tuple[Shipped, RunResult]:
        parts: dict[str, Any] = {"venues": ("main", "other"), "options": Hedging()}
        world = Shipped(clock, disk=disk, mode="rehearse", **parts)

        async def acts() -> None:
            await act(world)
            world.process.stop()

        acting = asyncio.ensure_future(acts())
        acting.add_done_callback(lambda done: end_if_failed(world, done))
        result = await world.engine.run(for_ns=60 * SECOND)
        await acting
        world.store.close()
        return world, result

    return run_virtual(main, start_ns=START_NS)


def told(world: Shipped) -> list[AlertRaised]:
    return [one for one in world.trace.of(AlertRaised) if one.name == "plan_unfinished"]


def left(world: Shipped) -> tuple[PlanLeft, ...]:
    return world.engine.desk.plans.ends.left


async def quoting(world: Shipped) -> str:
    await begun(world)
    world.starts.append(Start("one", "xemm", PLAN))
    await world.wait(1.2)
    return world.order("main").client_id


async def half_hedged(world: Shipped) -> None:
    quote = await quoting(world)
    world.venue.exchange.fill(quote, "3")
    await world.wait(0.1)
    hedge = world.order("other").client_id
    world.venues["other"].exchange.fill(hedge, "1", price="99.90")
    await world.wait(0.1)


def test_what_a_stopped_plan_has_uncovered_is_told_to_a_person() -> None:
    world, result = stopped_after(half_hedged)

    assert result.proven
    assert world.trace.of(ExecutionEnded) == []
    (one,) = left(world)
    assert dict(one.held) == {MARKET: Decimal(3), HEDGED: Decimal(-1)}
    assert dict(one.open) == {"ALT": Decimal(2)}
    (alert,) = told(world)
    assert alert.severity == "critical"
    assert alert.detail == (
        "alt execution one (xemm): holds +3 on main:ALT/USDT, -1 on other:ALT/USDT; "
        "+2 ALT uncovered; the next run takes it up"
    )
    assert left_fact(one).held == {str(MARKET): Decimal(3), str(HEDGED): Decimal(-1)}


def test_the_alert_stands_in_the_journal_before_the_end_of_the_run() -> None:
    world, _ = stopped_after(half_hedged)

    kinds = [type(record).__name__ for record in world.trace.records]
    assert "AlertRaised" in kinds[: kinds.index("RunEnded")]


def test_the_next_run_hedges_what_the_last_one_left() -> None:
    disk = MemoryDisk()
    stopped_after(half_hedged, disk)

    async def again(world: Shipped) -> None:
        await begun(world)
        _, (sent,) = world.venues["other"].submitted[-1]
        assert (sent.side, sent.quantity) == (Side.SELL, Decimal(2))

    world, _ = stopped_after(again, disk)

    # It could not, so it is left again.
    assert len(told(world)) == 1


def test_a_plan_that_ends_with_the_stop_is_not_left() -> None:
    async def act(world: Shipped) -> None:
        await quoting(world)

    world, _ = stopped_after(act)

    assert [one.end for one in world.trace.of(ExecutionEnded)] == ["stopped"]
    assert left(world) == ()
    assert told(world) == []


def test_a_plan_that_is_left_without_anything_uncovered_alarms_nobody() -> None:
    async def act(world: Shipped) -> None:
        await quoting(world)
        run = next(iter(world.engine.desk.plans.runs.values()))
        run.broken = True  # it hears of nothing any more, so it never ends

    world, _ = stopped_after(act)

    assert [one.text for one in left(world)] == ["alt execution one (xemm): holds nothing"]
    assert told(world) == []
