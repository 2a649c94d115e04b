"""Know the venue's time: every request with a deadline is stamped with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from statistics import median_low

from fairlead.api import Clock
from fairlead.model import Unavailable

__all__ = ["VenueTime"]

_SECOND = 1_000_000_000


class VenueTime:
    """A venue's clock as its own answers show it, carried on by our monotonic clock.

    ``probe`` asks the venue for its time in nanoseconds. What counts is the median of the last
    ``kept`` probes, each taken to be of the middle of its round trip; so neither a slow answer
    nor a step of our wall clock moves it.
    """

    def __init__(
        self, clock: Clock, probe: Callable[[], Awaitable[int | Unavailable]], *, kept: int = 3
    ) -> None:
        self._clock = clock
        self._probe = probe
        self._offsets: deque[int] = deque(maxlen=kept)

    @property
    def known(self) -> bool:
        """Tell whether the venue was asked since the last `forget`."""
        return bool(self._offsets)

    def now_ns(self) -> int:
        """Give the venue's time; our own while it was never asked."""
        if not self._offsets:
            return self._clock.now_ns()
        return self._clock.monotonic_ns() + median_low(self._offsets)

    @property
    def skew_ns(self) -> int:
        """Give how far the venue's clock is ahead of our wall clock; behind is negative."""
        return self.now_ns() - self._clock.now_ns()

    async def measure(self) -> bool:
        """Ask once; False when the venue did not answer, and nothing changed."""
        before_ns = self._clock.monotonic_ns()
        venue_ns = await self._probe()
        if isinstance(venue_ns, Unavailable):
            return False
        self._offsets.append(venue_ns - (before_ns + self._clock.monotonic_ns()) // 2)
        return True

    async def renew(self) -> bool:
        """Distrust what was measured and ask anew: the venue refused a stamp."""
        held = tuple(self._offsets)
        self._offsets.clear()
        if await self.measure():
            return True
        if not self._offsets:
            self._offsets.extend(held)
        return False

    async def run(self, every_ns: int = 30 * _SECOND) -> None:
        """Ask now and at this distance until cancelled."""
        while True:
            await self.measure()
            await self._clock.sleep_ns(every_ns)
