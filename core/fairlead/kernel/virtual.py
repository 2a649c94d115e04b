"""Run in virtual time: an event loop whose clock jumps from one due call to the next.

The loop never looks at the wall, opens nothing and starts no thread, so the same inputs give the
same run. With ``pace`` it holds itself back to that multiple of real time, for people who watch;
pacing changes when things happen on the wall, never what happens.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVarTuple

from typing_extensions import override

from fairlead.api import Timer

__all__ = ["StandstillError", "VirtualClock", "VirtualLoop"]

_SECOND = 1_000_000_000
# Longest real sleep while pacing: how late a signal or a key may be noticed.
_NAP_S = 0.02
# From so many timers on, those that were called off are cleared away once they are the most.
_MANY_TIMERS = 100

_Args = TypeVarTuple("_Args")


class StandstillError(RuntimeError):
    """Everything waits and nothing is due: in virtual time that would be for ever."""


class _Timer(asyncio.TimerHandle):
    # asyncio's own, which typeshed does not show.
    __slots__ = ()
    _scheduled: bool


#: When it is due, its number in the order of setting, and what is to be called.
_Waiting: TypeAlias = tuple[int, int, _Timer]


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

    Its timers are its own, in whole nanoseconds: exact even after years, and those that are due
    at one instant ring in the order in which they were set, whatever else waits.

    ``pace`` None = as fast as possible, 60 = one minute of virtual time takes one real second, by
    the real ``monotonic`` seconds and ``nap``.
    """

    # asyncio's own, which typeshed does not show.
    _ready: deque[asyncio.Handle]
    _stopping: bool
    _check_closed: Callable[[], None]

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
        self._timers: list[_Waiting] = []
        self._numbers = count()
        self._called_off = 0
        super().__init__(_TimeSelector(self._let_time_pass))

    def begin(self, start_ns: int) -> None:
        """Set the time at which everything starts, before anything is scheduled."""
        if self._timers:
            raise RuntimeError("something waits for the time already")
        self._start_ns = self._now_ns = start_ns

    @property
    def now_ns(self) -> int:
        """Give virtual time in nanoseconds since the epoch."""
        return self._now_ns

    @override
    def time(self) -> float:
        return (self._now_ns - self._start_ns) / _SECOND

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*_Args], object],
        *args: *_Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        at_ns = self._start_ns + round(when * _SECOND)
        return self._set(_Timer(when, callback, args, self, context), at_ns)

    def call_at_ns(
        self, at_ns: int, callback: Callable[[*_Args], object], *args: *_Args
    ) -> asyncio.TimerHandle:
        """Call back at ``at_ns`` to the nanosecond, in the next turn when that has passed."""
        when = (at_ns - self._start_ns) / _SECOND
        return self._set(_Timer(when, callback, args, self), at_ns)

    def _set(self, timer: _Timer, at_ns: int) -> _Timer:
        self._check_closed()
        timer._scheduled = True
        heappush(self._timers, (at_ns, next(self._numbers), timer))
        return timer

    def jump(self, at_ns: int) -> bool:
        """Go on as of ``at_ns`` without a turn of the loop, if nothing else comes first."""
        if self._ready or self._stopping:
            return False
        if at_ns <= self._now_ns:
            return True
        if self._timers and self._timers[0][0] <= at_ns:
            return False
        if self.pace is not None and self._ahead_s(at_ns) > 0:
            return False
        self._now_ns = at_ns
        return True

    def _ahead_s(self, at_ns: int) -> float:
        # Real seconds by which ``at_ns`` is still in the future.
        if self.pace is None:
            return 0.0
        now = self._monotonic()
        if self._wall_start is None:
            self._wall_start = now
        return (at_ns - self._start_ns) / _SECOND / self.pace - (now - self._wall_start)

    def _let_time_pass(self, timeout: float | None) -> None:
        # What asyncio calls to wait: with a timeout of zero when something is ready.
        if self.beside is not None:
            self._look_up(self.beside)
        self._clear_away()
        if timeout is None and not self._ready:
            self._go_to_next()
        timers, ready, now_ns = self._timers, self._ready, self._now_ns
        while timers and timers[0][0] <= now_ns:
            ready.append(self._pop())

    def _look_up(self, beside: Callable[[], None]) -> None:
        now = self._monotonic()
        if now - self._looked_up >= _NAP_S:
            self._looked_up = now
            beside()

    def _go_to_next(self) -> None:
        if not self._timers:
            raise StandstillError("everything waits and nothing is due")
        due_ns = self._timers[0][0]
        while self.pace is not None and (ahead := self._ahead_s(due_ns)) > 0:
            self._nap(min(ahead, _NAP_S))
            if self.beside is not None:
                self._look_up(self.beside)
            if self._ready:  # a signal came in, or something from beside
                return
        self._now_ns = max(self._now_ns, due_ns)

    def _clear_away(self) -> None:
        # What was called off is never gone to, and must not pile up either.
        timers = self._timers
        if len(timers) > _MANY_TIMERS and 2 * self._called_off > len(timers):
            timers[:] = [one for one in timers if not one[2].cancelled()]
            heapify(timers)
            self._called_off = 0
        while timers and timers[0][2].cancelled():
            self._pop()
            self._called_off -= 1

    def _pop(self) -> _Timer:
        timer = heappop(self._timers)[2]
        timer._scheduled = False
        return timer

    def _timer_handle_cancelled(self, timer: _Timer) -> None:
        self._called_off += timer._scheduled

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
        timer = self._loop.call_at_ns(at_ns, _resolve, done)
        try:
            await done
        finally:
            timer.cancel()

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Call back at ``at_ns`` of virtual time, in the next turn when that has passed."""
        return self._loop.call_at_ns(at_ns, callback)

    def advance_to_ns(self, at_ns: int) -> bool:
        """Jump to ``at_ns`` when nothing else is ready or due before it."""
        return self._loop.jump(at_ns)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
