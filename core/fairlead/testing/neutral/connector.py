"""Trade at a venue that speaks the neutral protocol, as a real connector would."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from fairlead.api import (
    BatchLimits,
    Capabilities,
    ConnectorContext,
    DeadlineKind,
    DeadManKind,
    Publish,
)
from fairlead.book import CONTIGUOUS, SequenceRule
from fairlead.errors import FeedError
from fairlead.market.link import (
    AccountReplay,
    BookFeed,
    LinkPolicy,
    LinkState,
    LinkStatus,
    ReconnectingStream,
)
from fairlead.model import (
    BalanceUpdate,
    BookLost,
    CancelRequest,
    Fill,
    Instrument,
    MarketId,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    Rejected,
    StreamState,
    StreamStatus,
    Unavailable,
    VenueEvent,
)
from fairlead.testing.neutral.config import NeutralConfig
from fairlead.testing.neutral.decode import NeutralDecoder
from fairlead.testing.neutral.feed import MarketFeed, UserFeed
from fairlead.testing.neutral.rest import NeutralRest
from fairlead.testing.neutral.weight import neutral_limits

__all__ = ["NeutralConnector"]

_SECOND = 1_000_000_000
_BATCH = 20
_INSIST_NS = _SECOND // 2


class NeutralConnector:
    """One account at one neutral venue; every request, stream and outcome is the link's."""

    def __init__(self, config: NeutralConfig, context: ConnectorContext) -> None:
        self._config = config
        self._venue = context.venue
        self._clock = clock = context.clock
        host = config.address or f"{context.venue}.test"
        secure = "" if host.startswith("http://") else "s"
        host = host.removeprefix("http://")
        self._decoder = NeutralDecoder(context.venue, clock.now_ns)
        self._rest = NeutralRest(
            f"http{secure}://{host}",
            config.window.ns,
            self._decoder,
            transport=context.transport,
            clock=clock,
            meter=context.meter,
        )
        self._instruments: Mapping[str, Instrument] = MappingProxyType({})
        self._books = BookFeed(self._rest.book, self._tell, clock)
        self._replay = AccountReplay(self.fills, self.open_orders, self._tell, clock)
        self._market = MarketFeed(context.venue, self._decoder, self._market_changed)
        self._user = UserFeed(
            context.venue,
            self._decoder,
            clock,
            self._user_changed,
            self._read_again,
            self._replay.saw,
        )
        policy = LinkPolicy(silence_ns=config.silence.ns, life_ns=config.life.ns)
        self._links = {
            name: ReconnectingStream(
                partial("{}/{}".format, f"ws{secure}://{host}", name),
                feed,
                policy,
                transport=context.transport,
                clock=clock,
                ids=context.ids,
                name=f"{context.venue}.{name}",
            )
            for name, feed in (("market", self._market), ("user", self._user))
        }
        self._publish: Publish = _nobody_listens
        self._began = self._connected = False
        self._reading: asyncio.Task[None] | None = None
        self._owes_reading = False

    @property
    def capabilities(self) -> Capabilities:
        """Say what a neutral venue can do."""
        config = self._config
        return Capabilities(
            batch=BatchLimits(creates=_BATCH, cancels=_BATCH, mixed_markets=True),
            deadline=DeadlineKind.REQUEST,
            deadline_ns=config.window.ns + config.skew.ns,
            visibility_ns=1 * _SECOND,
            dead_man=DeadManKind.TIMER,
            own_orders_in_book=False,
            limits=neutral_limits(config),
        )

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Give the venue's markets; empty until it runs, since they are asked for."""
        return self._instruments

    @property
    def skew_ns(self) -> int | None:
        """Give how far the venue's clock is ahead of ours, as measured last; None = unknown."""
        time = self._rest.time
        return time.skew_ns if self._config.tells_skew and time.known else None

    @property
    def starts_ns(self) -> int | None:
        """Say that the venue brings no time of its own."""
        return None

    @property
    def ends_ns(self) -> int | None:
        """Say that it has no end."""
        return None

    def sequence_rule(self, symbol: str) -> SequenceRule:
        """Give the rule of the neutral protocol: every diff begins where the last one ended."""
        del symbol  # the same for all
        return CONTIGUOUS

    def resync(self, symbol: str) -> None:
        """Begin to fetch a fresh snapshot; up to three times, within 3 s.

        Without diffs to follow it no snapshot is worth anything: while the market's stream is
        down nothing is fetched, and when it is up again it is fetched unasked.
        """
        if self._links["market"].up:
            self._books.resync(symbol)

    def restart_streams(self, reason: str) -> None:
        """Drop both streams and open them again."""
        for link in self._links.values():
            link.restart(reason)

    # --- running

    async def run(self, publish: Publish) -> None:
        """Read the markets, then keep both streams up until cancelled."""
        self._publish = self._market.publish = self._user.publish = publish
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._read_markets()
            while not await self._rest.time.measure():
                await self._clock.sleep_ns(_INSIST_NS)
            self._replay.begin(self._rest.time.now_ns())
            tasks = [loop.create_task(link.run()) for link in self._links.values()]
            tasks.append(loop.create_task(self._rest.time.run()))
            await asyncio.gather(*tasks)
        finally:
            self._publish = self._market.publish = self._user.publish = _nobody_listens
            left = [task for task in (*tasks, self._reading) if task is not None]
            for task in left:
                if not task.cancelling():  # asked twice, it would not finish its own farewell
                    task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self._books.close()
            await self._rest.close()

    async def _read_markets(self) -> None:
        while isinstance(found := await self.read_instruments(), Unavailable):
            await self._clock.sleep_ns(_INSIST_NS)
        if not found:
            raise FeedError(self._venue, "it has no markets")

    def _market_changed(self, state: LinkState) -> None:
        match state.status:
            case LinkStatus.DOWN:
                for symbol in self._instruments:
                    market = MarketId(self._venue, symbol)
                    self._publish(BookLost(market, state.at_ns, f"market stream: {state.detail}"))
            case LinkStatus.UP:
                for symbol in self._instruments:
                    self._books.resync(symbol)
                self._announce()
            case LinkStatus.RENEWED:
                pass

    def _user_changed(self, state: LinkState) -> None:
        match state.status:
            case LinkStatus.DOWN:
                self._user.begin_anew()
                if self._connected:
                    self._connected = False
                    detail = f"user stream: {state.detail}"
                    status = StreamStatus.DISCONNECTED
                    self._publish(StreamState(self._venue, state.at_ns, status, detail))
            case LinkStatus.UP:
                if self._began:
                    self._read_again()
                self._announce()
            case LinkStatus.RENEWED:
                pass

    # --- orders and queries: what they do is the protocol's

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        """Send orders in one request that bears its own deadline."""
        return await self._rest.submit(intents)

    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        """Ask for cancels; they leave although the venue asked for patience."""
        return await self._rest.cancel(requests)

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        """Read every open order, page by page."""
        return await self._rest.open_orders()

    async def order(self, market: MarketId, client_id: str) -> OrderUpdate | Unavailable | None:
        """Read one order; None when the venue does not show it now."""
        del market  # ids are the account's
        return await self._rest.order(client_id)

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Read our fills at or after ``since_ns``, page by page, oldest first."""
        return await self._rest.fills(since_ns)

    async def read_instruments(self) -> Mapping[str, Instrument] | Unavailable:
        """Read the venue's markets and their rules; books of other decimals are fetched anew."""
        markets = await self._rest.markets()
        if isinstance(markets, Unavailable):
            return markets
        before = dict(self._decoder.scales)
        self._instruments = MappingProxyType(
            {line.symbol: self._decoder.instrument(line) for line in markets.markets}
        )
        for symbol, scale in before.items():
            if self._decoder.scales[symbol] != scale:
                market, now_ns = MarketId(self._venue, symbol), self._clock.now_ns()
                self._publish(BookLost(market, now_ns, "its decimals have changed"))
                self.resync(symbol)
        return self._instruments

    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        """Read every balance that is not zero."""
        return await self._rest.balances()

    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        """Read that there are none: it is a spot account."""
        return await self._rest.positions()

    async def arm(self, timeout_ns: int) -> Rejected | Unavailable | None:
        """Have the venue cancel everything unless this comes again in time."""
        return await self._rest.arm(timeout_ns)

    async def disarm(self) -> Rejected | Unavailable | None:
        """End that, once nothing of ours is left."""
        return await self._rest.arm(0)

    # --- inside

    def _announce(self) -> None:
        # The first time both must deliver; later it is the account's stream that counts.
        up = self._links["user"].up and (self._began or self._links["market"].up)
        if up and not self._connected:
            self._connected = self._began = True
            self._publish(StreamState(self._venue, self._clock.now_ns(), StreamStatus.CONNECTED))

    def _tell(self, event: VenueEvent) -> None:
        self._publish(event)

    def _read_again(self) -> None:
        self._owes_reading = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        # What is lost while it reads is read by the next round.
        while self._owes_reading:
            self._owes_reading = False
            await self._replay.replay()


def _nobody_listens(event: VenueEvent) -> None:
    del event  # it does not run
