"""What plans do where risk, a person or trouble at a venue restrains their markets."""

from decimal import Decimal

from fairlead.api import Gate, Posture, PostureLevel, Wake
from fairlead.model import BookLost, Purpose, Unknown
from fairlead.store import AlertRaised, ExecutionEnded, OrderRecorded, PostureChanged
from fairlead.testing import MARKET, Script
from tests.fairlead.kernel.plans_world import BOTH, HEDGED, PlanWorld, entered, work


def test_a_residual_restrains_its_market_until_a_person_has_looked() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED)
        world.venue.exchange.fill(order, "1")
        await world.wait(0.1)
        world.stops.append("one")
        await world.wait(2)
        assert world.engine.desk.gate.posture(MARKET).level is PostureLevel.REDUCING
        assert world.engine.desk.plans.ends.lift() == ("execution one",)
        assert world.engine.desk.gate.posture(MARKET).level is PostureLevel.ACTIVE

    world, _ = work(act, for_s=8, **BOTH)

    assert world.ended.result.residual == {str(MARKET): Decimal(1)}
    (alert,) = world.trace.of(AlertRaised)
    assert alert.name == "residual_exposure"
    assert alert.detail == f"alt execution one: 1 left open on {MARKET} (stopped)"


def test_a_pause_by_hand_keeps_hedges() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED)
        (runner,) = world.engine.desk.runners.values()
        runner.hold(Gate("paused", "by a person"), world.clock.now_ns())
        await world.wait(1)
        world.venue.exchange.fill(order)
        await world.wait(0.1)
        (hedge,) = world.resting("other")
        world.venues["other"].exchange.fill(hedge.client_id)
        await world.wait(1)

    world, _ = work(act, for_s=8, **BOTH)

    hedges = [order for order in world.trace.of(OrderRecorded) if order.purpose is Purpose.HEDGE]
    assert [order.quantity for order in hedges] == [2]


def test_where_only_cancels_are_allowed_its_orders_go_and_hedges_wait() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED)
        only_cancel = PostureLevel.CANCEL_ONLY
        world.rule.assesses = lambda view: (Posture(only_cancel, "test", "why"),)
        world.venue.cancels.append(Script(Unknown("lost"), lands=False))
        await world.wait(1)
        world.venue.exchange.fill(order, "1")
        await world.wait(3)
        assert world.resting() == world.resting("other") == ()
        world.rule.assesses = lambda view: ()
        await world.wait(6)
        (hedge,) = world.resting("other")
        world.venues["other"].exchange.fill(hedge.client_id)
        await world.wait(1)

    work(act, for_s=16, **BOTH)


def test_while_only_reducing_is_allowed_entries_go_and_hedges_leave() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED)
        world.rule.assesses = lambda view: (Posture(PostureLevel.REDUCING, "test", "why"),)
        world.venue.cancels.append(Script(Unknown("lost"), lands=False))
        await world.wait(1)
        world.venue.exchange.fill(order, "1")
        await world.wait(0.1)
        (hedge,) = world.resting("other")
        world.venues["other"].exchange.fill(hedge.client_id)
        await world.wait(6)
        assert world.resting() == ()

    world, _ = work(act, for_s=14, **BOTH)

    changes = world.trace.of(PostureChanged)
    assert changes[0].level == "REDUCING"


def test_a_fill_of_a_plan_that_is_over_restrains_its_market() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world)
        world.stops.append("one")
        await world.wait(2)
        assert world.trace.of(ExecutionEnded)
        world.venue.exchange.fill(order, "1")
        await world.wait(0.1)
        assert world.engine.desk.gate.posture(MARKET).level is PostureLevel.REDUCING

    world, _ = work(act, for_s=6)

    (alert,) = world.trace.of(AlertRaised)
    assert alert.detail.endswith(f"1 left open on {MARKET} (a fill too late)")


def test_a_venue_trouble_of_one_market_leaves_plans_of_others_alone() -> None:
    async def act(world: PlanWorld) -> None:
        first = await entered(world)
        world.venues["other"].publish(BookLost(HEDGED, world.clock.now_ns(), "test"))
        await world.wait(0.2)
        assert len(world.resting()) == 1
        world.venue.publish(BookLost(MARKET, world.clock.now_ns(), "test"))
        await world.wait(0.2)
        assert first not in [order.client_id for order in world.resting()]
        assert any(isinstance(event, Wake) for event in world.carry.events[1:])

    work(act, for_s=8, **BOTH)
