"""Hold the time still: a clock for tests in which nothing waits."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from fairlead.api import Timer

__all__ = ["StillClock"]


class _Call:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class StillClock:
    """A clock that stands still until a test moves it; `VirtualClock` is for code that waits."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._calls: list[tuple[int, int, _Call]] = []
        self._count = 0

    def now_ns(self) -> int:
        """Give the time that the test has set."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Give the same."""
        return self._now_ns

    def pass_ns(self, duration_ns: int) -> None:
        """Let time pass and make the calls that become due, each in its time."""
        end_ns = self._now_ns + duration_ns
        while self._calls and self._calls[0][0] <= end_ns:
            at_ns, _, call = heappop(self._calls)
            self._now_ns = max(self._now_ns, at_ns)
            if call.callback is not None:
                call.callback()
        self._now_ns = end_ns

    async def sleep_ns(self, duration_ns: int) -> None:
        """Refuse: time stands still. :raises RuntimeError: always."""
        raise RuntimeError(f"a sleep of {duration_ns} ns while time stands still")

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Refuse to wait for the future. :raises RuntimeError: when ``at_ns`` is not here."""
        if at_ns > self._now_ns:
            await self.sleep_ns(at_ns - self._now_ns)

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Call back from the `pass_ns` that reaches ``at_ns``."""
        call = _Call(callback)
        self._count += 1
        heappush(self._calls, (at_ns, self._count, call))
        return call

    def advance_to_ns(self, at_ns: int) -> bool:
        """Tell whether ``at_ns`` is here."""
        return at_ns <= self._now_ns
