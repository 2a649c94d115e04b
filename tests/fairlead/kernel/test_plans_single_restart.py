"""Kill the engine after each record of a shipped plan: the next run goes on and never overfills."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from typing_extensions import override

from fairlead.api import Decision, Gate, NoMemory, Offers, Plan, Registry, Start, View
from fairlead.api.plans import PositionPlan, TieredPlan, TwapPlan
from fairlead.execution import SHIPPED
from fairlead.kernel import VirtualClock
from fairlead.model import Side
from fairlead.store import ExecutionEnded
from fairlead.testing import offer_neutral, run_virtual
from fairlead.testing.simulation.gate import install_task_factory
from tests.fairlead.kernel.engine_world import START_NS, Table
from tests.fairlead.kernel.test_plans_restart import MAIN, SECOND, Restarts

KEYS: dict[str, Any] = {"market": MAIN, "side": "BUY", "quantity": "200"}
PLANS: dict[str, Plan] = {
    "tiered": TieredPlan.model_validate(
        KEYS | {"mode": "limit_with_fallback", "timeout": "400 ms"}
    ),
    "twap": TwapPlan.model_validate(
        KEYS | {"duration": "2 s", "interval": "1 s", "mode": "taker", "max_slice": 3}
    ),
    "position": PositionPlan.model_validate(
        KEYS | {"take_profit": "1%", "stop_loss": "5%", "time_limit": "10 s"}
    ),
}


class Single(Restarts):
    """One shipped plan, and the processes that come one after the other."""

    def __init__(self, clock: VirtualClock, kill_at: int, name: str) -> None:
        self._name = name
        self._started = False
        super().__init__(clock, kill_at)

    @override
    def _offers(self) -> Offers:
        registry = Registry()
        offer_neutral(registry)
        for name, plan, build, _ in SHIPPED:
            registry.executor(name, plan, build)
        registry.controller("carrying", Table, lambda config, context: self._controller())
        return registry.offers()

    @override
    def _decide(self, view: View) -> Decision[NoMemory]:
        start: tuple[Start, ...] = ()
        if not self._started and view.mid is not None:
            self._started = True
            start = (Start("one", self._name, PLANS[self._name]),)
        return Decision(NoMemory(), quotes=(), gates=(Gate("plans only", ""),), start=start)

    def filled(self, side: Side) -> Decimal:
        """Give what was traded on one side, by the venue's own truth."""
        fills = self.venues["main"].truth.fills
        return sum((fill.quantity for fill in fills if fill.side is side), start=Decimal(0))


def story(name: str, kill_at: int) -> Single:
    async def main(clock: VirtualClock) -> Single:
        install_task_factory(asyncio.get_running_loop())
        world = Single(clock, kill_at, name)
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


WHOLE = {name: story(name, kill_at=0) for name in PLANS}
DEATHS = [
    (name, kill_at)
    for name, world in WHOLE.items()
    for kill_at in range(1, len(world.ears.records) + 1)
]


@pytest.mark.parametrize("name", PLANS)
def test_without_a_death_a_plan_comes_to_its_end(name: str) -> None:
    (ended,) = WHOLE[name].ears.ended

    assert ended.complete, ended
    assert WHOLE[name].filled(Side.BUY) == 200


@pytest.mark.parametrize(("name", "kill_at"), DEATHS)
def test_killed_after_any_record_a_plan_goes_on_and_never_overfills(
    name: str, kill_at: int
) -> None:
    world = story(name, kill_at)

    bought, sold = world.filled(Side.BUY), world.filled(Side.SELL)
    assert sold <= bought <= 200
    if not any(isinstance(record, ExecutionEnded) for record in world.ears.records):
        assert bought == 0  # its begin was lost with the power, and so was all that followed
        return
    ended = world.ears.ended[-1]
    assert ended.result.legs[0].filled == bought
    if name == "position":
        # The fees of the entry are taken in ALT; less than the lot of 1 is nothing.
        left = bought - sold - ended.result.legs[0].fees.get("ALT", Decimal(0))
        assert 0 <= left - sum(ended.result.residual.values(), start=Decimal(0)) < 1
    else:
        assert ended.complete == (bought == 200)
