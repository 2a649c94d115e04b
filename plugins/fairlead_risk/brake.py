"""Slow down when fills turn against us: takers, one-sided fills, bad markouts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from typing_extensions import override

from fairlead.api import FillSeen, Gauge, MarkoutSeen, Posture, RiskNews, RiskView
from fairlead.model import ZERO, Liquidity, MarketId, Purpose, Side, statistic
from fairlead_risk.config_brake import MarkoutBrakeConfig, OneSidedFillsConfig, TakerBrakeConfig
from fairlead_risk.rule import BOTH, Rule, percent, seconds, used

__all__ = ["MarkoutBrake", "OneSidedFills", "TakerBrake"]

_MINUTE_NS = 60_000_000_000


@dataclass(slots=True)
class _Minute:
    number: int
    taken: Decimal = ZERO
    traded: Decimal = ZERO
    fills: int = 0


class TakerBrake(Rule):
    """Widen spreads while quotes are filled as taker too often; hedges and plans do not count."""

    name: ClassVar[str] = "taker_brake"

    def __init__(self, config: TakerBrakeConfig) -> None:
        self._config = config
        self._minutes: deque[_Minute] = deque()
        self._sum = _Minute(0)
        self._braking = False

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count the fill of a quote; the tick judges."""
        if isinstance(news, FillSeen) and news.purpose is Purpose.QUOTE and news.value is not None:
            number = view.now_ns // _MINUTE_NS
            if not self._minutes or self._minutes[-1].number != number:
                self._minutes.append(_Minute(number))
            taken = news.value if news.fill.liquidity is Liquidity.TAKER else ZERO
            for one in (self._minutes[-1], self._sum):
                one.taken += taken
                one.traded += news.value
                one.fills += 1
        return False

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Widen above the limit, until below the lower one."""
        oldest = (view.now_ns - self._config.window.ns) // _MINUTE_NS
        while self._minutes and self._minutes[0].number <= oldest:
            gone = self._minutes.popleft()
            self._sum.taken -= gone.taken
            self._sum.traded -= gone.traded
            self._sum.fills -= gone.fills
        share = self._share()
        if share is None:
            self._braking = False
        elif share > self._config.limit.value:
            self._braking = True
        elif share < self._config.until.value:
            self._braking = False
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

    def _share(self) -> Decimal | None:
        if self._sum.fills < self._config.fills or not self._sum.traded:
            return None
        return self._sum.taken / self._sum.traded


class OneSidedFills(Rule):
    """Switch a side off when its quotes are filled too fast: someone knows more than we do."""

    name: ClassVar[str] = "one_sided_fills"

    def __init__(self, config: OneSidedFillsConfig) -> None:
        self._config = config
        self._fills: dict[tuple[MarketId, Side], deque[int]] = {}
        self._off: dict[tuple[MarketId, Side], tuple[int, str]] = {}

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count a quote's fill; True when its side goes off with it."""
        if not isinstance(news, FillSeen) or news.purpose is not Purpose.QUOTE:
            return False
        key, now_ns, config = (news.slot.market, news.fill.side), view.now_ns, self._config
        times = self._fills.setdefault(key, deque(maxlen=config.limit))
        times.append(now_ns)
        if len(times) < config.limit or now_ns - times[0] > config.within.ns:
            return False
        times.clear()
        side = key[1]
        reason = f"{side} side off {config.off}: {config.limit} {side} fills in {config.within}"
        self._off[key] = (now_ns + config.off.ns, reason)
        return True

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause the sides that are off."""
        self._off = {key: one for key, one in self._off.items() if view.now_ns < one[0]}
        return tuple(
            Posture(rule=self.name, reason=reason, market=market, paused=(side,))
            for (market, side), (_, reason) in self._off.items()
        )

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Count the last fills of each side."""
        since_ns, limit = view.now_ns - self._config.within.ns, self._config.limit
        return tuple(
            Gauge(side.value, str(count), str(limit), count / limit, str(market))
            for (market, side), times in self._fills.items()
            for count in (sum(at_ns >= since_ns for at_ns in times),)
        )


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
