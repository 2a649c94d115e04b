"""Configure pure market making: the keys of a ``[strategies.<name>]`` table."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fairlead.api import Amount, Duration, QuotesConfig, Ratio, Share
from fairlead.model import ONE, Side

__all__ = ["InventoryConfig", "LevelsConfig", "PmmConfig", "Reference", "RefreshConfig"]


class Reference(StrEnum):
    """Which price of the book the quotes are built around."""

    MID = "mid"
    MICROPRICE = "microprice"


def _above_zero(value: Ratio) -> Ratio:
    if value.value <= 0:
        raise ValueError('must be above zero, e.g. "8 bps"')
    return value


def _not_below_zero(value: Ratio) -> Ratio:
    if value.value < 0:
        raise ValueError('must be zero or more, e.g. "4 bps"')
    return value


def _some(value: Amount) -> Amount:
    if value.value <= 0:
        raise ValueError('must be above zero, e.g. "250 USDT"')
    return value


def _some_share(value: Share) -> Share:
    if value.value <= 0:
        raise ValueError('must be above zero, e.g. "20%"')
    return value


_Positive = Annotated[Ratio, AfterValidator(_above_zero)]
_NotNegative = Annotated[Ratio, AfterValidator(_not_below_zero)]


class LevelsConfig(BaseModel):
    """How many orders rest on each side, and how far apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(default=1, ge=1, le=20, strict=True, description="orders on each side, 1-20")
    step: _NotNegative = Field(
        default=Ratio(Decimal("0.0004"), "4 bps"),
        description="how much further from the reference each next level is, 0 or more",
    )


class RefreshConfig(BaseModel):
    """When a live order gives way to what is wished now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: Duration = Field(
        default=Duration(10_000_000_000, "10 s"),
        description="an order younger than this stays, whatever the wish has become",
    )
    keep_within: _NotNegative = Field(
        default=Ratio(Decimal("0.0001"), "1 bps"),
        description="an order whose price is within this of the wish stays (inclusive)",
    )
    size_within: _NotNegative = Field(
        default=Ratio(Decimal("0.2"), "20%"),
        description="the same for the quantity that is left of it, as a share of the wish",
    )


class InventoryConfig(BaseModel):
    """Where the inventory is steered to, and how hard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Share = Field(
        default=Share(Decimal("0.5"), "50%"),
        description="the share of the capital to hold in base, 0% to 100%; contracts steer to 0",
    )
    band: Annotated[Share, AfterValidator(_some_share)] = Field(
        default=Share(Decimal("0.2"), "20%"),
        description="the distance from the target, as a share of the capital, at which skews are "
        "strongest; above 0%",
    )
    price_skew: _NotNegative = Field(
        default=Ratio(Decimal(0), "0 bps"),
        description="how far both quotes move at the end of the band: down when long, 0 or more",
    )
    size_skew: bool = Field(
        default=False,
        strict=True,
        description="buy less and sell more when long; nothing is bought at the end of the band",
    )


class PmmConfig(BaseModel):
    """The ``[strategies.<name>]`` table of ``controller = "pmm"``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spread: _Positive | None = Field(
        default=None,
        description="distance of the best quote of each side from the reference, above 0; or "
        "bid_spread and ask_spread",
    )
    bid_spread: _Positive | None = Field(
        default=None, description="distance of the best bid below the reference, above 0"
    )
    ask_spread: _Positive | None = Field(
        default=None, description="distance of the best ask above the reference, above 0"
    )
    min_spread: _NotNegative = Field(
        default=Ratio(Decimal(0), "0 bps"),
        description="floor of each side's spread when quoting, before skew, 0 or more",
    )
    cancel_closer_than: _NotNegative | None = Field(
        default=None,
        description="pull a live order that the mid has come closer to than this; off if absent",
    )
    reference: Reference = Field(
        default=Reference.MID, description="build quotes around the mid or the microprice"
    )
    levels: LevelsConfig = Field(
        default=LevelsConfig(), description="orders on each side and the step between them"
    )
    order_size: Annotated[Amount, AfterValidator(_some)] = Field(
        description="size of each order in the market's base or quote asset, above 0",
    )
    refresh: RefreshConfig = Field(
        default=RefreshConfig(), description="when a live order gives way to what is wished now"
    )
    inventory: InventoryConfig = Field(
        default=InventoryConfig(), description="where the inventory is steered to, and how hard"
    )
    filled_order_delay: Duration = Field(
        default=Duration(0, "0 s"),
        description="how long a level of a side stays empty after its order filled completely",
    )

    @model_validator(mode="after")
    def _check_spreads(self) -> Self:
        sides = (self.bid_spread, self.ask_spread)
        if (self.spread is None) == (sides == (None, None)) or (
            self.spread is None and None in sides
        ):
            raise ValueError('give either spread = "8 bps", or both bid_spread and ask_spread')
        spreads = [self.spread_of(side) for side in Side]
        outermost = max(*spreads, self.min_spread.value) + self.inventory.price_skew.value
        if outermost + (self.levels.count - 1) * self.levels.step.value >= ONE:
            raise ValueError("spread, steps and price_skew reach 100% of the price together")
        closest = max(min(spreads), self.min_spread.value)
        if self.cancel_closer_than is not None and self.cancel_closer_than.value >= closest:
            raise ValueError("cancel_closer_than must be less than the spread")
        return self

    def spread_of(self, side: Side) -> Decimal:
        """Give a side's spread as a share of the reference."""
        own = self.bid_spread if side is Side.BUY else self.ask_spread
        spread = self.spread if own is None else own
        return ONE if spread is None else spread.value  # one of them is there, see above

    @property
    def plan(self) -> QuotesConfig:
        """Give how the quotes are worked; ``replace`` is the strategy table's to say."""
        closer = self.cancel_closer_than
        return QuotesConfig(
            refresh_every_ns=self.refresh.every.ns,
            keep_within=self.refresh.keep_within.value,
            size_within=self.refresh.size_within.value,
            cancel_closer_than=None if closer is None else closer.value,
        )
