"""What the judge of plans lets pass, and what it does not: without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import pytest

from fairlead.api import ExecutionMode, ExecutionResult, LegResult
from fairlead.kernel import VirtualClock
from fairlead.model import Purpose, Side
from fairlead.store import (
    AdmittedLeg,
    AlertRaised,
    ExecutionEnded,
    ExecutionStarted,
    FillBooked,
    StoreReader,
)
from fairlead.testing import SimulatedVenue
from fairlead.testing.simulation.oracle_plan import PlanOracle
from tests.fairlead.testing.oracle_kit import MARKET, TICK, Trade, Watch, in_venue, life, made

BUY, SELL = Side.BUY, Side.SELL
ENTRY: dict[str, object] = {"execution": "e1", "purpose": Purpose.ENTRY}
EXIT: dict[str, object] = {"execution": "e1", "purpose": Purpose.EXIT}
RESIDUAL_TOLD = AlertRaised("critical", "residual_exposure", "10 ALT")


def started(execution: str = "e1") -> ExecutionStarted:
    """Admit a plan that may buy 20 ALT at 1.95 USDT at most."""
    leg = AdmittedLeg(MARKET, BUY, Decimal(20), Decimal("1.95"), None, None)
    return made(ExecutionStarted, execution=execution, name="one", executor="position", legs=(leg,))


def ended(
    bought: str = "20", sold: str = "20", *, end: str = "done", left: str = "0"
) -> ExecutionEnded:
    """End it, with what it says that it has traded and left."""
    legs = [
        LegResult(
            MARKET, side, Decimal(20), Decimal(filled), None, None, None, None, None, Decimal(0), {}
        )
        for side, filled in ((BUY, bought), (SELL, sold))
    ]
    residual = {MARKET: Decimal(left)} if Decimal(left) else {}
    return made(
        ExecutionEnded,
        execution="e1",
        name="one",
        executor="position",
        end=end,
        result=ExecutionResult(True, end, ExecutionMode.TAKER, tuple(legs), residual, 0, 1, {}),
    )


class Story:
    """A plan of which one oracle hears, and what that says."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self.watch = Watch()
        self.runs: dict[str, object] = {}
        desk = SimpleNamespace(plans=SimpleNamespace(runs=self.runs))
        self.oracle = PlanOracle(self.watch.add, {"main": venue})
        process = life(engine=SimpleNamespace(desk=desk))
        self.trade = Trade(venue, self.oracle, process=process)
        self.trade.record(started())

    @property
    def broken(self) -> Sequence[str]:
        return self.watch.broken

    def enter(self, quantity: int = 20, share: float = 1.0) -> str:
        """Enter, and fill a share of it."""
        name = self.trade.place(BUY, quantity, **ENTRY)
        if share:
            self.trade.fill(name, share)
        return name

    def leave(self, quantity: int = 20) -> None:
        """Leave, and fill all of it."""
        self.trade.fill(self.trade.place(SELL, quantity, **EXIT))


def test_a_plan_within_its_admission_that_ends_at_zero_is_right() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.trade.cancel(story.trade.place(BUY, 10))  # of no plan
        half = story.enter(20, share=0.5)
        story.leave(10)
        story.trade.cancel(half)
        story.enter(10)
        story.leave(10)
        story.trade.record(ended())
        story.trade.record(TICK)

        assert story.broken == []
        assert story.oracle.count == 1

    in_venue(tell)


def test_no_entry_is_priced_beyond_its_bound_or_made_where_no_leg_is() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.trade.write(BUY, 20, **ENTRY, price=Decimal("1.95"))
        assert story.broken == []

        story.trade.write(BUY, 20, **ENTRY, price=Decimal("1.9501"))
        story.trade.write(SELL, 20, **ENTRY)
        assert story.broken == ["no plan exceeds its admission"] * 2

    in_venue(tell)


def test_what_entered_and_what_may_enter_is_never_more_than_was_admitted() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.enter(10)
        story.enter(10, share=0)
        assert story.broken == []

        story.enter(6, share=0)
        assert story.broken == ["no plan exceeds its admission"]

    in_venue(tell)


def test_what_is_open_is_hedged_once() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.enter(20, share=0.5)
        story.trade.place(SELL, 10, **EXIT)
        assert story.broken == []

        story.trade.place(SELL, 6, **EXIT)
        assert story.broken == ["nothing is hedged twice"]

    in_venue(tell)


def test_what_the_venue_itself_learns_late_nobody_can_know() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        late = story.enter(20, share=0.5)
        story.trade.place(SELL, 10, **EXIT)
        venue.account.learnt_late[late] = Decimal(10)
        story.trade.place(SELL, 10, **EXIT)
        assert story.broken == []

        story.trade.place(SELL, 6, **EXIT)
        assert story.broken == ["nothing is hedged twice"]

    in_venue(tell)


def test_an_execution_begins_before_its_orders_and_ends_once() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.trade.record(started("e2"))
        assert story.broken == []

        story.trade.write(BUY, 10, execution="e3", purpose=Purpose.ENTRY)
        story.trade.record(started())
        story.trade.record(ended("0", "0"))
        story.trade.record(ended("0", "0"))
        story.trade.record(made(ExecutionEnded, execution="e4"))
        assert story.broken == [
            "a plan is recorded before its orders",
            "an execution begins once",
            "an execution ends once",
            "an execution ends that has begun",
        ]

    in_venue(tell)


def test_a_plan_ends_with_no_order_that_can_fill_and_trades_no_more() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.enter(10, share=0)
        late = story.trade.write(BUY, 10, **ENTRY)
        story.trade.record(ended("0", "0"))
        story.trade.land(late, BUY, 10)

        assert story.broken == [
            "a plan ends when none of its orders can fill",
            "a plan that has ended trades no more",
        ]

    in_venue(tell)


@pytest.mark.parametrize(
    ("bought", "left", "rule"),
    [
        ("20", "20", ""),
        ("19", "20", "a result tells what was filled"),
        ("20", "19", "a plan ends at zero or at its residual"),
        ("20", "0", "a plan ends at zero or at its residual"),
    ],
)
def test_a_result_is_what_was_filled_and_what_is_open(bought: str, left: str, rule: str) -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.enter()
        story.trade.record(ended(bought, "0", left=left))

        assert story.broken == ([rule] if rule else [])

    in_venue(tell)


@pytest.mark.parametrize("told", [True, False])
def test_what_could_not_be_closed_is_told_within_the_tick(told: bool) -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.enter()
        story.trade.record(ended("20", "0", end="not closed", left="20"))
        if told:
            story.trade.record(RESIDUAL_TOLD)
        story.trade.record(TICK)
        story.trade.record(TICK)

        assert story.broken == ([] if told else ["what a plan leaves open is told"])

    in_venue(tell)


def test_a_fill_after_the_end_is_told_within_the_tick() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        name = story.trade.write(BUY, 10, **ENTRY)
        fill = made(FillBooked, order=name, market=MARKET, trade="t1")
        story.trade.record(fill)
        story.trade.record(TICK)
        story.trade.record(ended("0", "0"))
        story.trade.record(fill)
        story.trade.record(RESIDUAL_TOLD)
        story.trade.record(TICK)
        assert story.broken == []

        story.trade.record(fill)
        story.trade.record(TICK)
        assert story.broken == ["what a plan leaves open is told"]

    in_venue(tell)


def test_an_end_that_was_lost_with_the_power_may_come_again_and_one_that_was_safe_may_not() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue)
        story.trade.record(ended("0", "0"))
        story.trade.begin()
        story.trade.record(ended("0", "0"))
        story.oracle.durable(story.trade.life, story.trade.seq)
        assert story.broken == []

        story.trade.begin()
        story.trade.begin()
        story.trade.record(ended("0", "0"))
        assert story.broken == ["an execution ends once"]

    in_venue(tell)


def test_an_execution_without_an_end_is_one_that_was_still_worked() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        row = {"execution": "e1", "name": "one", "strategy": "alt"}
        stored = cast("StoreReader", SimpleNamespace(open_executions=lambda instance: [row]))
        story = Story(venue)
        story.runs["e1"] = None
        story.trade.record(TICK)
        assert list(story.oracle.audit(stored, "demo")) == []

        story.runs.clear()
        story.trade.record(TICK)
        assert list(story.oracle.audit(stored, "demo")) == ["execution one of alt has no end"]

    in_venue(tell)
