"""Fetch book snapshots when they are needed, again until one comes, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fairlead.api import Clock
from fairlead.model import BookSnapshot, Unavailable

__all__ = ["BookFeed"]

_MILLISECOND = 1_000_000


class BookFeed:
    """Snapshots on request for the books of one venue; diffs go their own way, by the stream.

    ``fetch`` reads one by symbol, within about 0.7 s. Up to ``tries`` times, so from a gap to
    the snapshot it takes at most 2.5 s with the figures given; who still has no book asks again.
    """

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[BookSnapshot | Unavailable]],
        publish: Callable[[BookSnapshot], None],
        clock: Clock,
        *,
        tries: int = 3,
        pause_ns: int = 150 * _MILLISECOND,
    ) -> None:
        self._fetch = fetch
        self._publish = publish
        self._clock = clock
        self._tries = tries
        self._pause_ns = pause_ns
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # Asked for again while one was under way: that one may be from before the gap.
        self._again: dict[str, bool] = {}

    def resync(self, symbol: str) -> None:
        """Begin to fetch a snapshot; returns at once, may be repeated."""
        if symbol in self._tasks:
            self._again[symbol] = True
            return
        task = asyncio.get_running_loop().create_task(self._follow(symbol))
        self._tasks[symbol] = task

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, symbol: str) -> None:
        try:
            while True:
                self._again[symbol] = False
                snapshot = await self._insist(symbol)
                if snapshot is None:
                    return
                self._publish(snapshot)
                if not self._again[symbol]:
                    return
                await self._clock.sleep_ns(self._pause_ns)
        finally:
            del self._tasks[symbol]

    async def _insist(self, symbol: str) -> BookSnapshot | None:
        for tried in range(self._tries):
            if tried:
                await self._clock.sleep_ns(self._pause_ns)
            snapshot = await self._fetch(symbol)
            if isinstance(snapshot, BookSnapshot):
                return snapshot
        return None
