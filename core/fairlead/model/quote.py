"""Write down a wish and why: quotes, the reasons behind them, and order intents."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.model.instrument import Instrument, MarketId
from fairlead.model.order import Purpose, Side, TimeInForce

__all__ = ["CancelRequest", "OrderIntent", "Quote", "Reason", "Slot"]


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One modifier in the chain from reference price to final quote.

    ``subject`` is "price" or "quantity"; ``before`` is None for the first of a chain.
    """

    stage: str
    subject: str
    before: Decimal | None
    after: Decimal
    detail: str = ""


class Slot(msgspec.Struct, frozen=True, order=True, gc=False):
    """The place of one resting order: at most one live order stands in it (TRADING: replace).

    ``plan`` is the id of the execution that the order works for; "" = a quote of the strategy.
    """

    strategy: str
    market: MarketId
    side: Side
    level: int
    plan: str = ""


class Quote(msgspec.Struct, frozen=True, gc=False):
    """A price and quantity that a strategy wishes to rest, with its reasons.

    Level 0 is nearest to the mid. ``reference`` is the price that the quote was built from.
    """

    side: Side
    level: int
    price: Decimal
    quantity: Decimal
    reference: Decimal
    reasons: tuple[Reason, ...] = ()


class OrderIntent(msgspec.Struct, frozen=True, gc=False):
    """A wish to have an order at a venue, complete with its id; an `Order` is what comes of it."""

    client_id: str
    instrument: Instrument
    side: Side
    price: Decimal
    quantity: Decimal
    slot: Slot
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = True
    reduce_only: bool = False
    purpose: Purpose = Purpose.QUOTE
    #: When it was decided, kernel time; older than one tick is not sent.
    decided_ns: int = 0
    #: The reference and the mid at the decision, for quoted edge and slippage.
    reference: Decimal | None = None
    mid: Decimal | None = None
    #: The chain from reference to price and quantity, for `explain`.
    reasons: tuple[Reason, ...] = ()

    @property
    def notional(self) -> Decimal:
        """Give price x quantity x contract size in quote currency."""
        return self.instrument.notional(self.price, self.quantity)


class CancelRequest(msgspec.Struct, frozen=True, gc=False):
    """A wish that one order of ours be gone."""

    client_id: str
    market: MarketId
    venue_id: str | None
    reason: str
