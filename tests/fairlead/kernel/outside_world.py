"""A venue with orders of ours on it, and whatever stands beside or outside of an engine."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

from fairlead.api import Connector, Request, Response, Stream
from fairlead.kernel import (
    Engine,
    Observers,
    RunResult,
    SeededIds,
    VirtualClock,
    compose,
    outside_connectors,
)
from fairlead.model import ClientId, Side
from fairlead.store import Incident
from fairlead.testing import (
    MemoryDisk,
    MemoryTrace,
    SimulatedVenue,
    VenueSetup,
    VirtualProcess,
    VirtualTransport,
    run_virtual,
)
from fairlead.testing.neutral import Place
from fairlead.testing.simulated import HINT, Origin
from fairlead.testing.simulation import SHIPPED, load_scenarios

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND
TAG, EPOCH = 77, 3
(SCENARIO,) = load_scenarios(SHIPPED, ("risk.warm_up=1 s", "venues.main.budget=0"))
INSTANCE = SCENARIO.settings.engine.instance


class DyingTransport:
    """The engine's way to its venue; once `dead`, nothing of it is heard of any more."""

    def __init__(self, inner: VirtualTransport) -> None:
        self._inner = inner
        self.dead = False

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        if self.dead:
            await asyncio.get_running_loop().create_future()
        return await self._inner.request(request, timeout_ns=timeout_ns)

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        return await self._inner.connect(url, timeout_ns=timeout_ns)


class OutsideWorld:
    """One venue, one machine; an engine on it where a test starts one."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.transport = VirtualTransport(clock)
        self.venue = SimulatedVenue(VenueSetup(), clock, SeededIds(3))
        self.venue.serve(self.transport)
        self.venue.start()
        self.process = VirtualProcess()
        self.disk = MemoryDisk()
        self.trace = MemoryTrace()
        self.way = DyingTransport(self.transport)
        self.told: list[str] = []

    def engine(self, *, watchdog: tuple[str, ...] = ("watchdog",)) -> Engine:
        """Put an engine together; the machine's process is its own."""
        container = compose(
            SCENARIO.settings,
            SCENARIO.offers,
            {
                "clock": self.clock,
                "ids": SeededIds(1),
                "process": self.process,
                "store": self.disk.open(),
                "traces": lambda name: self.trace,
                "observers": Observers({}, self.clock.monotonic_ns, slow_ns=SECOND, patience=3),
            },
        )
        container.transport.override(self.way)
        container.watchdog.override(watchdog)
        engine: Engine = container.engine()
        return engine

    async def quoting(self, engine: Engine) -> "asyncio.Task[RunResult]":
        """Run an engine until its four quotes rest."""
        run = asyncio.get_running_loop().create_task(engine.run())
        await self.until(lambda: len(self.ours()) == 4)
        return run

    def connectors(self) -> Mapping[str, Connector]:
        """Make connectors as another process would."""
        return outside_connectors(
            SCENARIO.settings,
            SCENARIO.offers,
            clock=self.clock,
            ids=SeededIds(5),
            transport=self.transport,
        )

    def place(self, number: int, *, tag: int = TAG, epoch: int = EPOCH) -> str:
        """Let an order of some instance rest at the venue; gives its id."""
        name = str(ClientId(tag, epoch, number))
        price = self.venue.instrument.round_price(self.venue.mid * Decimal("0.95"), Side.BUY)
        place = Place(name, HINT.symbol, Side.BUY, price, Decimal(100))
        assert not self.venue.account.place(place, Origin.ENGINE).code
        return name

    def ours(self) -> list[str]:
        """Give the ids of the orders that engines have left at the venue."""
        return [one.client_id for one in self.venue.truth.open_orders(Origin.ENGINE)]

    def incidents(self, name: str) -> list[str]:
        """Give the details of the incidents of a name."""
        return [one.detail for one in self.trace.of(Incident) if one.name == name]

    async def until(self, true: Callable[[], bool], limit_s: float = 120) -> float:
        """Let time pass until something holds; gives how many seconds that took."""
        begun_ns = self.clock.now_ns()
        while not true():
            assert self.clock.now_ns() - begun_ns < limit_s * SECOND, self.told
            await self.clock.sleep_ns(SECOND // 10)
        return (self.clock.now_ns() - begun_ns) / SECOND

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.sleep_ns(round(seconds * SECOND))


def outside(act: Callable[[OutsideWorld], Coroutine[Any, Any, None]]) -> OutsideWorld:
    """Let ``act`` happen in a fresh world; gives it back."""

    async def main(clock: VirtualClock) -> OutsideWorld:
        world = OutsideWorld(clock)
        await asyncio.sleep(0)
        try:
            await act(world)
        finally:
            world.venue.stop()
        return world

    return run_virtual(main, start_ns=START_NS)
