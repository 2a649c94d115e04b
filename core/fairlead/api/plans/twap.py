"""Describe a quantity that is spread evenly over time."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from fairlead.api.plan_executor import Plan
from fairlead.api.units import Duration, Market, Quantity, Ratio
from fairlead.model import Side

__all__ = ["CatchUp", "TwapMode", "TwapPlan"]


class TwapMode(StrEnum):
    """Whether slices rest or take."""

    MAKER = "maker"
    TAKER = "taker"


class CatchUp(StrEnum):
    """What becomes of the part of a slice that was not filled in its time."""

    #: It is spread evenly over the slices that are left, none above ``max_slice`` times its own.
    SPREAD = "spread"
    #: It is left out.
    SKIP = "skip"


class TwapPlan(Plan):
    """Buy or sell a quantity in equal slices: duration // interval + 1 of them, the first at once.

    Slices sum exactly to the quantity, rounded down to the lot. Where a slice would be below the
    venue's minimum there are fewer and larger ones over the same time.
    """

    market: Market = Field(description="where it trades, as venue:SYMBOL")
    side: Side = Field(description="BUY or SELL")
    quantity: Quantity = Field(
        description="the total in base units or contracts; what is finer than the lot is left out",
        examples=["120"],
    )
    duration: Duration = Field(
        description="from the first slice to the last; that one has an interval more to fill",
        examples=["30 min"],
    )
    interval: Duration = Field(
        Duration.parse("60 s"), description="from one slice to the next, from 1 s"
    )
    mode: TwapMode = Field(TwapMode.MAKER, description="whether slices rest or take")
    max_slippage: Ratio = Field(
        Ratio.parse("50 bps"),
        description="no order is priced further beyond the mid of the moment than this",
    )
    bound: Quantity | None = Field(
        None,
        description="the worst price of the whole plan; by default twice max_slippage beyond the "
        "mid at admission",
    )
    limit_order_buffer: Ratio = Field(
        Ratio.parse("1 bps"), description="maker: how far behind the mid a slice rests"
    )
    order_resubmission_time: Duration = Field(
        Duration.parse("10 s"),
        description="maker: after this long an order that is no longer in place is renewed; taker: "
        "after this long the rest of a slice is tried again; from 100 ms",
    )
    catch_up: CatchUp = Field(
        CatchUp.SPREAD, description="what becomes of the unfilled part of a slice"
    )
    max_slice: int = Field(
        2, ge=1, description="no slice is larger than this many even ones, whatever was missed"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 0 < self.max_slippage.value < 1:
            raise ValueError("max_slippage is above zero and below 100%")
        if not 0 <= self.limit_order_buffer.value < 1:
            raise ValueError("limit_order_buffer is from zero to below 100%")
        if self.interval.ns < 1_000_000_000:
            raise ValueError('interval is "1 s" or more')
        if self.order_resubmission_time.ns < 100_000_000:
            raise ValueError('order_resubmission_time is "100 ms" or more')
        return self

    @property
    def count(self) -> int:
        """Give the number of slices: duration // interval + 1."""
        return self.duration.ns // self.interval.ns + 1
