"""Judge the market data: nothing is traded on a silent book, nothing quoted on a young one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fairlead.api import Allowed, Denied, MarketRisk, Posture, PostureLevel, RiskView, Verdict
from fairlead.model import MarketId, OrderIntent, Purpose
from fairlead_risk.config import StaleBookConfig, WarmUpConfig

__all__ = ["StaleBook", "WarmUp"]


@dataclass(frozen=True, slots=True)
class StaleBook:
    """Pull a market's orders while its book is invalid, or silent for the limit."""

    config: StaleBookConfig
    name: ClassVar[str] = "stale_book"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give CANCEL_ONLY for each market whose book cannot be relied on."""
        found = ((market, self._trouble(view.market(market), view)) for market in view.markets())
        return tuple(
            Posture(PostureLevel.CANCEL_ONLY, self.name, trouble, market)
            for market, trouble in found
            if trouble
        )

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Deny every order on such a book, whatever its purpose: its price is a guess."""
        trouble = self._trouble(view.market(intent.instrument.market), view)
        return Denied(self.name, trouble, str(self.config.limit)) if trouble else Allowed()

    def _trouble(self, market: MarketRisk, view: RiskView) -> str:
        if not market.book_valid or market.book_changed_ns is None:
            return "book invalid"
        silent_ns = view.now_ns - market.book_changed_ns
        return f"book silent {_seconds(silent_ns)}" if silent_ns >= self.config.limit.ns else ""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Quote nothing until the book has been valid for the limit without a break."""

    config: WarmUpConfig
    name: ClassVar[str] = "warm_up"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Give CANCEL_ONLY for each market that is still warming up."""
        return tuple(
            Posture(
                PostureLevel.CANCEL_ONLY,
                self.name,
                f"book valid {_seconds(valid_ns)} of {self.config.limit}",
                market,
            )
            for market in view.markets()
            if (valid_ns := _valid_ns(market, view)) < self.config.limit.ns
        )

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Deny quotes while it lasts; what else works an admitted plan may go on."""
        valid_ns = _valid_ns(intent.instrument.market, view)
        if intent.purpose is Purpose.QUOTE and valid_ns < self.config.limit.ns:
            return Denied(self.name, _seconds(valid_ns), str(self.config.limit), "valid book")
        return Allowed()


def _valid_ns(market: MarketId, view: RiskView) -> int:
    risk = view.market(market)
    if not risk.book_valid or risk.valid_since_ns is None:
        return 0
    return view.now_ns - risk.valid_since_ns


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / 1e9:.1f} s"
