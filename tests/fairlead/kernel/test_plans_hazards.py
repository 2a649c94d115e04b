"""What must not happen around plans, whatever comes at the same time."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from fairlead.api import (
    Action,
    Denied,
    Filled,
    Leg,
    OrderChanged,
    PlanEvent,
    PlanView,
    Posture,
    PostureLevel,
    RiskView,
    Wake,
)
from fairlead.kernel.control import Control, ControlParts
from fairlead.kernel.control_command import Answer, Command, Pause, Refused, Resume
from fairlead.model import Purpose, Side, TimeInForce
from fairlead.store import ExecutionStarted, IntentDenied, OrderRecorded
from fairlead.testing import MARKET
from tests.fairlead.kernel.engine_world import Watching
from tests.fairlead.kernel.plans_world import HEDGED, Hedging, PlanWorld, begun, work

BOTH: dict[str, Any] = {"venues": ("main", "other"), "options": Hedging()}
Acts = tuple[tuple[Action, ...], str]


async def entered(world: PlanWorld, **plan: Any) -> str:  # noqa: ANN401 - for the plan
    """Start a plan and wait until its first order rests; gives the order's id."""
    await begun(world)
    world.start(**plan)
    await world.wait(1.5)
    (order,) = world.resting()
    return order.client_id


def control_of(world: PlanWorld) -> Control:
    made = world.container
    parts: Any = {"roster": None, "engine": world.engine, "clock": world.clock}
    for name in ("setup", "ticker", "journal"):
        parts[name] = getattr(made, name)()
    return Control(ControlParts(**parts))


async def asked(control: Control, command: Command) -> Answer | Refused:
    answered: asyncio.Future[Answer | Refused] = asyncio.get_running_loop().create_future()
    control.take(command, "a test", answered.set_result)
    return await answered


def enter(world: PlanWorld, view: PlanView, **changes: Any) -> Action:  # noqa: ANN401 - for the wish
    assert world.puppet is not None
    return world.puppet.place(view.now_ns, **changes)


def leave(world: PlanWorld, view: PlanView, quantity: str, **changes: Any) -> Action:  # noqa: ANN401 - for the wish
    wish = {"side": Side.SELL, "purpose": Purpose.EXIT, "level": 2, "price": Decimal(90)}
    return enter(world, view, quantity=Decimal(quantity), post_only=False, **(wish | changes))


@pytest.mark.parametrize("kind", [OrderChanged, Filled])
def test_an_executor_that_fails_while_more_is_to_be_told_does_not_end_the_engine(
    kind: type[Any],
) -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> Acts:
            if isinstance(event, kind) and view.exposure(MARKET):
                raise ZeroDivisionError
            return ((enter(world, view),), "") if isinstance(event, Wake) else ((), "")

        world.acts = acts
        order = await entered(world, executor="puppet")
        world.venue.exchange.fill(order, "1")
        await world.wait(2)
        assert world.resting() == ()

    world, result = work(act, for_s=6)

    assert (result.exit_code, result.failure) == (0, None)
    assert (world.ended.end, world.ended.complete) == ("failed", False)
    assert world.ended.result.residual == {str(MARKET): Decimal(1)}


def test_a_plan_s_entry_does_not_rest_on_a_side_that_is_paused() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)
        pause = Posture(rule="pausing", reason="too fast", market=MARKET, paused=(Side.BUY,))
        world.rule.assesses = lambda view: (pause,)
        await world.wait(1.5)
        assert world.resting() == ()
        world.rule.assesses = lambda view: ()
        await world.wait(8)
        assert len(world.resting()) == 1

    work(act, for_s=15)


def test_a_pause_of_the_other_side_leaves_an_entry_alone() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world)
        pause = Posture(rule="pausing", reason="too fast", market=MARKET, paused=(Side.SELL,))
        world.rule.assesses = lambda view: (pause,)
        await world.wait(1.5)
        assert [one.client_id for one in world.resting()] == [order]

    work(act, for_s=5)


def test_a_pause_leaves_a_plan_s_exits_alone() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> Acts:
            if isinstance(event, Wake):
                return (enter(world, view),), ""
            if isinstance(event, Filled):
                return (leave(world, view, "1", price=Decimal(102)),), ""
            return (), ""

        world.acts = acts
        order = await entered(world, executor="puppet")
        world.venue.exchange.fill(order)
        await world.wait(0.5)
        (leaving,) = world.resting()
        pause = Posture(rule="watching", reason="why", market=MARKET, paused=tuple(Side))
        world.rule.assesses = lambda view: (pause,)
        await world.wait(1.5)
        assert [one.client_id for one in world.resting()] == [leaving.client_id]

    work(act, for_s=6)


def test_what_two_markets_shrink_together_is_no_more_than_the_plan_holds() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> Acts:
            if isinstance(event, Wake):
                return (enter(world, view),), ""
            if isinstance(event, Filled) and event.fill.side is Side.BUY:
                hedge = leave(world, view, "1", market=HEDGED, purpose=Purpose.HEDGE, level=1)
                # The hedge may still fill, so there is nothing left to give back here.
                return (hedge, leave(world, view, "1")), ""
            return (), ""

        world.acts = acts
        order = await entered(world, executor="puppet", hedge=HEDGED)
        world.venue.exchange.fill(order, "1")
        await world.wait(0.5)

    world, _ = work(act, for_s=6, **BOTH)

    sold = [one.quantity for one in world.trace.of(OrderRecorded) if one.side is Side.SELL]
    assert sold == [Decimal(1)]


def test_both_sides_of_a_hedged_plan_may_be_given_back_together() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> Acts:
            if isinstance(event, Wake):
                return (enter(world, view),), ""
            if isinstance(event, Filled) and event.slot.market == MARKET and not event.slot.level:
                wish = {"market": HEDGED, "purpose": Purpose.HEDGE, "level": 1}
                return (leave(world, view, "1", time_in_force=TimeInForce.IOC, **wish),), ""
            if isinstance(event, Filled) and event.slot.level == 1:
                back = {"market": HEDGED, "side": Side.BUY, "price": Decimal(110), "level": 3}
                return (leave(world, view, "1"), leave(world, view, "1", **back)), ""
            return (), ""

        world.acts = acts
        order = await entered(world, executor="puppet", hedge=HEDGED)
        world.venue.exchange.fill(order, "1")
        await world.wait(0.3)
        (hedge,) = world.resting("other")
        world.venues["other"].exchange.fill(hedge.client_id)
        await world.wait(0.5)

    world, _ = work(act, for_s=6, **BOTH)

    exits = [one for one in world.trace.of(OrderRecorded) if one.purpose is Purpose.EXIT]
    assert [(one.side, one.quantity == 1) for one in exits] == [(Side.SELL, True), (Side.BUY, True)]


def test_while_a_person_holds_a_strategy_its_plans_take_no_new_risk() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)
        control = control_of(world)
        await asked(control, Pause("alt"))
        await world.wait(5)
        assert world.resting() == ()
        await asked(control, Resume("alt"))
        await world.wait(8)
        assert len(world.resting()) == 1

    world, _ = work(act, for_s=20)

    (denied, *_) = world.trace.of(IntentDenied)
    assert (denied.stage, denied.observed) == ("admission", "paused")


def test_a_plan_that_a_rule_refuses_whole_is_not_begun() -> None:
    class Whole(Watching):
        def admit(self, legs: Sequence[Leg], view: RiskView) -> Denied:
            assert view.market(legs[0].market).mid is not None
            return Denied(self.name, legs[0].quantity, Decimal(3), "too much")

    async def act(world: PlanWorld) -> None:
        world.rule = Whole()
        await begun(world)
        world.start()
        await world.wait(2.5)

    world, _ = work(act, for_s=5)

    assert world.trace.of(ExecutionStarted) == []
    result = world.seen()[-1].result
    assert result is not None
    assert result.end == "denied: watching: 4, limit 3 (too much)"


def test_a_fill_too_late_takes_what_grows_the_position_away_at_once() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world)
        desk = world.engine.desk
        # As if its end had been proven too soon.
        runs = desk.plans.runs
        assert isinstance(runs, dict)
        del runs[world.run.execution]
        world.venue.exchange.fill(order, "1")
        await world.wait(0.1)
        assert desk.gate.posture(MARKET).level is PostureLevel.REDUCING
        assert world.resting() == ()

    work(act, for_s=5)
