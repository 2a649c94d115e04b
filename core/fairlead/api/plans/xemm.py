"""Describe the cross-exchange plan: quote on one market, hedge every fill on another."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from fairlead.api.plan_executor import Plan
from fairlead.api.units import Duration, Market, Quantity, Ratio
from fairlead.model import ZERO, Side

__all__ = ["XemmPlan"]


class XemmPlan(Plan):
    """Fill ``order_amount`` as a maker on one market and hedge each fill at once on another.

    Profitability is what is left of both prices after both fees, as a share of the maker's
    price, if all of it were hedged now by walking the taker's book.
    """

    maker_market: Market = Field(description="where the quote rests")
    taker_market: Market = Field(description="where fills are hedged; of the same base asset")
    maker_side: Side = Field(description="side of the resting quote; hedges are the opposite")
    order_amount: Quantity = Field(description="how much in all, in base units")
    min_profitability: Ratio = Field(
        Ratio.parse("5 bps"), description="a quote that would earn less is cancelled"
    )
    target_profitability: Ratio = Field(
        Ratio.parse("10 bps"), description="a new quote is placed where it would earn this"
    )
    max_profitability: Ratio = Field(
        Ratio.parse("20 bps"), description="a quote that would earn more is cancelled: too far out"
    )
    slippage_buffer: Ratio = Field(
        Ratio.parse("30 bps"),
        description="how far beyond the price that walking the book promises a hedge may trade",
    )
    cushion: Ratio = Field(
        Ratio.parse("10 bps"),
        description="how far beyond the price that its size needs now a hedge is priced; never "
        "beyond what `slippage_buffer` and `loss_cap` allow",
    )
    loss_cap: Ratio = Field(
        Ratio.parse("50 bps"),
        description="how much worse than the maker's average price, before fees, a hedge may be",
    )
    hedge_time: Duration = Field(
        Duration.parse("10 s"),
        description="how long a fill may stay unhedged before the plan gives up and reports it",
    )
    price_band: Ratio = Field(
        Ratio.parse("2%"),
        description="how far from the mid at its start the quote may go as prices move",
    )
    time_limit: Duration | None = Field(
        None, description="how long it may quote; none: until all is filled or it is stopped"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.maker_market == self.taker_market:
            raise ValueError("`maker_market` and `taker_market` must differ")
        low, target, high = (
            self.min_profitability.value,
            self.target_profitability.value,
            self.max_profitability.value,
        )
        if not -1 < low <= target <= high < 1:
            raise ValueError("write min <= target <= max profitability, within 100%")
        for name in ("slippage_buffer", "cushion", "loss_cap", "price_band"):
            if not ZERO <= getattr(self, name).value < 1:
                raise ValueError(f'write `{name}` from "0 bps" to below "100%"')
        return self
