"""Judge what is owed and held in all: margin, liquidation, leverage, open orders."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import msgspec
from typing_extensions import override

from fairlead.api import (
    Allowed,
    Denied,
    Gauge,
    MarginRisk,
    MarketRisk,
    PositionMargin,
    Posture,
    PostureLevel,
    Relief,
    RiskView,
    Verdict,
)
from fairlead.model import ZERO, OrderIntent, Side
from fairlead_risk.config_account import MarginCutConfig, MaxLeverageConfig, MaxOpenNotionalConfig
from fairlead_risk.rule import Rule, is_new_risk, percent, used
from fairlead_risk.value import rate_of

__all__ = ["MarginCut", "MarginMemory", "MaxLeverage", "MaxOpenNotional"]

_REDUCING = PostureLevel.REDUCING


class MarginMemory(msgspec.Struct, frozen=True):
    """What outlives a restart: that a cut which has begun is not down to where it should be."""

    cutting: bool = False


class MarginCut(Rule):
    """Cut the position with the most margin when too much of the equity is bound.

    Amounts come from venues; where none trades on margin, as on spot, the rule has no say. One
    that does and has not answered lately lets orders only reduce.
    """

    name: ClassVar[str] = "margin_cut"

    def __init__(self, config: MarginCutConfig) -> None:
        self._config = config
        self._memory = MarginMemory()

    @property
    def memory(self) -> MarginMemory:
        """Tell whether it cuts; a new object whenever that changed."""
        return self._memory

    def recall(self, text: str) -> None:
        """Take up what was stored: between both figures a cut goes on."""
        self._memory = msgspec.json.decode(text, type=MarginMemory)

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Cut above the limit until it is below where it should be; reduce near liquidation."""
        margin, equity, missing = view.account.margin, view.equity, view.account.margin_missing
        if missing:
            return (Posture(_REDUCING, self.name, f"{missing} does not say what margin it binds"),)
        if margin is None:
            self._cut_is(False)
            return ()
        if equity is None or equity <= 0:
            return (Posture(_REDUCING, self.name, "margin is used and equity is unavailable"),)
        near = tuple(
            Posture(_REDUCING, self.name, f"liquidation {percent(away)} away", position.market)
            for position in margin.positions
            if (away := _away(position, view)) is not None
            and away <= self._config.liquidation_distance.value
        )
        return near + self._cut(margin, equity, view)

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure initial and maintenance margin in use, and how far liquidation is."""
        margin, equity, limit = view.account.margin, view.equity, self._config.limit
        if margin is None or equity is None or equity <= 0:
            return (Gauge("margin use", "unavailable", str(limit)),)
        use, owed = margin.initial / equity, margin.maintenance / equity
        gauges = [
            Gauge("margin use", percent(use), str(limit), used(use, limit.value)),
            Gauge("liquidation use", percent(owed), "100 %", used(owed, Decimal(1))),
        ]
        least = self._config.liquidation_distance
        for position in margin.positions:
            away = _away(position, view)
            shown = "unavailable" if away is None else percent(away)
            near = None if not away else used(least.value, away)
            name = "liquidation distance"
            gauges.append(Gauge(name, shown, str(least), near, str(position.market)))
        return tuple(gauges)

    def _cut(self, margin: MarginRisk, equity: Decimal, view: RiskView) -> tuple[Posture, ...]:
        config, use = self._config, margin.initial / equity
        if use > config.limit.value:
            self._cut_is(True)
        elif use <= config.to.value:
            self._cut_is(False)
        held = [one for one in margin.positions if one.market in view.markets() and one.initial > 0]
        if not self._memory.cutting or not held:
            return ()
        largest = max(held, key=lambda one: one.initial)
        excess = margin.initial - config.to.value * equity
        position = abs(view.market(largest.market).position)
        quantity = min(position, position * excess / largest.initial)
        relief = Relief(config.bound.value, quantity, config.slice.value, config.depth_within.value)
        reason = f"margin use {percent(use)}, limit {config.limit}: cut to {config.to}"
        return (Posture(_REDUCING, self.name, reason, largest.market, relief=relief),)

    def _cut_is(self, cutting: bool) -> None:
        if cutting is not self._memory.cutting:
            self._memory = MarginMemory(cutting)


class MaxLeverage(Rule):
    """Deny what could make all positions together worth more than a multiple of equity."""

    name: ClassVar[str] = "max_leverage"

    def __init__(self, config: MaxLeverageConfig) -> None:
        self._config = config

    @override
    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Value every market's position with the live orders of its growing side filled."""
        market = intent.instrument.market
        risk = view.market(market)
        if not is_new_risk(intent) or _end(risk, intent.side, intent) <= 0:
            return Allowed()
        equity = view.equity
        gross = _gross(view, intent)
        limit = self._config.limit.value
        if equity is None or gross is None:
            return Denied(self.name, "unavailable", str(limit), "equity or a mark")
        if gross > limit * equity:
            detail = f"all positions against equity {equity:.2f}"
            return Denied(self.name, gross, limit * equity, detail)
        return Allowed()

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure what is held against equity."""
        equity, gross, limit = view.equity, _gross(view, None), self._config.limit
        if equity is None or gross is None or equity <= 0:
            return (Gauge("", "unavailable", str(limit)),)
        now = gross / equity
        return (Gauge("", f"{now:.2f}", str(limit), used(now, limit.value)),)


class MaxOpenNotional(Rule):
    """Deny what would let more rest in orders than a multiple of equity."""

    name: ClassVar[str] = "max_open_notional"

    def __init__(self, config: MaxOpenNotionalConfig) -> None:
        self._config = config
        self._limit = str(config.limit)

    @override
    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Add up every live order of all markets, and this one."""
        if not is_new_risk(intent):
            return Allowed()
        equity, resting = view.equity, _resting(view)
        rate = rate_of(intent.instrument.quote, view)
        if equity is None or resting is None or rate is None:
            return Denied(self.name, "unavailable", self._limit, "equity or a mark")
        after, limit = resting + intent.notional * rate, self._config.limit.value * equity
        if after > limit:
            return Denied(self.name, after, limit, f"{self._config.limit} of equity {equity:.2f}")
        return Allowed()

    @override
    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure what rests in orders."""
        equity, resting = view.equity, _resting(view)
        if equity is None or resting is None or equity <= 0:
            return (Gauge("", "unavailable", self._limit),)
        now = resting / equity
        return (Gauge("", percent(now), self._limit, used(now, self._config.limit.value)),)


def _away(position: PositionMargin, view: RiskView) -> Decimal | None:
    if position.market not in view.markets() or position.liquidation_price is None:
        return None
    mark = view.market(position.market).mark
    return None if not mark else abs(mark - position.liquidation_price) / mark


def _gross(view: RiskView, intent: OrderIntent | None) -> Decimal | None:
    total = ZERO
    for market in view.markets():
        risk = view.market(market)
        more = intent if intent is not None and intent.instrument.market == market else None
        held = _furthest(risk, more)
        rate = rate_of(risk.instrument.quote, view)
        if held and (risk.mark is None or rate is None):
            return None
        if held:
            total += risk.instrument.notional(risk.mark or ZERO, held) * (rate or ZERO)
    return total


def _furthest(risk: MarketRisk, intent: OrderIntent | None) -> Decimal:
    # The larger of both ends: all live buys filled, or all live sells.
    return max(*(_end(risk, side, intent) for side in Side), ZERO)


def _end(risk: MarketRisk, side: Side, intent: OrderIntent | None) -> Decimal:
    end = side.sign * risk.position + risk.working(side)
    return end if intent is None or intent.side is not side else end + intent.quantity


def _resting(view: RiskView) -> Decimal | None:
    total = ZERO
    for market in view.markets():
        risk = view.market(market)
        value = sum(
            (risk.instrument.notional(order.price, order.leaves) for order in risk.orders),
            start=ZERO,
        )
        rate = rate_of(risk.instrument.quote, view)
        if value and rate is None:
            return None
        total += value * (rate or ZERO)
    return total
