"""Processes that come one after the other on one machine, the first of them killed."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from fairlead.api import (
    Decision,
    Duration,
    Gate,
    NoMemory,
    Offers,
    Record,
    Registry,
    Start,
    View,
)
from fairlead.config import EngineSettings, Settings, StrategySettings, VenueSettings
from fairlead.execution import SHIPPED
from fairlead.kernel import SeededIds, VirtualClock
from fairlead.model import MarketId
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
from fairlead.testing.simulation.gate import install_task_factory
from fairlead.testing.simulation.life import Life, Machine
from fairlead.testing.simulation.seam import Wall
from tests.fairlead.kernel.engine_world import START_NS, Quoting, Table
from tests.fairlead.kernel.plans_world import Hedging

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


RestartsT = TypeVar("RestartsT", bound="Restarts")


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


class Restarts(ABC):
    """Two venues, a machine, and the processes that come one after the other."""

    def __init__(self, clock: VirtualClock, kill_at: int) -> None:
        self.clock = clock
        self.ears = Ears(kill_at)
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
        table = StrategySettings(controller="starting", market=MAIN, options=Hedging(hedge=OTHER))
        return Settings(
            engine=engine, venues=venues, strategies={"alt": table}, risk={}, folder=Path()
        )

    def _offers(self) -> Offers:
        registry = Registry()
        offer_neutral(registry)
        self._offer(registry)
        registry.controller("starting", Table, lambda config, context: self._controller())
        return registry.offers()

    def _offer(self, registry: Registry) -> None:
        for name, plan, build, _ in SHIPPED:
            registry.executor(name, plan, build)

    @abstractmethod
    def _start(self, mid: Decimal) -> Start:
        """Say what is started, once, as soon as the market has a mid."""

    def _controller(self) -> Quoting:
        controller = Quoting()
        controller.decides = self._decide
        return controller

    def _decide(self, view: View) -> Decision[NoMemory]:
        start: tuple[Start, ...] = ()
        if not self._asked and view.mid is not None:
            self._asked = True
            start = (self._start(view.mid),)
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


def story(make: Callable[[VirtualClock, int], RestartsT], kill_at: int) -> RestartsT:
    """Live until the end, or until ``kill_at`` records and once more; 0 = nobody is killed."""

    async def main(clock: VirtualClock) -> RestartsT:
        install_task_factory(asyncio.get_running_loop())
        world = make(clock, kill_at)
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
