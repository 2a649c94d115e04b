"""Describe a quantity that is to be had in one market: rest first, then take what is left."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from fairlead.api.plan_executor import Plan
from fairlead.api.plans.maker import MakerPrice
from fairlead.api.units import Duration, Market, Quantity, Ratio
from fairlead.model import Side

__all__ = ["TieredMode", "TieredPlan"]


class TieredMode(StrEnum):
    """Whether a quantity may be taken, or is only waited for."""

    #: Rest as maker until it is filled or the time is over.
    LIMIT_ONLY = "limit_only"
    #: Rest as maker; what is unfilled at the timeout is taken.
    LIMIT_WITH_FALLBACK = "limit_with_fallback"
    #: Take it at once.
    MARKET_ONLY = "market_only"
    #: Let the book decide which of these, once, at admission.
    ADAPTIVE = "adaptive"


class TieredPlan(Plan):
    """Buy or sell a quantity in one market, as maker where that serves, at a bounded price."""

    market: Market = Field(description="where it trades, as venue:SYMBOL")
    side: Side = Field(description="BUY or SELL")
    quantity: Quantity = Field(
        description="base units or contracts; what is finer than the lot is left out",
        examples=["2.5"],
    )
    mode: TieredMode = Field(
        TieredMode.ADAPTIVE, description="whether it may take, or the book decides"
    )
    max_slippage: Ratio = Field(
        Ratio.parse("50 bps"),
        description="no order is priced further beyond the mid than this: neither the mid at "
        "admission nor that of the moment",
    )
    bound: Quantity | None = Field(
        None, description="the worst price, if it is to be tighter than max_slippage allows"
    )
    maker_price: MakerPrice = Field(
        MakerPrice.JOIN, description="where the maker order is put between the best prices"
    )
    timeout: Duration = Field(
        Duration.parse("30 s"), description="how long it rests as maker, re-quotes included"
    )
    taker_timeout: Duration = Field(
        Duration.parse("10 s"),
        description="how long it goes on taking while something is offered within the bound",
    )
    requote_within: Ratio = Field(
        Ratio.parse("1 bps"),
        description="a maker order this close to where it should be keeps its place in the queue",
    )
    max_requotes: int = Field(
        20,
        ge=0,
        description="so many times it follows the market or tries again after a refusal; then the "
        "order rests where it is",
    )
    urgent: bool = Field(
        default=False, description="adaptive: take at once where that is cheap (MARKET_ACCEPTABLE)"
    )
    slice: bool = Field(
        default=False,
        description="adaptive: where the depth is too thin, go piece by piece, each no larger "
        "than what is offered within high_slippage; otherwise it is denied",
    )
    acceptable_slippage: Ratio = Field(
        Ratio.parse("10 bps"), description="adaptive: up to here taking is cheap, of the mid"
    )
    high_slippage: Ratio = Field(
        Ratio.parse("50 bps"), description="adaptive: above this it is never taken, of the mid"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 0 < self.max_slippage.value < 1:
            raise ValueError("max_slippage is above zero and below 100%")
        if not 0 < self.acceptable_slippage.value < self.high_slippage.value < 1:
            raise ValueError("0 < acceptable_slippage < high_slippage < 100% must hold")
        if self.requote_within.value < 0:
            raise ValueError("requote_within is zero or more")
        return self
