"""Measure how fast many orders are placed where every request takes a while and holds but one.

In real time, since waiting is what is measured: a venue that answers after 50 ms, no batches.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import count

from benchmarks.figure import Figure
from fairlead.api import AccountRisk, Capabilities, MarketRisk, Place, PriceSource, StreamRisk
from fairlead.kernel import SystemClock
from fairlead.model import MarketId, OrderIntent, Outcome, Side
from fairlead.pipeline import Gateway, GatewayNews, Pipeline, PipelineParts, RiskGate
from fairlead.store import Journal
from fairlead.testing import MARKET, MemoryStore, ScriptedVenue, client_id, instrument, slot
from fairlead.trackers import AccountTracker, OrderTracker

__all__ = ["figures"]

_ORDERS = 200
_ONE_WAY_NS = 25_000_000
_HOUR_NS = 3_600_000_000_000


def figures() -> Iterator[Figure]:
    """Measure one request at a time, and as many as the venue takes."""
    alone = asyncio.run(_placed_s(1))
    together = asyncio.run(_placed_s(64))
    yield Figure("place 200 orders at 50 ms, one after another", alone * 1e3, "ms")
    yield Figure("place 200 orders at 50 ms, 64 in flight", together * 1e3, "ms")
    yield Figure("that is faster by", alone / together, "times")


async def _placed_s(in_flight: int) -> float:
    bench = Bench(Capabilities(max_in_flight=in_flight))
    begin = time.perf_counter()
    bench.pipeline.submit([_place(level) for level in range(_ORDERS)], bench)
    bench.pipeline.dispatch(on_tick=True)
    await bench.all_placed
    return time.perf_counter() - begin


def _place(level: int) -> Place:
    return Place(
        slot=slot(Side.BUY, level),
        side=Side.BUY,
        price=Decimal(99) - Decimal(level) / 10,
        quantity=Decimal("0.1"),
        decided_ns=time.time_ns(),
    )


class Bench:
    """A pipeline between orders without rules and a venue that is far away; its own risk view."""

    currency = "USDT"
    now_ns = 0
    equity = peak_equity = day_start_equity = None
    account = AccountRisk()

    def __init__(self, capabilities: Capabilities) -> None:
        clock = SystemClock()
        traded = instrument()
        self._instrument = traded
        self._left = _ORDERS
        self.all_placed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        journal = Journal(MemoryStore(), clock)
        venue = ScriptedVenue(clock, capabilities=capabilities, latency_ns=_ONE_WAY_NS)
        accounts = AccountTracker(["main"])
        accounts["main"].begin(venue.exchange.balances())
        numbers = count(1)
        self.pipeline = Pipeline(
            PipelineParts(
                journal=journal,
                orders=OrderTracker(journal),
                accounts=accounts,
                gate=RiskGate((), journal),
                instruments={MARKET: traded},
                new_id=lambda: client_id(next(numbers)),
                now_ns=clock.now_ns,
                mid=lambda market: Decimal(100),
                tick_ns=_HOUR_NS,
            )
        )
        loop = asyncio.get_running_loop()

        def room() -> None:
            loop.call_soon(self.pipeline.dispatch)

        news = GatewayNews(
            created=self._created,
            cancelled=self.pipeline.cancelled,
            sent=self.pipeline.sent,
            failed=self.all_placed.set_exception,
            room=room,
        )
        self.pipeline.connect("main", Gateway(venue, journal, news, clock))

    def _created(self, intent: OrderIntent, outcome: Outcome) -> None:
        self.pipeline.created(intent, outcome)
        self._left -= 1
        if not self._left:
            self.all_placed.set_result(None)

    def market(self, market: MarketId) -> MarketRisk:
        """Show a market of which nobody asks."""
        raise LookupError(market)

    def markets(self) -> Sequence[MarketId]:
        """Name the one market."""
        return (MARKET,)

    def rate(self, asset: str) -> Decimal | None:
        """Give no rate: no rule asks for one."""
        del asset
        return None

    def stream(self, venue: str) -> StreamRisk:
        """Give a stream of which nothing is known."""
        del venue
        return StreamRisk()

    def sources(self, market: MarketId) -> tuple[PriceSource, ...]:
        """Give no other source."""
        del market
        return ()

    def still(self) -> Bench:
        """Give the same: nothing moves here."""
        return self
