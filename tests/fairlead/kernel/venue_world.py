"""A whole engine against one simulated venue, in virtual time, and what both made of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from fairlead.api import Offers, Record, Registry, Request, Response, Store, Stream
from fairlead.config import Settings, enabled, load, resolve
from fairlead.kernel import (
    Engine,
    Observers,
    RunResult,
    RunSetup,
    SeededIds,
    Ticker,
    VirtualClock,
    compose,
    load_plugins,
)
from fairlead.kernel.desk import Desk
from fairlead.model import ZERO, OrderState
from fairlead.store import (
    Durability,
    Incident,
    OrderMoved,
    OrderRecorded,
    PostureChanged,
    TraceHash,
)
from fairlead.testing import (
    MemoryDisk,
    MemoryTrace,
    SimulatedVenue,
    VenueSetup,
    VirtualProcess,
    VirtualTransport,
    offer_neutral,
    run_virtual,
)
from fairlead.testing.simulated import Effect, EffectKind, Origin, SlotWatch
from fairlead.testing.simulation.audit import books_differ
from fairlead.testing.simulation.gate import Gate
from fairlead.testing.simulation.scenario import SHIPPED
from fairlead.testing.simulation.seam import GatedClock, Wall

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND
SETS = ("risk.warm_up=1 s",)
INSTANCE = "simulated"
RecordT = TypeVar("RecordT", bound=Record)


def configured(*sets: str) -> tuple[Settings, Offers]:
    """Read the configuration that simulations ship with, on a venue of the neutral protocol."""
    raw = load(SHIPPED, ("engine.mode=rehearse", *sets), {})
    offers = load_plugins(enabled(raw)).register_offers()
    registry = Registry()
    registry.enter("tests", "fairlead")
    offer_neutral(registry)
    connectors = {**offers.connectors, **registry.offers().connectors}
    offers = replace(offers, connectors=connectors)
    return resolve(raw, offers), offers


class CountingTransport:
    """The engine's way to the venue; counts how often each client id left in a create."""

    def __init__(self, inner: VirtualTransport, *, remember: bool) -> None:
        self._inner = inner
        self._remember = remember
        self.creates: Counter[str] = Counter()
        self.cancels = 0

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        if request.method == "POST" and request.url.endswith("/orders"):
            for order in json.loads(request.body)["orders"] if self._remember else ():
                self.creates[order["client_id"]] += 1
        self.cancels += request.url.endswith("/cancels")
        return await self._inner.request(request, timeout_ns=timeout_ns)

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        return await self._inner.connect(url, timeout_ns=timeout_ns)


class VenueWorld:
    """An engine that quotes, and the venue's own truth about its orders."""

    def __init__(
        self,
        clock: VirtualClock,
        *sets: str,
        store: Store | None = None,
        seed: int = 3,
        remember: bool = True,
        budget: int = 0,
    ) -> None:
        self.clock = clock
        settings, offers = configured(*(sets or SETS))
        self.disk = MemoryDisk()
        self.store = store or self.disk.open(durability=Durability.FULL)
        self.process = VirtualProcess()
        served = VirtualTransport(clock)
        self.transport = CountingTransport(served, remember=remember)
        self.venue = SimulatedVenue(VenueSetup(budget=budget), clock, SeededIds(seed))
        self.venue.serve(served)
        self._served = served
        #: Every record; empty when nothing is to be remembered.
        self.trace = MemoryTrace()
        #: What the engine's wall clock shows against true time.
        self.wall = Wall()
        container = compose(
            settings,
            offers,
            {
                "clock": GatedClock(clock, Gate(), self.wall),
                "ids": SeededIds(seed + 1),
                "process": self.process,
                "store": self.store,
                "traces": lambda name: self.trace if remember else TraceHash(),
                "observers": Observers({}, clock.monotonic_ns, slow_ns=SECOND, patience=3),
            },
        )
        container.transport.override(self.transport)
        self.engine: Engine = container.engine()
        self.setup: RunSetup = container.setup()
        self.ticker: Ticker = container.ticker()
        self._slots: dict[str, tuple[str, str, int]] = {}
        self.slots = SlotWatch(self.venue.truth, self._slots.get)
        #: (true time, how many of our orders are live) after each change.
        self.quoted: list[tuple[int, int]] = []
        if remember:
            container.journal().observe(self._recorded)
            self.venue.truth.watch(self._effect)
        self._run: asyncio.Task[RunResult] | None = None

    def _recorded(self, seq: int, t_ns: int, record: Record) -> None:
        del seq, t_ns
        if isinstance(record, OrderRecorded):
            self._slots[record.order] = (record.strategy, record.side, record.level)

    def _effect(self, effect: Effect) -> None:
        if effect.origin is Origin.ENGINE:
            self.quoted.append((effect.t_ns, len(self.live())))

    @property
    def desk(self) -> Desk:
        return self.engine.desk

    def live(self) -> tuple[str, ...]:
        """Give the client ids of our orders that rest at the venue."""
        return tuple(order.client_id for order in self.venue.truth.open_orders(Origin.ENGINE))

    async def begin(self) -> None:
        """Start the engine and wait until both sides are quoted."""
        self.venue.start()
        self._run = asyncio.get_running_loop().create_task(self.engine.run())
        await self.until(lambda: len(self.live()) == 4, 30)

    async def seconds(self, seconds: float) -> None:
        await self.clock.sleep_ns(int(seconds * SECOND))

    async def until(self, holds: Callable[[], bool], within_s: float) -> float:
        """Wait until something holds; gives how many seconds it took."""
        begun_ns = self.clock.now_ns()
        while not holds():
            assert self.clock.now_ns() - begun_ns < within_s * SECOND, "it does not come to hold"
            await self.clock.sleep_ns(SECOND // 20)
        return (self.clock.now_ns() - begun_ns) / SECOND

    async def end(self) -> RunResult:
        """Stop the engine as SIGTERM does, and give how its run went."""
        assert self._run is not None
        self.process.stop()
        return await self.result()

    async def result(self) -> RunResult:
        """Wait for the end of the run."""
        assert self._run is not None
        result = await self._run
        self.store.close()
        self.venue.stop()
        return result

    async def end_well(self) -> None:
        """Heal the venue, let the engine find its peace, stop it, and compare everything."""
        self.venue.heal()
        await self.agree()
        result = await self.end()
        assert (result.exit_code, result.proven, result.left) == (0, True, ())
        assert self.live() == ()
        assert self.slots.crowded == []
        assert all(times == 1 for times in self.transport.creates.values())
        assert list(books_differ(self.disk.reader(), INSTANCE, {"main": self.venue})) == []

    async def agree(self) -> None:
        """Wait until engine and venue have the same orders and money, and nothing is unproven."""
        limit_ns = self.clock.now_ns() + 200 * SECOND
        while why := self.differs():
            assert self.clock.now_ns() < limit_ns, why
            await self.clock.sleep_ns(SECOND // 20)

    def differs(self) -> str:
        """Say where the engine and the venue differ; "" = nowhere."""
        assert self._served.failures == [], "the venue itself has failed"
        if self._run is not None and self._run.done():
            return f"the run is over: {self._run.result()}"
        live = {order.client_id: order.state for order in self.desk.orders.live()}
        booked = {asset: flow.balance for (_, asset), flow in self.desk.ledger.flows.items()}
        true = {a: free + locked for a, (free, locked) in self.venue.truth.balances().items()}
        money = all(booked.get(asset, ZERO) == total for asset, total in true.items())
        if live and OrderState.UNKNOWN not in live.values() and set(live) == set(self.live()):
            return "" if money else f"money is {booked} here, {true} there"
        return f"orders are {live} here, {self.live()} there; {self.desk.halted}"

    # What was recorded.

    def of(self, kind: type[RecordT]) -> list[RecordT]:
        return self.trace.of(kind)

    def incidents(self, name: str) -> list[str]:
        return [one.detail for one in self.of(Incident) if one.name == name]

    def states(self) -> Counter[OrderState]:
        """Count how often orders came into each state."""
        return Counter(move.after for move in self.of(OrderMoved))

    def rules(self) -> set[str]:
        """Name the rules that restrained trading at any time."""
        return {change.rule for change in self.of(PostureChanged)}

    def effects(self, kind: EffectKind) -> list[Effect]:
        return [one for one in self.venue.truth.effects if one.kind is kind]

    def bare_ns(self, since_ns: int) -> int:
        """Give the longest time since then during which nothing of ours was live."""
        longest, empty_ns = 0, None
        for at_ns, count in self.quoted:
            if empty_ns is not None and at_ns >= since_ns:
                longest = max(longest, at_ns - max(empty_ns, since_ns))
            empty_ns = None if count else at_ns
        return longest


def in_a_world(
    story: Callable[[VenueWorld], Awaitable[None]], *sets: str, budget: int = 0
) -> VenueWorld:
    """Tell a story in virtual time; gives the world as it was at its end."""

    async def main(clock: VirtualClock) -> VenueWorld:
        world = VenueWorld(clock, *sets, budget=budget)
        await world.begin()
        await story(world)
        return world

    return run_virtual(main, start_ns=START_NS)
