"""A whole engine on a scripted venue, put together by the composition root itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from fairlead.api import (
    Allowed,
    Capabilities,
    ConnectorContext,
    Decision,
    Duration,
    Gate,
    NoMemory,
    Offers,
    Plan,
    PlanExecutor,
    Posture,
    QuotesConfig,
    Registry,
    RiskView,
    Verdict,
    View,
)
from fairlead.config import EngineSettings, Settings, StrategySettings, VenueSettings
from fairlead.kernel import (
    Engine,
    EngineContainer,
    Observers,
    RunResult,
    SeededIds,
    VirtualClock,
    compose,
)
from fairlead.model import MarketId, OrderIntent, OrderUpdate, Quote, Reason, Side
from fairlead.store import Incident, QueuedStore
from fairlead.testing import (
    MARKET,
    SCRIPTED,
    MemoryDisk,
    MemoryTrace,
    ScriptedVenue,
    VirtualProcess,
    diff,
    instrument,
    run_virtual,
    snapshot,
)

SECOND = 1_000_000_000
MS = 1_000_000
START_NS = 1_767_225_600 * SECOND


class Table(BaseModel):
    """A plugin's table without keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _given(venue: ScriptedVenue, config: Table, context: ConnectorContext) -> ScriptedVenue:
    del config, context
    return venue


class Quoting:
    """Quote one unit on each side of the mid, unless a test says otherwise."""

    plan = QuotesConfig(refresh_every_ns=0)

    def __init__(self) -> None:
        self.views: list[View] = []
        self.half = Decimal(1)
        self.levels = 1
        self.decides: Callable[[View], Decision[NoMemory] | None] = lambda view: None

    def initial(self) -> NoMemory:
        return NoMemory()

    def decide(self, view: View, memory: NoMemory) -> Decision[NoMemory]:
        self.views.append(view)
        decided = self.decides(view)
        if decided is not None:
            return decided
        if view.mid is None:
            return Decision(memory, quotes=(), gates=(Gate("no book", ""),))
        quotes = tuple(
            Quote(
                side,
                level,
                view.mid - side.sign * (self.half + level),
                Decimal(1),
                view.mid,
                (Reason("mid", "price", None, view.mid),),
            )
            for level in range(self.levels)
            for side in Side
        )
        return Decision(memory, quotes=quotes, target=Decimal(50))


class Watching:
    """A rule that a test holds in its hands."""

    name = "watching"

    def __init__(self) -> None:
        self.assesses: Callable[[RiskView], tuple[Posture, ...]] = lambda view: ()
        self.checks: Callable[[OrderIntent, RiskView], Verdict] = lambda intent, view: Allowed()

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        return self.assesses(view)

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        return self.checks(intent, view)


class World:
    """One engine, its venue, its disk; `run` runs it in virtual time."""

    def __init__(
        self,
        clock: VirtualClock,
        *,
        disk: MemoryDisk | None = None,
        process: VirtualProcess | None = None,
        capabilities: Capabilities = SCRIPTED,
        venues: tuple[str, ...] = ("main",),
        tick: str = "1 s",
        mode: Literal["paper", "rehearse"] = "paper",
        options: Table | None = None,
        executors: Sequence[tuple[str, type[Plan], Callable[..., PlanExecutor[Any]]]] = (),
        beside: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.clock = clock
        #: Strategies besides the one named alt on its market, which decide so often.
        self.beside = {name: Quoting() for name in beside}
        self._executors = executors
        self.disk = disk or MemoryDisk()
        self.store: QueuedStore = self.disk.open()
        self.process = process or VirtualProcess()
        self.trace = MemoryTrace()
        self.controller = Quoting()
        self.rule = Watching()
        self.venues = {
            name: ScriptedVenue(
                clock,
                venue=name,
                instruments=[instrument(MarketId(name, MARKET.symbol))],
                capabilities=capabilities,
            )
            for name in venues
        }
        self.settings = Settings(
            engine=EngineSettings(
                instance="demo",
                currency="USDT",
                tick=Duration.parse(tick),
                mode=mode,
            ),
            venues={name: VenueSettings(connector=name, options=Table()) for name in venues},
            strategies={
                "alt": StrategySettings(
                    controller="quoting", market=MARKET, options=options or Table()
                ),
                **{
                    name: StrategySettings(
                        controller="quoting",
                        market=MARKET,
                        every=Duration.parse(every),
                        options=Table(),
                    )
                    for name, every in beside.items()
                },
            },
            risk={"watching": Table()},
            folder=Path(),
        )
        self.container: EngineContainer = compose(
            self.settings,
            self._offers(),
            {
                "clock": clock,
                "ids": SeededIds(1),
                "process": self.process,
                "store": self.store,
                "traces": lambda run: self.trace,
                "observers": Observers({}, clock.monotonic_ns, 10 * SECOND, 10),
            },
        )
        self._update = 1
        self._others: dict[str, int] = {}

    def _offers(self) -> Offers:
        registry = Registry()
        for name, venue in self.venues.items():
            registry.connector(name, Table, partial(_given, venue))
        for executor in self._executors:
            registry.executor(*executor)
        registry.controller(
            "quoting",
            Table,
            lambda config, context: self.beside.get(context.strategy, self.controller),
        )
        registry.risk_rule("watching", Table, lambda config, context: self.rule)
        return registry.offers()

    @property
    def venue(self) -> ScriptedVenue:
        return self.venues["main"]

    @property
    def engine(self) -> Engine:
        return self.container.engine()

    def show(self, bid: str = "99.90", ask: str = "100.10", *, venue: str = "main") -> None:
        """Publish a book."""
        market, at_ns = MarketId(venue, MARKET.symbol), self.clock.now_ns()
        last_id = self._next(venue)
        book = snapshot([(bid, 5)], [(ask, 5)], last_id=last_id, market=market, at_ns=at_ns)
        self.venues[venue].publish(book)

    def keep_alive(self) -> None:
        """Publish a change far from the top, so that the books do not go stale."""
        for name in ("main", *self._others):
            market, at_ns = MarketId(name, MARKET.symbol), self.clock.now_ns()
            last_id = self._next(name)
            change = diff(last_id, bids=[("1", last_id)], market=market, at_ns=at_ns)
            self.venues[name].publish(change)

    def _next(self, venue: str) -> int:
        if venue != "main":
            self._others[venue] = self._others.get(venue, 1) + 1
            return self._others[venue]
        self._update += 1
        return self._update

    async def wait(self, seconds: float) -> None:
        """Let time pass, with a market that goes on."""
        end_ns = self.clock.now_ns() + round(seconds * SECOND)
        while self.clock.now_ns() < end_ns:
            await self.clock.sleep_ns(min(SECOND, end_ns - self.clock.now_ns()))
            if self.engine.assembled and self.venue._publish is not None:
                self.keep_alive()

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        return self.venue.exchange.open_orders()

    def incidents(self) -> list[str]:
        return [incident.name for incident in self.trace.of(Incident)]


Act = Callable[[World], Coroutine[Any, Any, None]]


def live(
    act: Act,
    *,
    for_s: float | None = None,
    **parts: Any,  # noqa: ANN401 - handed on to World, which types them
) -> tuple[World, RunResult]:
    """Run an engine while ``act`` plays the world around it; gives both when it has ended."""

    async def main(clock: VirtualClock) -> tuple[World, RunResult]:
        world = World(clock, **parts)
        acting = asyncio.ensure_future(act(world))
        acting.add_done_callback(lambda done: end_if_failed(world, done))
        for_ns = None if for_s is None else round(for_s * SECOND)
        result = await world.engine.run(for_ns=for_ns)
        acting.cancel()
        outcome = (await asyncio.gather(acting, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            raise outcome
        world.store.close()
        return world, result

    return run_virtual(main, start_ns=START_NS)


def end_if_failed(world: World, acting: asyncio.Future[None]) -> None:
    """Let the run end when the test's part of it has failed."""
    if not acting.cancelled() and acting.exception() is not None:
        world.venue.silent.clear()
        world.process.stop()
        world.process.stop()


async def quoting(world: World) -> None:
    """Show a book and wait until two quotes rest."""
    await world.wait(0.5)
    world.show()
    await world.wait(3)
    assert len(world.open_orders()) == 2


async def quoting_beside(world: World, others: int) -> None:
    """Show a book and wait until two quotes rest beside orders of others."""
    await world.wait(0.5)
    world.show()
    await world.wait(3)
    assert len(world.open_orders()) == 2 + others
