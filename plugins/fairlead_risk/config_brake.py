"""Configure the rules that slow down: fills that run one over, takers, crashes, refusals."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from fairlead.api import Duration, Exact, Ratio, Share
from fairlead_risk.config import RuleConfig
from fairlead_risk.unit import AboveZero, RatioAboveZero, ShareAboveZero

__all__ = [
    "CrashPauseConfig",
    "MarkoutBrakeConfig",
    "OneSidedFillsConfig",
    "OrderRateConfig",
    "RejectPauseConfig",
    "SlowTicksConfig",
    "TakerBrakeConfig",
]

_SECOND = 1_000_000_000
_FACTOR = Exact(Decimal("1.5"))


class TakerBrakeConfig(RuleConfig):
    """How much of what quotes traded may have been taken."""

    limit: ShareAboveZero = Field(
        default=Share(Decimal("0.10"), "10%"),
        description="share of the quotes' traded value that was filled as taker, above which "
        "spreads are widened; hedges, stops and plans do not count; above 0%",
    )
    until: ShareAboveZero = Field(
        default=Share(Decimal("0.05"), "5%"), description="widened until it is below this"
    )
    window: AboveZero = Field(
        default=Duration(86_400 * _SECOND, "24 h"),
        description="how far back fills count, to a 96th of it",
    )
    fills: int = Field(
        default=50, ge=1, le=1_000_000, strict=True, description="fewer fills than this say nothing"
    )
    factor: Exact = Field(default=_FACTOR, description="spreads are multiplied by this")


class OneSidedFillsConfig(RuleConfig):
    """How fast quotes of one side may be filled."""

    limit: int = Field(
        default=5,
        ge=2,
        le=1000,
        strict=True,
        description="fills of quotes on one side that switch it off, 2-1000",
    )
    within: AboveZero = Field(
        default=Duration(10 * _SECOND, "10 s"), description="counted over this time"
    )
    off: AboveZero = Field(
        default=Duration(30 * _SECOND, "30 s"), description="how long the side stays off"
    )


class MarkoutBrakeConfig(RuleConfig):
    """How badly the market may move after fills, ten seconds later."""

    limit: int = Field(
        default=50,
        ge=5,
        le=10_000,
        strict=True,
        description="how many fills make a mean; below the maker fee as a loss, spreads widen",
    )
    factor: Exact = Field(default=_FACTOR, description="spreads are multiplied by this")
    pause: AboveZero = Field(
        default=Duration(1_800 * _SECOND, "30 min"),
        description="how long nothing is quoted when the next as many fills are no better",
    )


class CrashPauseConfig(RuleConfig):
    """How fast the mid may move."""

    limit: RatioAboveZero = Field(
        default=Ratio(Decimal("0.01"), "1%"),
        description="a move of the mid by this much pauses the market, above 0",
    )
    within: AboveZero = Field(
        default=Duration(10 * _SECOND, "10 s"), description="measured over this time"
    )
    sigmas: Exact = Field(
        default=Exact(Decimal(6)),
        description="so does a move of this many standard deviations of such a time",
    )
    floor: RatioAboveZero = Field(
        default=Ratio(Decimal("0.001"), "10 bps"),
        description="a smaller move is no crash, however quiet it was before; above 0",
    )
    pause: AboveZero = Field(
        default=Duration(60 * _SECOND, "60 s"), description="how long nothing is quoted"
    )


class RejectPauseConfig(RuleConfig):
    """How often in a row a market may refuse orders."""

    limit: int = Field(
        default=10,
        ge=2,
        le=1000,
        strict=True,
        description="rejects in a row that pause the market, 2-1000; post-only ones do not count",
    )
    pause: AboveZero = Field(
        default=Duration(60 * _SECOND, "60 s"), description="how long nothing is quoted"
    )


class OrderRateConfig(RuleConfig):
    """How many orders may be sent to one market in some time."""

    limit: int = Field(
        default=200,
        ge=1,
        le=100_000,
        strict=True,
        description="new quotes and entries per market (inclusive); hedges and exits pass",
    )
    within: AboveZero = Field(
        default=Duration(10 * _SECOND, "10 s"), description="counted over this time"
    )


class SlowTicksConfig(RuleConfig):
    """How often the engine itself may be late."""

    limit: int = Field(
        default=10,
        ge=1,
        le=1000,
        strict=True,
        description="ticks that took longer than a tick (inclusive), beyond which orders may only "
        "reduce, 1-1000",
    )
    within: AboveZero = Field(
        default=Duration(60 * _SECOND, "60 s"), description="counted over this time"
    )
