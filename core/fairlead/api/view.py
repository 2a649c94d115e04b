"""Show the engine's settled state to those who decide: read-only, of one instant."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from fairlead.book import Depth, Walk
from fairlead.model import (
    Fill,
    Instrument,
    MarketId,
    OrderState,
    Purpose,
    Side,
    Slot,
    Trade,
)

if TYPE_CHECKING:
    from fairlead.api.plan_executor import ExecutionView

__all__ = ["Balance", "BookView", "Depth", "OrderView", "View", "Walk"]


class BookView(Protocol):
    """A valid book, converted to decimals where it is looked at."""

    @property
    def best_bid(self) -> Depth:
        """Give the highest bid."""

    @property
    def best_ask(self) -> Depth:
        """Give the lowest ask."""

    @property
    def mid(self) -> Decimal:
        """Give (best bid + best ask) / 2."""

    @property
    def microprice(self) -> Decimal:
        """Give the mid weighted by the opposite side's quantity at the best prices."""

    def depth(self, side: Side, levels: int) -> tuple[Depth, ...]:
        """Give up to ``levels`` levels from the best outwards: bids high to low, asks low up."""

    def imbalance(self, levels: int) -> float:
        """Give (bid - ask) / (bid + ask) quantity of the first levels, from -1 to 1."""

    def walk(self, side: Side, quantity: Decimal) -> Walk | None:
        """Take ``quantity`` as a taker of that side would; None when the side is empty."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One asset of an account.

    ``free`` to use, ``locked`` in orders, and of the free part what is ``reserved`` by orders
    on their way.
    """

    free: Decimal
    locked: Decimal
    reserved: Decimal

    @property
    def total(self) -> Decimal:
        """Give free plus locked."""
        return self.free + self.locked

    @property
    def available(self) -> Decimal:
        """Give what a new order may use; never below zero."""
        return max(self.free - self.reserved, Decimal(0))


class OrderView(msgspec.Struct, frozen=True, gc=False):
    """An order of ours as the tracker knows it now."""

    client_id: str
    slot: Slot
    side: Side
    price: Decimal
    quantity: Decimal
    filled: Decimal
    state: OrderState
    purpose: Purpose
    decided_ns: int
    #: When the venue's acknowledgement arrived; None before.
    acknowledged_ns: int | None

    @property
    def leaves(self) -> Decimal:
        """Give what may still fill; an unproven order may still fill whole."""
        return self.quantity - self.filled

    @property
    def is_reservation(self) -> bool:
        """Tell that this is no order yet: what an admitted plan may still place, at its bound."""
        return not self.client_id and bool(self.slot.plan) and self.slot.level < 0


@dataclass(frozen=True, slots=True)
class View:
    """What a controller sees on its tick."""

    now_ns: int
    market: MarketId
    instrument: Instrument
    #: None while the book is invalid, stale, or has an empty side.
    book: BookView | None
    #: The last valid mark; None before the first.
    mark: Decimal | None
    base: Balance
    quote: Balance
    #: Signed quantity held: the base balance of a spot market, the position of a contract.
    position: Decimal
    #: The strategy's orders that are not closed.
    orders: tuple[OrderView, ...]
    #: Prints of others since the last tick, oldest first, prices in the feed's integers.
    trades: tuple[Trade, ...]
    #: Own fills since the last tick, oldest first.
    fills: tuple[Fill, ...]
    #: The strategy's orders that closed since the last tick, oldest first.
    closed: tuple[OrderView, ...] = ()
    #: Multiply spreads by this: what risk rules ask for; at least 1.
    spread_factor: Decimal = Decimal(1)
    #: The strategy's executions: those that run, those that ended since the last decision, and
    #: those that it asked for then and that were denied (``end`` "denied: …").
    executions: tuple[ExecutionView, ...] = ()

    @property
    def mid(self) -> Decimal | None:
        """Give the mid of the valid book."""
        return None if self.book is None else self.book.mid
