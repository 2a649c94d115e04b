"""Refuse dangerous orders, and restrain trading before it becomes one: the shipped risk rules."""

from collections.abc import Callable
from typing import Any

from fairlead import hookimpl
from fairlead.api import Registry, RiskRule
from fairlead_risk.book import StaleBook, WarmUp
from fairlead_risk.brake import OneSidedFills, OneSidedMemory, SideMemory
from fairlead_risk.config import (
    DailyLossConfig,
    MaxDrawdownConfig,
    MaxOpenOrdersConfig,
    MaxOrderConfig,
    MaxOrderShareConfig,
    MaxPositionConfig,
    Measure,
    PriceBandConfig,
    RuleConfig,
    StaleBookConfig,
    WarmUpConfig,
)
from fairlead_risk.config_account import (
    MarginCutConfig,
    MaxLeverageConfig,
    MaxOpenNotionalConfig,
    RealisedLossConfig,
    ReduceOnlyConfig,
)
from fairlead_risk.config_brake import (
    CrashPauseConfig,
    MarkoutBrakeConfig,
    OneSidedFillsConfig,
    OrderRateConfig,
    RejectPauseConfig,
    SlowTicksConfig,
    TakerBrakeConfig,
)
from fairlead_risk.config_venue import (
    ClockSkewConfig,
    SecondSourceConfig,
    SelfTradeConfig,
    UserStreamConfig,
    VenueHealthConfig,
)
from fairlead_risk.equity import DailyLoss, DayMemory, MaxDrawdown, RealisedLoss
from fairlead_risk.margin import MarginCut, MarginMemory, MaxLeverage, MaxOpenNotional
from fairlead_risk.markout import MarkoutBrake, MarkoutMemory, WindowMemory
from fairlead_risk.order import MaxOpenOrders, MaxOrder, MaxOrderShare, MaxPosition, PriceBand
from fairlead_risk.pause import CrashPause, OrderRate, RejectPause, SlowTicks
from fairlead_risk.reduce import Cause, ReduceMemory, ReduceOnly
from fairlead_risk.rule import (
    BOTH,
    Rule,
    is_new_risk,
    of_venue,
    percent,
    seconds,
    shrinks_a_plan,
    used,
)
from fairlead_risk.taker import TakerBrake, TakerCount, TakerMemory
from fairlead_risk.timed import PauseMemory, PausesMemory, TimedPauses, TimedRule
from fairlead_risk.unit import AboveZero, AmountAboveZero, RatioAboveZero, ShareAboveZero
from fairlead_risk.value import limit_and_value, rate_of, reach, reduces
from fairlead_risk.venue import ClockSkew, SecondSource, SelfTrade, UserStream, VenueHealth

__all__ = [
    "BOTH",
    "RULES",
    "AboveZero",
    "AmountAboveZero",
    "Cause",
    "ClockSkew",
    "ClockSkewConfig",
    "CrashPause",
    "CrashPauseConfig",
    "DailyLoss",
    "DailyLossConfig",
    "DayMemory",
    "MarginCut",
    "MarginCutConfig",
    "MarginMemory",
    "MarkoutBrake",
    "MarkoutBrakeConfig",
    "MarkoutMemory",
    "MaxDrawdown",
    "MaxDrawdownConfig",
    "MaxLeverage",
    "MaxLeverageConfig",
    "MaxOpenNotional",
    "MaxOpenNotionalConfig",
    "MaxOpenOrders",
    "MaxOpenOrdersConfig",
    "MaxOrder",
    "MaxOrderConfig",
    "MaxOrderShare",
    "MaxOrderShareConfig",
    "MaxPosition",
    "MaxPositionConfig",
    "Measure",
    "OneSidedFills",
    "OneSidedFillsConfig",
    "OneSidedMemory",
    "OrderRate",
    "OrderRateConfig",
    "PauseMemory",
    "PausesMemory",
    "PriceBand",
    "PriceBandConfig",
    "RatioAboveZero",
    "RealisedLoss",
    "RealisedLossConfig",
    "ReduceMemory",
    "ReduceOnly",
    "ReduceOnlyConfig",
    "RejectPause",
    "RejectPauseConfig",
    "Rule",
    "RuleConfig",
    "SecondSource",
    "SecondSourceConfig",
    "SelfTrade",
    "SelfTradeConfig",
    "ShareAboveZero",
    "SideMemory",
    "SlowTicks",
    "SlowTicksConfig",
    "StaleBook",
    "StaleBookConfig",
    "TakerBrake",
    "TakerBrakeConfig",
    "TakerCount",
    "TakerMemory",
    "TimedPauses",
    "TimedRule",
    "UserStream",
    "UserStreamConfig",
    "VenueHealth",
    "VenueHealthConfig",
    "WarmUp",
    "WarmUpConfig",
    "WindowMemory",
    "fairlead_register",
    "is_new_risk",
    "limit_and_value",
    "of_venue",
    "percent",
    "rate_of",
    "reach",
    "reduces",
    "seconds",
    "shrinks_a_plan",
    "used",
]

#: Every rule in the order in which it is asked: its name, its table, how it is built, and what
#: it is about.
RULES: tuple[tuple[str, type[RuleConfig], Callable[[Any], RiskRule], str], ...] = (
    (
        MaxPosition.name,
        MaxPositionConfig,
        MaxPosition,
        "how far from its target a position may come, all live orders filled",
    ),
    (MaxOrder.name, MaxOrderConfig, MaxOrder, "largest value, and quantity, of one order"),
    (
        DailyLoss.name,
        DailyLossConfig,
        DailyLoss,
        "loss since the day's start after which orders may only reduce",
    ),
    (
        MaxDrawdown.name,
        MaxDrawdownConfig,
        MaxDrawdown,
        "fall from the peak after which trading halts",
    ),
    (
        ReduceOnly.name,
        ReduceOnlyConfig,
        ReduceOnly,
        "when orders may only bring positions closer to their targets",
    ),
    (RealisedLoss.name, RealisedLossConfig, RealisedLoss, "what closed trades of a day may lose"),
    (MarginCut.name, MarginCutConfig, MarginCut, "margin in use above which a position is cut"),
    (MaxLeverage.name, MaxLeverageConfig, MaxLeverage, "all positions together against equity"),
    (
        MaxOpenNotional.name,
        MaxOpenNotionalConfig,
        MaxOpenNotional,
        "all live orders together against equity",
    ),
    (
        MaxOrderShare.name,
        MaxOrderShareConfig,
        MaxOrderShare,
        "largest value of one order as a share of equity",
    ),
    (MaxOpenOrders.name, MaxOpenOrdersConfig, MaxOpenOrders, "live orders per market"),
    (OrderRate.name, OrderRateConfig, OrderRate, "new orders per market in a time"),
    (PriceBand.name, PriceBandConfig, PriceBand, "how far from the mid an order may be priced"),
    (
        SecondSource.name,
        SecondSourceConfig,
        SecondSource,
        "how far a mid may be from the same market elsewhere",
    ),
    (SelfTrade.name, SelfTradeConfig, SelfTrade, "orders that would trade with our own"),
    (StaleBook.name, StaleBookConfig, StaleBook, "silence after which a book is not traded on"),
    (WarmUp.name, WarmUpConfig, WarmUp, "time of valid book before the first quote"),
    (UserStream.name, UserStreamConfig, UserStream, "how long an account stream may go unproven"),
    (ClockSkew.name, ClockSkewConfig, ClockSkew, "how far a venue's clock may be from ours"),
    (
        VenueHealth.name,
        VenueHealthConfig,
        VenueHealth,
        "lost answers after which a venue is paused",
    ),
    (
        OneSidedFills.name,
        OneSidedFillsConfig,
        OneSidedFills,
        "fills on one side that switch it off",
    ),
    (
        MarkoutBrake.name,
        MarkoutBrakeConfig,
        MarkoutBrake,
        "bad markouts that widen spreads, then pause",
    ),
    (
        TakerBrake.name,
        TakerBrakeConfig,
        TakerBrake,
        "share of quotes filled as taker that widens spreads",
    ),
    (CrashPause.name, CrashPauseConfig, CrashPause, "moves of the mid that pause a market"),
    (RejectPause.name, RejectPauseConfig, RejectPause, "rejects in a row that pause a market"),
    (SlowTicks.name, SlowTicksConfig, SlowTicks, "late ticks after which orders may only reduce"),
)


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the rules; each is on with its defaults unless the configuration says otherwise."""
    for name, config, build, summary in RULES:
        registry.risk_rule(name, config, _builder(build), summary=summary)


def _builder(build: Callable[[Any], RiskRule]) -> Callable[[Any, Any], RiskRule]:
    return lambda config, context: build(config)
