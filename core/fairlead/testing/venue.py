"""Be a venue whose every answer, fill and event a test writes: small, honest, in virtual time.

Without a script it does what it is asked: orders rest, cancels take them away, queries tell the
truth. What arrives takes effect in the venue's own time, whether or not anyone still waits::

    venue = ScriptedVenue(clock)
    venue.submits.append(Script(Unknown("timeout")))   # the next order lands, its answer is lost
    ...
    venue.exchange.fill(client_id, "0.5")              # and it fills a little
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fairlead.api import BatchLimits, Capabilities, Clock, Publish
from fairlead.book import CONTIGUOUS, SequenceRule
from fairlead.model import (
    AccountEvent,
    BalanceUpdate,
    CancelRequest,
    Fill,
    Instrument,
    MarketId,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    StreamState,
    StreamStatus,
    Unavailable,
    VenueEvent,
)
from fairlead.testing.exchange import ScriptedExchange
from fairlead.testing.factory import instrument

__all__ = ["SCRIPTED", "Script", "ScriptedVenue"]

AnswerT = TypeVar("AnswerT")
RequestT = TypeVar("RequestT")

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000

#: What a scripted venue can do unless a test says otherwise.
SCRIPTED = Capabilities(
    batch=BatchLimits(creates=20, cancels=20), deadline_ns=2 * _SECOND, own_orders_in_book=False
)


@dataclass(frozen=True, slots=True)
class Script:
    """What becomes of one request; `Script()` arrives, takes effect and is answered truly."""

    #: Said for each order of the request instead of the truth.
    outcome: Outcome | None = None
    #: False: it never takes effect.
    lands: bool = True
    #: How much later than usual it takes effect; a scripted outcome does not wait for that.
    late_ns: int = 0
    #: The connector itself raises this, after the effect.
    raises: BaseException | None = None
    #: Nobody ever answers.
    silent: bool = False
    #: How many outcomes the answer lacks.
    short: int = 0


class ScriptedVenue:
    """A connector in a test's hands; see `Script`. The truth is in `exchange`."""

    def __init__(
        self,
        clock: Clock,
        *,
        venue: str = "main",
        instruments: Sequence[Instrument] | None = None,
        balances: Mapping[str, str] | None = None,
        capabilities: Capabilities = SCRIPTED,
        latency_ns: int = 5 * _MILLISECOND,
    ) -> None:
        self._clock = clock
        self._venue = venue
        self._latency_ns = latency_ns
        self._publish: Publish | None = None
        self._end: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news: deque[AccountEvent] = deque()
        self.capabilities = capabilities
        listed = [instrument()] if instruments is None else instruments
        self.instruments: Mapping[str, Instrument] = {one.symbol: one for one in listed}
        self.starts_ns: int | None = None
        self.ends_ns: int | None = None
        self.exchange = ScriptedExchange(
            venue,
            {"ALT": "50", "USDT": "5000"} if balances is None else balances,
            clock.now_ns,
            self._report,
        )
        #: What becomes of the next requests, in order; later ones fare well.
        self.submits: deque[Script] = deque()
        self.cancels: deque[Script] = deque()
        #: Queries by name ("open_orders", "balances" …) that answer `Unavailable`, or never.
        self.unavailable: set[str] = set()
        self.silent: set[str] = set()
        #: Every request as it was made, with its time; queries by their name.
        self.submitted: list[tuple[int, tuple[OrderIntent, ...]]] = []
        self.cancelled: list[tuple[int, tuple[CancelRequest, ...]]] = []
        self.asked: list[tuple[int, str]] = []
        #: Symbols for which the engine asked for a fresh book.
        self.resyncs: list[str] = []
        #: Called with what leaves, before anything else: for a test's own assertions.
        self.on_submit: Callable[[Sequence[OrderIntent]], None] = lambda intents: None

    def sequence_rule(self, symbol: str) -> SequenceRule:
        """Give the rule of made-up feeds: ids count without a hole."""
        del symbol
        return CONTIGUOUS

    def resync(self, symbol: str) -> None:
        """Note it; the test publishes the snapshot."""
        self.resyncs.append(symbol)

    def publish(self, event: VenueEvent | StreamStatus) -> None:
        """Hand an event to the engine now; a status is news of the venue's own streams.

        :raises RuntimeError: while nobody runs the venue.
        """
        if self._publish is None:
            raise RuntimeError(f"nobody runs the venue {self._venue}")
        if isinstance(event, StreamStatus):
            event = StreamState(self._venue, self._clock.now_ns(), event)
        self._publish(event)

    def finish(self, error: BaseException | None = None) -> None:
        """End `run`: by returning, or by raising ``error``."""
        if self._end is not None and not self._end.done():
            if error is None:
                self._end.set_result(None)
            else:
                self._end.set_exception(error)

    async def run(self, publish: Publish) -> None:
        """Connect at once and publish what the test says, until `finish` or cancelled."""
        self._publish = publish
        self._end = asyncio.get_running_loop().create_future()
        self.publish(StreamStatus.CONNECTED)
        try:
            await self._end
        finally:
            self._publish = None

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        """Take orders as the next script of `submits` says."""
        self.on_submit(intents)
        self.submitted.append((self._clock.now_ns(), tuple(intents)))
        script = self.submits.popleft() if self.submits else Script()
        return await self._serve(script, intents, self.exchange.create)

    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        """Take cancels as the next script of `cancels` says."""
        self.cancelled.append((self._clock.now_ns(), tuple(requests)))
        script = self.cancels.popleft() if self.cancels else Script()
        return await self._serve(script, requests, lambda one: self.exchange.cancel(one.client_id))

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        """Read every open order."""
        return await self._query("open_orders", self.exchange.open_orders)

    async def order(self, market: MarketId, client_id: str) -> OrderUpdate | Unavailable | None:
        """Read one order."""
        del market  # ids are unique
        return await self._query("order", lambda: self.exchange.order(client_id))

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Read our fills at or after ``since_ns``."""
        return await self._query("fills", lambda: self.exchange.fills_since(since_ns))

    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        """Read every balance."""
        return await self._query("balances", self.exchange.balances)

    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        """Read no positions: it is a spot account."""
        return await self._query("positions", lambda: ())

    # How a request fares.

    async def _serve(
        self,
        script: Script,
        orders: Sequence[RequestT],
        effect: Callable[[RequestT], Outcome],
    ) -> tuple[Outcome, ...]:
        said = None if script.outcome is None else (script.outcome,) * len(orders)
        landed: asyncio.Future[tuple[Outcome, ...]] = asyncio.get_running_loop().create_future()
        if script.lands:
            self._spawn(self._land(script.late_ns, orders, effect, landed))
        if said is None:
            said = await asyncio.shield(landed)
            await self._clock.sleep_ns(self._latency_ns)
        else:
            await self._clock.sleep_ns(2 * self._latency_ns)
        if script.raises is not None:
            raise script.raises
        if script.silent:
            await asyncio.get_running_loop().create_future()
        return said[: len(said) - script.short]

    async def _land(
        self,
        late_ns: int,
        orders: Sequence[RequestT],
        effect: Callable[[RequestT], Outcome],
        landed: asyncio.Future[tuple[Outcome, ...]],
    ) -> None:
        await self._clock.sleep_ns(self._latency_ns + late_ns)
        landed.set_result(tuple(effect(order) for order in orders))

    async def _query(self, name: str, answer: Callable[[], AnswerT]) -> AnswerT | Unavailable:
        self.asked.append((self._clock.now_ns(), name))
        await self._clock.sleep_ns(self._latency_ns)
        truth = answer()
        await self._clock.sleep_ns(self._latency_ns)
        if name in self.silent:
            await asyncio.get_running_loop().create_future()
        return Unavailable(f"{name} is scripted so") if name in self.unavailable else truth

    def _report(self, event: AccountEvent) -> None:
        # News arrive in the order in which they were sent, whatever the loop does with equals.
        self._news.append(event)
        self._clock.call_at_ns(self._clock.now_ns() + self._latency_ns, self._deliver)

    def _deliver(self) -> None:
        event = self._news.popleft()
        if self._publish is not None:
            self._publish(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
