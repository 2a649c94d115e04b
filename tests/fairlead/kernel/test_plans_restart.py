"""Kill the engine after each step of a plan that is journaled: the next run goes on from it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fairlead.api import (
    Decision,
    Duration,
    ExecutorContext,
    Gate,
    NoMemory,
    Offers,
    Record,
    Registry,
    Start,
    View,
)
from fairlead.config import EngineSettings, Settings, StrategySettings, VenueSettings
from fairlead.kernel import SeededIds, VirtualClock
from fairlead.model import MarketId, Side
from fairlead.store import (
    ExecutionEnded,
    ExecutionStarted,
    ExecutionStepped,
    FillBooked,
    OrderMoved,
    OrderRecorded,
)
from fairlead.testing import (
    MemoryDisk,
    SimulatedVenue,
    VenueSetup,
    VirtualTransport,
    offer_neutral,
    run_virtual,
)
from fairlead.testing.neutral import NeutralConfig
from fairlead.testing.simulated import Origin
from fairlead.testing.simulation.audit import books_differ
from fairlead.testing.simulation.gate import install_task_factory
from fairlead.testing.simulation.life import Life, Machine
from fairlead.testing.simulation.seam import Wall
from tests.fairlead.kernel.engine_world import START_NS, Quoting, Table
from tests.fairlead.kernel.plans_world import Carry, CarryPlan, Hedging

SECOND = 1_000_000_000
VENUES = ("main", "other")
MAIN, OTHER = (MarketId(name, "ALT/USDT") for name in VENUES)
#: What a death may come after.
STEPS = (
    ExecutionStarted,
    ExecutionStepped,
    OrderRecorded,
    OrderMoved,
    FillBooked,
    ExecutionEnded,
)


class Ears:
    """Hear what processes journal, and kill one after so many records."""

    def __init__(self, kill_at: int) -> None:
        self._left = kill_at
        self.records: list[Record] = []
        self.ended: list[ExecutionEnded] = []

    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if not isinstance(record, STEPS):
            return
        self.records.append(record)
        if isinstance(record, ExecutionEnded):
            self.ended.append(record)
        self._left -= 1
        if self._left == 0:
            life.gate.kill(type(record).__name__)

    def durable(self, *what: object) -> None: ...
    def placing(self, *what: object) -> None: ...
    def cancelling(self, *what: object) -> None: ...
    def asking(self, *what: object) -> None: ...
    def answered(self, *what: object) -> None: ...
    def opening(self, *what: object) -> None: ...
    def told(self, *what: object) -> None: ...


class Restarts:
    """Two venues, a machine, and the processes that come one after the other."""

    def __init__(self, clock: VirtualClock, kill_at: int, **plan: object) -> None:
        self.clock = clock
        self.ears = Ears(kill_at)
        self.carries: list[Carry] = []
        self._plan = plan
        self._asked = False
        transport = VirtualTransport(clock)
        ids = SeededIds(5)
        self.venues = {name: SimulatedVenue(VenueSetup(name), clock, ids) for name in VENUES}
        for venue in self.venues.values():
            venue.serve(transport)
            venue.start()
        self.machine = Machine(
            settings=self._settings(),
            offers=self._offers(),
            clock=clock,
            transport=transport,
            seed=7,
            wall=Wall(),
            disk=MemoryDisk(),
            latency_ns=lambda: 3_000_000,
            markers={},
            locks={},
            addresses={f"{name}.test": name for name in VENUES},
        )

    def _settings(self) -> Settings:
        engine = EngineSettings(
            instance="demo",
            currency="USDT",
            mode="rehearse",
            tick=Duration.parse("500 ms"),
            watchdog=False,
        )
        venues = {
            name: VenueSettings(connector="neutral", options=NeutralConfig()) for name in VENUES
        }
        table = StrategySettings(controller="carrying", market=MAIN, options=Hedging(hedge=OTHER))
        return Settings(
            engine=engine, venues=venues, strategies={"alt": table}, risk={}, folder=Path()
        )

    def _offers(self) -> Offers:
        registry = Registry()
        offer_neutral(registry)
        registry.executor("carry", CarryPlan, self._build)
        registry.controller("carrying", Table, lambda config, context: self._controller())
        return registry.offers()

    def _build(self, plan: CarryPlan, context: ExecutorContext) -> Carry:
        carry = Carry(plan, context)
        self.carries.append(carry)
        return carry

    def _controller(self) -> Quoting:
        controller = Quoting()
        controller.decides = self._decide
        return controller

    def _decide(self, view: View) -> Decision[NoMemory]:
        start: tuple[Start, ...] = ()
        if not self._asked and view.mid is not None:
            self._asked = True
            bound = (view.mid * Decimal("1.002")).quantize(Decimal("0.0001"))
            values = {"market": MAIN, "hedge": OTHER, "bound": bound, "below": Decimal("0.002")}
            start = (Start("one", "carry", CarryPlan(**(values | self._plan))),)
        return Decision(NoMemory(), quotes=(), gates=(Gate("plans only", ""),), start=start)

    async def live(self, number: int) -> Life:
        """Let a process live until the plan has ended, it is killed, or 20 s are over."""
        life = Life(self.machine, number, self.ears)
        task = life.start()
        until_ns, before = self.clock.now_ns() + 20 * SECOND, len(self.ears.ended)
        while not task.done() and self.clock.now_ns() < until_ns:
            if len(self.ears.ended) > before:
                break
            await asyncio.wait([task], timeout=0.3)
            self._trade()
        if life.gate.alive:
            life.process.stop()
        while not task.done():
            await asyncio.wait([task], timeout=0.3)
            if not life.gate.alive:
                await life.gate.bury()
        if life.gate.alive:
            assert task.result().proven, task.result()
        return life

    def _trade(self) -> None:
        # Each entry fills by halves: pieces that are large enough to be hedged.
        venue = self.venues["main"]
        for order in venue.truth.open_orders(Origin.ENGINE):
            venue.deeds.hit(order.client_id, 1.0 if order.filled else 0.5)

    def traded(self) -> Mapping[str, Decimal]:
        """Give bought less sold at each venue, by the venue's own truth."""
        return {
            name: sum((f.side.sign * f.quantity for f in venue.truth.fills), start=Decimal(0))
            for name, venue in self.venues.items()
        }


def story(kill_at: int, keep: float = 0.0, **plan: object) -> Restarts:
    async def main(clock: VirtualClock) -> Restarts:
        install_task_factory(asyncio.get_running_loop())
        world = Restarts(clock, kill_at, **({"quantity": "200", "slice": "200"} | plan))
        life = await world.live(1)
        if not life.gate.alive:
            disk = world.machine.disk
            world.machine.disk = disk.crash(keep_unsynced=round(disk.unsynced * keep))
            await clock.sleep_ns(2 * SECOND)
            await world.live(2)
        for venue in world.venues.values():
            venue.stop()
        return world

    return run_virtual(main, start_ns=START_NS)


WHOLE = story(kill_at=0)


def test_without_a_death_the_plan_comes_to_its_end() -> None:
    (ended,) = WHOLE.ears.ended

    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert WHOLE.traded() == {"main": Decimal(200), "other": Decimal(-200)}


@pytest.mark.parametrize("kill_at", range(1, len(WHOLE.ears.records) + 1))
def test_killed_after_any_record_it_is_gone_on_with_and_ends_at_zero(kill_at: int) -> None:
    # With every second death goes what was written but not synced.
    world = story(kill_at, keep=float(kill_at % 2))

    kinds = [type(record) for record in world.ears.records]
    if kinds.count(ExecutionEnded) == 0:
        # Its begin was lost with the power, and so was all that could have come of it.
        assert world.traded() == {"main": Decimal(0), "other": Decimal(0)}
        return
    ended = world.ears.ended[-1]
    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert world.traded() == {"main": Decimal(200), "other": Decimal(-200)}
    entry, hedges = ended.result.legs
    assert (entry.side, entry.filled) == (Side.BUY, Decimal(200))
    assert (hedges.side, hedges.filled) == (Side.SELL, Decimal(200))
    assert list(books_differ(world.machine.disk.reader(), "demo", world.venues)) == []


# An executor whose hedges find no buyer within their bound, and that gives up after a while.
STUCK: dict[str, Any] = {"seconds": 3, "hedge_off": Decimal("0.5")}
UNHEDGED = story(kill_at=0, **STUCK)


def test_what_cannot_be_hedged_is_reported_as_it_is() -> None:
    (ended,) = UNHEDGED.ears.ended

    assert ended.end == "late"
    assert UNHEDGED.traded() == {"main": Decimal(200), "other": Decimal(0)}
    assert ended.result.residual == {str(MAIN): Decimal(200)}


@pytest.mark.parametrize("kill_at", range(4, len(UNHEDGED.ears.records) + 1, 9))
def test_killed_anywhere_the_residual_that_it_reports_is_what_is_open(kill_at: int) -> None:
    world = story(kill_at, keep=float(kill_at % 2), **STUCK)

    if world.ears.ended:
        traded = world.traded()
        residual = world.ears.ended[-1].result.residual
        assert residual.get(str(MAIN), Decimal(0)) == traded["main"] + traded["other"]
    assert list(books_differ(world.machine.disk.reader(), "demo", world.venues)) == []
