"""Refuse dangerous orders: the risk rules that ship with the engine."""

from fairlead import hookimpl
from fairlead.api import Registry
from fairlead_risk.book import StaleBook, WarmUp
from fairlead_risk.config import (
    DailyLossConfig,
    MaxDrawdownConfig,
    MaxOpenOrdersConfig,
    MaxOrderConfig,
    MaxOrderShareConfig,
    MaxPositionConfig,
    PriceBandConfig,
    RuleConfig,
    StaleBookConfig,
    WarmUpConfig,
)
from fairlead_risk.equity import DailyLoss, MaxDrawdown
from fairlead_risk.order import MaxOpenOrders, MaxOrder, MaxOrderShare, MaxPosition, PriceBand

__all__ = [
    "DailyLoss",
    "DailyLossConfig",
    "MaxDrawdown",
    "MaxDrawdownConfig",
    "MaxOpenOrders",
    "MaxOpenOrdersConfig",
    "MaxOrder",
    "MaxOrderConfig",
    "MaxOrderShare",
    "MaxOrderShareConfig",
    "MaxPosition",
    "MaxPositionConfig",
    "PriceBand",
    "PriceBandConfig",
    "RuleConfig",
    "StaleBook",
    "StaleBookConfig",
    "WarmUp",
    "WarmUpConfig",
    "fairlead_register",
]


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the rules; each is on with its defaults unless the configuration says otherwise."""
    registry.risk_rule(
        MaxPosition.name,
        MaxPositionConfig,
        lambda config, _: MaxPosition(config),
        summary="how far from its target a position may come, all live orders filled",
    )
    registry.risk_rule(
        MaxOrder.name,
        MaxOrderConfig,
        lambda config, _: MaxOrder(config),
        summary="largest value, and quantity, of one order",
    )
    registry.risk_rule(
        DailyLoss.name,
        DailyLossConfig,
        lambda config, _: DailyLoss(config),
        summary="loss since the day's start after which orders may only reduce",
    )
    registry.risk_rule(
        MaxDrawdown.name,
        MaxDrawdownConfig,
        lambda config, _: MaxDrawdown(config),
        summary="fall from the peak after which trading halts",
    )
    registry.risk_rule(
        MaxOrderShare.name,
        MaxOrderShareConfig,
        lambda config, _: MaxOrderShare(config),
        summary="largest value of one order as a share of equity",
    )
    registry.risk_rule(
        MaxOpenOrders.name,
        MaxOpenOrdersConfig,
        lambda config, _: MaxOpenOrders(config),
        summary="live orders per market",
    )
    registry.risk_rule(
        PriceBand.name,
        PriceBandConfig,
        lambda config, _: PriceBand(config),
        summary="how far from the mid an order may be priced",
    )
    registry.risk_rule(
        StaleBook.name,
        StaleBookConfig,
        lambda config, _: StaleBook(config),
        summary="silence after which a book is not traded on",
    )
    registry.risk_rule(
        WarmUp.name,
        WarmUpConfig,
        lambda config, _: WarmUp(config),
        summary="time of valid book before the first quote",
    )
