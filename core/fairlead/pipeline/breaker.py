"""Stop asking a market that keeps refusing: the circuit breaker for new orders.

It gates new orders only; cancels and queries never pass here. Source of the default: ten
rejects in a row pause the market (docs/reference/money-words).
"""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import Denied
from fairlead.model import Accepted, MarketId, Outcome, RejectClass, Rejected

__all__ = ["Breaker"]

_REJECTS_IN_A_ROW = 10
_PAUSE_NS = 60_000_000_000


class Breaker:
    """Counts rejects in a row by market and pauses the market at ten, for a minute."""

    def __init__(self) -> None:
        self._rejects: dict[MarketId, int] = {}
        self._closed_until: dict[MarketId, int] = {}

    def check(self, market: MarketId, now_ns: int) -> Denied | None:
        """Refuse while the market is paused."""
        if now_ns < self._closed_until.get(market, 0):
            return Denied(
                "rejects_in_a_row",
                Decimal(_REJECTS_IN_A_ROW),
                Decimal(_REJECTS_IN_A_ROW - 1),
                "the venue refused ten orders in a row; the market is paused for 60 s",
            )
        return None

    def learn(self, market: MarketId, outcome: Outcome, now_ns: int) -> bool:
        """Take an outcome; True when it closed the market just now.

        A post-only refusal is a maker's everyday life and does not count.
        """
        match outcome:
            case Accepted():
                self._rejects[market] = 0
            case Rejected(reason=reason) if reason is not RejectClass.POST_ONLY:
                self._rejects[market] = self._rejects.get(market, 0) + 1
                if self._rejects[market] >= _REJECTS_IN_A_ROW:
                    self._rejects[market] = 0
                    self._closed_until[market] = now_ns + _PAUSE_NS
                    return True
            case _:
                pass
        return False
