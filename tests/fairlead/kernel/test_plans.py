"""Plans from their admission to their record, against a scripted venue in virtual time."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from fairlead.api import (
    Action,
    Admitted,
    Allowed,
    Cancel,
    Denied,
    ExecutionMode,
    Filled,
    Gate,
    Leg,
    OrderChanged,
    Place,
    Plan,
    PlanEvent,
    PlanView,
    Posture,
    PostureLevel,
    Refused,
    RiskView,
    Start,
    Stop,
    Triggered,
    Verdict,
    Wake,
)
from fairlead.kernel.control_view import Seen, status
from fairlead.model import BookLost, MarketId, OrderIntent, OrderState, Purpose, Side, Slot, Unknown
from fairlead.pipeline import Refusal
from fairlead.store import (
    AlertRaised,
    ExecutionEnded,
    ExecutionStarted,
    ExecutionStepped,
    OrderRecorded,
    PostureChanged,
    RunEnded,
)
from fairlead.testing import MARKET, MemoryDisk, Script
from tests.fairlead.kernel.engine_world import SECOND
from tests.fairlead.kernel.plans_world import (
    HEDGED,
    CarryPlan,
    CarryState,
    Hedging,
    PlanWorld,
    begun,
    work,
)
from tests.fairlead.store.records import begin

BOTH: dict[str, Any] = {"venues": ("main", "other"), "options": Hedging()}


async def entered(world: PlanWorld, **plan: Any) -> str:  # noqa: ANN401 - for the plan
    """Start a plan and wait until its first order rests; gives the order's id."""
    await begun(world)
    world.start(**plan)
    await world.wait(1.5)
    (order,) = world.resting()
    return order.client_id


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


def test_nothing_is_admitted_while_its_market_may_only_be_reduced() -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.rule.assesses = lambda view: (Posture(PostureLevel.REDUCING, "test", "why", MARKET),)
        await world.wait(1)
        world.start()
        await world.wait(2)

    world, _ = work(act, for_s=6)

    assert world.trace.of(ExecutionStarted) == []
    result = world.seen()[-1].result
    assert result is not None
    assert result.end == "denied: test: 4, limit 0 (reduce only)"


Wish = Callable[[PlanWorld, PlanView], Place]


def _hedge(
    world: PlanWorld,
    view: PlanView,
    quantity: str,
    **more: Any,  # noqa: ANN401 - for the wish
) -> Place:
    assert world.puppet is not None
    wish = {"purpose": Purpose.HEDGE, "side": Side.SELL, "level": 1, "price": Decimal(90)}
    return world.puppet.place(
        view.now_ns, quantity=Decimal(quantity), post_only=False, **(wish | more)
    )


def _entry(
    world: PlanWorld,
    view: PlanView,
    **more: Any,  # noqa: ANN401 - for the wish
) -> Place:
    assert world.puppet is not None
    return world.puppet.place(view.now_ns, **more)


@pytest.mark.parametrize(
    ("wish", "detail"),
    [
        (lambda w, v: _entry(w, v, quantity=Decimal("4.1")), "beyond its admission"),
        (lambda w, v: _entry(w, v, price=Decimal("100.01")), "beyond the price"),
        (lambda w, v: _entry(w, v, side=Side.SELL), "was not admitted for it"),
        (lambda w, v: _entry(w, v, market=HEDGED), ""),
        (lambda w, v: _entry(w, v, purpose=Purpose.QUOTE), ""),
        (lambda w, v: _entry(w, v, slot=Slot("alt", MARKET, Side.BUY, 0)), "another's slot"),
        (lambda w, v: _entry(w, v, slot=Slot("alt", MARKET, Side.BUY, 0, "x")), "another's slot"),
        (lambda w, v: _hedge(w, v, "1"), "own exposure"),
    ],
    ids=["size", "price", "side", "market", "quote", "no plan", "other plan", "hedge of nothing"],
)
def test_no_plan_goes_beyond_its_admission(wish: Wish, detail: str) -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            return ((wish(world, view),), "") if isinstance(event, Wake) else ((), "")

        await begun(world)
        world.acts = acts
        world.start(executor="puppet")
        await world.wait(3)

    world, _ = work(act, for_s=6, **BOTH)

    assert world.trace.of(OrderRecorded) == []
    assert world.puppet is not None
    (refused,) = [event for event in world.puppet.events if isinstance(event, Refused)]
    assert refused.stage == "admission"
    assert detail in refused.denied.detail


def test_filled_and_live_orders_count_against_the_admission() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            assert world.puppet is not None
            now_ns = view.now_ns
            if isinstance(event, Wake):
                return (world.puppet.place(now_ns, quantity=Decimal(3)),), ""
            if isinstance(event, Filled):  # 1 is filled, 2 are live
                more = [world.puppet.place(now_ns, quantity=Decimal(n), level=n) for n in (2, 1)]
                return tuple(more), ""
            return (), ""

        world.acts = acts
        order = await entered(world, executor="puppet")
        world.venue.exchange.fill(order, "1")
        await world.wait(2)

    world, _ = work(act, for_s=6)

    assert [order.quantity for order in world.trace.of(OrderRecorded)] == [3, 1]


def test_an_exit_is_never_larger_than_what_the_plan_holds_in_flight_included() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            if isinstance(event, Wake):
                return (_entry(world, view),), ""
            if isinstance(event, Filled) and event.fill.side is Side.BUY:
                wishes = [("1.1", 1), ("0.6", 2), ("0.6", 3), ("0.4", 4)]
                return tuple(_hedge(world, view, size, level=n) for size, n in wishes), ""
            return (), ""

        world.acts = acts
        order = await entered(world, executor="puppet")
        world.venue.exchange.fill(order, "1")
        await world.wait(0.1)

    world, _ = work(act, for_s=6)

    hedges = [order for order in world.trace.of(OrderRecorded) if order.purpose is Purpose.HEDGE]
    assert [order.quantity for order in hedges] == [Decimal("0.6"), Decimal("0.4")]


def test_a_slot_holds_one_order() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            if isinstance(event, Wake | OrderChanged):
                return (_entry(world, view, quantity=Decimal(1)),), ""
            return (), ""

        world.acts = acts
        await entered(world, executor="puppet")
        await world.wait(3)

    world, _ = work(act, for_s=6)

    assert len(world.trace.of(OrderRecorded)) == 1


def test_what_is_reserved_counts_for_the_rules_once() -> None:
    seen: list[tuple[Decimal, Decimal]] = []

    async def act(world: PlanWorld) -> None:
        def checks(intent: OrderIntent, view: RiskView) -> Verdict:
            orders = view.market(MARKET).orders
            seen.append((intent.quantity, sum((o.leaves for o in orders), start=Decimal(0))))
            return Allowed()

        await begun(world)
        world.rule.checks = checks
        world.start()
        await world.wait(1.5)
        (order,) = world.resting()
        orders = world.engine.desk.view.market(MARKET).orders
        assert [(one.quantity, one.is_reservation) for one in orders] == [
            (Decimal(2), False),
            (Decimal(2), True),
        ]
        world.venue.exchange.fill(order.client_id)
        await world.wait(1)
        assert [one.quantity for one in world.engine.desk.view.market(MARKET).orders] == [2]
        (order,) = world.resting()
        world.venue.exchange.fill(order.client_id)
        await world.wait(1)
        assert world.engine.desk.view.market(MARKET).orders == ()

    work(act, for_s=8)

    assert seen == [(Decimal(2), Decimal(2)), (Decimal(2), Decimal(0))]


def test_a_refusal_of_risk_is_heard_and_asking_again_and_again_is_slowed_down() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            return ((_entry(world, view),), "") if isinstance(event, Wake | Refused) else ((), "")

        await begun(world)
        world.acts = acts
        world.rule.checks = lambda intent, view: Denied("watching", "1", "0")
        world.start(executor="puppet")
        await world.wait(10)

    world, _ = work(act, for_s=12)

    assert world.puppet is not None
    refused = [event for event in world.puppet.events if isinstance(event, Refused)]
    assert {(event.stage, event.denied.rule) for event in refused} == {("risk", "watching")}
    assert 3 <= len(refused) <= 10


def test_a_wish_that_could_not_leave_is_refused() -> None:
    async def act(world: PlanWorld) -> None:
        def acts(event: PlanEvent, view: PlanView) -> tuple[tuple[Action, ...], str]:
            if isinstance(event, Wake):
                return (_entry(world, view, decided_ns=view.now_ns - 2 * SECOND),), ""
            return (), ""

        await begun(world)
        world.acts = acts
        world.start(executor="puppet")
        await world.wait(3)

    world, _ = work(act, for_s=6)

    assert world.puppet is not None
    assert [event.stage for event in world.puppet.events if isinstance(event, Refused)] == ["queue"]


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
            return ((_entry(world, view),), "") if isinstance(event, Wake) else ((), "")

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
                return (_entry(world, view, quantity=Decimal(2)),), ""
            if isinstance(event, Filled):
                return (_entry(world, view, quantity=Decimal(1), level=1),), ""
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
                return (_entry(world, view, price=Decimal("NaN")),), ""
            nonsense: Any = ("nonsense",)
            return nonsense, ""

        await begun(world)
        world.acts = acts
        world.start(executor="puppet")
        await world.wait(2)

    world, _ = work(act, for_s=5)

    assert world.ended.end == "failed"


def test_nothing_is_admitted_where_only_cancels_are_allowed_or_a_side_is_paused() -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        gate = world.engine.desk.gate
        plans = world.engine.desk.plans
        world.start()
        start = world.starts.pop()
        gate.impose("test", PostureLevel.CANCEL_ONLY, "why", MARKET)
        (gate_of,) = plans.start("alt", (start,))
        assert gate_of.detail == "denied by test: CANCEL_ONLY, limit ACTIVE (why)"
        gate.lift("test")
        world.rule.assesses = lambda view: (
            Posture(rule="test", reason="why", market=MARKET, paused=(Side.BUY,)),
        )
        await world.wait(1)
        (gate_of,) = plans.start("alt", (start,))
        assert gate_of.detail == "denied by test: BUY paused, limit trading (why)"
        world.engine.desk.pipeline.open_for_creates = False
        (gate_of,) = plans.start("alt", (start,))
        assert gate_of.detail.startswith("denied by stopping")
        world.engine.desk.pipeline.open_for_creates = True

    work(act, for_s=5)


def test_a_decision_with_anything_else_than_plans_is_no_decision() -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        nonsense: Any = "one"
        world.starts.append(nonsense)
        await world.wait(1)

    world, _ = work(act, for_s=4)

    assert "strategy_failed" in world.incidents()


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


Admits = Callable[[CarryPlan], Any]


def _leg(plan: CarryPlan, **changes: Any) -> Leg:  # noqa: ANN401 - for the leg
    leg = Leg(plan.market, plan.side, plan.quantity, plan.bound)
    return replace(leg, **changes)


@pytest.mark.parametrize(
    ("admits", "why"),
    [
        (lambda plan: Denied("depth", "0", "4", "too thin"), "depth: 0, limit 4 (too thin)"),
        (lambda plan: Admitted(CarryState(), ()), 'executor: TypeError("no admission'),
        (lambda plan: None, "executor: TypeError('no admission"),
        (lambda plan: Admitted(CarryState(), (_leg(plan),) * 2), "executor: ValueError('two legs"),
        (
            lambda plan: Admitted(CarryState(), (_leg(plan, market=HEDGED),)),
            "executor: ValueError('other:ALT/USDT is no market",
        ),
        (
            lambda plan: Admitted(CarryState(), (_leg(plan, bound=Decimal("Infinity")),)),
            'executor: ValueError("no quantity and bound',
        ),
        (lambda plan: 1 / 0, "executor: ZeroDivisionError"),
    ],
    ids=["denied", "no leg", "nothing", "twice", "elsewhere", "no bound", "raises"],
)
def test_an_admission_that_is_none_begins_nothing(admits: Admits, why: str) -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.admits = admits
        world.start(executor="puppet")
        await world.wait(2)

    world, _ = work(act, for_s=5)

    assert world.trace.of(ExecutionStarted) == []
    result = world.seen()[-1].result
    assert result is not None
    assert result.end.startswith(f"denied: {why}")
    assert world.engine.desk.view.market(MARKET).orders == ()


def test_a_plan_goes_to_the_executor_that_takes_it() -> None:
    class Nowhere(Plan):
        """A plan that names no market."""

    def nothing(plan: Plan, context: object) -> Any:  # noqa: ANN401 - never asked
        raise AssertionError(plan, context)

    async def act(world: PlanWorld) -> None:
        await begun(world)
        world.starts += [Start("a", "carry", Nowhere()), Start("b", "nowhere", Nowhere())]
        await world.wait(2)

    world, _ = work(act, for_s=5, executors=(("nowhere", Nowhere, nothing),))

    ends = [one.result.end for name in "ab" for one in world.seen(name) if one.result is not None]
    assert ends == [
        "denied: plan: Nowhere, limit CarryPlan (not what the executor takes)",
        "denied: market: none, limit one market or more (the plan names no market)",
    ]


@pytest.mark.parametrize(
    ("purpose", "plan", "allowed"),
    [
        (Purpose.QUOTE, "", True),
        (Purpose.EXIT, "", True),  # a person's, or a rule's
        (Purpose.ENTRY, "", False),
        (Purpose.HEDGE, "", False),
        (Purpose.ENTRY, "nobody", False),
    ],
)
def test_without_a_plan_only_quotes_and_exits_leave(
    purpose: Purpose, plan: str, allowed: bool
) -> None:
    async def act(world: PlanWorld) -> None:
        await begun(world)
        wish = Place(
            slot=Slot("alt", MARKET, Side.BUY, 0, plan),
            side=Side.BUY,
            price=Decimal(99),
            quantity=Decimal(1),
            decided_ns=world.clock.now_ns(),
            purpose=purpose,
        )
        desk = world.engine.desk
        judged = desk.pipeline.judge(wish, desk.view)
        assert isinstance(judged, OrderIntent) is allowed
        if isinstance(judged, Refusal):
            assert judged.stage == "admission"

    work(act, for_s=3)


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
