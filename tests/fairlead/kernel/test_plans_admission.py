"""What a plan may do is what it was admitted for, and what may begin at all."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from fairlead.api import (
    Action,
    Admitted,
    Allowed,
    Denied,
    Filled,
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
    Verdict,
    Wake,
)
from fairlead.model import OrderIntent, Purpose, Side, Slot
from fairlead.pipeline import Refusal
from fairlead.store import ExecutionStarted, OrderRecorded
from fairlead.testing import MARKET
from tests.fairlead.kernel.engine_world import SECOND
from tests.fairlead.kernel.plans_world import (
    BOTH,
    HEDGED,
    CarryPlan,
    CarryState,
    PlanWorld,
    begun,
    entered,
    entry,
    work,
)

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


@pytest.mark.parametrize(
    ("wish", "detail"),
    [
        (lambda w, v: entry(w, v, quantity=Decimal("4.1")), "beyond its admission"),
        (lambda w, v: entry(w, v, price=Decimal("100.01")), "beyond the price"),
        (lambda w, v: entry(w, v, side=Side.SELL), "was not admitted for it"),
        (lambda w, v: entry(w, v, market=HEDGED), ""),
        (lambda w, v: entry(w, v, purpose=Purpose.QUOTE), ""),
        (lambda w, v: entry(w, v, slot=Slot("alt", MARKET, Side.BUY, 0)), "another's slot"),
        (lambda w, v: entry(w, v, slot=Slot("alt", MARKET, Side.BUY, 0, "x")), "another's slot"),
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
                return (entry(world, view),), ""
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
                return (entry(world, view, quantity=Decimal(1)),), ""
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
            return ((entry(world, view),), "") if isinstance(event, Wake | Refused) else ((), "")

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
                return (entry(world, view, decided_ns=view.now_ns - 2 * SECOND),), ""
            return (), ""

        await begun(world)
        world.acts = acts
        world.start(executor="puppet")
        await world.wait(3)

    world, _ = work(act, for_s=6)

    assert world.puppet is not None
    assert [event.stage for event in world.puppet.events if isinstance(event, Refused)] == ["queue"]


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
