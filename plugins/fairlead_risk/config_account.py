"""Configure the rules that judge the account: what it may lose, owe and hold in all."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from fairlead.api import Duration, Exact, Ratio, Share
from fairlead_risk.config import RuleConfig
from fairlead_risk.unit import AboveZero, RatioAboveZero, ShareAboveZero

__all__ = [
    "MarginCutConfig",
    "MaxLeverageConfig",
    "MaxOpenNotionalConfig",
    "RealisedLossConfig",
    "ReduceOnlyConfig",
]

_MINUTE = 60_000_000_000


def _share(percent: str) -> Share:
    return Share(Decimal(percent).scaleb(-2), f"{percent}%")


class ReduceOnlyConfig(RuleConfig):
    """When orders may only bring positions closer to their targets."""

    margin_use: ShareAboveZero = Field(
        default=_share("80"),
        description="entered when initial margin in use / equity is above this; above 0%",
    )
    margin_leave: ShareAboveZero = Field(
        default=_share("70"), description="left when it is below this; above 0%"
    )
    skew: RatioAboveZero = Field(
        default=Ratio(Decimal("0.015"), "1.5%"),
        description="entered when |position - target| at the mark / equity is above this; above 0",
    )
    skew_leave: RatioAboveZero = Field(
        default=Ratio(Decimal("0.01"), "1%"), description="left when it is below this; above 0"
    )
    skew_spot: bool = Field(
        default=False, description="whether skew counts on spot markets too; on perpetuals it does"
    )
    losing_trades: int = Field(
        default=10,
        ge=1,
        le=1000,
        strict=True,
        description="entered after more losing trades of one strategy in a row than this, 1-1000",
    )
    losing_for: AboveZero = Field(
        default=Duration(30 * _MINUTE, "30 min"),
        description="left after this long, or with the first winning trade; above 0",
    )
    day_drawdown: ShareAboveZero = Field(
        default=_share("2"),
        description="entered when equity is further below the day's highest than this (left with "
        "a new day); above 0%",
    )
    at_least: Duration = Field(
        default=Duration(_MINUTE, "60 s"), description="never left sooner than this"
    )
    cross_after: AboveZero | None = Field(
        default=None,
        description="after this long the rest is taken instead of quoted; by default never",
    )
    cross_within: RatioAboveZero = Field(
        default=Ratio(Decimal("0.005"), "0.5%"),
        description="how far from the mid it may then be taken, above 0",
    )


class RealisedLossConfig(RuleConfig):
    """How much closed trades of one day may lose."""

    limit: ShareAboveZero = Field(
        default=_share("2"),
        description="largest loss of the day's closed trades, fees included, as a share of the "
        "equity at the day's start (inclusive); beyond it orders may only reduce; above 0%",
    )


class MarginCutConfig(RuleConfig):
    """When a position on margin is cut; inert where no venue tells of margin."""

    limit: ShareAboveZero = Field(
        default=_share("90"),
        description="initial margin in use / equity above which the position with the most "
        "margin is cut; above 0%",
    )
    to: ShareAboveZero = Field(
        default=_share("85"), description="cut until it is this; above 0%, below the limit"
    )
    slice: ShareAboveZero = Field(
        default=_share("20"),
        description="largest single order as a share of the depth near the mid",
    )
    depth_within: RatioAboveZero = Field(
        default=Ratio(Decimal("0.001"), "10 bps"), description="what counts as near, above 0"
    )
    bound: RatioAboveZero = Field(
        default=Ratio(Decimal("0.005"), "50 bps"),
        description="how far from the mid a cut may be priced, above 0",
    )
    liquidation_distance: ShareAboveZero = Field(
        default=_share("15"),
        description="orders may only reduce a position that the venue would liquidate nearer to "
        "the mark than this (inclusive); above 0%",
    )


class MaxLeverageConfig(RuleConfig):
    """How much may be held in all, against what the account is worth."""

    limit: Exact = Field(
        default=Exact(Decimal(3)),
        description="largest value of all positions / equity, with every live order of the "
        "growing side counted as filled (inclusive)",
    )


class MaxOpenNotionalConfig(RuleConfig):
    """How much may rest in orders in all, against what the account is worth."""

    limit: RatioAboveZero = Field(
        default=Ratio(Decimal(2), "200%"),
        description="largest value of all live orders on all markets / equity (inclusive)",
    )
