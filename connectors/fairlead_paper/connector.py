"""Be a venue without a network, with a live venue's protocol and latency both ways."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import TypeVar

from fairlead.api import (
    BatchLimits,
    Capabilities,
    ConnectorContext,
    Publish,
)
from fairlead.book import SequenceRule
from fairlead.errors import FeedError
from fairlead.market import Answer
from fairlead.model import (
    AccountEvent,
    BalanceUpdate,
    CancelRequest,
    Fill,
    Instrument,
    MarketEvent,
    MarketId,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    RejectClass,
    Rejected,
    StreamState,
    StreamStatus,
    Unavailable,
    VenueEvent,
)
from fairlead_paper.agenda import Agenda
from fairlead_paper.config import PaperConfig
from fairlead_paper.market import open_market
from fairlead_paper.stamp import stamped

__all__ = ["PaperConnector"]

AnswerT = TypeVar("AnswerT")
RequestT = TypeVar("RequestT")

_BATCH = 20
# So many messages without giving way, where the clock never makes us wait.
_STRETCH = 1_000


class PaperConnector:
    """A paper venue: somebody else's market, our account, acceptance and fills in their time.

    The venue lives in its source's time: an event happens there at its ``local_ns``, which is the
    venue's stamp of what the engine sees ``latency.market_data`` later. Requests arrive
    ``latency.orders`` after they are sent; answers and account news are as long under way back.
    What is due at one instant happens in this order: arrivals and news as they were sent, market
    data that arrives at the engine, the venue's next event.

    :raises ConfigError: when the source's market cannot be traded on paper.
    :raises FeedError: when the source cannot be read.
    """

    def __init__(self, config: PaperConfig, context: ConnectorContext) -> None:
        opened = open_market(config, context)
        self._venue = context.venue
        self._clock = context.clock
        self._source = opened.source
        self._rule = opened.rule
        self._exchange = opened.exchange
        self._symbol = opened.exchange.instrument.symbol
        self._instruments = MappingProxyType({self._symbol: opened.exchange.instrument})
        self._data_ns = config.latency.market_data.ns
        self._orders_ns = config.latency.orders.ns
        self._agenda = Agenda(context.clock)
        self._publish: Publish = _nobody_listens
        # Market data on its way to the engine, and when the last account news will be there.
        self._under_way: deque[MarketEvent] = deque()
        self._reported_ns = 0
        self._broken: FeedError | None = None
        self._events = self._read()

    @property
    def capabilities(self) -> Capabilities:
        """Say what a paper venue can do."""
        return Capabilities(
            batch=BatchLimits(creates=_BATCH, cancels=_BATCH),
            deadline_ns=self._orders_ns,
            visibility_ns=0,
            own_orders_in_book=False,
            simulated=True,
        )

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Give the one market of the source."""
        return self._instruments

    @property
    def starts_ns(self) -> int | None:
        """Give the time of the source's first event."""
        return self._source.starts_ns

    @property
    def ends_ns(self) -> int | None:
        """Give the time of the source's end, where it is known beforehand."""
        length_ns = self._source.duration_ns
        return None if length_ns is None else self._source.starts_ns + length_ns

    def sequence_rule(self, symbol: str) -> SequenceRule:
        """Give the rule of the source's diffs.

        :raises KeyError: when that market is not here.
        """
        if symbol != self._symbol:
            raise KeyError(symbol)
        return self._rule

    def resync(self, symbol: str) -> None:
        """Publish the venue's own book after a round trip; without effect while it has none."""

        def answer(now_ns: int) -> None:
            snapshot = self._exchange.snapshot(now_ns)
            if snapshot is not None:
                arrived = stamped(snapshot, now_ns, now_ns + self._data_ns)
                self._agenda.add(arrived.local_ns, lambda _: self._publish(arrived))

        if symbol == self._symbol:
            self._agenda.add(self._clock.now_ns() + self._orders_ns, answer)

    async def run(self, publish: Publish) -> None:
        """Publish until the source has ended and all is delivered, then answer on until cancelled.

        :raises FeedError: when the source breaks; what came before is delivered.
        """
        self._publish = publish
        publish(self._state(StreamStatus.CONNECTED))
        try:
            await self._follow_source()
            if self._broken is not None:
                publish(self._state(StreamStatus.DISCONNECTED, str(self._broken)))
                raise self._broken
            publish(self._state(StreamStatus.ENDED))
            await asyncio.get_running_loop().create_future()
        finally:
            self._publish = _nobody_listens

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        """Send orders; the outcomes come after a round trip, fills perhaps before them."""
        return await self._round_trip(
            lambda now_ns: self._serve(intents, self._exchange.submit, now_ns)
        )

    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        """Ask for cancels; an order can fill until its cancel has arrived."""
        return await self._round_trip(
            lambda now_ns: self._serve(requests, self._exchange.cancel, now_ns)
        )

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        """Read every open order, as it stands when the request arrives."""
        return await self._round_trip(self._exchange.open_orders)

    async def order(self, market: MarketId, client_id: str) -> OrderUpdate | Unavailable | None:
        """Read one order; None when the venue does not know it when the request arrives."""
        del market  # there is one
        return await self._round_trip(lambda now_ns: self._exchange.order(client_id, now_ns))

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Read our fills at or after ``since_ns``, oldest first."""
        return await self._round_trip(lambda _: self._exchange.fills(since_ns))

    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        """Read every balance that is not zero."""
        return await self._round_trip(self._exchange.balances)

    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        """Read no positions: it is a spot account."""
        return await self._round_trip(lambda _: ())

    # --- requests

    async def _round_trip(self, ask: Callable[[int], AnswerT]) -> AnswerT:
        # The request arrives and the answer is made even when nobody waits for it any more.
        done: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()

        def arrive(now_ns: int) -> None:
            answer = ask(now_ns)
            self._agenda.add(now_ns + self._orders_ns, lambda _: deliver(answer))

        def deliver(answer: AnswerT) -> None:
            if not done.done():
                done.set_result(answer)

        self._agenda.add(self._clock.now_ns() + self._orders_ns, arrive)
        return await done

    def _serve(
        self,
        requests: Sequence[RequestT],
        serve: Callable[[RequestT, int], Answer],
        now_ns: int,
    ) -> tuple[Outcome, ...]:
        if len(requests) > _BATCH:
            detail = f"{len(requests)} in one request, at most {_BATCH}"
            return (Rejected("BATCH_TOO_LARGE", RejectClass.OTHER, detail),) * len(requests)
        answers = [serve(request, now_ns) for request in requests]
        self._report([event for answer in answers for event in answer.news], now_ns)
        return tuple(answer.outcome for answer in answers)

    def _report(self, news: Sequence[AccountEvent], now_ns: int) -> None:
        def deliver(_: int) -> None:
            for event in news:
                self._publish(event)

        if news:
            self._reported_ns = now_ns + self._orders_ns
            self._agenda.add(self._reported_ns, deliver)

    def _state(self, status: StreamStatus, detail: str = "") -> StreamState:
        return StreamState(self._venue, self._clock.now_ns(), status, detail)

    # --- the market

    async def _follow_source(self) -> None:
        # One loop in time order; it waits only where the clock says that others come first.
        clock, exchange, under_way = self._clock, self._exchange, self._under_way
        stretch = 0
        with closing(self._events) as events:
            upcoming = next(events, None)
            while upcoming is not None or under_way:
                if under_way and (upcoming is None or under_way[0].local_ns <= upcoming.local_ns):
                    now_ns, arrived = under_way[0].local_ns, under_way.popleft()
                elif upcoming is not None:
                    now_ns, arrived = upcoming.local_ns, None
                stretch += 1
                if not clock.advance_to_ns(now_ns) or stretch > _STRETCH:
                    stretch = 0
                    await clock.sleep_until_ns(now_ns)
                self._agenda.catch_up(now_ns)
                if arrived is not None:
                    self._publish(arrived)
                elif upcoming is not None:
                    self._report(exchange.on_event(upcoming, now_ns), now_ns)
                    under_way.append(stamped(upcoming, now_ns, now_ns + self._data_ns))
                    upcoming = next(events, None)
        # What the last events made for the account is still under way.
        await clock.sleep_until_ns(self._reported_ns)

    def _read(self) -> Generator[MarketEvent, None, None]:
        try:
            yield from self._source.events()
        except FeedError as error:
            self._broken = error


def _nobody_listens(event: VenueEvent) -> None:
    del event  # nothing is under way to an engine that has not begun to listen, or has stopped
