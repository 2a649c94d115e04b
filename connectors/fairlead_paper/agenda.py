"""Keep what is due at a time and do it in order of time, then of entry."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from fairlead.api import Clock

__all__ = ["Agenda"]


class Agenda:
    """Calls that are due at a time of the engine's clock.

    A timer does each in its time. Who works through a busy stretch of time on its own calls
    `catch_up` first, so that nothing is done late and the order never depends on the loop.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0

    def add(self, at_ns: int, call: Callable[[int], None]) -> None:
        """Call at ``at_ns``, with that time; never at once, and after all that was due before."""
        self._count += 1
        heappush(self._entries, (at_ns, self._count, call))
        self._clock.call_at_ns(at_ns, lambda: self.catch_up(at_ns))

    def catch_up(self, now_ns: int) -> None:
        """Do all that is due until ``now_ns``, inclusive."""
        entries = self._entries
        while entries and entries[0][0] <= now_ns:
            at_ns, _, call = heappop(entries)
            call(at_ns)
