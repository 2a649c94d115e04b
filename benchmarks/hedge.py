"""Measure how long a maker's fill stays unhedged: from the fill at one venue to bytes at another.

A whole engine on a tick of one second, two simulated venues behind real sockets of this machine,
full durability: the hedge is on the disk before it leaves. Engine and venues share one process, so
what the venues take for themselves is in the figure.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
from pydantic import BaseModel, ConfigDict

from benchmarks.figure import ROUNDS, Figure
from fairlead.api import (
    Action,
    Admitted,
    ControllerContext,
    Decision,
    Denied,
    ExecutorContext,
    Gate,
    Leg,
    Market,
    NoMemory,
    Offers,
    Place,
    Plan,
    PlanEvent,
    PlanStep,
    PlanView,
    QuotesConfig,
    Registry,
    Request,
    Response,
    Start,
    View,
)
from fairlead.config import Settings, load, resolve
from fairlead.kernel import (
    Engine,
    Observers,
    SeededIds,
    SystemClock,
    SystemIds,
    SystemProcess,
    SystemTransport,
    compose,
)
from fairlead.model import MarketId, Purpose, Side, Slot, TimeInForce
from fairlead.store import Durability, Journal, TraceHash, open_store
from fairlead.testing import SimulatedVenue, VenueSetup, offer_neutral
from fairlead.testing.serve import LoopbackHost
from fairlead.testing.simulated import Effect, EffectKind
from fairlead.testing.transport import Handler, Passage, Server, StreamHandler

__all__ = ["figures"]

_FILLS = 25
_LOT = Decimal(100)
_CONFIG = """
[engine]
instance = "bench"
mode = "rehearse"
tick = "1 s"
currency = "USDT"
store = "sqlite:///bench.db"
watchdog = false
[venues.main]
connector = "neutral"
address = "http://127.0.0.1:{main}"
[venues.away]
connector = "neutral"
address = "http://127.0.0.1:{away}"
[strategies.mirror]
controller = "starter"
market = "main:ALT/USDT"
"""


class MirrorPlan(Plan):
    """Buy here as a maker, a lot at a time, and sell each fill there."""

    here: Market
    there: Market
    quantity: Decimal


class _State(msgspec.Struct, frozen=True):
    pass


class _Mirror:
    def __init__(self, plan: MirrorPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._context = context

    @property
    def state(self) -> type[_State]:
        return _State

    def admit(self, view: PlanView) -> Admitted[_State] | Denied:
        book = view.market(self._plan.here).book
        if book is None or view.market(self._plan.there).book is None:
            return Denied("book", "none", "valid")
        bound = book.mid * 2
        return Admitted(_State(), (Leg(self._plan.here, Side.BUY, self._plan.quantity, bound),))

    def step(self, state: _State, event: PlanEvent, view: PlanView) -> PlanStep[_State]:
        del event  # what stands tells all
        here, there = view.market(self._plan.here).book, view.market(self._plan.there).book
        if here is None or there is None:
            return PlanStep(state)
        live = [order.purpose for order in view.orders]
        open_quantity = view.exposure(self._plan.here) + view.exposure(self._plan.there)
        actions: list[Action] = []
        if open_quantity > 0 and Purpose.HEDGE not in live:
            price = there.best_bid.price * Decimal("0.95")
            actions.append(self._place(self._plan.there, Side.SELL, open_quantity, price, view))
        if not live and not open_quantity:
            price = here.best_bid.price * Decimal("0.98")
            actions.append(self._place(self._plan.here, Side.BUY, _LOT, price, view))
        return PlanStep(state, tuple(actions))

    def _place(
        self, market: MarketId, side: Side, quantity: Decimal, price: Decimal, view: PlanView
    ) -> Place:
        hedge = side is Side.SELL
        return Place(
            slot=Slot(self._context.strategy, market, side, int(hedge), self._context.execution),
            side=side,
            price=price,
            quantity=quantity,
            decided_ns=view.now_ns,
            purpose=Purpose.HEDGE if hedge else Purpose.ENTRY,
            time_in_force=TimeInForce.IOC if hedge else TimeInForce.GTC,
            post_only=not hedge,
        )


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    #: Names a market that its plans trade besides the strategy's own.
    hedge: Market = MarketId("away", "ALT/USDT")


class _Starter:
    plan = QuotesConfig()

    def initial(self) -> NoMemory:
        return NoMemory()

    def decide(self, view: View, memory: NoMemory) -> Decision[NoMemory]:
        here, there = MarketId("main", "ALT/USDT"), MarketId("away", "ALT/USDT")
        plan = MirrorPlan(here=here, there=there, quantity=_LOT * 2 * _FILLS)
        start = (Start("mirror", "mirror", plan),) if view.mid is not None else ()
        return Decision(memory, quotes=(), gates=(Gate("plans only", ""),), start=start)


def _starter(config: BaseModel, context: ControllerContext) -> _Starter:
    del config, context
    return _Starter()


class _Host:
    """A venue's server that tells of orders at the instant when their bytes are there."""

    def __init__(self, clock: SystemClock, came: Callable[[], None]) -> None:
        self.inner = LoopbackHost(clock)
        self._came = came

    def serve(
        self,
        prefix: str,
        handler: Handler | None = None,
        *,
        stream: StreamHandler | None = None,
        passage: Callable[[str], Passage] | None = None,
        remember: bool = True,
    ) -> Server:
        del passage  # the way is the machine's own
        if handler is None:
            return self.inner.serve(prefix, stream=stream, remember=remember)

        async def told(request: Request) -> Response:
            if request.url.endswith("/orders"):
                self._came()
            answer = handler(request)
            return answer if isinstance(answer, Response) else await answer

        return self.inner.serve(prefix, told, remember=remember)


class _Bench:
    """Two venues, an engine, and a stop-watch between them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = SystemClock()
        self._filled: float | None = None
        #: From each fill to its hedge's bytes, and what of it was waiting for the disk.
        self.seconds: list[float] = []
        self.committing: list[float] = []
        self._committed = 0.0

    async def run(self) -> None:
        hosts = {"main": _Host(self._clock, _nothing), "away": _Host(self._clock, self._hedged)}
        venues = {
            name: SimulatedVenue(VenueSetup(name, thin_ns=100_000_000), self._clock, SeededIds(at))
            for at, name in enumerate(hosts)
        }
        venues["main"].truth.watch(self._effect)
        ports = {}
        for name, venue in venues.items():
            venue.serve(hosts[name])
            venue.start()
            ports[name] = await hosts[name].inner.start()
        engine = self._engine(ports)
        running = asyncio.get_running_loop().create_task(engine.run())
        hitting = asyncio.get_running_loop().create_task(self._hit(venues["main"]))
        await asyncio.wait((running, hitting), return_when=asyncio.FIRST_COMPLETED, timeout=120)
        hitting.cancel()
        engine.request_stop()
        await asyncio.wait_for(running, 90)
        for name, venue in venues.items():
            venue.stop()
            await hosts[name].inner.stop()
        await self._transport.close()
        self._store.close()

    def _engine(self, ports: dict[str, int]) -> Engine:
        settings, offers = _settings(self._folder, ports)
        self._store = open_store(settings.engine.store, durability=Durability.FULL, inline=False)
        self._transport = SystemTransport()
        container = compose(
            settings,
            offers,
            {
                "clock": self._clock,
                "ids": SystemIds(),
                "process": SystemProcess(self._folder),
                "store": self._store,
                "traces": lambda name: TraceHash(),
                "observers": Observers({}, self._clock.monotonic_ns, slow_ns=10**9, patience=3),
            },
        )
        container.transport.override(self._transport)
        journal: Journal = container.journal()
        durable = journal.durable

        async def timed(seq: int) -> None:
            begin = time.perf_counter()
            await durable(seq)
            self._committed = time.perf_counter() - begin

        journal.durable = timed  # type: ignore[method-assign]  # it is what is measured
        engine: Engine = container.engine()
        return engine

    async def _hit(self, venue: SimulatedVenue) -> None:
        # A print through the resting order, at any instant between two ticks.
        while len(self.seconds) < _FILLS:
            await asyncio.sleep(0.07)
            for order in venue.truth.open_orders():
                if self._filled is None:
                    venue.deeds.hit(order.client_id)

    def _effect(self, effect: Effect) -> None:
        if effect.kind is EffectKind.FILLED and self._filled is None:
            self._filled = time.perf_counter()

    def _hedged(self) -> None:
        if self._filled is not None:
            self.seconds.append(time.perf_counter() - self._filled)
            self.committing.append(self._committed)
            self._filled = None


def _nothing() -> None:
    pass


def _settings(folder: Path, ports: dict[str, int]) -> tuple[Settings, Offers]:
    config = folder / "plugins.toml"
    store = f"sqlite:///{folder / 'bench.db'}"
    config.write_text(_CONFIG.format(**ports).replace("sqlite:///bench.db", store))
    registry = Registry()
    registry.enter("bench", "fairlead")
    offer_neutral(registry)
    registry.controller("starter", _Options, _starter)
    registry.executor("mirror", MirrorPlan, _Mirror)
    offers = registry.offers()
    return resolve(load(config, (), {}), offers), offers


def figures() -> Iterator[Figure]:
    """Measure the median of the best round, and that of the commit in it, which is the disk's."""
    medians = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            bench = _Bench(Path(place))
            asyncio.run(bench.run())
        medians.append((statistics.median(bench.seconds), statistics.median(bench.committing)))
    whole, disk = min(medians)
    yield Figure("from a maker's fill to the hedge's bytes", whole * 1e6, "µs")
    yield Figure("the commit in it", disk * 1e6, "µs")
