"""Begin a rule: what it does not speak of it has nothing against."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

from fairlead.api import Allowed, Gauge, Posture, RiskView, Verdict
from fairlead.model import MarketId, OrderIntent, Purpose, Side, statistic

__all__ = [
    "BOTH",
    "Rule",
    "is_new_risk",
    "of_venue",
    "percent",
    "seconds",
    "shrinks_a_plan",
    "used",
]

#: Both sides, for a pause of a whole market.
BOTH: tuple[Side, ...] = tuple(Side)


class Rule:
    """A rule that restrains nothing, denies nothing and measures nothing until it says so."""

    name: ClassVar[str] = ""

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Restrain nothing."""
        del view
        return ()

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Allow every order."""
        del intent, view
        return Allowed()

    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure nothing."""
        del view
        return ()


def is_new_risk(intent: OrderIntent) -> bool:
    """Tell whether an order is a quote or an entry; hedges and exits shrink what a plan holds."""
    return intent.purpose in (Purpose.QUOTE, Purpose.ENTRY)


def shrinks_a_plan(intent: OrderIntent) -> bool:
    """Tell whether an order shrinks what an admitted plan holds, and is held to that."""
    return bool(intent.slot.plan) and not is_new_risk(intent)


def of_venue(view: RiskView, venue: str) -> Iterator[MarketId]:
    """Name the traded markets of a venue."""
    return (market for market in view.markets() if market.venue == venue)


def percent(share: Decimal) -> str:
    """Write a share as a percentage with two places."""
    return f"{share.scaleb(2):.2f} %"


def seconds(span_ns: int) -> str:
    """Write a span in seconds with one place."""
    return f"{span_ns / 1e9:.1f} s"


def used(now: Decimal | None, limit: Decimal) -> float | None:
    """Give how much of a limit is used, 1 = all; None = unavailable, or no limit at all.

    A gain uses nothing of a limit on losses.
    """
    if now is None or limit <= 0:
        return None
    return max(statistic(now) / statistic(limit), 0.0)
