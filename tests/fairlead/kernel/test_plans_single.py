"""Shipped plans of one market, from their admission to their record, on a scripted venue."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from typing_extensions import override

from fairlead.api import ExecutionMode, LegResult, Offers, Plan, PostureLevel, Start
from fairlead.api.plans import PositionPlan, TieredPlan, TwapPlan
from fairlead.execution import SHIPPED
from fairlead.kernel import RunResult, VirtualClock
from fairlead.model import Liquidity, OrderState, OrderUpdate, Side, TimeInForce, Unknown
from fairlead.store import ExecutionStepped, OrderRecorded, PostureChanged
from fairlead.testing import MARKET, Script, run_virtual
from tests.fairlead.kernel.engine_world import SECOND, START_NS, end_if_failed
from tests.fairlead.kernel.plans_world import PlanWorld, begun


class Shipped(PlanWorld):
    """A world whose strategy may start what ships with the engine."""

    @override
    def _offers(self) -> Offers:
        shipped = tuple((name, plan, build) for name, plan, build, _ in SHIPPED)
        self._executors = (*self._executors, *shipped)
        return super()._offers()

    async def begin(self, executor: str, plan: Plan) -> None:
        """Show the book and let the strategy start a plan."""
        await begun(self)
        self.starts.append(Start("one", executor, plan))
        await self.wait(1.2)

    @property
    def order(self) -> OrderUpdate:
        """Give the one order that rests."""
        (order,) = self.resting()
        return order

    @property
    def recorded(self) -> tuple[OrderRecorded, ...]:
        return tuple(self.trace.of(OrderRecorded))

    @property
    def leg(self) -> LegResult:
        """Give the first leg of the result."""
        return self.ended.result.legs[0]


def work(
    act: Callable[[Shipped], Coroutine[Any, Any, None]], for_s: int = 30
) -> tuple[Shipped, RunResult]:
    """Run an engine while ``act`` plays the world around it."""

    async def main(clock: VirtualClock) -> tuple[Shipped, RunResult]:
        world = Shipped(clock)
        acting = asyncio.ensure_future(act(world))
        acting.add_done_callback(lambda done: end_if_failed(world, done))
        result = await world.engine.run(for_ns=for_s * SECOND)
        acting.cancel()
        outcome = (await asyncio.gather(acting, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            raise outcome
        world.store.close()
        return world, result

    return run_virtual(main, start_ns=START_NS)


def tiered(**given: Any) -> TieredPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {"market": MARKET, "side": "BUY", "quantity": "4", "mode": "limit_with_fallback"}
    return TieredPlan.model_validate(defaults | given)


def position(**given: Any) -> PositionPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {"market": MARKET, "side": "BUY", "quantity": "4", "stop_loss": "1%"}
    return PositionPlan.model_validate(defaults | given)


def test_the_unfilled_rest_is_taken_and_the_result_says_what_it_cost() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("tiered", tiered(timeout="5 s"))
        world.venue.exchange.fill(world.order.client_id, "3")
        await world.wait(6)
        taker = world.order.client_id
        assert world.recorded[-1].quantity == 1
        world.venue.exchange.fill(taker, price="100.10", liquidity=Liquidity.TAKER)
        await world.wait(1)

    world, result = work(act)

    assert (result.exit_code, result.proven) == (0, True)
    assert [one.time_in_force for one in world.recorded] == [TimeInForce.GTC, TimeInForce.IOC]
    ended = world.ended
    assert (ended.end, ended.complete, ended.result.mode) == ("done", True, ExecutionMode.MIXED)
    assert ended.result.notes["mode"] == "limit_with_fallback"
    leg = world.leg
    assert (leg.requested, leg.filled, leg.maker) == (Decimal(4), Decimal(4), Decimal(3))
    assert (leg.expected, leg.decision_mid) == (Decimal("100.10"), Decimal(100))
    assert leg.average == Decimal("99.95")
    assert leg.slippage_bps == -5


def test_a_lost_answer_holds_the_fallback_back_until_it_is_proven() -> None:
    async def act(world: Shipped) -> None:
        world.venue.submits.append(Script(Unknown("timeout")))
        await world.begin("tiered", tiered(timeout="2 s"))
        world.venue.exchange.mute = True
        first = world.order.client_id
        world.venue.exchange.fill(first, "3")
        world.venue.exchange.mute = False
        await world.wait(15)
        if world.resting():
            world.venue.exchange.fill(world.order.client_id)
        await world.wait(1)

    world, result = work(act)

    assert result.proven
    assert world.leg.filled <= 4
    assert sum(fill.quantity for fill in world.venue.exchange.fills) == world.leg.filled
    assert all(one.quantity <= 4 for one in world.recorded)


def test_slices_leave_on_time() -> None:
    plan = TwapPlan.model_validate(
        {
            "market": MARKET,
            "side": "SELL",
            "quantity": "4",
            "duration": "6 s",
            "interval": "2 s",
            "mode": "taker",
        }
    )

    async def act(world: Shipped) -> None:
        await world.begin("twap", plan)
        for _ in range(4):
            world.venue.exchange.fill(world.order.client_id, liquidity=Liquidity.TAKER)
            await world.wait(2)

    world, result = work(act)

    assert result.proven
    assert [one.quantity for one in world.recorded] == [Decimal(1)] * 4
    times = [one.decided_ns for one in world.recorded]
    assert [(at - times[0]) // SECOND for at in times] == [0, 2, 4, 6]
    assert (world.ended.end, world.ended.result.mode) == ("done", ExecutionMode.TAKER)


def test_a_stop_leaves_between_ticks_with_what_is_filled() -> None:
    moved: list[int] = []

    async def act(world: Shipped) -> None:
        await world.begin("position", position(entry_price="99.90"))
        world.venue.exchange.fill(world.order.client_id, "3")
        await world.wait(0.1)
        world.show("98.85", "98.95")
        moved.append(world.clock.now_ns())
        await world.wait(0.2)
        exit_order = world.order
        world.venue.exchange.fill(exit_order.client_id, price="98.85", liquidity=Liquidity.TAKER)
        await world.wait(1)

    world, result = work(act)

    assert result.proven
    last = world.recorded[-1]
    assert (last.side, last.quantity) == (Side.SELL, Decimal(3))
    assert last.time_in_force is TimeInForce.IOC
    assert last.decided_ns - moved[0] < SECOND // 10
    ended = world.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("stop loss", True, {})


def test_what_a_stop_cannot_leave_restrains_its_market() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("position", position(entry_price="99.90"))
        world.venue.exchange.fill(world.order.client_id)
        await world.wait(0.1)
        world.show("98.85", "98.95")
        await world.wait(0.1)
        world.venue.exchange.end(world.order.client_id, OrderState.EXPIRED)
        world.show("90.00", "90.10")
        await world.wait(10)

    world, result = work(act)

    assert result.proven
    assert (world.ended.end, world.ended.complete) == ("bound", False)
    assert world.ended.result.residual == {str(MARKET): Decimal(4)}
    levels = [one.level for one in world.trace.of(PostureChanged)]
    assert PostureLevel.REDUCING in levels


def test_a_quiet_position_writes_no_state_again_and_again() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("position", position(entry_price="99.90"))
        world.venue.exchange.fill(world.order.client_id)
        await world.wait(20)

    world, _ = work(act)

    assert len(world.trace.of(ExecutionStepped)) <= 5
