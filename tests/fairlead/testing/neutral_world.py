"""A simulated venue and the connector for it, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from fairlead.api import UNMETERED, ConnectorContext, DataSource
from fairlead.book import Book
from fairlead.model import (
    BookDiff,
    BookLost,
    BookSnapshot,
    CancelRequest,
    Instrument,
    MarketId,
    OrderIntent,
    Outcome,
    Side,
    Slot,
    VenueEvent,
)
from fairlead.pipeline import Throttle
from fairlead.testing import (
    EffectKind,
    NeutralConfig,
    NeutralConnector,
    SeededIds,
    SimulatedVenue,
    VenueSetup,
    VirtualClock,
    VirtualTransport,
    run_virtual,
)

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
HOUR = 3_600 * SECOND
START_NS = 1_767_225_600 * SECOND
SYMBOL = "ALT/USDT"
MARKET = MarketId("main", SYMBOL)

EventT = TypeVar("EventT")


@dataclass
class World:
    clock: VirtualClock
    transport: VirtualTransport
    venue: SimulatedVenue
    connector: NeutralConnector
    throttle: Throttle
    events: list[VenueEvent] = field(default_factory=list)
    #: The book that an engine would have, and since when it is valid; None = it is not.
    book: Book = field(init=False)
    #: (from, to) of every stretch without a valid book after the first snapshot.
    blind: list[tuple[int, int]] = field(default_factory=list)
    _invalid_ns: int | None = None
    _seen: bool = False

    def __post_init__(self) -> None:
        self.book = Book(MARKET, self.connector.sequence_rule(SYMBOL))

    @property
    def instrument(self) -> Instrument:
        return self.connector.instruments[SYMBOL]

    def publish(self, event: VenueEvent) -> None:
        self.events.append(event)
        was_valid = self.book.valid
        if isinstance(event, BookDiff):
            self.book.on_diff(event)
        elif isinstance(event, BookSnapshot):
            self.book.on_snapshot(event)
        elif isinstance(event, BookLost):
            self.book.lose(event.reason)
        if was_valid and not self.book.valid:
            self._invalid_ns = self.clock.now_ns()
            self.connector.resync(SYMBOL)
        elif not was_valid and self.book.valid:
            if self._invalid_ns is not None:
                self.blind.append((self._invalid_ns, self.clock.now_ns()))
            self._invalid_ns = None
        elif isinstance(event, BookSnapshot) and not self.book.valid:
            self.connector.resync(SYMBOL)  # it was too old

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]

    async def pass_s(self, seconds: float) -> None:
        await self.clock.sleep_ns(int(seconds * SECOND))

    def intent(
        self, client_id: str, side: Side = Side.BUY, *, away: str = "0.0030", quantity: int = 100
    ) -> OrderIntent:
        price = self.venue.mid - side.sign * Decimal(away)
        return OrderIntent(
            client_id,
            self.instrument,
            side,
            self.instrument.round_price(price, side),
            Decimal(quantity),
            Slot("test", MARKET, side, 0),
        )

    async def place(self, client_id: str, side: Side = Side.BUY) -> Outcome:
        (outcome,) = await self.connector.submit([self.intent(client_id, side)])
        return outcome

    async def cancel(self, client_id: str) -> Outcome:
        (outcome,) = await self.connector.cancel([CancelRequest(client_id, MARKET, None, "test")])
        return outcome

    def live(self) -> list[str]:
        return [order.client_id for order in self.venue.truth.open_orders()]

    def top_is_true(self) -> bool:
        top, true = self.book.top, self.venue.account.exchange.book.top
        return top is not None and top == true


def in_world(
    story: Callable[[World], Awaitable[None]],
    *,
    seed: int = 1,
    setup: VenueSetup | None = None,
    config: NeutralConfig | None = None,
    before: Callable[[SimulatedVenue], object] = lambda venue: None,
    metered: bool = True,
) -> World:
    """Run a story once the connector is connected; streams and tasks must be gone after it."""
    made: list[World] = []

    async def main(clock: VirtualClock) -> None:
        transport = VirtualTransport(clock)
        venue = SimulatedVenue(setup or VenueSetup(), clock, SeededIds(seed))
        venue.serve(transport)
        venue.start()
        before(venue)
        throttle = Throttle(clock)
        context = ConnectorContext(
            venue="main",
            clock=clock,
            ids=SeededIds(seed + 1_000),
            transport=transport,
            source=_no_source,
            folder=Path(),
            meter=throttle if metered else UNMETERED,
        )
        connector = NeutralConnector(config or NeutralConfig(), context)
        throttle.bind(connector.capabilities.limits)
        world = World(clock, transport, venue, connector, throttle)
        made.append(world)
        running = asyncio.get_running_loop().create_task(connector.run(world.publish))
        try:
            await world.pass_s(4)
            await story(world)
            if running.done():
                running.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            venue.stop()
        assert transport.failures == []

    run_virtual(main, start_ns=START_NS)
    return made[0]


def times(world: World, kind: EffectKind) -> dict[str, int]:
    """Give when that befell each order, by client id."""
    effects = world.venue.truth.effects
    return {one.client_id: one.t_ns for one in effects if one.kind is kind}


def created(world: World) -> dict[str, int]:
    """Give when each order came to be, by client id."""
    return times(world, EffectKind.CREATED)


def _no_source(text: str, seed: int) -> DataSource:
    raise AssertionError((text, seed))
