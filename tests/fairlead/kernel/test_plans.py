from decimal import Decimal

from fairlead.api import ExecutionMode
from fairlead.model import Side
from fairlead.store import ExecutionEnded, ExecutionStarted, ExecutionStepped, OrderRecorded
from tests.fairlead.kernel.plans_world import HEDGED, Hedging, PlanWorld, begun, work


def test_a_plan_is_admitted_on_a_tick_worked_to_its_end_and_recorded() -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.start()
        await world.wait(1.5)
        (order,) = world.resting()
        world.venue.exchange.fill(order.client_id)
        await world.wait(1)
        (order,) = world.resting()
        world.venue.exchange.fill(order.client_id, price="99.5")
        await world.wait(1)

    world, result = work(act, for_s=6)

    assert (result.exit_code, result.proven) == (0, True)
    (started,), (ended,) = world.trace.of(ExecutionStarted), world.trace.of(ExecutionEnded)
    assert [order.execution for order in world.trace.of(OrderRecorded)] == [started.execution] * 2
    assert (ended.execution, ended.complete, ended.end) == (started.execution, True, "done")
    assert ended.result.mode is ExecutionMode.MAKER
    (leg,) = ended.result.legs
    assert (leg.filled, leg.average) == (Decimal(4), Decimal("99.75"))
    assert leg.decision_mid == 100
    assert leg.slippage_bps == Decimal("-25")
    assert leg.slippage_quote == Decimal(-1)
    assert [view.result is None for view in world.seen()][-1] is False
    assert world.seen()[-1].result == ended.result


def test_a_fill_is_hedged_in_the_same_turn_of_the_loop() -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.start(hedge=HEDGED, quantity="2")
        await world.wait(1.5)
        (order,) = world.resting()
        world.venue.exchange.fill(order.client_id, "1.5")
        filled_ns = world.clock.now_ns()
        await world.wait(0.2)
        ((sent_ns, (hedge,)),) = world.venues["other"].submitted
        assert sent_ns - filled_ns <= 6_000_000  # the news takes 5 ms
        assert (hedge.side, hedge.quantity) == (Side.SELL, Decimal("1.5"))
        world.venues["other"].exchange.fill(hedge.client_id)
        world.venue.exchange.fill(order.client_id)
        await world.wait(0.1)
        (rest,) = world.resting("other")
        world.venues["other"].exchange.fill(rest.client_id)
        await world.wait(1)

    world, result = work(act, for_s=6, venues=("main", "other"), options=Hedging())

    assert (result.exit_code, result.proven) == (0, True)
    (ended,) = world.trace.of(ExecutionEnded)
    assert (ended.end, ended.result.residual) == ("done", {})
    assert [(leg.side, leg.requested, leg.filled) for leg in ended.result.legs] == [
        (Side.BUY, Decimal(2), Decimal(2)),
        (Side.SELL, Decimal(0), Decimal(2)),
    ]
    assert world.engine.desk.ledger.unbalanced() == 0
    steps = world.trace.of(ExecutionStepped)
    assert steps[-1].end == "done"
