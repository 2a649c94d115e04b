"""Carry what venues say: market data, order news, fills and balances, each with two times.

``venue_ns`` is the venue's stamp and ``local_ns`` ours, both integer nanoseconds since the
epoch; where the venue gives none, ``venue_ns`` is 0. Book prices and quantities are integers in
the feed's decimals (`Scale`), fixed for the book's life; levels are (price, quantity), quantity
0 deletes.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from fairlead.model.instrument import MarketId
from fairlead.model.numbers import unscaled
from fairlead.model.order import OrderState, Side

__all__ = [
    "AccountEvent",
    "BalanceUpdate",
    "BestQuote",
    "BookDiff",
    "BookLost",
    "BookSnapshot",
    "Fill",
    "Level",
    "Liquidity",
    "MarketEvent",
    "OrderUpdate",
    "PositionUpdate",
    "Scale",
    "StreamState",
    "StreamStatus",
    "Trade",
    "VenueEvent",
]

#: (price, quantity), both integers in the feed's decimals.
Level = tuple[int, int]


class Scale(msgspec.Struct, frozen=True, gc=False):
    """How many decimals the integers of a feed stand for."""

    price_decimals: int
    quantity_decimals: int

    def price(self, value: int) -> Decimal:
        """Give an integer price as a decimal."""
        return unscaled(value, self.price_decimals)

    def quantity(self, value: int) -> Decimal:
        """Give an integer quantity as a decimal."""
        return unscaled(value, self.quantity_decimals)

    def price_units(self, price: Decimal) -> int:
        """Give a price as an integer; digits finer than the scale are cut off."""
        return int(price.scaleb(self.price_decimals))

    def quantity_units(self, quantity: Decimal) -> int:
        """Give a quantity as an integer; digits finer than the scale are cut off."""
        return int(quantity.scaleb(self.quantity_decimals))


class BookSnapshot(msgspec.Struct, frozen=True, gc=False):
    """The whole book as the venue knows it after update ``last_id``; it replaces ours."""

    market: MarketId
    venue_ns: int
    local_ns: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    scale: Scale


class BookDiff(msgspec.Struct, frozen=True, gc=False):
    """Absolute quantities of the levels that changed in updates ``first_id`` to ``last_id``.

    ``previous_id`` is the ``last_id`` of the message before, where the venue says it.
    """

    market: MarketId
    venue_ns: int
    local_ns: int
    first_id: int
    last_id: int
    previous_id: int | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class BestQuote(msgspec.Struct, frozen=True, gc=False):
    """The venue's own best bid and ask after update ``update_id``; a check, not a book."""

    market: MarketId
    venue_ns: int
    local_ns: int
    update_id: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A print between others. ``side`` is the taker's."""

    market: MarketId
    venue_ns: int
    local_ns: int
    trade_id: str
    side: Side
    price: int
    quantity: int


class BookLost(msgspec.Struct, frozen=True, gc=False):
    """The connector cannot vouch for the book until the next snapshot."""

    market: MarketId
    local_ns: int
    reason: str


MarketEvent = BookSnapshot | BookDiff | BestQuote | Trade | BookLost


class Liquidity(StrEnum):
    """Whether a fill gave or took liquidity, by the venue's flag."""

    MAKER = "maker"
    TAKER = "taker"


class OrderUpdate(msgspec.Struct, frozen=True, gc=False):
    """News of one order. ``filled`` is cumulative; fills themselves come as `Fill`."""

    market: MarketId
    venue_ns: int
    local_ns: int
    client_id: str
    venue_id: str
    state: OrderState
    filled: Decimal
    detail: str = ""


class Fill(msgspec.Struct, frozen=True, gc=False):
    """A trade of ours. ``fee`` is in ``fee_asset``, negative for a rebate."""

    market: MarketId
    venue_ns: int
    local_ns: int
    trade_id: str
    client_id: str
    venue_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity


class BalanceUpdate(msgspec.Struct, frozen=True, gc=False):
    """What the venue holds for us of one asset: free and locked in orders."""

    venue: str
    venue_ns: int
    local_ns: int
    asset: str
    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Give free plus locked."""
        return self.free + self.locked


class PositionUpdate(msgspec.Struct, frozen=True, gc=False):
    """The venue's view of a position: signed quantity and average entry price."""

    market: MarketId
    venue_ns: int
    local_ns: int
    quantity: Decimal
    entry_price: Decimal


class StreamStatus(StrEnum):
    """Whether a venue's streams deliver."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    #: A recorded or synthetic source has no more to say.
    ENDED = "ended"


class StreamState(msgspec.Struct, frozen=True, gc=False):
    """A stream of a venue came up, went down or ended."""

    venue: str
    local_ns: int
    status: StreamStatus
    detail: str = ""


AccountEvent = OrderUpdate | Fill | BalanceUpdate | PositionUpdate
VenueEvent = MarketEvent | AccountEvent | StreamState
