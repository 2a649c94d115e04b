"""Slow down when quotes come too late: what they trade is filled as taker."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import FillSeen, Gauge, Posture, RiskNews, RiskView
from fairlead.model import ZERO, Liquidity, Purpose
from fairlead_risk.config_brake import TakerBrakeConfig
from fairlead_risk.rule import Rule, percent, used

__all__ = ["TakerBrake", "TakerCount", "TakerMemory"]

# The window is counted in so many parts at most, so that a day's memory is a few kilobytes.
_PARTS = 96


class TakerCount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What quotes traded in one part of the window, in the engine's currency."""

    begin_ns: int
    taken: Decimal = ZERO
    traded: Decimal = ZERO
    fills: int = 0


class TakerMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: the counts of the window, oldest first, and whether it brakes."""

    braking: bool = False
    counts: tuple[TakerCount, ...] = ()


class TakerBrake(Rule):
    """Widen spreads while quotes are filled as taker too often; hedges and plans do not count."""

    name: ClassVar[str] = "taker_brake"

    def __init__(self, config: TakerBrakeConfig) -> None:
        self._config = config
        self._part_ns = max(config.window.ns // _PARTS, 1)
        self._counts: deque[TakerCount] = deque()
        self._sum = TakerCount(0)
        self._braking = False
        self._memory: TakerMemory | None = TakerMemory()

    @property
    def memory(self) -> TakerMemory:
        """Give the counts; a new object whenever they changed by more than their age."""
        if self._memory is None:
            self._memory = TakerMemory(self._braking, tuple(self._counts))
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored; what has grown too old goes with the first assessment."""
        memory = msgspec.json.decode(text, type=TakerMemory)
        self._memory, self._braking = memory, memory.braking
        self._counts, self._sum = deque(memory.counts), TakerCount(0)
        for count in memory.counts:
            self._sum = _added(self._sum, count)

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count the fill of a quote; the tick judges."""
        if isinstance(news, FillSeen) and news.purpose is Purpose.QUOTE and news.value is not None:
            begin_ns = view.now_ns - view.now_ns % self._part_ns
            taken = news.value if news.fill.liquidity is Liquidity.TAKER else ZERO
            more = TakerCount(begin_ns, taken, news.value, 1)
            last = self._counts[-1] if self._counts else None
            if last is not None and last.begin_ns >= begin_ns:
                self._counts[-1] = _added(last, more)
            else:
                self._counts.append(more)
            self._sum = _added(self._sum, more)
            self._memory = None
        return False

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Widen above the limit, until below the lower one."""
        self._forget(view.now_ns)
        before, share = self._braking, self._share()
        if share is None:
            self._braking = False
        elif share > self._config.limit.value:
            self._braking = True
        elif share < self._config.until.value:
            self._braking = False
        if self._braking is not before:
            self._memory = None
        if not self._braking or share is None:
            return ()
        reason = f"{percent(share)} of quotes' fills were taker, limit {self._config.limit}"
        factor = self._config.factor.value
        return (Posture(rule=self.name, reason=reason, spread_factor=factor),)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure the taker share, once there are enough fills."""
        del view
        share, limit = self._share(), self._config.limit
        shown = f"{self._sum.fills} fills" if share is None else percent(share)
        return (Gauge("", shown, str(limit), used(share, limit.value)),)

    def _forget(self, now_ns: int) -> None:
        oldest_ns = now_ns - self._config.window.ns
        while self._counts and self._counts[0].begin_ns <= oldest_ns:
            gone = self._counts.popleft()
            self._sum = TakerCount(
                0,
                self._sum.taken - gone.taken,
                self._sum.traded - gone.traded,
                self._sum.fills - gone.fills,
            )

    def _share(self) -> Decimal | None:
        if self._sum.fills < self._config.fills or not self._sum.traded:
            return None
        return self._sum.taken / self._sum.traded


def _added(one: TakerCount, other: TakerCount) -> TakerCount:
    return TakerCount(
        one.begin_ns,
        one.taken + other.taken,
        one.traded + other.traded,
        one.fills + other.fills,
    )
