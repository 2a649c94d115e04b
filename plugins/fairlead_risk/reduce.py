"""Go reduce-only: margin, skew, losing trades in a row or the day's drawdown say so.

Each trigger has a higher figure to enter and a lower one to leave, and lasts a minute at least.
Losing trades are counted by strategy; that, and what is in force, outlives a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import (
    Gauge,
    MarketRisk,
    Posture,
    PostureLevel,
    Relief,
    RiskNews,
    RiskView,
    TradeClosed,
)
from fairlead.model import InstrumentKind, MarketId
from fairlead_risk.config_account import ReduceOnlyConfig
from fairlead_risk.rule import Rule, percent, used
from fairlead_risk.value import rate_of

__all__ = ["Cause", "ReduceMemory", "ReduceOnly"]


class Cause(msgspec.Struct, frozen=True, gc=False):
    """Why and since when orders may only reduce; ``market`` "" = on the whole account."""

    since_ns: int
    day: int | None
    market: str
    reason: str


class ReduceMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: losing trades in a row by strategy, and the causes in force."""

    losing: dict[str, int] = {}
    causes: dict[str, Cause] = {}


@dataclass(frozen=True, slots=True)
class _Trigger:
    # One measure: enter above, leave below; None = unavailable, which changes nothing.
    key: str
    market: str
    now: Decimal | None
    enter: Decimal
    leave: Decimal
    what: str


class ReduceOnly(Rule):
    """Let orders only reduce while one of four triggers is in force."""

    name: ClassVar[str] = "reduce_only"

    def __init__(self, config: ReduceOnlyConfig) -> None:
        self._config = config
        self._memory = ReduceMemory()

    @property
    def memory(self) -> ReduceMemory:
        """Give losing trades and causes; a new object whenever they changed."""
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored."""
        self._memory = msgspec.json.decode(text, type=ReduceMemory)

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Count closed trades: a loss adds one, a gain clears, nothing changes nothing."""
        if not isinstance(news, TradeClosed) or not news.result:
            return False
        strategy = news.strategy
        before = self._memory.losing.get(strategy, 0)
        count = before + 1 if news.result < 0 else 0
        if count == before:
            return False
        losing = {**self._memory.losing, strategy: count}
        causes = dict(self._memory.causes)
        key = f"losing:{strategy}"
        if count > self._config.losing_trades and key not in causes:
            reason = f"{count} losing trades of {strategy} in a row"
            causes[key] = Cause(view.now_ns, view.account.day, str(news.market), reason)
        self._memory = ReduceMemory(losing, causes)
        return key in causes

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Enter and leave; gives REDUCING for each market or account with a cause."""
        causes = dict(self._memory.causes)
        losing = dict(self._memory.losing)
        for trigger in self._triggers(view):
            self._weigh(trigger, causes, view)
        for key in [key for key in causes if key.startswith("losing:")]:
            self._forgive(key, causes, losing, view)
        self._drawdown(causes, view)
        if causes != self._memory.causes or losing != self._memory.losing:
            self._memory = ReduceMemory(losing, causes)
        return tuple(self._posture(cause, view) for cause in causes.values())

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure each trigger, and name what is too small to be reduced."""
        gauges = [
            Gauge(
                trigger.what,
                "unavailable" if trigger.now is None else percent(trigger.now),
                percent(trigger.enter),
                used(trigger.now, trigger.enter),
                trigger.market,
            )
            for trigger in self._triggers(view)
        ]
        most = self._config.losing_trades
        for strategy, count in self._memory.losing.items():
            name = f"losing trades of {strategy}"
            gauges.append(Gauge(name, str(count), str(most), count / most))
        fallen, limit = _fallen(view), self._config.day_drawdown
        shown = "unavailable" if fallen is None else percent(fallen)
        gauges.append(Gauge("day drawdown", shown, str(limit), used(fallen, limit.value)))
        for market in view.markets():
            risk = view.market(market)
            if self._memory.causes and (dust := _dust(risk)):
                gauges.append(Gauge("dust", dust, "smallest order", None, str(market)))
        return tuple(gauges)

    def _triggers(self, view: RiskView) -> Iterator[_Trigger]:
        config, equity, margin = self._config, view.equity, view.account.margin
        usable = equity is not None and equity > 0
        use = None if margin is None or equity is None or not usable else margin.initial / equity
        yield _Trigger(
            "margin", "", use, config.margin_use.value, config.margin_leave.value, "margin use"
        )
        for market in view.markets():
            risk = view.market(market)
            if risk.instrument.kind is InstrumentKind.SPOT and not config.skew_spot:
                continue
            skew = _skew(risk, equity, view) if equity is not None and usable else None
            key = f"skew:{market}"
            enter, leave = config.skew.value, config.skew_leave.value
            yield _Trigger(key, str(market), skew, enter, leave, "skew")

    def _weigh(self, trigger: _Trigger, causes: dict[str, Cause], view: RiskView) -> None:
        if trigger.now is None:
            return
        held = causes.get(trigger.key)
        if held is None and trigger.now > trigger.enter:
            reason = f"{trigger.what} {percent(trigger.now)}, limit {percent(trigger.enter)}"
            causes[trigger.key] = Cause(view.now_ns, view.account.day, trigger.market, reason)
        elif held is not None and trigger.now < trigger.leave and self._may_leave(held, view):
            del causes[trigger.key]

    def _forgive(
        self, key: str, causes: dict[str, Cause], losing: dict[str, int], view: RiskView
    ) -> None:
        strategy, cause = key.partition(":")[2], causes[key]
        over = view.now_ns - cause.since_ns >= self._config.losing_for.ns
        won = not losing.get(strategy, 0)
        if (over or won) and self._may_leave(cause, view):
            del causes[key]
            losing[strategy] = 0  # the next loss is the first again

    def _drawdown(self, causes: dict[str, Cause], view: RiskView) -> None:
        cause, day = causes.get("drawdown"), view.account.day
        if cause is not None:
            if day is not None and day != cause.day and self._may_leave(cause, view):
                del causes["drawdown"]
            return
        fallen, limit = _fallen(view), self._config.day_drawdown
        if fallen is not None and fallen > limit.value:
            reason = f"{percent(fallen)} below the day's highest, limit {limit}"
            causes["drawdown"] = Cause(view.now_ns, day, "", reason)

    def _may_leave(self, cause: Cause, view: RiskView) -> bool:
        return view.now_ns - cause.since_ns >= self._config.at_least.ns

    def _posture(self, cause: Cause, view: RiskView) -> Posture:
        config, relief = self._config, None
        after = config.cross_after
        if after is not None and view.now_ns - cause.since_ns >= after.ns:
            relief = Relief(config.cross_within.value)
        market = MarketId.parse(cause.market) if cause.market else None
        level = PostureLevel.REDUCING
        return Posture(level, self.name, cause.reason, market, relief=relief)


def _skew(risk: MarketRisk, equity: Decimal, view: RiskView) -> Decimal | None:
    rate, gap, mark = rate_of(risk.instrument.quote, view), risk.gap, risk.mark
    if rate is None or gap is None or mark is None:
        return None
    return abs(risk.instrument.notional(mark, gap)) * rate / equity


def _fallen(view: RiskView) -> Decimal | None:
    figures = view.account.equity
    if figures.now is None or figures.day_peak is None or figures.day_peak <= 0:
        return None
    return (figures.day_peak - figures.now) / figures.day_peak


def _dust(risk: MarketRisk) -> str:
    if not risk.gap:
        return ""
    quantity = risk.instrument.round_quantity(abs(risk.gap))
    price = risk.mark
    if price is not None and not risk.instrument.below_minimum(price, quantity):
        return ""
    return f"{risk.gap} {risk.instrument.base}"
