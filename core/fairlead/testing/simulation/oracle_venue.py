"""Hold the engine to its manners: a venue that wants to be left alone is left alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from typing_extensions import override

from fairlead.api import Request, Response
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["PatienceOracle"]

_SECOND = 1_000_000_000
_BUSY = 429
_BANNED = 418
# Connections to one stream within so long; who waits ever longer opens fewer.
_MOST_OPENED = 15
_OPENED_NS = 5 * _SECOND


class PatienceOracle(Oracle):
    """Nothing leaves during a ban, cancels only while patience was asked for, and no storms."""

    def __init__(self, add: Callable[[str, str], None], now_ns: Callable[[], int]) -> None:
        self._add = add
        self._now_ns = now_ns
        self._busy_until_ns: dict[str, int] = {}
        self._banned_until_ns: dict[str, int] = {}
        self._opened: dict[str, deque[int]] = {}

    @override
    def begun(self, life: Life) -> None:
        # A new process does not know what the one before it was told.
        self._busy_until_ns.clear()
        self._banned_until_ns.clear()
        self._opened.clear()

    @override
    def answered(self, life: Life, venue: str, request: Request, response: Response) -> None:
        if response.status not in (_BUSY, _BANNED):
            return
        until = self._busy_until_ns if response.status == _BUSY else self._banned_until_ns
        asked_ns = int(response.headers["Retry-After"]) * _SECOND
        until[venue] = max(until.get(venue, 0), self._now_ns() + asked_ns)

    @override
    def asking(self, life: Life, venue: str, request: Request) -> None:
        now_ns, path = self._now_ns(), request.url.rpartition("/")[2].partition("?")[0]
        if now_ns < self._banned_until_ns.get(venue, 0):
            self._add("nothing leaves during a ban", f"{path} at {venue}")
        elif path != "cancels" and now_ns < self._busy_until_ns.get(venue, 0):
            self._add("who asks for patience gets it", f"{path} at {venue}")

    @override
    def opening(self, life: Life, venue: str, url: str) -> None:
        now_ns = self._now_ns()
        opened = self._opened.setdefault(url, deque(maxlen=_MOST_OPENED))
        if len(opened) == _MOST_OPENED and now_ns - opened[0] < _OPENED_NS:
            seconds = _OPENED_NS // _SECOND
            self._add("no storm of connections", f"{_MOST_OPENED + 1} of {url} within {seconds} s")
        opened.append(now_ns)
