"""Tell the real time: the system implementation of the Clock seam."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from fairlead.api import Timer

__all__ = ["SystemClock"]

_SECOND = 1_000_000_000


class SystemClock:
    """The machine's wall clock and monotonic clock, on the running asyncio loop."""

    def now_ns(self) -> int:
        """Give the wall clock, which may jump when the machine's time is set."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Give the monotonic clock."""
        return time.monotonic_ns()

    async def sleep_ns(self, duration_ns: int) -> None:
        """Wait at least ``duration_ns``."""
        await asyncio.sleep(max(duration_ns, 0) / _SECOND)

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Wait until the wall shows ``at_ns``; looks again after each wait, as it may jump."""
        await asyncio.sleep(0)
        while (left := at_ns - time.time_ns()) > 0:  # noqa: ASYNC110 - time is what is waited for
            await asyncio.sleep(left / _SECOND)

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Call back when the wall shows ``at_ns``, by what it shows now."""
        left = max(at_ns - time.time_ns(), 0)
        return asyncio.get_running_loop().call_later(left / _SECOND, callback)

    def advance_to_ns(self, at_ns: int) -> bool:
        """Tell whether ``at_ns`` has come; real time does not jump for anyone."""
        return at_ns <= time.time_ns()
