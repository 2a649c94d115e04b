"""Judge a user stream by what it says: one that answers pings and tells nothing is dead."""

from __future__ import annotations

from collections import OrderedDict

__all__ = ["StreamHealth"]

_SECOND = 1_000_000_000
# News of an order that the venue has accepted comes within this, or the stream is mute.
_SILENCE_NS = 5 * _SECOND
_MOST_REMEMBERED = 10_000


class StreamHealth:
    """One venue's user stream: proven while what must come on it comes."""

    def __init__(self) -> None:
        self._expected: OrderedDict[str, int] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()
        #: Since when the stream is not proven: cut, or silent where it must speak; None = it is.
        self.unproven_since_ns: int | None = None
        self._cut = False

    @property
    def proven(self) -> bool:
        """Tell whether the stream delivers."""
        return self.unproven_since_ns is None

    def expect(self, client_id: str, now_ns: int) -> None:
        """Note that the venue has answered for an order, so its stream must tell of it.

        The stream may have been faster than the answer.
        """
        if client_id not in self._told and len(self._expected) < _MOST_REMEMBERED:
            self._expected.setdefault(client_id, now_ns)

    def heard(self, client_id: str) -> None:
        """Note that the stream told of an order: whatever else it owes, it is alive."""
        self._expected.pop(client_id, None)
        self._told[client_id] = None
        if len(self._told) > _MOST_REMEMBERED:
            self._told.popitem(last=False)
        if not self._cut:
            self.unproven_since_ns = None

    def cut(self, now_ns: int) -> None:
        """Note that the connection is gone."""
        self._cut = True
        if self.unproven_since_ns is None:
            self.unproven_since_ns = now_ns

    def connected(self) -> None:
        """Note that the stream is open (again); what it owed before is not expected any more."""
        self._cut = False
        self._expected.clear()
        self.unproven_since_ns = None

    def judge(self, now_ns: int) -> bool:
        """Tell whether the stream has just turned out to be mute."""
        oldest_ns = next(iter(self._expected.values()), None)
        if oldest_ns is None or now_ns - oldest_ns <= _SILENCE_NS:
            return False
        self._expected.clear()  # each is missed once; reading the account explains them
        if self.unproven_since_ns is not None:
            return False
        self.unproven_since_ns = oldest_ns
        return True

    def clock_back(self, back_ns: int) -> None:
        """Move its times back with a wall clock that was set back."""
        if self.unproven_since_ns is not None:
            self.unproven_since_ns -= back_ns
        for client_id in self._expected:
            self._expected[client_id] -= back_ns
