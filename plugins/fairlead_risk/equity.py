"""Judge the account as a whole: what it has lost since its peak, since the day began, for good."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import (
    EquityFigures,
    Gauge,
    Posture,
    PostureLevel,
    Relief,
    RiskView,
    Share,
)
from fairlead_risk.config import DailyLossConfig, MaxDrawdownConfig, Measure
from fairlead_risk.config_account import RealisedLossConfig
from fairlead_risk.rule import Rule, percent, used

__all__ = ["DailyLoss", "DayMemory", "MaxDrawdown", "RealisedLoss"]

_HALTED, _REDUCING = PostureLevel.HALTED, PostureLevel.REDUCING


class MaxDrawdown(Rule):
    """Halt for good when equity falls from its peak by more than the limit (inclusive).

    Once beyond the limit it stays so: only a person ends a halt, and resets the peak.
    """

    name: ClassVar[str] = "max_drawdown"

    def __init__(self, config: MaxDrawdownConfig) -> None:
        self._config = config
        self._beyond = ""

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give HALTED beyond the limit, REDUCING while equity is unavailable."""
        config = self._config
        figures = _measured(config.measure, view)
        if not self._beyond:
            found = _fall(self.name, "peak", figures, figures.peak, config.limit, view.currency)
            if isinstance(found, Posture):
                return (found,)
            self._beyond = found
        if not self._beyond:
            return ()
        relief = None if config.flatten is None else Relief(config.flatten.value)
        return (Posture(_HALTED, self.name, self._beyond, relief=relief),)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure the fall from the peak."""
        figures = _measured(self._config.measure, view)
        return (_gauge(figures.now, figures.peak, self._config.limit),)


class DayMemory(msgspec.Struct, frozen=True):
    """What of a day outlives a restart: that its loss was beyond the limit, however it is now."""

    day: int | None = None
    beyond: str = ""


class DailyLoss(Rule):
    """Let orders only reduce when the day's loss exceeds the limit (inclusive).

    REDUCING, not HALTED: a new day ends what the daily loss alone caused, but never a halt
    (docs: trading reference, "Risk").
    """

    name: ClassVar[str] = "daily_loss"

    def __init__(self, config: DailyLossConfig) -> None:
        self._config = config
        self._memory = DayMemory()

    @property
    def memory(self) -> DayMemory:
        """Give the day's excess; a new object whenever it changed."""
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored."""
        self._memory = msgspec.json.decode(text, type=DayMemory)

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give REDUCING beyond the limit until the next day, and while equity is unavailable."""
        day = view.account.day
        if day is not None and day != self._memory.day:
            self._memory = DayMemory(day)
        figures = _measured(self._config.measure, view)
        start, limit = figures.day_start, self._config.limit
        found = _fall(self.name, "day's start", figures, start, limit, view.currency)
        if isinstance(found, Posture):
            return (found,)
        if found and not self._memory.beyond:
            self._memory = DayMemory(self._memory.day, found)
        beyond = found or self._memory.beyond
        return (Posture(_REDUCING, self.name, beyond),) if beyond else ()

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure the fall since the day's start."""
        figures = _measured(self._config.measure, view)
        return (_gauge(figures.now, figures.day_start, self._config.limit),)


class RealisedLoss(Rule):
    """Let orders only reduce when the day's closed trades lost more than the budget (inclusive)."""

    name: ClassVar[str] = "realised_loss"

    def __init__(self, config: RealisedLossConfig) -> None:
        self._config = config

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give REDUCING beyond the budget, and while it cannot be told."""
        lost = self._lost(view)
        if lost is None:
            return (Posture(_REDUCING, self.name, "realised result or equity unavailable"),)
        if lost <= self._config.limit.value:
            return ()
        reason = f"closed trades of the day lost {percent(lost)}, limit {self._config.limit}"
        return (Posture(_REDUCING, self.name, reason),)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure what closed trades of the day lost."""
        lost, limit = self._lost(view), self._config.limit
        shown = "unavailable" if lost is None else percent(lost)
        return (Gauge("", shown, str(limit), used(lost, limit.value)),)

    @staticmethod
    def _lost(view: RiskView) -> Decimal | None:
        realised, start = view.account.realised_today, view.account.equity.day_start
        if realised is None or start is None or start <= 0:
            return None
        return -realised / start


def _measured(measure: Measure, view: RiskView) -> EquityFigures:
    return view.account.trading if measure == "trading" else view.account.equity


def _fall(
    rule: str,
    since: str,
    figures: EquityFigures,
    before: Decimal | None,
    limit: Share,
    currency: str,
) -> Posture | str:
    """Say what is beyond the limit, "" when nothing is; a posture when it cannot be told."""
    now = figures.now
    if now is None or before is None:
        return Posture(_REDUCING, rule, "equity unavailable")
    if before <= 0:
        return Posture(_REDUCING, rule, f"no equity to lose: {before} {currency}")
    lost = before - now
    if lost <= limit.value * before:
        return ""
    return f"{percent(lost / before)} below the {since} of {before:.2f} {currency}, limit {limit}"


def _gauge(now: Decimal | None, before: Decimal | None, limit: Share) -> Gauge:
    if now is None or before is None or before <= 0:
        return Gauge("", "unavailable", str(limit))
    lost = (before - now) / before
    return Gauge("", percent(lost), str(limit), used(lost, limit.value))
