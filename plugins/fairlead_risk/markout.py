"""Slow down when markets go against us soon after our fills."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import Gauge, MarkoutSeen, Posture, RiskNews, RiskView
from fairlead.model import ZERO, MarketId, statistic
from fairlead_risk.config_brake import MarkoutBrakeConfig
from fairlead_risk.rule import BOTH, Rule, seconds

__all__ = ["MarkoutBrake", "MarkoutMemory", "WindowMemory"]


class WindowMemory(msgspec.Struct, frozen=True, gc=False):
    """What the fills of a market came to: of the window that fills up, and of the last full one."""

    market: str
    #: So many fills, what they were worth, and the sum of their bps times that.
    fills: int = 0
    weight: float = 0.0
    weighted: float = 0.0
    #: Windows in a row whose mean was too low; until when the market is paused, 0 = it is not.
    bad: int = 0
    until_ns: int = 0
    mean: float | None = None


class MarkoutMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: the windows of all markets with fills, and their pauses."""

    windows: tuple[WindowMemory, ...] = ()


class MarkoutBrake(Rule):
    """Widen, then pause, when ten seconds after our fills the market has gone against us.

    The mean is weighted by value, over each so many fills of a market; a loss beyond the maker
    fee counts. A rebate gives no credit.
    """

    name: ClassVar[str] = "markout_brake"

    def __init__(self, config: MarkoutBrakeConfig) -> None:
        self._config = config
        self._windows: dict[MarketId, WindowMemory] = {}
        self._memory: MarkoutMemory | None = MarkoutMemory()

    @property
    def memory(self) -> MarkoutMemory:
        """Give windows and pauses; a new object whenever they changed."""
        if self._memory is None:
            self._memory = MarkoutMemory(tuple(self._windows.values()))
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored; what is over goes with the first assessment."""
        memory = msgspec.json.decode(text, type=MarkoutMemory)
        self._windows = {MarketId.parse(one.market): one for one in memory.windows}
        self._memory = memory

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Take a markout in; True when a window is full and says something else than the last."""
        if not isinstance(news, MarkoutSeen) or news.notional <= 0:
            return False
        before = self._windows.get(news.market) or WindowMemory(str(news.market))
        window = msgspec.structs.replace(
            before,
            fills=before.fills + 1,
            weight=before.weight + news.notional,
            weighted=before.weighted + news.bps * news.notional,
        )
        if window.fills >= self._config.limit:
            window = self._judged(window, news.market, view)
        self._windows[news.market], self._memory = window, None
        return window.bad != before.bad

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Widen after one bad window, pause after two in a row."""
        self._forget(view.now_ns)
        postures = []
        for market in view.markets():
            window = self._windows.get(market)
            if window is None or not window.bad or window.mean is None:
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
        for market in view.markets():
            window = self._windows.get(market)
            if window is None:
                continue
            now = f"{window.fills} of {self._config.limit} fills"
            if window.mean is not None:
                now = f"{window.mean:.1f} bps, {now}"
            gauges.append(Gauge("", now, f"{_least(market, view):.1f} bps", None, str(market)))
        return tuple(gauges)

    def _judged(self, window: WindowMemory, market: MarketId, view: RiskView) -> WindowMemory:
        mean = window.weighted / window.weight
        bad = window.bad + 1 if mean < _least(market, view) else 0
        return WindowMemory(
            window.market,
            bad=bad,
            until_ns=view.now_ns + self._config.pause.ns if bad >= 2 else window.until_ns,
            mean=mean,
        )

    def _forget(self, now_ns: int) -> None:
        # A clock that was set back while nothing ran makes no pause longer than it is.
        latest_ns = now_ns + self._config.pause.ns
        for market, window in self._windows.items():
            if window.until_ns and window.until_ns <= now_ns:
                over = msgspec.structs.replace(window, bad=0, until_ns=0)
            elif window.until_ns > latest_ns:
                over = msgspec.structs.replace(window, until_ns=latest_ns)
            else:
                continue
            self._windows[market], self._memory = over, None


def _least(market: MarketId, view: RiskView) -> float:
    fee = view.market(market).instrument.fees.maker
    return -statistic(max(fee, ZERO).scaleb(4))
