"""Plans from their admission to their record, against a scripted venue in virtual time."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from fairlead.api import (
    Action,
    Cancel,
    ExecutionMode,
    Filled,
    OrderChanged,
    PlanEvent,
    PlanView,
    Refused,
    Stop,
    Triggered,
    Wake,
)
from fairlead.kernel.control_view import Seen, status
from fairlead.model import MarketId, OrderState, Side, Unknown
from fairlead.store import (
    ExecutionEnded,
    ExecutionStarted,
    ExecutionStepped,
    OrderRecorded,
    RunEnded,
)
from fairlead.testing import MARKET, MemoryDisk, Script
from tests.fairlead.kernel.plans_world import BOTH, HEDGED, PlanWorld, begun, entered, entry, work
from tests.fairlead.store.records import begin


def test_a_plan_is_admitted_on_a_tick_worked_to_its_end_and_recorded() -> None:
    async def act(world: PlanWorld) -> None:
        first = await entered(world)
        world.venue.exchange.fill(first)
        await world.wait(1)
        (order,) = world.resting()
        world.venue.exchange.fill(order.client_id, price="99.5")
        await world.wait(1)

    world, result = work(act, for_s=6)

    assert (result.exit_code, result.proven) == (0, True)
    (started,), ended = world.trace.of(ExecutionStarted), world.ended
    assert [order.execution for order in world.trace.of(OrderRecorded)] == [started.execution] * 2
    assert (ended.execution, ended.complete, ended.end) == (started.execution, True, "done")
    assert ended.result.mode is ExecutionMode.MAKER
    (leg,) = ended.result.legs
    assert (leg.filled, leg.average) == (Decimal(4), Decimal("99.75"))
    assert leg.decision_mid == 100
    assert leg.slippage_bps == Decimal(-25)
    assert leg.slippage_quote == Decimal(-1)
    assert world.seen()[0].result is None
    assert world.seen()[-1].result == ended.result


def test_a_state_is_journaled_before_the_order_that_it_asks_for() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)

    world, _ = work(act, for_s=4)

    records = [
        type(record)
        for record in world.trace.records
        if isinstance(record, ExecutionStarted | ExecutionStepped | OrderRecorded)
    ]
    assert records[:3] == [ExecutionStarted, ExecutionStepped, OrderRecorded]


def test_a_fill_is_hedged_in_the_same_turn_of_the_loop() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED, quantity="2")
        world.venue.exchange.fill(order, "1.5")
        filled_ns = world.clock.now_ns()
        await world.wait(0.2)
        ((sent_ns, (hedge,)),) = world.venues["other"].submitted
        assert sent_ns - filled_ns <= 6_000_000  # the news takes 5 ms
        assert (hedge.side, hedge.quantity) == (Side.SELL, Decimal("1.5"))
        world.venues["other"].exchange.fill(hedge.client_id)
        world.venue.exchange.fill(order)
        await world.wait(0.1)
        (rest,) = world.resting("other")
        world.venues["other"].exchange.fill(rest.client_id)
        await world.wait(1)

    world, result = work(act, for_s=6, **BOTH)

    assert (result.exit_code, result.proven) == (0, True)
    ended = world.ended
    assert (ended.end, ended.result.residual) == ("done", {})
    assert [(leg.side, leg.requested, leg.filled) for leg in ended.result.legs] == [
        (Side.BUY, Decimal(2), Decimal(2)),
        (Side.SELL, Decimal(0), Decimal(2)),
    ]
    assert world.trace.of(ExecutionStepped)[-1].end == "done"


def test_what_a_plan_trades_elsewhere_is_booked_and_adds_up() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED, quantity="2")
        world.venue.exchange.fill(order)
        await world.wait(0.2)
        (hedge,) = world.resting("other")
        world.venues["other"].exchange.fill(hedge.client_id, price="101")
        await world.wait(1)

    world, _ = work(act, for_s=6, **BOTH)

    desk = world.engine.desk
    assert desk.position(MARKET) == 52
    assert desk.position(HEDGED) == 48
    assert desk.target(HEDGED) == 50
    assert desk.ledger.unbalanced() == 0
    assert desk.ledger.strategies[f"alt@{HEDGED}"].totals.fills == 1


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ({"executor": "nobody"}, "executor: nobody"),
        ({"market": MarketId("main", "BTC/USDT")}, "market: main:BTC/USDT"),
        ({"quantity": "0"}, "executor: ValueError("),
    ],
)
def test_a_plan_that_is_not_admitted_is_said_to_be_denied(plan: dict[str, Any], why: str) -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.start(**plan)
        await world.wait(2.5)

    world, _ = work(act, for_s=5)

    assert world.trace.of(ExecutionStarted) == []
    ((view,),) = [view.executions for view in world.views if view.executions]
    assert view.result is not None
    assert view.result.end.startswith(f"denied: {why}")


def test_a_plan_of_a_running_name_is_left_alone() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)
        world.start()
        await world.wait(2)

    world, _ = work(act, for_s=6)

    assert len(world.trace.of(ExecutionStarted)) == 1


def test_a_plan_wakes_at_its_time_and_ends_when_its_last_order_is_gone() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, seconds=2)
        world.venue.cancels.append(Script(Unknown("lost"), lands=False))
        await world.wait(2)
        assert world.trace.of(ExecutionStepped)[-1].end == "late"
        assert world.trace.of(ExecutionEnded) == []
        world.venue.exchange.fill(order, "1")
        await world.wait(6)

    world, result = work(act, for_s=12)

    assert (result.exit_code, result.proven) == (0, True)
    ended = world.ended
    assert (ended.end, ended.complete, ended.result.legs[0].filled) == ("late", False, Decimal(1))


def test_a_watch_wakes_the_plan_once_when_the_mid_is_there() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world, guard=Decimal(101))
        world.show("100.50", "100.90")
        await world.wait(0.5)
        assert len(world.resting()) == 1
        world.show("100.90", "101.10")
        await world.wait(0.1)
        assert world.resting() == ()
        world.show("100.95", "101.15")
        await world.wait(0.5)

    world, _ = work(act, for_s=6)

    reached = [event.mid for event in world.carry.events if isinstance(event, Triggered)]
    assert reached == [101]


def test_a_controller_ends_a_plan_by_its_name() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)
        world.stops.append("other")
        await world.wait(1)
        assert len(world.resting()) == 1
        world.stops.append("one")
        await world.wait(2)
        assert world.resting() == ()

    world, _ = work(act, for_s=8)

    assert world.ended.end == "stopped"


def test_the_stop_of_the_engine_ends_plans_and_records_them_first() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)
        world.process.stop()

    world, result = work(act)

    assert (result.exit_code, result.proven) == (0, True)
    assert isinstance(world.carry.events[-1], OrderChanged)
    assert any(isinstance(event, Stop) for event in world.carry.events)
    kinds = [type(record) for record in world.trace.records]
    assert kinds.index(ExecutionEnded) < kinds.index(RunEnded)
    assert world.ended.end == "stopped"


def test_an_executor_that_fails_ends_its_plan_and_leaves_nothing_alone() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            if isinstance(event, Filled):
                raise ZeroDivisionError
            return ((entry(world, view),), "") if isinstance(event, Wake) else ((), "")

        world.acts = acts
        order = await entered(world, executor="puppet")
        world.venue.exchange.fill(order, "1")
        await world.wait(2)
        assert world.resting() == ()

    world, result = work(act, for_s=6)

    assert (result.exit_code, result.proven) == (0, True)
    assert "execution_failed" in world.incidents()
    assert (world.ended.end, world.ended.complete) == ("failed", False)
    assert world.ended.result.residual == {str(MARKET): Decimal(1)}


def test_an_unproven_order_is_the_plan_s_own_and_it_does_not_end_before_the_proof() -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.venue.submits.append(Script(Unknown("lost"), lands=False))
        world.start()
        await world.wait(1.5)
        (order,) = world.run.orders.values()
        assert order.state is OrderState.UNKNOWN
        assert [one.state for one in world.carry.orders] == [OrderState.UNKNOWN]
        world.stops.append("one")
        await world.wait(1)
        assert world.trace.of(ExecutionEnded) == []
        await world.wait(8)

    world, result = work(act, for_s=14)

    assert (result.exit_code, result.proven) == (0, True)
    assert world.ended.end == "stopped"


def test_a_fill_after_the_end_is_in_the_residual() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED)
        world.venue.cancels.append(Script(Unknown("lost"), lands=False))
        world.stops.append("one")
        await world.wait(1)
        world.venue.exchange.fill(order, "1")
        await world.wait(6)

    world, _ = work(act, for_s=12, **BOTH)

    assert world.ended.result.residual == {str(MARKET): Decimal(1)}


def test_on_paper_a_restart_begins_anew_and_records_what_was_left() -> None:
    async def act(world: PlanWorld) -> None:
        await entered(world)

    async def later(world: PlanWorld) -> None:
        await begun(world)

    disk = MemoryDisk()
    first, _ = work(act, disk=disk, for_s=4)
    store = disk.open()
    begin(store)  # a run that is killed
    store.append(2, replace(first.trace.of(ExecutionStarted)[0], execution="x"))
    store.close()
    second, _ = work(later, disk=disk, for_s=3)

    assert second.ended.execution == "x"
    assert second.ended.end == "engine restarted"
    assert second.ended.result.residual == {}
    assert second.engine.desk.plans.runs == {}


def test_a_wish_that_has_not_left_is_shown_and_can_be_taken_back() -> None:
    shown: list[str] = []

    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            if isinstance(event, Wake):
                return (entry(world, view, quantity=Decimal(2)),), ""
            if isinstance(event, Filled):
                return (entry(world, view, quantity=Decimal(1), level=1),), ""
            return (), ""

        world.acts = acts
        order = await entered(world, executor="puppet")
        world.venue.exchange.fill(order)
        await world.wait(0.05)  # new risk waits for company until the tick
        look = world.run.look(world.engine.desk.plans.around)
        (waiting,) = look.orders
        shown.append(waiting.client_id)
        assert waiting.state is OrderState.PENDING_CREATE
        assert world.puppet is not None
        world.puppet.acts = lambda event, view: (
            (Cancel(waiting.client_id, "back"),) if isinstance(event, Wake) else (),
            "",
        )
        world.engine.desk.plans.tell(world.run, Wake())
        await world.wait(0.05)
        assert look.orders == ()

    world, _ = work(act, for_s=6)

    assert shown == [f"?{MARKET} BUY 1"]
    assert len(world.trace.of(OrderRecorded)) == 1
    assert world.puppet is not None
    (refused,) = [event for event in world.puppet.events if isinstance(event, Refused)]
    assert (refused.stage, refused.denied.observed) == ("queue", "withdrawn")


@pytest.mark.parametrize("broken", ["no action", "no price"])
def test_what_is_no_step_ends_the_plan_as_a_failure(broken: str) -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            if broken == "no price":
                return (entry(world, view, price=Decimal("NaN")),), ""
            nonsense: Any = ("nonsense",)
            return nonsense, ""

        await begun(world)
        world.acts = acts
        world.start(executor="puppet")
        await world.wait(2)

    world, _ = work(act, for_s=5)

    assert world.ended.end == "failed"


def test_a_person_sees_what_runs_and_how_far_it_is() -> None:
    shown: list[dict[str, Any]] = []

    async def act(world: PlanWorld) -> None:
        order = await entered(world, seconds=3)
        world.venue.exchange.fill(order, "1.5")
        await world.wait(0.1)
        container, engine = world.container, world.engine
        now_ns = world.clock.now_ns()
        seen = Seen(engine.desk, container.setup(), container.ticker(), "running", now_ns, 0)
        shown.extend(status(seen)["executions"])

    work(act, for_s=6)

    (one,) = shown
    assert (one["name"], one["executor"], one["phase"]) == ("one", "carry", "working")
    assert (one["filled"], one["quantity"], one["orders"]) == ("1.5", "4", 1)
    assert one["exposure"] == {str(MARKET): "1.5"}


def test_the_next_run_of_the_same_leaves_the_same_trace() -> None:
    async def act(world: PlanWorld) -> None:
        order = await entered(world, hedge=HEDGED)
        world.venue.exchange.fill(order, "1")
        await world.wait(1)

    disk = MemoryDisk()
    first, _ = work(act, disk=disk, for_s=4, **BOTH)
    second, _ = work(act, disk=disk, for_s=4, **BOTH)

    assert first.ended.execution != second.ended.execution
    assert first.trace.hexdigest == second.trace.hexdigest
