"""Run in virtual time: an event loop whose clock jumps from one due call to the next.

The loop never looks at the wall, opens nothing and starts no thread, so the same inputs give the
same run. With ``pace`` it holds itself back to that multiple of real time, for people who watch;
pacing changes when things happen on the wall, never what happens.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from typing_extensions import override

from fairlead.api import Timer

__all__ = ["StandstillError", "VirtualClock", "VirtualLoop"]

_SECOND = 1_000_000_000
# Longest real sleep while pacing: how late a signal or a key may be noticed.
_NAP_S = 0.02
# Below half a nanosecond nothing is meant.
_RESOLUTION_S = 5e-10


class StandstillError(RuntimeError):
    """Everything waits and nothing is due: in virtual time that would be for ever."""


class _Advance(Protocol):
    def __call__(self, timeout: float | None) -> None: ...


class _TimeSelector(selectors.BaseSelector):
    # Where a real loop waits for sockets, this one lets time pass.

    def __init__(self, advance: _Advance) -> None:
        self._advance = advance

    @override
    def register(self, fileobj: Any, events: int, data: Any = None) -> NoReturn:
        raise RuntimeError("nothing real can be waited for in virtual time")

    @override
    def unregister(self, fileobj: Any) -> NoReturn:
        raise RuntimeError("nothing real can be waited for in virtual time")

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._advance(timeout)
        return []

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, starting at ``start_ns`` (nanoseconds since the epoch).

    ``pace`` None = as fast as possible, 60 = one minute of virtual time takes one real second, by
    the real ``monotonic`` seconds and ``nap``.
    """

    # asyncio's own, which typeshed does not show.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool

    def __init__(
        self,
        start_ns: int = 0,
        *,
        pace: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        nap: Callable[[float], None] = time.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._nap = nap
        self._start_ns = start_ns
        self._now_ns = start_ns
        #: Multiple of real time; None = as fast as possible. Set it before the loop runs.
        self.pace = pace
        self._wall_start: float | None = None
        #: Gets a turn some fifty times a real second, for work that is really outside.
        self.beside: Callable[[], None] | None = None
        self._looked_up = 0.0
        super().__init__(_TimeSelector(self._let_time_pass))
        # asyncio runs a timer when it is due within this much; less than a nanosecond keeps
        # them exact.
        self._clock_resolution = _RESOLUTION_S

    def begin(self, start_ns: int) -> None:
        """Set the time at which everything starts, before anything is scheduled."""
        if self._scheduled:
            raise RuntimeError("something waits for the time already")
        self._start_ns = self._now_ns = start_ns

    @property
    def now_ns(self) -> int:
        """Give virtual time in nanoseconds since the epoch."""
        return self._now_ns

    @override
    def time(self) -> float:
        return (self._now_ns - self._start_ns) / _SECOND

    def loop_time(self, at_ns: int) -> float:
        """Give the loop's own time for an instant; exact to the nanosecond for three weeks."""
        return (at_ns - self._start_ns) / _SECOND

    def reach(self, at_ns: int, callback: Callable[[], None]) -> None:
        """Call back at ``at_ns`` to the nanosecond, from a timer that was set for then."""
        self._now_ns = max(self._now_ns, at_ns)
        callback()

    def jump(self, at_ns: int) -> bool:
        """Go on as of ``at_ns`` without a turn of the loop, if nothing else comes first."""
        if self._ready or self._stopping:
            return False
        if at_ns <= self._now_ns:
            return True
        if self._scheduled and self._due_ns() <= at_ns:
            return False
        if self.pace is not None and self._ahead_s(at_ns) > 0:
            return False
        self._now_ns = at_ns
        return True

    def _due_ns(self) -> int:
        return self._start_ns + round(self._scheduled[0].when() * _SECOND)

    def _ahead_s(self, at_ns: int) -> float:
        # Real seconds by which ``at_ns`` is still in the future.
        if self.pace is None:
            return 0.0
        now = self._monotonic()
        if self._wall_start is None:
            self._wall_start = now
        return (at_ns - self._start_ns) / _SECOND / self.pace - (now - self._wall_start)

    def _let_time_pass(self, timeout: float | None) -> None:
        self._look_up()
        if not self._ready and (timeout is None or timeout > 0):
            self._go_to_next()
        # After weeks a float of seconds is coarser than that, and what is due must still run.
        self._clock_resolution = max(_RESOLUTION_S, math.ulp(self.time()))

    def _look_up(self) -> None:
        if self.beside is None:
            return
        now = self._monotonic()
        if now - self._looked_up >= _NAP_S:
            self._looked_up = now
            self.beside()

    def _go_to_next(self) -> None:
        if not self._scheduled:
            raise StandstillError("everything waits and nothing is due")
        due_ns = self._due_ns()
        while self.pace is not None and (ahead := self._ahead_s(due_ns)) > 0:
            self._nap(min(ahead, _NAP_S))
            self._look_up()
            if self._ready:  # a signal came in, or something from beside
                return
        self._now_ns = max(self._now_ns, due_ns)

    # What would leave virtual time is refused.

    def _make_self_pipe(self) -> None:
        self._internal_fds = 0

    def _close_self_pipe(self) -> None:
        """Nothing to close: there is no pipe."""

    def _write_to_self(self) -> None:
        """Nothing to wake: the loop never sleeps for long."""

    @override
    def run_in_executor(  # type: ignore[override]  # it refuses whatever it is given
        self, executor: Any, func: Any, *args: Any
    ) -> NoReturn:
        raise RuntimeError("no threads in virtual time")


class VirtualClock:
    """The clock of a `VirtualLoop`."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_ns(self) -> int:
        """Give virtual nanoseconds since the epoch."""
        return self._loop.now_ns

    def monotonic_ns(self) -> int:
        """Give the same: virtual time never goes back."""
        return self._loop.now_ns

    async def sleep_ns(self, duration_ns: int) -> None:
        """Wait in virtual time."""
        await self.sleep_until_ns(self._loop.now_ns + duration_ns)

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Wait until virtual time has reached ``at_ns``; gives way once when it has."""
        if at_ns <= self._loop.now_ns:
            await asyncio.sleep(0)
            return
        done = self._loop.create_future()
        timer = self.call_at_ns(at_ns, lambda: _resolve(done))
        try:
            await done
        finally:
            timer.cancel()

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Call back at ``at_ns`` of virtual time, in the next turn when that has passed."""
        return self._loop.call_at(self._loop.loop_time(at_ns), self._loop.reach, at_ns, callback)

    def advance_to_ns(self, at_ns: int) -> bool:
        """Jump to ``at_ns`` when nothing else is ready or due before it."""
        return self._loop.jump(at_ns)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
