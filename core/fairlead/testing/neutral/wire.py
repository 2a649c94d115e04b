"""Write the neutral protocol down: what a simulated venue and its connector say to each other.

Requests (JSON bodies; decimals are strings, book integers are integers, times integer ns)::

    GET  /time                                    Time
    GET  /markets                                 Markets
    GET  /depth?symbol=                           Depth
    POST /orders      PlaceBatch                  Results, one for each order
    POST /cancels     CancelBatch                 Results, one for each cancel
    GET  /order?client_id=                        OrderAnswer, or 404 UNKNOWN_ORDER
    GET  /open?after=                             OrderPage
    GET  /fills?since=&after=                     FillPage
    GET  /balances                                Balances
    GET  /positions                               Positions
    POST /deadman     DeadMan                     DeadManAnswer

A complaint is an HTTP status of 400 and above with a `Complaint`. Streams: ``/market`` and
``/user``. The client sends one `Subscribe`, and may send ``{"op": "ping"}`` for a `Pong`. What
comes is a `MarketMessage` or a `UserMessage`. User messages are numbered without a hole; those
without news are heartbeats and bear the number of the last news.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.model import Level, Liquidity, OrderState, Side, TimeInForce

__all__ = [
    "BalanceLine",
    "Balances",
    "Cancel",
    "CancelBatch",
    "Complaint",
    "DeadMan",
    "DeadManAnswer",
    "Depth",
    "DiffLine",
    "FillLine",
    "FillPage",
    "MarketLine",
    "MarketMessage",
    "Markets",
    "OrderAnswer",
    "OrderLine",
    "OrderPage",
    "Place",
    "PlaceBatch",
    "Pong",
    "Positions",
    "QuoteLine",
    "Result",
    "Results",
    "Subscribe",
    "Time",
    "TradeLine",
    "UserMessage",
    "encode",
]

#: Write any of these as JSON.
encode = msgspec.json.Encoder(decimal_format="string").encode


class Time(msgspec.Struct, frozen=True):
    """The venue's time."""

    time_ns: int


class MarketLine(msgspec.Struct, frozen=True):
    """A market and its rules. Feed integers have the decimals given; fees are shares."""

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    maker: Decimal
    taker: Decimal
    price_decimals: int
    quantity_decimals: int


class Markets(msgspec.Struct, frozen=True):
    """Every market of the venue."""

    markets: tuple[MarketLine, ...]


class Depth(msgspec.Struct, frozen=True):
    """The whole book after update ``last_id``, best levels first."""

    symbol: str
    time_ns: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order of a batch."""

    client_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = True


class PlaceBatch(msgspec.Struct, frozen=True):
    """Orders, none of which takes effect more than ``window_ns`` after ``time_ns``.

    Both are looked at by the venue's clock when the order takes effect, not when it comes in.
    """

    time_ns: int
    window_ns: int
    orders: tuple[Place, ...]


class Cancel(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order to cancel, by either id; the client's counts when both are given."""

    client_id: str = ""
    venue_id: str = ""


class CancelBatch(msgspec.Struct, frozen=True):
    """Orders to cancel; the deadline is as in `PlaceBatch`."""

    time_ns: int
    window_ns: int
    orders: tuple[Cancel, ...]


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one item: taken, as ``code`` is empty, or refused for that reason."""

    venue_id: str = ""
    code: str = ""
    text: str = ""


class Results(msgspec.Struct, frozen=True):
    """One result for each item of a batch, in its order."""

    results: tuple[Result, ...]


class Complaint(msgspec.Struct, frozen=True):
    """Why a request as a whole was not served."""

    code: str
    text: str = ""


class OrderLine(msgspec.Struct, frozen=True, tag="order", omit_defaults=True):
    """An order as it stands. ``number`` orders the open ones by age."""

    time_ns: int
    symbol: str
    client_id: str
    venue_id: str
    state: OrderState
    filled: Decimal
    number: int = 0


class FillLine(msgspec.Struct, frozen=True, tag="fill"):
    """A trade of the account; ``number`` orders them."""

    time_ns: int
    symbol: str
    trade_id: str
    client_id: str
    venue_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    number: int


class BalanceLine(msgspec.Struct, frozen=True, tag="balance"):
    """What the account has of one asset."""

    time_ns: int
    asset: str
    free: Decimal
    locked: Decimal


class OrderAnswer(msgspec.Struct, frozen=True):
    """One order that was asked for."""

    order: OrderLine


class OrderPage(msgspec.Struct, frozen=True):
    """Open orders, oldest first; ``more`` = ask again after the last number."""

    orders: tuple[OrderLine, ...]
    more: bool


class FillPage(msgspec.Struct, frozen=True):
    """Fills, oldest first; ``more`` = ask again after the last number."""

    fills: tuple[FillLine, ...]
    more: bool


class Balances(msgspec.Struct, frozen=True):
    """Every balance that is not zero."""

    balances: tuple[BalanceLine, ...]


class Positions(msgspec.Struct, frozen=True):
    """Every position; a spot account has none."""

    positions: tuple[OrderLine, ...] = ()


class DeadMan(msgspec.Struct, frozen=True):
    """Cancel all orders of the account unless this comes again in time; 0 = disarm."""

    timeout_ns: int


class DeadManAnswer(msgspec.Struct, frozen=True):
    """When the timer fires, by the venue's time; 0 = it is disarmed."""

    fires_ns: int


class Subscribe(msgspec.Struct, frozen=True, tag_field="op", tag="subscribe"):
    """Begin to send."""


class Pong(msgspec.Struct, frozen=True, tag_field="kind", tag="pong"):
    """The answer to a ping; it proves nothing but a connection."""


class DiffLine(msgspec.Struct, frozen=True, tag="diff"):
    """The levels that changed in updates ``first_id`` to ``last_id``; quantity 0 deletes."""

    time_ns: int
    first_id: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class QuoteLine(msgspec.Struct, frozen=True, tag="quote"):
    """Best bid and ask after update ``update_id``: price, quantity, price, quantity."""

    time_ns: int
    update_id: int
    best: tuple[int, int, int, int]


class TradeLine(msgspec.Struct, frozen=True, tag="trade"):
    """A print between others; ``side`` is the taker's."""

    time_ns: int
    trade_id: str
    side: Side
    price: int
    quantity: int


class MarketMessage(msgspec.Struct, frozen=True, tag_field="kind", tag="market"):
    """What happened in one market, in order."""

    symbol: str
    lines: tuple[DiffLine | QuoteLine | TradeLine, ...]


class UserMessage(msgspec.Struct, frozen=True, tag_field="kind", tag="user"):
    """News of the account; without ``news`` a heartbeat. ``number`` 0 = the venue counts none."""

    number: int
    news: OrderLine | FillLine | BalanceLine | None = None
