"""Atomic plans of two legs, and what is on its way for them."""

from decimal import Decimal
from typing import Any

from fairlead.api import OrderView, Place
from fairlead.api.plans.atomic import AtomicLeg, AtomicPlan
from fairlead.execution.atomic import AtomicExecutor
from fairlead.model import MarketId, Side
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

A, B, C = (MarketId(venue, "ALT/USDT") for venue in ("one", "two", "three"))
OTHER = MarketId("two", "OTHER/USDT")
RULES: dict[str, Any] = {"lot": "1", "min_quantity": "1", "fees": ("0.0002", "0.0005")}


def leg(market: MarketId, side: Side, quantity: str = "10", bound: str | None = None) -> AtomicLeg:
    worst = None if bound is None else Decimal(bound)
    return AtomicLeg(market=market, side=side, quantity=Decimal(quantity), bound=worst)


def plan(*legs: AtomicLeg, **rest: Any) -> AtomicPlan:  # noqa: ANN401 - the plan's own keys
    return AtomicPlan(legs=legs or (leg(A, Side.BUY), leg(B, Side.SELL)), **rest)


def kit(wish: AtomicPlan | None = None, **rules: Any) -> Kit:  # noqa: ANN401 - the instruments' own keys
    instruments = [instrument(market, **(RULES | rules)) for market in (A, B, C)]
    made = Kit(AtomicExecutor, wish or plan(), [*instruments, instrument(OTHER)])
    for market in (A, B, C):
        made.quote(market, "99.95", "100.05")
    return made


def on(made: Kit, market: MarketId) -> OrderView:
    (order,) = [order for order in made.live.values() if order.slot.market == market]
    return order


def last(made: Kit) -> Place:
    return made.places[-1]
