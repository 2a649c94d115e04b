"""Send over the streams of a simulated venue: the market to everyone, news to the account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from fairlead.api import Clock, Timer, TransportError
from fairlead.model import BestQuote, BookDiff, MarketEvent, Trade
from fairlead.testing.neutral.wire import (
    BalanceLine,
    DiffLine,
    MarketMessage,
    Pong,
    QuoteLine,
    TradeLine,
    UserMessage,
    encode,
)
from fairlead.testing.simulated.account import News
from fairlead.testing.simulated.chance import Chance
from fairlead.testing.simulated.knobs import Knobs
from fairlead.testing.stream import ServerStream

__all__ = ["Channel", "MarketChannel", "StreamKind", "UserChannel"]

_PONG = encode(Pong())


class StreamKind(StrEnum):
    """The two streams of a venue."""

    MARKET = "market"
    USER = "user"


class _Operation(msgspec.Struct):
    op: str


_operation = msgspec.json.Decoder(_Operation).decode


@dataclass(slots=True, eq=False)
class _Client:
    stream: ServerStream
    #: Alive for pings and dead for everything else, as long as it lives.
    mute: bool = False
    subscribed: bool = False


class Channel:
    """The connections of one kind of stream."""

    def __init__(self, clock: Clock, knobs: Knobs, greet: Callable[[], bytes | None]) -> None:
        self._clock = clock
        self._knobs = knobs
        self._greet = greet
        self._clients: list[_Client] = []
        #: Until when whoever connects is turned away.
        self.shut_until_ns = 0

    @property
    def streams(self) -> int:
        """Count the connections that are open."""
        return len(self._clients)

    @property
    def muted(self) -> int:
        """Count the open connections that deliver nothing any more."""
        return sum(client.mute for client in self._clients)

    async def attend(self, stream: ServerStream) -> None:
        """Serve one connection until it is gone or has reached its age."""
        if self._clock.now_ns() < self.shut_until_ns:
            stream.close("the venue is being maintained")
            return
        client = _Client(stream)
        self._clients.append(client)
        life = self._clock.call_at_ns(
            self._clock.now_ns() + self._knobs.stream_life_ns,
            lambda: stream.close("closed by the venue: 24 h"),
        )
        try:
            while True:
                await self._hear(client, await stream.receive())
        except (TransportError, msgspec.MsgspecError):
            pass  # gone, or speaks another language
        finally:
            life.cancel()
            self._clients.remove(client)
            stream.close()

    async def _hear(self, client: _Client, message: str | bytes) -> None:
        operation = _operation(message).op
        if operation == "ping":
            client.stream.send(_PONG)
        elif operation == "subscribe":
            client.subscribed = True
            greeting = self._greet()
            if greeting is not None:
                self._send_one(client, greeting)

    def send(self, message: bytes) -> None:
        """Send to all who subscribed."""
        for client in tuple(self._clients):
            self._send_one(client, message)

    def _send_one(self, client: _Client, message: bytes) -> None:
        if not client.subscribed or client.mute:
            return
        with suppress(TransportError):  # its own task says so
            client.stream.send(message)

    def mute(self) -> int:
        """Let every connection that is open now fall silent for good; pings are answered."""
        for client in self._clients:
            client.mute = True
        return len(self._clients)

    def drop(self, cause: str) -> int:
        """Cut every connection; what is under way is lost."""
        for client in tuple(self._clients):
            client.stream.cut(cause)
        return len(self._clients)


class MarketChannel(Channel):
    """The market's stream: one message for each frame."""

    def __init__(self, symbol: str, clock: Clock, knobs: Knobs, chance: Chance) -> None:
        super().__init__(clock, knobs, self._greeting)
        self._symbol = symbol
        self._chance = chance
        self._quote: QuoteLine | None = None
        self._frozen_until_ns = 0

    def freeze(self, until_ns: int) -> None:
        """Go on with frozen content until then; 0 = go on truly."""
        self._frozen_until_ns = until_ns

    def publish(self, events: Sequence[MarketEvent], shift_ns: int) -> None:
        """Send what happened; ``shift_ns`` is added to its times."""
        if self._clock.now_ns() < self._frozen_until_ns:
            if self._quote is not None:
                self.send(encode(MarketMessage(self._symbol, (self._quote,))))
            return
        lines: list[DiffLine | QuoteLine | TradeLine] = []
        for event in events:
            match event:
                case BookDiff():
                    lines.append(
                        DiffLine(
                            event.venue_ns + shift_ns,
                            event.first_id,
                            event.last_id,
                            event.bids,
                            event.asks,
                        )
                    )
                case BestQuote():
                    best = (event.bid, event.bid_quantity, event.ask, event.ask_quantity)
                    self._quote = QuoteLine(event.venue_ns + shift_ns, event.update_id, best)
                    lines.append(self._quote)
                case Trade():
                    lines.append(
                        TradeLine(
                            event.venue_ns + shift_ns,
                            event.trade_id,
                            event.side,
                            event.price,
                            event.quantity,
                        )
                    )
                case _:
                    pass  # a snapshot is asked for, and this book is never lost
        if lines and not self._chance.hits("gap", self._knobs.gap):
            self.send(encode(MarketMessage(self._symbol, tuple(lines))))

    def _greeting(self) -> bytes | None:
        if self._quote is None:
            return None
        return encode(MarketMessage(self._symbol, (self._quote,)))


class UserChannel(Channel):
    """The account's stream: news in order, numbered, and heartbeats in between."""

    def __init__(self, clock: Clock, knobs: Knobs, chance: Chance, heartbeat_ns: int) -> None:
        super().__init__(clock, knobs, self._heartbeat)
        self._chance = chance
        self._heartbeat_ns = heartbeat_ns
        self._number = 0
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to send heartbeats."""
        self.send(self._heartbeat())
        self._timer = self._clock.call_at_ns(self._clock.now_ns() + self._heartbeat_ns, self.start)

    def stop(self) -> None:
        """Send no more heartbeats."""
        if self._timer is not None:
            self._timer.cancel()

    def tell(self, news: News) -> None:
        """Send one piece of news, in whatever way it fares."""
        knobs = self._knobs
        late_ns = 0
        if isinstance(news, BalanceLine):
            late_ns = self._chance.span_ns("balance_lag", knobs.balance_lag, knobs.balance_lag_ns)
        if late_ns:
            # It is written late, so it bears the number of then.
            self._clock.call_at_ns(self._clock.now_ns() + late_ns, lambda: self._write(news))
        else:
            self._write(news)

    def _write(self, news: News) -> None:
        chance, knobs = self._chance, self._knobs
        self._number += 1
        if chance.hits("news_lost", knobs.news_lost):
            return
        message = encode(UserMessage(self._number if knobs.numbered else 0, news))
        late_ns = chance.span_ns("reorder", knobs.reorder, knobs.reorder_ns)
        self._send_later(late_ns, message)
        if chance.hits("duplicate", knobs.duplicate):
            again_ns = late_ns + chance.between("duplicate", knobs.reorder_ns)
            self._send_later(again_ns, message)

    def _send_later(self, late_ns: int, message: bytes) -> None:
        if late_ns:
            self._clock.call_at_ns(self._clock.now_ns() + late_ns, lambda: self.send(message))
        else:
            self.send(message)

    def _heartbeat(self) -> bytes:
        return encode(UserMessage(self._number if self._knobs.numbered else 0))
