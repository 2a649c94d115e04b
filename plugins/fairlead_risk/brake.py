"""Slow down when fills turn against us: one-sided fills, bad markouts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import FillSeen, Gauge, MarkoutSeen, Posture, RiskNews, RiskView
from fairlead.model import ZERO, MarketId, Purpose, Side, statistic
from fairlead_risk.config_brake import MarkoutBrakeConfig, OneSidedFillsConfig
from fairlead_risk.rule import BOTH, Rule, seconds

__all__ = ["MarkoutBrake", "OneSidedFills", "OneSidedMemory", "SideMemory"]


class SideMemory(msgspec.Struct, frozen=True, gc=False):
    """One side of a market: when its last fills came, and until when it is off; 0 = it is on."""

    market: str
    side: Side
    fills_ns: tuple[int, ...] = ()
    until_ns: int = 0
    reason: str = ""


class OneSidedMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: the sides with fills of late, and those that are off."""

    sides: tuple[SideMemory, ...] = ()


@dataclass(slots=True)
class _Side:
    fills_ns: deque[int]
    until_ns: int = 0
    reason: str = ""


class OneSidedFills(Rule):
    """Switch a side off when its quotes are filled too fast: someone knows more than we do."""

    name: ClassVar[str] = "one_sided_fills"

    def __init__(self, config: OneSidedFillsConfig) -> None:
        self._config = config
        self._sides: dict[tuple[MarketId, Side], _Side] = {}
        self._memory: OneSidedMemory | None = OneSidedMemory()

    @property
    def memory(self) -> OneSidedMemory:
        """Give fills and sides that are off; a new object whenever they changed."""
        if self._memory is None:
            self._memory = OneSidedMemory(
                tuple(
                    SideMemory(str(market), side, tuple(one.fills_ns), one.until_ns, one.reason)
                    for (market, side), one in self._sides.items()
                )
            )
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored; what is over goes with the first assessment."""
        memory = msgspec.json.decode(text, type=OneSidedMemory)
        self._sides = {
            (MarketId.parse(one.market), one.side): _Side(
                deque(one.fills_ns, maxlen=self._config.limit), one.until_ns, one.reason
            )
            for one in memory.sides
        }
        self._memory = memory

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count a quote's fill; True when its side goes off with it."""
        if not isinstance(news, FillSeen) or news.purpose is not Purpose.QUOTE:
            return False
        key, now_ns, config = (news.slot.market, news.fill.side), view.now_ns, self._config
        one = self._sides.setdefault(key, _Side(deque(maxlen=config.limit)))
        times = one.fills_ns
        times.append(now_ns)
        self._memory = None
        if len(times) < config.limit or now_ns - times[0] > config.within.ns:
            return False
        times.clear()
        side = key[1]
        one.until_ns = now_ns + config.off.ns
        one.reason = f"{side} side off {config.off}: {config.limit} {side} fills in {config.within}"
        return True

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause the sides that are off."""
        self._forget(view.now_ns)
        return tuple(
            Posture(rule=self.name, reason=one.reason, market=market, paused=(side,))
            for (market, side), one in self._sides.items()
            if one.until_ns
        )

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Count the last fills of each side."""
        since_ns, limit = view.now_ns - self._config.within.ns, self._config.limit
        return tuple(
            Gauge(side.value, str(count), str(limit), count / limit, str(market))
            for (market, side), one in self._sides.items()
            for count in (sum(at_ns >= since_ns for at_ns in one.fills_ns),)
        )

    def _forget(self, now_ns: int) -> None:
        # A clock that was set back while nothing ran makes no pause longer than it is.
        latest_ns = now_ns + self._config.off.ns
        for one in self._sides.values():
            if one.until_ns and not now_ns < one.until_ns <= latest_ns:
                one.until_ns = 0 if one.until_ns <= now_ns else latest_ns
                self._memory = None


@dataclass(slots=True)
class _Window:
    bps: deque[tuple[float, float]] = field(default_factory=deque)
    #: Windows in a row whose mean was too low.
    bad: int = 0
    until_ns: int = 0
    mean: float | None = None


class MarkoutBrake(Rule):
    """Widen, then pause, when ten seconds after our fills the market has gone against us.

    The mean is weighted by value, over each so many fills of a market; a loss beyond the maker
    fee counts. A rebate gives no credit.
    """

    name: ClassVar[str] = "markout_brake"

    def __init__(self, config: MarkoutBrakeConfig) -> None:
        self._config = config
        self._windows: dict[MarketId, _Window] = {}

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Take a markout in; True when a window is full and says something else than the last."""
        if not isinstance(news, MarkoutSeen) or news.notional <= 0:
            return False
        window = self._windows.setdefault(news.market, _Window())
        window.bps.append((news.bps, news.notional))
        if len(window.bps) < self._config.limit:
            return False
        weight = sum(notional for _, notional in window.bps)
        window.mean = sum(bps * notional for bps, notional in window.bps) / weight
        window.bps.clear()
        before, window.bad = window.bad, self._judged(window, news.market, view)
        if window.bad >= 2:
            window.until_ns = view.now_ns + self._config.pause.ns
        return window.bad != before

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Widen after one bad window, pause after two in a row."""
        postures = []
        for market, window in self._windows.items():
            if window.until_ns and view.now_ns >= window.until_ns:
                window.bad, window.until_ns = 0, 0
            if not window.bad or window.mean is None:
                continue
            reason = (
                f"mean 10 s markout {window.mean:.1f} bps of {self._config.limit} fills, "
                f"limit {_least(market, view):.1f} bps"
            )
            if window.until_ns:
                left = seconds(window.until_ns - view.now_ns)
                reason = f"twice in a row: {reason}, {left} left"
                postures.append(Posture(rule=self.name, reason=reason, market=market, paused=BOTH))
            else:
                factor = self._config.factor.value
                postures.append(
                    Posture(rule=self.name, reason=reason, market=market, spread_factor=factor)
                )
        return tuple(postures)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Show the last full window's mean, and how full the next is."""
        gauges = []
        for market, window in self._windows.items():
            now = f"{len(window.bps)} of {self._config.limit} fills"
            if window.mean is not None:
                now = f"{window.mean:.1f} bps, {now}"
            gauges.append(Gauge("", now, f"{_least(market, view):.1f} bps", None, str(market)))
        return tuple(gauges)

    @staticmethod
    def _judged(window: _Window, market: MarketId, view: RiskView) -> int:
        bad = window.mean is not None and window.mean < _least(market, view)
        return window.bad + 1 if bad else 0


def _least(market: MarketId, view: RiskView) -> float:
    fee = view.market(market).instrument.fees.maker
    return -statistic(max(fee, ZERO).scaleb(4))
