"""Describe a position with a triple barrier: what to enter, and what makes it leave."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fairlead.api.plan_executor import Plan
from fairlead.api.units import Duration, Market, Quantity, Ratio
from fairlead.model import Side

__all__ = ["EntryOrder", "ExitOrder", "PositionPlan", "TrailingStop"]


class EntryOrder(StrEnum):
    """How a position is entered."""

    #: Rest post-only at ``entry_price``, or at the best price of its side.
    LIMIT = "limit"
    #: Take at once, at a bounded price.
    MARKET = "market"


class ExitOrder(StrEnum):
    """How a barrier's exit leaves."""

    #: Rest post-only: the take profit at its price until it is filled, any other exit at the best
    #: price for ``limit_patience``; what is left then is taken.
    LIMIT = "limit"
    #: Take at a bounded price, again and again until flat or until the bound is reached.
    MARKET = "market"


class TrailingStop(BaseModel):
    """A stop that follows the price once it has gone far enough the right way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    activation: Ratio = Field(
        description="arms once the mid is this far better than the average entry",
        examples=["1%"],
    )
    delta: Ratio = Field(
        description="leaves once the mid has come back this far from its best since then",
        examples=["0.4%"],
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 0 < self.activation.value < 1 or not 0 < self.delta.value < 1:
            raise ValueError("activation and delta are above zero and below 100%")
        return self


class PositionPlan(Plan):
    """Enter a position and leave it by the first of its barriers; every fill is guarded at once.

    Barriers are judged by the mid of the valid book against the average entry price, before fees.
    """

    market: Market = Field(description="where it trades, as venue:SYMBOL")
    side: Side = Field(description="BUY = long, SELL = short")
    quantity: Quantity = Field(
        description="base units or contracts; what is finer than the lot is left out",
        examples=["10"],
    )
    entry: EntryOrder = Field(EntryOrder.LIMIT, description="how it is entered")
    entry_price: Quantity | None = Field(
        None, description="where a limit entry rests; by default at the best price of its side"
    )
    entry_timeout: Duration | None = Field(
        None, description="after this long no more is entered; by default the time limit decides"
    )
    activation_bound: Ratio | None = Field(
        None,
        description="a limit entry or take profit rests only while the mid is this close to its "
        "price, and is pulled one and a half times as far away; by default always",
    )
    entry_slippage: Ratio = Field(
        Ratio.parse("50 bps"),
        description="no entry is priced further beyond the mid at admission than this",
    )
    exit_slippage: Ratio = Field(
        Ratio.parse("100 bps"),
        description="no exit is priced further beyond the mid at its barrier than this",
    )
    stop_loss: Ratio | None = Field(
        None, description="leaves once the mid is this much worse than the average entry"
    )
    take_profit: Ratio | None = Field(
        None, description="leaves once the price is this much better than the average entry"
    )
    time_limit: Duration | None = Field(
        None, description="leaves this long after admission, entered or not"
    )
    trailing_stop: TrailingStop | None = Field(
        None, description="a stop that follows the price; {activation, delta}"
    )
    take_profit_order: ExitOrder = Field(ExitOrder.LIMIT, description="how the take profit leaves")
    stop_loss_order: ExitOrder = Field(ExitOrder.MARKET, description="how the stop loss leaves")
    trailing_stop_order: ExitOrder = Field(
        ExitOrder.MARKET, description="how the trailing stop leaves"
    )
    time_limit_order: ExitOrder = Field(ExitOrder.MARKET, description="how the time limit leaves")
    limit_patience: Duration = Field(
        Duration.parse("5 s"), description="how long an exit by limit rests before it takes"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("stop_loss", "take_profit", "activation_bound"):
            ratio: Ratio | None = getattr(self, name)
            if ratio is not None and not 0 < ratio.value < 1:
                raise ValueError(f"{name} is above zero and below 100%")
        for name in ("entry_slippage", "exit_slippage"):
            if not 0 < getattr(self, name).value < 1:
                raise ValueError(f"{name} is above zero and below 100%")
        if self.entry is EntryOrder.MARKET and self.entry_price is not None:
            raise ValueError("a market entry has no entry_price; entry_slippage bounds it")
        guards = (self.stop_loss, self.time_limit, self.trailing_stop, self.take_profit)
        if all(guard is None for guard in guards):
            raise ValueError("a position needs a barrier: a stop, a profit or a time limit")
        return self
