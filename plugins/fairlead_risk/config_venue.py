"""Configure the rules that judge a venue: its stream, its clock, its answers, its prices."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from fairlead.api import Duration, Ratio, Share
from fairlead_risk.config import RuleConfig
from fairlead_risk.unit import AboveZero, RatioAboveZero, ShareAboveZero

__all__ = [
    "ClockSkewConfig",
    "SecondSourceConfig",
    "SelfTradeConfig",
    "UserStreamConfig",
    "VenueHealthConfig",
]

_SECOND = 1_000_000_000


class UserStreamConfig(RuleConfig):
    """How long a venue's account stream may go unproven."""

    limit: AboveZero = Field(
        default=Duration(10 * _SECOND, "10 s"),
        description="a stream unproven for this long pulls the venue's orders, above 0",
    )


class ClockSkewConfig(RuleConfig):
    """How far a venue's clock may be from ours; inert where the venue is not asked."""

    limit: AboveZero = Field(
        default=Duration(_SECOND, "1 s"), description="beyond this trading halts, above 0"
    )
    warn: AboveZero = Field(
        default=Duration(250_000_000, "250 ms"), description="beyond this a person is told, above 0"
    )


class VenueHealthConfig(RuleConfig):
    """How many of a venue's last answers to orders may be missing."""

    limit: ShareAboveZero = Field(
        default=Share(Decimal("0.5"), "50%"),
        description="share of the last answers that were lost or not to be had, above which the "
        "venue's markets are paused; above 0%",
    )
    answers: int = Field(
        default=20, ge=2, le=1000, strict=True, description="how many answers count, 2-1000"
    )
    pause: AboveZero = Field(
        default=Duration(60 * _SECOND, "60 s"), description="how long nothing is quoted there"
    )


class SecondSourceConfig(RuleConfig):
    """How far a market's mid may be from the same market elsewhere."""

    limit: RatioAboveZero = Field(
        default=Ratio(Decimal("0.01"), "1%"),
        description="largest distance from the median of the other venues' mids (inclusive); "
        "beyond it the market is paused; above 0",
    )
    fresh: AboveZero = Field(
        default=Duration(10 * _SECOND, "10 s"),
        description="a source that has not changed for this long is not compared with",
    )


class SelfTradeConfig(RuleConfig):
    """What happens to an order that would trade with one of our own."""

    clear_the_way: bool = Field(
        default=True,
        description="whether own orders that a hedge or an exit would trade with are cancelled",
    )
