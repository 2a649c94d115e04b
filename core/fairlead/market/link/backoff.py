"""Wait before trying again: longer each time, never in step with others, never too often."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["Backoff", "ConnectBudget"]

_MINUTE_NS = 60_000_000_000
# Beyond this doubling would only make the integer larger.
_MOST_DOUBLINGS = 30


class Backoff:
    """Exponential backoff with full jitter: each wait is drawn from 0 to a bound that doubles.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(self, random: Random, first_ns: int, most_ns: int) -> None:
        if not 0 < first_ns <= most_ns:
            raise ValueError(f"a backoff from {first_ns} to {most_ns} ns is none")
        self._random = random
        self._first_ns = first_ns
        self._most_ns = most_ns
        #: Waits drawn since the last `reset`.
        self.tries = 0

    def next_ns(self) -> int:
        """Draw the next wait, in nanoseconds."""
        bound = min(self._first_ns << min(self.tries, _MOST_DOUBLINGS), self._most_ns)
        self.tries += 1
        return self._random.randrange(bound + 1)

    def reset(self) -> None:
        """Begin anew: it works again."""
        self.tries = 0


class ConnectBudget:
    """How many connections may be opened within any minute; links to one venue may share it."""

    def __init__(self, per_minute: int) -> None:
        if per_minute < 1:
            raise ValueError("a link that may never connect is none")
        self._times: deque[int] = deque(maxlen=per_minute)

    def wait_ns(self, now_ns: int) -> int:
        """Say how long to wait before the next one; 0 = none. ``now_ns`` is monotonic."""
        if len(self._times) < (self._times.maxlen or 0):
            return 0
        return max(self._times[0] + _MINUTE_NS - now_ns, 0)

    def take(self, now_ns: int) -> None:
        """Note that one is opened now."""
        self._times.append(now_ns)
