"""Judge the account as a whole: what it has lost since its peak, and since the day began."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from fairlead.api import Allowed, Posture, PostureLevel, RiskView, Share, Verdict
from fairlead.model import OrderIntent
from fairlead_risk.config import DailyLossConfig, MaxDrawdownConfig

__all__ = ["DailyLoss", "MaxDrawdown"]


@dataclass(frozen=True, slots=True)
class MaxDrawdown:
    """Halt when equity falls from its peak by more than the limit (inclusive)."""

    config: MaxDrawdownConfig
    name: ClassVar[str] = "max_drawdown"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give HALTED beyond the limit, REDUCING while equity is unavailable."""
        return _fall(self.name, "peak", view.peak_equity, view, self.config.limit, _HALTED)

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Allow every order: the posture says it all."""
        del intent, view
        return Allowed()


@dataclass(frozen=True, slots=True)
class DailyLoss:
    """Let orders only reduce when the day's loss exceeds the limit (inclusive).

    REDUCING, not HALTED: a new day ends what the daily loss alone caused, but never a halt
    (docs: trading reference, "Risk").
    """

    config: DailyLossConfig
    name: ClassVar[str] = "daily_loss"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give REDUCING beyond the limit, and while equity is unavailable."""
        start = view.day_start_equity
        return _fall(self.name, "day's start", start, view, self.config.limit, _REDUCING)

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Allow every order: the posture says it all."""
        del intent, view
        return Allowed()


_HALTED, _REDUCING = PostureLevel.HALTED, PostureLevel.REDUCING


def _fall(
    rule: str,
    since: str,
    before: Decimal | None,
    view: RiskView,
    limit: Share,
    beyond: PostureLevel,
) -> tuple[Posture, ...]:
    now = view.equity
    if now is None or before is None:
        return (Posture(_REDUCING, rule, "equity unavailable"),)
    if before <= 0:
        return (Posture(_REDUCING, rule, f"no equity to lose: {before} {view.currency}"),)
    lost = before - now
    if lost <= limit.value * before:
        return ()
    share = (lost / before).scaleb(2)
    figures = f"{share:.2f} % below the {since} of {before:.2f} {view.currency}, limit {limit}"
    return (Posture(beyond, rule, figures),)
