"""A paper venue in virtual time, on a market whose every message a test writes down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from fairlead.api import ConnectorContext, DataSource, MarketHint, Request, Response, Stream, Timer
from fairlead.errors import FeedError
from fairlead.kernel.ids import SeededIds
from fairlead.kernel.virtual import VirtualClock, VirtualLoop
from fairlead.model import (
    BestQuote,
    BookDiff,
    BookSnapshot,
    CancelRequest,
    ConstantStep,
    Instrument,
    Level,
    MarketEvent,
    MarketId,
    OrderIntent,
    Scale,
    Side,
    Slot,
    StreamState,
    StreamStatus,
    TimeInForce,
    Trade,
    VenueEvent,
)
from fairlead_paper import PaperConfig, PaperConnector

MARKET = MarketId("main", "ALT/USDT")
SCALE = Scale(price_decimals=1, quantity_decimals=1)
MS = 1_000_000
START_NS = 1_767_225_600_000 * MS
HINT = MarketHint(
    "ALT/USDT",
    "ALT",
    "USDT",
    SCALE,
    ConstantStep(Decimal("0.1")),
    Decimal("0.1"),
    Decimal(0),
    Decimal(0),
)
ResultT = TypeVar("ResultT")


def at(ms: int) -> int:
    """Give the time ``ms`` after the source's begin."""
    return START_NS + ms * MS


def snapshot(ms: int, last_id: int = 1) -> BookSnapshot:
    """Bid 10.0 for 10, ask 10.2 for 10."""
    return BookSnapshot(MARKET, 1, at(ms), last_id, ((100, 100),), ((102, 100),), SCALE)


def diff(ms: int, last_id: int, bids: Sequence[Level] = (), asks: Sequence[Level] = ()) -> BookDiff:
    return BookDiff(MARKET, 1, at(ms), last_id, last_id, None, tuple(bids), tuple(asks))


def trade(ms: int, taker: Side, price: int, quantity: int) -> Trade:
    return Trade(MARKET, 0, at(ms), f"t{ms}", taker, price, quantity)


def quote(ms: int, update_id: int = 1) -> BestQuote:
    return BestQuote(MARKET, 0, at(ms), update_id, 100, 100, 102, 100)


class Tape:
    """A source of the events that a test wrote down; may break at its end."""

    def __init__(
        self,
        events: Iterable[MarketEvent],
        hint: MarketHint = HINT,
        broken: FeedError | None = None,
    ) -> None:
        self._events = tuple(events)
        self._hint = hint
        self._broken = broken
        self.closed = False

    @property
    def name(self) -> str:
        return "tape"

    @property
    def duration_ns(self) -> int | None:
        return None

    @property
    def starts_ns(self) -> int:
        return START_NS

    def market(self) -> MarketHint:
        return self._hint

    def events(self) -> Iterator[MarketEvent]:
        try:
            yield from self._events
            if self._broken is not None:
                raise self._broken
        finally:
            self.closed = True


class NoTransport:
    """A transport that nobody may use."""

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        raise AssertionError(f"{request} in a paper venue")

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        raise AssertionError(f"{url} in a paper venue")


def intent(
    instrument: Instrument,
    side: Side,
    price: str,
    quantity: str,
    key: str = "own",
    time_in_force: TimeInForce = TimeInForce.GTC,
    *,
    post_only: bool = False,
) -> OrderIntent:
    return OrderIntent(
        client_id=key,
        instrument=instrument,
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        slot=Slot("s", MARKET, side, 0),
        time_in_force=time_in_force,
        post_only=post_only,
    )


class _NoTimer:
    def cancel(self) -> None:
        """Nothing is scheduled."""


class LateClock:
    """A clock like the system's on a busy loop: time has always come, timers run late."""

    def __init__(self) -> None:
        self.time_ns = START_NS
        self.waits = 0
        self.timers: list[tuple[int, Callable[[], None]]] = []

    def now_ns(self) -> int:
        return self.time_ns

    def monotonic_ns(self) -> int:
        return self.time_ns

    async def sleep_ns(self, duration_ns: int) -> None:
        await self.sleep_until_ns(self.time_ns + duration_ns)

    async def sleep_until_ns(self, at_ns: int) -> None:
        self.waits += 1
        self.time_ns = max(self.time_ns, at_ns)
        await asyncio.sleep(0)

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        self.timers.append((at_ns, callback))
        return _NoTimer()

    def advance_to_ns(self, at_ns: int) -> bool:
        self.time_ns = max(self.time_ns, at_ns)
        return True


def config(**changes: object) -> PaperConfig:
    values: dict[str, object] = {
        "source": "tape:test",
        "balances": {"ALT": "100", "USDT": "2000"},
        "fees": {"maker": "10 bps", "taker": "20 bps"},
        "latency": {"market_data": "20 ms", "orders": "40 ms"},
    }
    return PaperConfig.model_validate(values | changes)


class World:
    """A venue, its clock, and all that it published with the time when."""

    def __init__(
        self,
        tape: DataSource,
        settings: PaperConfig | None = None,
        clock_ns: int = START_NS,
        symbol: str = "ALT/USDT",
    ) -> None:
        self.loop = VirtualLoop(clock_ns)
        self.accidents: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, accident: self.accidents.append(accident))
        self.clock = VirtualClock(self.loop)
        context = ConnectorContext(
            "main",
            self.clock,
            SeededIds(1),
            NoTransport(),
            lambda text, seed: tape,
            Path(),
        )
        self.connector = PaperConnector(settings or config(), context)
        self.instrument: Instrument = self.connector.instruments[symbol]
        self.heard: list[tuple[int, VenueEvent]] = []
        self._ended: asyncio.Event = asyncio.Event()

    def publish(self, event: VenueEvent) -> None:
        self.heard.append((self.clock.now_ns(), event))
        if isinstance(event, StreamState) and event.status is StreamStatus.ENDED:
            self._ended.set()

    def of(self, *kinds: type) -> list[tuple[int, Any]]:
        """Give what was heard of these kinds, with milliseconds since the begin."""
        return [
            ((now_ns - START_NS) // MS, event)
            for now_ns, event in self.heard
            if type(event) in kinds
        ]

    def play(self, *scripts: Coroutine[Any, Any, ResultT]) -> list[ResultT]:
        """Run the venue until its source has ended and the scripts are through."""

        async def main() -> list[ResultT]:
            running = asyncio.ensure_future(self.connector.run(self.publish))
            ended = asyncio.ensure_future(self._ended.wait())
            results = asyncio.gather(*scripts)
            await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
            values = await results
            ended.cancel()
            if running.done():
                running.result()
            running.cancel()
            await asyncio.wait({running})
            return values

        try:
            return self.loop.run_until_complete(main())
        finally:
            self.loop.close()
            assert self.accidents == []

    async def until(self, ms: int) -> None:
        await self.clock.sleep_until_ns(at(ms))

    def intent(
        self,
        side: Side,
        price: str,
        quantity: str,
        key: str = "own",
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        post_only: bool = False,
    ) -> OrderIntent:
        return intent(
            self.instrument, side, price, quantity, key, time_in_force, post_only=post_only
        )

    @staticmethod
    def request(key: str = "own") -> CancelRequest:
        return CancelRequest(key, MARKET, None, "test")


def calm(until_ms: int, step_ms: int = 10) -> list[MarketEvent]:
    """A book that stands still, with a quote now and then."""
    return [snapshot(0), *(quote(ms) for ms in range(step_ms, until_ms + 1, step_ms))]


def rules(**values: str) -> Mapping[str, Mapping[str, str]]:
    return {"ALT/USDT": values}


def ms(now_ns: int) -> int:
    """Give the milliseconds since the story began."""
    return (now_ns - START_NS) // 1_000_000
