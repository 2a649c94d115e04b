"""Describe the atomic plan: several legs that belong together, on as many markets."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fairlead.api.plan_executor import Plan
from fairlead.api.units import Duration, Market, Quantity, Ratio
from fairlead.model import ZERO, Side

__all__ = ["AtomicLeg", "AtomicOrder", "AtomicPlan", "AtomicPolicy"]


class AtomicPolicy(StrEnum):
    """What happens when the legs did not fill alike."""

    #: Fill what is missing, up to the loss cap; what that does not reach is unwound.
    COMPLETE = "complete"
    #: Give back what one side has too much.
    UNWIND = "unwind"
    #: Cover it in ``hedge_market``; what that does not reach is unwound.
    HEDGE = "hedge"
    #: Keep it and report it.
    ACCEPT = "accept"


class AtomicOrder(StrEnum):
    """What kind of order each leg is."""

    #: Fill what is there at once and forget the rest.
    IOC = "ioc"
    #: Fill all of it at once or nothing.
    FOK = "fok"
    #: Rest at the bound until ``timeout``.
    LIMIT = "limit"


class AtomicLeg(BaseModel):
    """One leg of an atomic plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    market: Market = Field(description="where it trades; each leg has a market of its own")
    side: Side = Field(description="BUY or SELL")
    quantity: Quantity = Field(description="how much, in base units; contracts are computed")
    bound: Quantity | None = Field(
        None, description="worst price, in quote currency; none: `max_slippage` from the mid"
    )


class AtomicPlan(Plan):
    """Trade several legs of one base asset together, or end without an open side.

    Buys and sells must add up to the same quantity. Every leg is checked before any is sent.
    """

    legs: tuple[AtomicLeg, ...] = Field(description="two legs or more, in the plan's order")
    order: AtomicOrder = Field(AtomicOrder.IOC, description="what kind of order each leg is")
    timeout: Duration = Field(
        Duration.parse("5 s"), description="longest time with an open side before the policy runs"
    )
    policy: AtomicPolicy = Field(
        AtomicPolicy.COMPLETE, description="what happens when the legs did not fill alike"
    )
    hedge_market: Market | None = Field(
        None, description="where the policy `hedge` covers an open side; of the same base asset"
    )
    max_slippage: Ratio = Field(
        Ratio.parse("20 bps"), description="how far from its mid a leg without a bound may trade"
    )
    cushion: Ratio = Field(
        Ratio.parse("10 bps"),
        description="how far beyond the price that its size needs now an order that takes is "
        "priced; never beyond its bound",
    )
    loss_cap: Ratio = Field(
        Ratio.parse("20 bps"),
        description="what the policy may lose in price, as a share of the plan's notional",
    )
    repair_slippage: Ratio = Field(
        Ratio.parse("50 bps"), description="how far from the mid an order of the policy may trade"
    )
    repair_time: Duration = Field(
        Duration.parse("5 s"),
        description="how long each way of the policy is tried before the next; then it is reported",
    )
    lead: Market | None = Field(
        None,
        description="market of the leg that is filled first, as a maker; the others follow its "
        "fills. None: all legs leave together",
    )
    lead_time: Duration = Field(
        Duration.parse("60 s"), description="how long the leading leg may rest"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        markets = [leg.market for leg in self.legs]
        if len(markets) < 2 or len(set(markets)) < len(markets):
            raise ValueError("write two legs or more, each with a market of its own")
        if sum((leg.side.sign * leg.quantity for leg in self.legs), start=ZERO):
            raise ValueError("buys and sells must add up to the same quantity")
        if (self.policy is AtomicPolicy.HEDGE) != (self.hedge_market is not None):
            raise ValueError('write `hedge_market` with the policy "hedge", and only with it')
        if self.hedge_market in markets:
            raise ValueError("`hedge_market` must not be the market of a leg")
        if self.lead is not None and self.lead not in markets:
            raise ValueError("`lead` must be the market of a leg")
        lead = [leg.side for leg in self.legs if leg.market == self.lead]
        if any(leg.side in lead for leg in self.legs if leg.market != self.lead):
            raise ValueError("every other leg must be on the opposite side of `lead`")
        if 0 in (self.timeout.ns, self.repair_time.ns, self.lead_time.ns):
            raise ValueError("`timeout`, `repair_time` and `lead_time` must be above zero")
        for name in ("max_slippage", "cushion", "loss_cap", "repair_slippage"):
            if not ZERO <= getattr(self, name).value < 1:
                raise ValueError(f'write `{name}` from "0 bps" to below "100%"')
        return self
