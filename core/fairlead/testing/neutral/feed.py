"""Listen to the two streams of a neutral venue: the market's, and the account's own."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fairlead.api import Clock, Publish, Stream
from fairlead.errors import FeedError
from fairlead.market.link import LinkState
from fairlead.model import Fill
from fairlead.testing.neutral.decode import NeutralDecoder
from fairlead.testing.neutral.wire import MarketMessage, Pong, Subscribe, UserMessage, encode

__all__ = ["MarketFeed", "UserFeed"]

_SECOND = 1_000_000_000
# News that were overtaken come within this; what has not come by then is lost.
_OVERTAKEN_NS = 1 * _SECOND
# More missing news than this are not waited for one by one.
_MOST_MISSING = 1_000

_SUBSCRIBE = encode(Subscribe())
_market = msgspec.json.Decoder(MarketMessage | Pong).decode
_user = msgspec.json.Decoder(UserMessage | Pong).decode

Changed = Callable[[LinkState], None]


class MarketFeed:
    """Who speaks over the market's stream."""

    def __init__(self, venue: str, decoder: NeutralDecoder, changed: Changed) -> None:
        self._venue = venue
        self._decoder = decoder
        #: Where events go.
        self.publish: Publish = lambda event: None
        self.changed = changed

    async def subscribe(self, stream: Stream) -> None:
        """Ask for everything there is."""
        await stream.send(_SUBSCRIBE)

    def message(self, message: str | bytes) -> bool:
        """Publish the events of a message; a pong is no content."""
        try:
            read = _market(message)
        except msgspec.MsgspecError as error:
            raise FeedError(self._venue, f"market stream: {error}") from error
        if isinstance(read, Pong):
            return False
        for event in self._decoder.market(read):
            self.publish(event)
        return True


class UserFeed:
    """Who speaks over the account's stream; ``lost`` is called when news are missing for good."""

    def __init__(
        self,
        venue: str,
        decoder: NeutralDecoder,
        clock: Clock,
        changed: Changed,
        lost: Callable[[], None],
        filled: Callable[[Fill], None],
    ) -> None:
        self._venue = venue
        self._decoder = decoder
        self._clock = clock
        self._lost = lost
        self._filled = filled
        #: Where events go.
        self.publish: Publish = lambda event: None
        self.changed = changed
        self._last: int | None = None
        # Numbers that were passed over, and until when they may still come: overtaken, or lost.
        self._missing: dict[int, int] = {}
        self._waits = False

    async def subscribe(self, stream: Stream) -> None:
        """Ask for the account's news."""
        await stream.send(_SUBSCRIBE)

    def begin_anew(self) -> None:
        """Expect nothing: what was missed is being read."""
        self._last = None
        self._missing.clear()

    def message(self, message: str | bytes) -> bool:
        """Publish news as they come, twice when they come twice; heartbeats are content, too."""
        try:
            read = _user(message)
        except msgspec.MsgspecError as error:
            raise FeedError(self._venue, f"user stream: {error}") from error
        if isinstance(read, Pong):
            return False
        self._number(read)
        if read.news is not None:
            event = self._decoder.news(read.news)
            if isinstance(event, Fill):
                self._filled(event)
            self.publish(event)
        return True

    def _number(self, message: UserMessage) -> None:
        number, last = message.number, self._last
        if not number:
            return  # what nobody counts is never seen missing
        if message.news is not None:
            self._missing.pop(number, None)
        if last is None:
            self._last = number
            return
        if number <= last:
            return
        self._last = number
        missed = range(last + 1, number + (message.news is None))
        if missed:
            until_ns = self._clock.monotonic_ns() + _OVERTAKEN_NS
            self._missing.update(dict.fromkeys(missed[-_MOST_MISSING:], until_ns))
            self._wait()

    def _wait(self) -> None:
        if self._missing and not self._waits:
            self._waits = True
            left_ns = min(self._missing.values()) - self._clock.monotonic_ns()
            self._clock.call_at_ns(self._clock.now_ns() + max(left_ns, 0), self._count_up)

    def _count_up(self) -> None:
        self._waits = False
        if any(until_ns <= self._clock.monotonic_ns() for until_ns in self._missing.values()):
            self._missing.clear()  # reading finds them all
            self._lost()
        self._wait()
