"""See when the wall clock is set back, and let nothing look younger than it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fairlead.api import Clock
from fairlead.kernel.stream import StreamHealth
from fairlead.kernel.ticker import Tick
from fairlead.store import Incident, Journal

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk

__all__ = ["WallWatch"]

# What a clock that is disciplined moves at once is far below this.
_LEAST_NS = 100_000_000


class WallWatch:
    """Compares the wall clock with the one that nobody sets, at the begin of every tick.

    Ages are told by the wall clock's stamps: set back by a minute, it would show a book of a
    minute ago as one of now. A clock that is set forward makes things look older; what is too old
    is asked for again.
    """

    def __init__(
        self, desk: Desk, streams: Mapping[str, StreamHealth], clock: Clock, journal: Journal
    ) -> None:
        self._desk = desk
        self._streams = streams
        self._clock = clock
        self._journal = journal
        self._offset_ns = self._measured_ns()

    def look(self, tick: Tick) -> None:
        """Move the stamps of before back with the clock; the first part of a tick."""
        del tick
        offset_ns = self._measured_ns()
        back_ns = self._offset_ns - offset_ns
        if abs(back_ns) < _LEAST_NS:
            return
        self._offset_ns = offset_ns
        if back_ns < 0:
            return
        now_ns = self._clock.now_ns()
        for tracker in self._desk.markets.values():
            tracker.clock_back(back_ns, now_ns)
        for stream in self._streams.values():
            stream.clock_back(back_ns)
        detail = f"the wall clock was set back by {back_ns / 1e9:.1f} s"
        self._journal.append(Incident(name="clock_set_back", detail=detail))

    def _measured_ns(self) -> int:
        return self._clock.now_ns() - self._clock.monotonic_ns()
