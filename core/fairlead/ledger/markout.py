"""Ask what the market did after each fill: markouts, their means and their curve.

``markout(h) = s·(mid(t+h) − p)/p`` in bps, positive = good for us, before fees, weighted by
notional, in venue time. A fill is left out of a horizon that passes the end of the data or a
moment without a valid book.

Source: TRADING, Quality (docs/reference/money-words.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappop, heappush
from types import MappingProxyType

from fairlead.ledger.estimate import Estimate, WeightedMean
from fairlead.model import Fill, Side, statistic

__all__ = [
    "HORIZONS",
    "REPORT_HORIZONS",
    "MarkoutPoint",
    "MarkoutResult",
    "MarkoutStatistics",
    "MarkoutTracker",
]

#: Label → nanoseconds, for the curve; the report's own three are among them.
HORIZONS: Mapping[str, int] = MappingProxyType(
    {
        "0.1s": 100_000_000,
        "0.3s": 300_000_000,
        "1s": 1_000_000_000,
        "2s": 2_000_000_000,
        "5s": 5_000_000_000,
        "10s": 10_000_000_000,
        "20s": 20_000_000_000,
        "30s": 30_000_000_000,
        "60s": 60_000_000_000,
        "120s": 120_000_000_000,
        "180s": 180_000_000_000,
        "300s": 300_000_000_000,
    }
)

#: What the report and the live view show.
REPORT_HORIZONS = ("1s", "10s", "60s")

_LABELS = tuple(HORIZONS)
_NEVER = 1 << 63


@dataclass(frozen=True, slots=True)
class MarkoutResult:
    """One fill's markouts in bps by horizon; None = left out."""

    trade: str
    strategy: str
    side: Side
    level: int
    notional: Decimal
    bps: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class MarkoutPoint:
    """One fill at one horizon, in bps."""

    side: Side
    bps: float
    notional: float


@dataclass(slots=True)
class _Pending:
    trade: str
    strategy: str
    side: Side
    level: int
    price: float
    notional: Decimal
    left: int = len(HORIZONS)
    bps: dict[str, float | None] = field(default_factory=dict)


class MarkoutStatistics:
    """Notional-weighted means by horizon, of all fills and of each side; constant memory."""

    def __init__(self) -> None:
        self._means = {
            (side, label): WeightedMean() for side in (None, *Side) for label in HORIZONS
        }

    def add(self, side: Side, label: str, bps: float, notional: float) -> None:
        """Take in one fill at one horizon."""
        self._means[None, label].add(bps, notional)
        self._means[side, label].add(bps, notional)

    def estimate(self, label: str, side: Side | None = None) -> Estimate:
        """Give mean, 95 % interval and count at a horizon; side None = both."""
        return self._means[side, label].estimate


class MarkoutTracker:
    """Follows the mid of one market after each own fill on it.

    Either call `on_mid` at every change of the mid, or, cheaper for a reader of many messages:
    compare the next message's venue time with `next_due_ns`, and only when it is later call
    `settle` with the mid that the book still shows.
    """

    def __init__(self, *, most_pending: int = 20_000) -> None:
        self._most_pending = most_pending
        self._due: list[tuple[int, int, int]] = []
        self._fills: dict[int, _Pending] = {}
        self._numbers: dict[str, int] = {}
        self._count = 0
        self._mid: Decimal | None = None
        self._now_ns = 0
        self._done: list[MarkoutResult] = []
        #: The venue time at which the next horizon falls due; far away when none is pending.
        self.next_due_ns = _NEVER
        self.statistics = MarkoutStatistics()
        #: The horizon whose markouts `take_watched` gives as soon as they are known; "" = none.
        self.watched = ""
        self._fresh: list[MarkoutPoint] = []

    def on_mid(self, venue_ns: int, mid: Decimal | None) -> None:
        """Note a new mid, or None when the book ceased to be valid."""
        if venue_ns > self.next_due_ns:
            self.settle(venue_ns, self._mid)
        elif venue_ns > self._now_ns:
            self._now_ns = venue_ns
        self._mid = mid
        if mid is None and self._due:
            self._abandon()

    def settle(self, venue_ns: int, mid: Decimal | None) -> None:
        """Complete every horizon due before ``venue_ns`` with ``mid``, in force until then."""
        self._now_ns = max(self._now_ns, venue_ns)
        self._mid = mid
        if mid is None:
            self._abandon()
            return
        value = statistic(mid)
        while self._due and self._due[0][0] < venue_ns:
            _, number, horizon = heappop(self._due)
            fill = self._fills.get(number)
            if fill is not None:
                self._complete(number, fill, _LABELS[horizon], value)
        self.next_due_ns = self._due[0][0] if self._due else _NEVER

    def on_fill(
        self, strategy: str, level: int, fill: Fill, notional: Decimal, mid: Decimal | None
    ) -> None:
        """Follow a fill from now on; ``mid`` is the one in force, None = no valid book.

        A stamp that lies before the last news is taken as it is: horizons that have passed by
        then are measured with the mid in force now. When too many are pending the oldest is
        left out of what it still waits for.
        """
        self._mid = mid
        if len(self._fills) >= self._most_pending:
            self._drop(next(iter(self._fills)))
        self._count += 1
        number = self._count
        price = statistic(fill.price)
        self._fills[number] = _Pending(fill.trade_id, strategy, fill.side, level, price, notional)
        self._numbers[fill.trade_id] = number
        if mid is None:
            self._drop(number)
            return
        for horizon, span_ns in enumerate(HORIZONS.values()):
            heappush(self._due, (fill.venue_ns + span_ns, number, horizon))
        self.next_due_ns = self._due[0][0]

    def known(self, trade: str) -> Mapping[str, float | None]:
        """Give what is known so far of a fill that is still followed; empty afterwards."""
        fill = self._fills.get(self._numbers.get(trade, 0))
        return {} if fill is None else fill.bps

    def take(self) -> tuple[MarkoutResult, ...]:
        """Give the fills whose horizons have all passed since the last call, oldest first."""
        if not self._done:
            return ()
        done, self._done = tuple(self._done), []
        return done

    def take_watched(self) -> tuple[MarkoutPoint, ...]:
        """Give what became known at the watched horizon since the last call, oldest first."""
        if not self._fresh:
            return ()
        fresh, self._fresh = tuple(self._fresh), []
        return fresh

    def finish(self) -> tuple[MarkoutResult, ...]:
        """End the data: leave out what has not passed, and give all that was not taken yet."""
        self._abandon()
        return self.take()

    def _complete(self, number: int, fill: _Pending, label: str, mid: float) -> None:
        bps = fill.side.sign * (mid - fill.price) / fill.price * 1e4
        fill.bps[label] = bps
        notional = statistic(fill.notional)
        self.statistics.add(fill.side, label, bps, notional)
        if label == self.watched:
            self._fresh.append(MarkoutPoint(fill.side, bps, notional))
        fill.left -= 1
        if not fill.left:
            self._drop(number)

    def _abandon(self) -> None:
        for number in tuple(self._fills):
            self._drop(number)
        self._due.clear()
        self.next_due_ns = _NEVER

    def _drop(self, number: int) -> None:
        fill = self._fills.pop(number)
        self._numbers.pop(fill.trade, None)
        self._done.append(
            MarkoutResult(
                fill.trade,
                fill.strategy,
                fill.side,
                fill.level,
                fill.notional,
                {label: fill.bps.get(label) for label in HORIZONS},
            )
        )
