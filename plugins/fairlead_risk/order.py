"""Judge single orders: their size, their number, their price, and what they could add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import msgspec

from fairlead.api import (
    Allowed,
    Denied,
    Gauge,
    Leg,
    MarketRisk,
    Posture,
    PostureLevel,
    RiskView,
    Verdict,
)
from fairlead.model import ZERO, MarketId, OrderIntent, Side
from fairlead_risk.config import (
    MaxOpenOrdersConfig,
    MaxOrderConfig,
    MaxOrderShareConfig,
    MaxPositionConfig,
    PriceBandConfig,
)
from fairlead_risk.rule import is_new_risk, shrinks_a_plan, used
from fairlead_risk.value import limit_and_value, rate_of, reach, reach_with, reduces

__all__ = ["MaxOpenOrders", "MaxOrder", "MaxOrderShare", "MaxPosition", "PriceBand"]


@dataclass(frozen=True, slots=True)
class MaxOrder:
    """Deny an order worth more than the limit, or larger than the size (both inclusive)."""

    config: MaxOrderConfig
    name: ClassVar[str] = "max_order"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Never restrain more than the order at hand."""
        del view
        return ()

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Compare value and quantity; what cannot be valued is denied."""
        instrument, size = intent.instrument, self.config.size
        limit, value = limit_and_value(
            self.config.limit, instrument, intent.quantity, intent.price, view
        )
        if value is None:
            return Denied(self.name, "no mark", limit, f"cannot compare with {self.config.limit}")
        if value > limit:
            return Denied(self.name, value, limit, f"value in {view.currency}")
        if size is not None and size.asset == instrument.base:
            quantity = intent.quantity * instrument.multiplier
            if quantity > size.value:
                return Denied(self.name, quantity, size.value, f"quantity in {size.asset}")
        return Allowed()


@dataclass(frozen=True, slots=True)
class MaxOrderShare:
    """Deny an order worth more than a share of equity (inclusive)."""

    config: MaxOrderShareConfig
    name: ClassVar[str] = "max_order_share"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Let nothing grow while the account's equity is unavailable."""
        if view.equity is None:
            return (Posture(PostureLevel.REDUCING, self.name, "equity unavailable"),)
        return ()

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Compare with equity; without it only what reduces may pass."""
        equity = view.equity
        rate = rate_of(intent.instrument.quote, view)
        if equity is None or rate is None:
            if shrinks_a_plan(intent) or reduces(intent, view.market(intent.instrument.market)):
                return Allowed()
            return Denied(self.name, "unavailable", str(self.config.limit), "equity or mark")
        value, limit = intent.notional * rate, equity * self.config.limit.value
        if value > limit:
            return Denied(self.name, value, limit, f"{self.config.limit} of equity {equity:.2f}")
        return Allowed()


@dataclass(frozen=True, slots=True)
class MaxPosition:
    """Deny an order that could bring a position further from its target than the limit.

    Every live and unproven order of its side counts as filled, so no sequence of allowed orders
    can pass the limit (inclusive), however they fill. What only reduces is allowed at any size,
    and so is what shrinks an admitted plan's own exposure, be it on another market.
    """

    config: MaxPositionConfig
    name: ClassVar[str] = "max_position"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Never restrain more than the order at hand: those before it were counted."""
        del view
        return ()

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Compare the worst gap in the order's direction, valued at the mark."""
        if shrinks_a_plan(intent):
            return Allowed()
        market = view.market(intent.instrument.market)
        return self._judge(reach(intent, market), market, view)

    def admit(self, legs: Sequence[Leg], view: RiskView) -> Verdict:
        """Compare the worst gap of each leg with its whole quantity filled."""
        for leg in legs:
            market = view.market(leg.market)
            verdict = self._judge(reach_with(leg.side, leg.quantity, market), market, view)
            if isinstance(verdict, Denied):
                return verdict
        return Allowed()

    def _judge(self, gap: Decimal | None, market: MarketRisk, view: RiskView) -> Verdict:
        if gap is None:
            detail = "a strategy of the market has yet to say what it steers to"
            return Denied(self.name, "target unknown", str(self.config.limit), detail)
        if gap <= 0:
            return Allowed()
        limit, value = limit_and_value(self.config.limit, market.instrument, gap, market.mark, view)
        if value is None:
            return Denied(self.name, "no mark", limit, f"cannot compare with {self.config.limit}")
        if value > limit:
            return Denied(self.name, value, limit, "from target, all orders of the side filled")
        return Allowed()

    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure the larger gap of each market, with all live orders of that side filled."""
        gauges = []
        for market in view.markets():
            risk = view.market(market)
            gap, limit, value = _gap(risk), self.config.limit.value, None
            if gap is not None:
                limit, value = limit_and_value(
                    self.config.limit, risk.instrument, gap, risk.mark, view
                )
            shown = "unavailable" if value is None else f"{value:.2f}"
            name = str(self.config.limit)
            gauges.append(Gauge("", shown, name, used(value, limit), str(market)))
        return tuple(gauges)


@dataclass(frozen=True, slots=True)
class MaxOpenOrders:
    """Deny an order beyond a number of live orders on its market (inclusive)."""

    config: MaxOpenOrdersConfig
    name: ClassVar[str] = "max_open_orders"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Never restrain more than the order at hand."""
        del view
        return ()

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Count the live orders of all strategies on the market, and this one.

        Hedges and exits pass: they are few, and nothing should keep them waiting.
        """
        if not is_new_risk(intent):
            return Allowed()
        count = _count(view.market(intent.instrument.market)) + 1
        if count > self.config.limit:
            return Denied(self.name, str(count), str(self.config.limit), "live orders")
        return Allowed()

    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Count the live orders of each market."""
        limit = self.config.limit
        return tuple(
            Gauge("", str(count), str(limit), count / limit, str(market))
            for market in view.markets()
            for count in (_count(view.market(market)),)
        )


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Deny a post-only order far from the mid, and any other order priced far through it.

    Both bounds are inclusive. A plan does not begin when the first order of one of its legs would
    be denied: the others would have left by then.
    """

    config: PriceBandConfig
    name: ClassVar[str] = "price_band"

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Never restrain more than the order at hand."""
        del view
        return ()

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Compare the price with the mid of the valid book; without one, deny."""
        market = intent.instrument.market
        return self._judge(market, intent.side, intent.price, view, post_only=intent.post_only)

    def admit(self, legs: Sequence[Leg], view: RiskView) -> Verdict:
        """Compare the first price of each leg that takes at once."""
        for leg in legs:
            if leg.priced is not None:
                verdict = self._judge(leg.market, leg.side, leg.priced, view, post_only=False)
                if isinstance(verdict, Denied):
                    return msgspec.structs.replace(
                        verdict, detail=f"{leg.market}, {verdict.detail}"
                    )
        return Allowed()

    def _judge(
        self, market: MarketId, side: Side, price: Decimal, view: RiskView, *, post_only: bool
    ) -> Verdict:
        mid = view.market(market).mid
        if mid is None:
            return Denied(self.name, "no valid book", str(self.config.limit), "no mid to compare")
        through = side.sign * (price - mid)
        away, bound = (
            (abs(through), self.config.limit) if post_only else (through, self.config.taker)
        )
        if away > bound.value * mid:
            detail, bps = f"{price} from mid {mid}", (away / mid).scaleb(4)
            if post_only:
                return Denied(self.name, f"{bps:.1f} bps", str(bound), detail)
            # A figure beyond a limit: a smaller order that takes need not go as far.
            return Denied(self.name, round(bps, 1), bound.value.scaleb(4), f"bps: {detail}")
        return Allowed()


def _count(risk: MarketRisk) -> int:
    return sum(not order.is_reservation for order in risk.orders)


def _gap(risk: MarketRisk) -> Decimal | None:
    # The larger of both ends, all live orders of that side filled.
    ends = [reach_with(side, ZERO, risk) for side in Side]
    return max((end for end in ends if end is not None), default=None)
