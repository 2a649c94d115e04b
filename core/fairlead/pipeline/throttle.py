"""Keep a venue's limits: what may leave now, and the instant at which the next may.

Each limit is a bucket of tokens that come back one window after they were taken. So no window
ever holds more than the limit allows; a bucket that is refilled steadily would let up to twice
as much through. Time is the kernel's monotonic clock, and nobody looks twice: who has to wait is
called at the instant when there is room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from fairlead.api import Clock, RateLimit, Response, Timer
from fairlead.market import retry_after_ns
from fairlead.model import ONE

__all__ = ["Bucket", "Lane", "Throttle"]

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_BUSY, _BANNED = 429, 418
# Requests do not arrive as far apart as they left: a token stays away this much longer.
_SLACK_PARTS = 20
_LEAST_SLACK_NS = 100 * _MILLISECOND
# Tokens taken within so small a part of the window come back together.
_GRAINS = 1_000
# A venue that says "too often" without saying until when.
_SHORTEST_PAUSE_NS = 1 * _SECOND
_SHORTEST_BAN_NS = 120 * _SECOND


class Lane(IntEnum):
    """Who goes first. Each lane may use but a part of a limit, so that more urgent ones find room.

    Cancels alone may use all of it: a fifth of every limit is theirs.
    """

    CANCEL = 0
    #: Hedges and exits.
    URGENT = 1
    QUERY = 2
    #: Quotes and entries.
    QUOTE = 3

    @property
    def percent(self) -> int:
        """Give the part of a limit that may be used up by this lane and all others, in percent."""
        return _PERCENT[self]


_PERCENT = {Lane.CANCEL: 100, Lane.URGENT: 80, Lane.QUERY: 80, Lane.QUOTE: 70}


class Bucket:
    """One limit, scaled to our ``share`` of it; times are monotonic nanoseconds."""

    def __init__(self, limit: RateLimit, share: Decimal = ONE) -> None:
        self.limit = limit
        #: What we may use: our share, but room for the heaviest single request at least.
        self.capacity = max(int(limit.capacity * share), limit.heaviest, 1)
        self.used = 0
        slack_ns = max(limit.window_ns // _SLACK_PARTS, _LEAST_SLACK_NS)
        self._window_ns = limit.window_ns + slack_ns
        self._grain_ns = max(limit.window_ns // _GRAINS, 1)
        #: When tokens come back, and how many.
        self._taken: deque[tuple[int, int]] = deque()

    def ceiling(self, lane: Lane) -> int:
        """Give how much may be used at the most after a request of this lane has left."""
        return max(self.capacity * lane.percent // 100, 1)

    def weight(self, kind: str, items: int) -> int:
        """Give what a request weighs here; 0 = this limit does not concern it."""
        weight = self.limit.weights.get(kind)
        return 0 if weight is None else weight.of(items)

    def wait_ns(self, kind: str, items: int, lane: Lane, now_ns: int) -> int:
        """Say how long until there may be room; 0 = there is.

        A single order or query that is heavier than its lane's part may leave when nothing else
        is used; what is heavier than the limit never may.
        """
        weight = self.weight(kind, items)
        if not weight:
            return 0
        self._take_back(now_ns)
        left = self.used + weight - self.ceiling(lane)
        if left <= 0 or (not self.used and items == 1):
            return 0
        for at_ns, tokens in self._taken:
            left -= tokens
            if left <= 0:
                return at_ns - now_ns
        return self._taken[-1][0] - now_ns if self._taken else self._window_ns

    def take(self, weight: int, now_ns: int) -> None:
        """Take tokens for what leaves now."""
        if not weight:
            return
        self._take_back(now_ns)
        self.used += weight
        back_ns = -(-(now_ns + self._window_ns) // self._grain_ns) * self._grain_ns
        if self._taken and self._taken[-1][0] >= back_ns:
            back_ns, tokens = self._taken.pop()
            weight += tokens
        self._taken.append((back_ns, weight))

    def used_at(self, now_ns: int) -> int:
        """Give how much is used at an instant that is not before the last one asked for."""
        self._take_back(now_ns)
        return self.used

    def learn(self, used: int, now_ns: int) -> None:
        """Take the venue's word: others use this limit too, or it counts in another way.

        What they use beyond the part that is not ours is taken from ours.
        """
        self._take_back(now_ns)
        spare = self.limit.capacity - self.capacity
        self.take(min(max(used - self.used - spare, 0), self.capacity), now_ns)

    def _take_back(self, now_ns: int) -> None:
        while self._taken and self._taken[0][0] <= now_ns:
            self.used -= self._taken.popleft()[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    kind: str
    admitted: asyncio.Future[bool]


class Throttle:
    """One account's budget at one venue, shared by all that asks there; also its `Meter`.

    Creates and cancels are asked for by `fits` and `take`, queries by `admit`, first come first
    served. ``share`` is our part of every limit, where several processes use one account.
    """

    def __init__(self, clock: Clock, share: Decimal = ONE) -> None:
        self._clock = clock
        self._share = share
        self._waiting: deque[_Waiter] = deque()
        self._timer: Timer | None = None
        self._busy_until_ns = self._banned_until_ns = 0
        self.buckets: tuple[Bucket, ...] = ()
        #: Answers by which the venue said that it was asked too often.
        self.warnings = 0
        #: Hears how requests fare: their kind, and whether the venue answered properly.
        self.on_answer: Callable[[str, bool], None] = lambda kind, answered: None

    def bind(self, limits: Sequence[RateLimit]) -> None:
        """Keep these limits from now on."""
        self.buckets = tuple(Bucket(limit, self._share) for limit in limits)

    # --- creates and cancels

    def wait_ns(self, kind: str, lane: Lane, items: int = 1) -> int:
        """Say how long until such a request may leave; 0 = now."""
        now_ns = self._clock.monotonic_ns()
        wait_ns = self._held_ns(lane, now_ns)
        for bucket in self.buckets:
            wait_ns = max(wait_ns, bucket.wait_ns(kind, items, lane, now_ns))
        if lane > Lane.QUERY and self._waiting:
            wait_ns = max(wait_ns, self._head_ns())
        return wait_ns

    def fits(self, kind: str, lane: Lane, most: int) -> int:
        """Say how many items one request may carry now, from 0 to ``most``."""
        if not self.buckets and not self._held_ns(lane, self._clock.monotonic_ns()):
            return most
        return next(
            (items for items in range(most, 0, -1) if not self.wait_ns(kind, lane, items)), 0
        )

    def take(self, kind: str, items: int = 1) -> None:
        """Count a request as leaving now."""
        now_ns = self._clock.monotonic_ns()
        for bucket in self.buckets:
            bucket.take(bucket.weight(kind, items), now_ns)

    # --- what the venue says

    def used(self) -> tuple[tuple[str, int, int], ...]:
        """Give each limit's name, what of it is used now, and how much of it is ours."""
        now_ns = self._clock.monotonic_ns()
        return tuple((one.limit.name, one.used_at(now_ns), one.capacity) for one in self.buckets)

    def banned_ns(self) -> int:
        """Say for how long the venue will not hear us at all; 0 = it does."""
        return max(self._banned_until_ns - self._clock.monotonic_ns(), 0)

    def heard(self, kind: str, response: Response | None) -> None:
        """Learn from an answer: weight used, patience asked for, a ban; None = none came."""
        self.on_answer(kind, response is not None and response.status < 500)
        if response is None:
            return
        now_ns = self._clock.monotonic_ns()
        asked_ns = retry_after_ns(response, now_ns)
        if response.status == _BUSY:
            self.warnings += 1
            until_ns = max(asked_ns, now_ns + _SHORTEST_PAUSE_NS)
            self._busy_until_ns = max(self._busy_until_ns, until_ns)
        elif response.status == _BANNED:
            self.warnings += 1
            until_ns = asked_ns if asked_ns > now_ns else now_ns + _SHORTEST_BAN_NS
            self._banned_until_ns = max(self._banned_until_ns, until_ns)
        for bucket in self.buckets:
            if bucket.limit.used_header:
                used = _number(response, bucket.limit.used_header)
                bucket.learn(used, now_ns)

    # --- queries

    async def admit(self, kind: str, *, within_ns: int, urgent: bool = False) -> bool:
        """Wait until a query may leave, and count it as leaving; False = not within that time.

        ``urgent`` = it protects us, as arming a dead-man timer does: it has the room of cancels
        and passes those who wait.
        """
        lane = Lane.CANCEL if urgent else Lane.QUERY
        waiting = () if urgent else self._waiting
        if not waiting and not self.wait_ns(kind, lane):
            self.take(kind)
            return True
        if urgent:
            return await self._reserved(kind, within_ns)
        waiter = _Waiter(kind, asyncio.get_running_loop().create_future())

        def give_up() -> None:
            if not waiter.admitted.done():
                waiter.admitted.set_result(False)

        patience = self._clock.call_at_ns(self._clock.now_ns() + within_ns, give_up)
        self._waiting.append(waiter)
        self._serve()
        try:
            return await waiter.admitted
        finally:
            patience.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            self._serve()

    async def _reserved(self, kind: str, within_ns: int) -> bool:
        # Even the reserve is used up: again at the instant when some of it has come back.
        until_ns = self._clock.monotonic_ns() + within_ns
        while wait_ns := self.wait_ns(kind, Lane.CANCEL):
            if self._clock.monotonic_ns() + wait_ns > until_ns:
                return False
            await self._clock.sleep_ns(wait_ns)
        self.take(kind)
        return True

    def _serve(self) -> None:
        # Whoever stands first goes first; when he may not go yet, nobody passes him.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            head = self._waiting[0]
            if not head.admitted.done():
                wait_ns = self._head_ns()
                if wait_ns:
                    at_ns = self._clock.now_ns() + wait_ns
                    self._timer = self._clock.call_at_ns(at_ns, self._serve)
                    return
                self.take(head.kind)
                head.admitted.set_result(True)
            self._waiting.popleft()

    def _head_ns(self) -> int:
        head = self._waiting[0]
        return self.wait_ns(head.kind, Lane.QUERY)

    def _held_ns(self, lane: Lane, now_ns: int) -> int:
        held_ns = self._banned_until_ns - now_ns
        if lane is not Lane.CANCEL:
            held_ns = max(held_ns, self._busy_until_ns - now_ns)
        return max(held_ns, 0)


def _number(response: Response, header: str) -> int:
    text = next(
        (value for name, value in response.headers.items() if name.lower() == header.lower()), ""
    ).strip()
    return int(text[:18]) if text.isascii() and text.isdigit() else 0
