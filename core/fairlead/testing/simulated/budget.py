"""Hold an account to its budget: so much weight in any window, then patience, then a ban."""

from __future__ import annotations

from collections import deque

from fairlead.testing.neutral import USED_HEADER, WEIGHTS

__all__ = ["Budget"]

_SECOND = 1_000_000_000
# Whoever is told to wait this often, and asks all the same, is banned.
_WARNINGS = 3
_BAN_NS = 120 * _SECOND


class Budget:
    """The weight of the requests that have arrived within the last ``window_ns``."""

    def __init__(self, capacity: int, window_ns: int) -> None:
        self.capacity = capacity
        self._window_ns = window_ns
        self._taken: deque[tuple[int, int]] = deque()
        self._warned_ns: deque[int] = deque(maxlen=_WARNINGS)
        self.used = 0
        #: The most that any window has held or would have held: above ``capacity`` is too much.
        self.peak = 0
        #: Requests that were turned away for it.
        self.over = 0

    @property
    def header(self) -> dict[str, str]:
        """Give what every answer says of it."""
        return {USED_HEADER: str(self.used)}

    def wait_ns(self, kind: str, items: int, now_ns: int) -> int:
        """Take a request that has arrived; gives for how long it should have waited, 0 = none."""
        while self._taken and self._taken[0][0] <= now_ns - self._window_ns:
            self.used -= self._taken.popleft()[1]
        weight = WEIGHTS[kind].of(items)
        self.peak = max(self.peak, self.used + weight)
        if self.used + weight > self.capacity:
            self.over += 1
            self._warned_ns.append(now_ns)
            return self._taken[0][0] + self._window_ns - now_ns if self._taken else self._window_ns
        self.used += weight
        self._taken.append((now_ns, weight))
        return 0

    def ban_ns(self, now_ns: int) -> int:
        """Give for how long the account is banned from now on: it asks in spite of warnings."""
        warned = len(self._warned_ns) == _WARNINGS
        if not warned or self._warned_ns[0] < now_ns - self._window_ns:
            return 0
        self._warned_ns.clear()
        return _BAN_NS
