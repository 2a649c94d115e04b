"""Kill the engine after each record of a plan of two markets: what stays open is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from typing_extensions import override

from fairlead.api import (
    AtomicPlan,
    Decision,
    Gate,
    NoMemory,
    Offers,
    Plan,
    Registry,
    Start,
    View,
    XemmPlan,
)
from fairlead.execution import SHIPPED
from fairlead.kernel import VirtualClock
from fairlead.testing import offer_neutral, run_virtual
from fairlead.testing.simulation.audit import books_differ
from fairlead.testing.simulation.gate import install_task_factory
from tests.fairlead.kernel.engine_world import START_NS, Table
from tests.fairlead.kernel.test_plans_restart import MAIN, OTHER, SECOND, Restarts

LEGS: list[dict[str, Any]] = [
    {"market": MAIN, "side": "BUY", "quantity": "200"},
    {"market": OTHER, "side": "SELL", "quantity": "200"},
]
PLANS: Mapping[str, tuple[str, Plan]] = {
    "legs together": (
        "atomic",
        AtomicPlan.model_validate({"legs": LEGS, "policy": "unwind", "loss_cap": "2%"}),
    ),
    "one leads": (
        "atomic",
        AtomicPlan.model_validate({"legs": LEGS, "lead": MAIN, "lead_time": "8 s"}),
    ),
    "quote and hedge": (
        "xemm",
        XemmPlan.model_validate(
            {
                "maker_market": MAIN,
                "taker_market": OTHER,
                "maker_side": "BUY",
                "order_amount": "200",
                "min_profitability": "-80 bps",
                "target_profitability": "0 bps",
                "max_profitability": "80 bps",
                "time_limit": "8 s",
            }
        ),
    ),
}


class Shipped(Restarts):
    """The two venues and processes, with a plan that ships with the engine."""

    def __init__(self, clock: VirtualClock, kill_at: int, name: str, *, busy: bool) -> None:
        self._start = Start("one", *PLANS[name])
        self._busy = busy
        super().__init__(clock, kill_at)

    @override
    def _trade(self) -> None:
        # Where nobody else is busy, half of the first order that rests is all that is traded.
        if self._busy or not self.venues["main"].truth.fills:
            super()._trade()

    @override
    def _offers(self) -> Offers:
        registry = Registry()
        offer_neutral(registry)
        for executor, plan, build, _ in SHIPPED:
            registry.executor(executor, plan, build)
        registry.controller("carrying", Table, lambda config, context: self._controller())
        return registry.offers()

    @override
    def _decide(self, view: View) -> Decision[NoMemory]:
        start: tuple[Start, ...] = ()
        if not self._asked and view.mid is not None:
            self._asked, start = True, (self._start,)
        return Decision(NoMemory(), quotes=(), gates=(Gate("plans only", ""),), start=start)


def story(name: str, kill_at: int, *, busy: bool) -> Shipped:
    async def main(clock: VirtualClock) -> Shipped:
        install_task_factory(asyncio.get_running_loop())
        world = Shipped(clock, kill_at, name, busy=busy)
        life = await world.live(1)
        if not life.gate.alive:
            disk = world.machine.disk
            # With every second death goes what was written but not synced.
            world.machine.disk = disk.crash(keep_unsynced=disk.unsynced * (kill_at % 2))
            await clock.sleep_ns(2 * SECOND)
            await world.live(2)
        for venue in world.venues.values():
            venue.stop()
        return world

    return run_virtual(main, start_ns=START_NS)


@lru_cache(maxsize=2 * len(PLANS))
def whole(name: str, *, busy: bool) -> Shipped:
    return story(name, kill_at=0, busy=busy)


@pytest.mark.parametrize("name", PLANS)
def test_without_a_death_the_plan_comes_to_its_end(name: str) -> None:
    world = whole(name, busy=True)

    (ended,) = world.ears.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert world.traded() == {"main": Decimal(200), "other": Decimal(-200)}


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "quiet"])
@pytest.mark.parametrize("name", PLANS)
def test_killed_after_any_record_what_is_open_in_the_end_is_reported(name: str, busy: bool) -> None:
    deaths = len(whole(name, busy=busy).ears.records)
    assert deaths > 8

    for kill_at in range(1, deaths + 1):
        world = story(name, kill_at, busy=busy)

        residual = world.ears.ended[-1].result.residual if world.ears.ended else {}
        open_ = sum(world.traded().values(), start=Decimal(0))
        assert open_ == sum(residual.values(), start=Decimal(0)), kill_at
        assert list(books_differ(world.machine.disk.reader(), "demo", world.venues)) == [], kill_at
