"""Close an open side at a bounded price: immediate-or-cancel orders, one for each way out.

Shared by plans of several legs. A *way* is a market where what is open can be closed, with the
most that may go there and the worst price. Never more is asked for than is open, and losses are
counted so that all orders together keep one cap. An order is priced where its size needs it now,
a cushion beyond, and never beyond its bound: far from the mid it would only be refused. Who calls
this asks again only once everything of the last time is proven gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import MarketLook, Place, PlanView
from fairlead.execution.easing import Easings, eased_cushion, eased_quantity
from fairlead.execution.liquidity import needed_price
from fairlead.model import (
    ONE,
    ZERO,
    Instrument,
    InstrumentKind,
    MarketId,
    Purpose,
    Reason,
    Side,
    Slot,
    TimeInForce,
)

__all__ = [
    "Closing",
    "Spent",
    "Way",
    "closing_orders",
    "excess_by_market",
    "lot_base",
    "net_base",
    "reachable",
    "worst_price",
]


@dataclass(frozen=True, slots=True)
class Way:
    """One market by which something open can be closed."""

    market: MarketId
    side: Side
    level: int
    purpose: Purpose
    #: The most that may go there, in base units.
    most: Decimal
    #: The worst price; None = it cannot be said now (there is no valid book).
    bound: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Closing:
    """What to send now, and whether any order could ever be that small."""

    places: tuple[Place, ...]
    #: False: every way's smallest order is larger than what is open.
    possible: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What closing has cost in one market: prices only, before fees."""

    market: MarketId
    side: Side
    #: Base units.
    quantity: Decimal
    average: Decimal
    #: What the average is measured against.
    reference: Decimal

    @property
    def share(self) -> Decimal:
        """Give the loss as (share of the reference) x base units; negative = a gain."""
        return self.side.sign * (self.average - self.reference) / self.reference * self.quantity

    @property
    def loss(self) -> Decimal:
        """Give the loss in quote currency; negative = a gain."""
        return self.side.sign * (self.average - self.reference) * self.quantity


def net_base(view: PlanView, markets: Iterable[MarketId]) -> Decimal:
    """Give the plan's net exposure over markets of one base asset, in base units."""
    return sum(
        (view.exposure(market) * view.market(market).instrument.multiplier for market in markets),
        start=ZERO,
    )


def lot_base(instrument: Instrument) -> Decimal:
    """Give the step of quantities in base units."""
    return instrument.lot * instrument.multiplier


def excess_by_market(
    view: PlanView, markets: Sequence[MarketId], net: Decimal
) -> tuple[tuple[MarketId, Decimal], ...]:
    """Say in which markets a net exposure sits, in base units or contracts, signed.

    The parts add up to ``net`` (base units), the first markets first.
    """
    found: list[tuple[MarketId, Decimal]] = []
    left = abs(net)
    sign = 1 if net > 0 else -1
    for market in markets:
        multiplier = view.market(market).instrument.multiplier
        part = min(max(sign * view.exposure(market) * multiplier, ZERO), left)
        if part:
            found.append((market, sign * part / multiplier))
            left -= part
    return tuple(found)


def worst_price(
    look: MarketLook, side: Side, *, reach: Decimal, reference: Decimal, room: Decimal
) -> Decimal | None:
    """Give the worst price for closing now; None without a valid book.

    The tighter of ``reach`` from the mid and ``room`` from ``reference`` (both shares, >= 0).
    """
    if look.book is None:
        return None
    prices = (look.book.mid * (ONE + side.sign * reach), reference * (ONE + side.sign * room))
    return min(prices) if side is Side.BUY else max(prices)


def closing_orders(
    net: Decimal,
    ways: Iterable[Way],
    view: PlanView,
    owner: tuple[str, str],
    *,
    cushion: Decimal,
    easings: Easings = (),
) -> Closing:
    """Place what closes ``net`` (signed base units) by these ways, the first ones first.

    ``owner`` is the strategy and the execution; ``cushion`` (a share of the price) is how far
    beyond what its size needs an order may be priced, within its bound. A way without a book, or
    where nothing is offered within the bound, is left out now; one whose minimum is above what is
    left, for good.
    """
    places: list[Place] = []
    possible = False
    left = abs(net)
    for way in ways:
        if way.side.sign * net >= 0:
            continue
        look = view.market(way.market)
        instrument = look.instrument
        quantity = instrument.round_quantity(min(way.most, left) / instrument.multiplier)
        if way.bound is None:
            possible = possible or quantity >= max(instrument.min_quantity, instrument.lot)
            continue
        bound = instrument.round_price(way.bound, way.side)
        if bound <= 0 or instrument.below_minimum(bound, quantity) is not None:
            continue
        possible = True
        quantity = instrument.round_quantity(eased_quantity(easings, way.side, quantity, look))
        slack = eased_cushion(easings, way.market, way.side, cushion)
        price = needed_price(look.book, way.side, quantity, bound, slack)
        price = instrument.round_price(price, way.side)
        if instrument.below_minimum(price, quantity) is not None:
            price = bound  # it is worth enough for an order only there
        if not reachable(look, way.side, price):
            continue
        places.append(_place(way, look, price, quantity, view, owner))
        left -= quantity * instrument.multiplier
    return Closing(tuple(places), possible)


def reachable(look: MarketLook, side: Side, price: Decimal) -> bool:
    """Tell whether anything is offered at ``price`` or better for a taker of that side."""
    if look.book is None:
        return False
    best = look.book.best_ask if side is Side.BUY else look.book.best_bid
    return side.sign * best.price <= side.sign * price


def _place(
    way: Way,
    look: MarketLook,
    price: Decimal,
    quantity: Decimal,
    view: PlanView,
    owner: tuple[str, str],
) -> Place:
    strategy, execution = owner
    mid = None if look.book is None else look.book.mid
    why = f"what it needs now; {way.why}"
    return Place(
        slot=Slot(strategy, way.market, way.side, way.level, execution),
        side=way.side,
        price=price,
        quantity=quantity,
        decided_ns=view.now_ns,
        purpose=way.purpose,
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reference=mid,
        reasons=(Reason("bound", "price", mid, price, why),),
        reduce_only=_shrinks(look, way.side, quantity),
    )


def _shrinks(look: MarketLook, side: Side, quantity: Decimal) -> bool:
    # A venue refuses the flag where the account's position would grow or turn, whatever part of
    # that position is this plan's.
    return (
        look.instrument.kind is InstrumentKind.PERPETUAL
        and look.position * side.sign < 0
        and abs(look.position) >= quantity
    )
