"""Judge the market data: nothing is traded on a silent book, nothing quoted on a young one."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from fairlead.api import (
    Allowed,
    Denied,
    Gauge,
    MarketRisk,
    Posture,
    PostureLevel,
    RiskView,
    Verdict,
)
from fairlead.model import MarketId, OrderIntent
from fairlead_risk.config import StaleBookConfig, WarmUpConfig
from fairlead_risk.rule import BOTH, Rule, is_new_risk, seconds

__all__ = ["StaleBook", "WarmUp"]


class StaleBook(Rule):
    """Pull a market's orders while its book is invalid, or silent for the limit."""

    name: ClassVar[str] = "stale_book"

    def __init__(self, config: StaleBookConfig) -> None:
        self.config = config

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give CANCEL_ONLY for each market whose book cannot be relied on."""
        found = ((market, self._trouble(view.market(market), view)) for market in view.markets())
        return tuple(
            Posture(PostureLevel.CANCEL_ONLY, self.name, trouble, market)
            for market, trouble in found
            if trouble
        )

    @override
    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Deny every order on such a book, whatever its purpose: its price is a guess."""
        trouble = self._trouble(view.market(intent.instrument.market), view)
        return Denied(self.name, trouble, str(self.config.limit)) if trouble else Allowed()

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure how long each book has been silent."""
        limit, gauges = self.config.limit, []
        for market in view.markets():
            risk = view.market(market)
            if not risk.book_valid or risk.book_changed_ns is None:
                gauges.append(Gauge("", "book invalid", str(limit), None, str(market)))
                continue
            silent_ns = view.now_ns - risk.book_changed_ns
            shown, share = seconds(silent_ns), silent_ns / limit.ns
            gauges.append(Gauge("", shown, str(limit), share, str(market)))
        return tuple(gauges)

    def _trouble(self, market: MarketRisk, view: RiskView) -> str:
        if not market.book_valid or market.book_changed_ns is None:
            return "book invalid"
        silent_ns = view.now_ns - market.book_changed_ns
        return f"book silent {seconds(silent_ns)}" if silent_ns >= self.config.limit.ns else ""


class WarmUp(Rule):
    """Quote nothing until the book has been valid for the limit without a break.

    Hedges and exits pass: they shrink what an admitted plan holds, on any valid book.
    """

    name: ClassVar[str] = "warm_up"

    def __init__(self, config: WarmUpConfig) -> None:
        self.config = config

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Pause each market that is still warming up, and no other."""
        return tuple(
            Posture(
                rule=self.name,
                reason=f"book valid {seconds(valid_ns)} of {self.config.limit}",
                market=market,
                paused=BOTH,
            )
            for market in view.markets()
            if (valid_ns := _valid_ns(market, view)) < self.config.limit.ns
        )

    @override
    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Deny new risk while it lasts, also between ticks."""
        if not is_new_risk(intent):
            return Allowed()
        valid_ns = _valid_ns(intent.instrument.market, view)
        if valid_ns < self.config.limit.ns:
            return Denied(self.name, seconds(valid_ns), str(self.config.limit), "valid book")
        return Allowed()

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure how long each book has been valid."""
        limit = self.config.limit
        return tuple(
            Gauge("", seconds(_valid_ns(market, view)), f"at least {limit}", None, str(market))
            for market in view.markets()
        )


def _valid_ns(market: MarketId, view: RiskView) -> int:
    risk = view.market(market)
    if not risk.book_valid or risk.valid_since_ns is None:
        return 0
    return view.now_ns - risk.valid_since_ns
