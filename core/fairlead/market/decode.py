"""Turn one raw Binance market message into one event, in integers of the feed's decimals.

Samples, one of each kind (combined-stream envelope; the depth snapshot is the bare REST answer)::

    {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT",
     "U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"]],"a":[]}}
    {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000",
     "B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}
    {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,
     "p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}
    {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"]],"asks":[]}

Futures diffs add ``pu`` (the id before) and ``T`` (matching time); COIN-M adds ``ps``.
Source: Binance Spot, USD-M and COIN-M API documentation, "WebSocket market streams", 2025.
"""

from __future__ import annotations

import re

import msgspec

from fairlead.model import (
    BestQuote,
    BookDiff,
    BookSnapshot,
    Level,
    MarketId,
    Scale,
    Side,
    Trade,
    scaled,
)

__all__ = [
    "BinanceDecoder",
    "Integers",
    "Raw",
    "RawDiff",
    "RawQuote",
    "RawSnapshot",
    "RawTrade",
    "parse_binance",
]

#: A stamp above this counts microseconds, not milliseconds (year 5138 in milliseconds).
_MILLISECONDS_END = 10**14
#: How many texts are remembered before the memory starts anew.
_REMEMBERED = 1 << 15
#: A text longer than this is no price, and more digits than the decimal context holds.
_LONGEST = 40
# Python's own numbers may also have signs, exponents, blanks and underscores.
_PLAIN = re.compile(r"[0-9]+(\.[0-9]*)?")

Pairs = list[tuple[str, str]]


class RawQuote(msgspec.Struct, gc=False):
    """``bookTicker``: the venue's best quote after an update."""

    symbol: str = msgspec.field(name="s")
    update_id: int = msgspec.field(name="u")
    bid: str = msgspec.field(name="b")
    bid_quantity: str = msgspec.field(name="B")
    ask: str = msgspec.field(name="a")
    ask_quantity: str = msgspec.field(name="A")
    matched: int = msgspec.field(name="T", default=0)
    #: Futures name the event in it, spot does not.
    event: str | None = msgspec.field(name="e", default=None)


class RawTrade(msgspec.Struct, gc=False):
    """``trade``: one print."""

    symbol: str = msgspec.field(name="s")
    trade_id: int = msgspec.field(name="t")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    matched: int = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")
    #: A flag without meaning that only spot has.
    ignored: bool | None = msgspec.field(name="M", default=None)


class RawDiff(msgspec.Struct, gc=False):
    """``depthUpdate``: absolute quantities of changed levels."""

    symbol: str = msgspec.field(name="s")
    sent: int = msgspec.field(name="E")
    first_id: int = msgspec.field(name="U")
    last_id: int = msgspec.field(name="u")
    bids: Pairs = msgspec.field(name="b")
    asks: Pairs = msgspec.field(name="a")
    previous_id: int | None = msgspec.field(name="pu", default=None)
    matched: int = msgspec.field(name="T", default=0)


class RawSnapshot(msgspec.Struct, gc=False):
    """The REST answer to a depth request."""

    last_id: int = msgspec.field(name="lastUpdateId")
    bids: Pairs
    asks: Pairs
    matched: int = msgspec.field(name="T", default=0)
    #: Futures stamp it, spot does not; COIN-M also names the market.
    sent: int | None = msgspec.field(name="E", default=None)
    symbol: str | None = None


Raw = RawQuote | RawTrade | RawDiff | RawSnapshot


class _QuoteEnvelope(msgspec.Struct, gc=False):
    data: RawQuote


class _TradeEnvelope(msgspec.Struct, gc=False):
    data: RawTrade


class _DiffEnvelope(msgspec.Struct, gc=False):
    data: RawDiff


class _Other(msgspec.Struct, gc=False):
    # Any JSON object.
    stream: str = ""
    last_id: int | None = msgspec.field(name="lastUpdateId", default=None)


_quote = msgspec.json.Decoder(_QuoteEnvelope).decode
_trade = msgspec.json.Decoder(_TradeEnvelope).decode
_diff = msgspec.json.Decoder(_DiffEnvelope).decode
_snapshot = msgspec.json.Decoder(RawSnapshot).decode
_other = msgspec.json.Decoder(_Other).decode


def parse_binance(payload: bytes) -> Raw | None:
    """Read one message with its texts as they are; None for one that is not about a book.

    :raises ValueError: when it is not what it says it is (`msgspec.DecodeError`: not JSON).
    """
    # The begin of the envelope says what is inside; a whole parse to find that out would cost as
    # much as the decoding.
    raw = _by_stream(payload[:64], payload)
    if raw is not None:
        return raw
    if payload.startswith(b'{"lastUpdateId"'):
        return _snapshot(payload)
    # Keys in another order, or something else that a socket says: an answer to a subscription.
    other = _other(payload)
    if other.last_id is not None:
        return _snapshot(payload)
    return _by_stream(f'{other.stream}"'.encode(), payload)


def _by_stream(head: bytes, payload: bytes) -> RawQuote | RawTrade | RawDiff | None:
    if b"@bookTicker" in head:
        return _quote(payload).data
    if b'@trade"' in head:
        return _trade(payload).data
    # Not depth5, depth10 or depth20: these repeat the first levels and are no diffs.
    if b"@depth@" in head or b'@depth"' in head:
        return _diff(payload).data
    return None


class _NoPriceError(ValueError):
    pass


class Integers(dict[str, int]):
    """Give decimal texts as integers of a fixed number of decimals, remembering recent ones.

    A feed writes every number with the same decimals, and the same prices again and again. A
    text in another form is converted exactly.

    :raises ValueError: on look-up, for what is no number, negative, or finer than the decimals;
        for 0 too, where that makes no sense.
    """

    def __init__(self, decimals: int, *, zero: bool) -> None:
        super().__init__()
        self.decimals = decimals
        self._zero = zero

    def __missing__(self, text: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self._convert(text)
        if not (value or self._zero):
            raise _NoPriceError(f"not above zero: {text!r}")
        self[text] = value
        return value

    def _convert(self, text: str) -> int:
        if len(text) > _LONGEST:
            raise ValueError(f"out of range: {text[:_LONGEST]!r}…")
        if self._has_full_width(text):
            digits = text.replace(".", "", 1)
            if digits.isdecimal() and digits.isascii():
                return int(digits)
        if not _PLAIN.fullmatch(text):
            raise ValueError(f"no plain decimal number: {text!r}")
        return scaled(text, self.decimals)

    def _has_full_width(self, text: str) -> bool:
        if self.decimals:
            return text[-self.decimals - 1 : -self.decimals] == "."
        return "." not in text


class BinanceDecoder:
    """Decode the messages of one market.

    ``symbol`` is the venue's own. A message of another market is an error: two markets in one
    book would be neither.
    """

    def __init__(self, market: MarketId, symbol: str, scale: Scale) -> None:
        self.market = market
        self.symbol = symbol
        self.scale = scale
        self._prices = Integers(scale.price_decimals, zero=False)
        self._quantities = Integers(scale.quantity_decimals, zero=True)

    def decode(
        self, payload: bytes, local_ns: int
    ) -> BestQuote | Trade | BookDiff | BookSnapshot | None:
        """Give the event of one message; None for a valid one that says nothing of this book.

        :raises ValueError: when the message is not what it should be (`msgspec.DecodeError`: not
            JSON or of the wrong types).
        """
        raw = parse_binance(payload)
        if raw is None:
            return None
        if raw.symbol != self.symbol and raw.symbol is not None:
            raise ValueError(f"a message of {raw.symbol} among those of {self.symbol}")
        if isinstance(raw, RawQuote):
            return self._quote(raw, local_ns)
        if isinstance(raw, RawTrade):
            return self._print(raw, local_ns)
        if isinstance(raw, RawDiff):
            return self._diff(raw, local_ns)
        return self._snapshot(raw, local_ns)

    def _quote(self, raw: RawQuote, local_ns: int) -> BestQuote | None:
        prices, quantities = self._prices, self._quantities
        try:
            return BestQuote(
                self.market,
                _nanoseconds(raw.matched),
                local_ns,
                raw.update_id,
                prices[raw.bid],
                quantities[raw.bid_quantity],
                prices[raw.ask],
                quantities[raw.ask_quantity],
            )
        except _NoPriceError:
            return None  # a side is empty: nothing to compare a book with

    def _print(self, raw: RawTrade, local_ns: int) -> Trade | None:
        try:
            return Trade(
                self.market,
                _nanoseconds(raw.matched),
                local_ns,
                str(raw.trade_id),
                # The maker bought, so the taker sold.
                Side.SELL if raw.buyer_is_maker else Side.BUY,
                self._prices[raw.price],
                self._quantities[raw.quantity],
            )
        except _NoPriceError:
            return None  # USD-M streams hold ids without a trade: price 0, quantity 0, X = "NA"

    def _diff(self, raw: RawDiff, local_ns: int) -> BookDiff:
        if raw.first_id > raw.last_id:
            raise ValueError(f"first id {raw.first_id} after last id {raw.last_id}")
        return BookDiff(
            self.market,
            _nanoseconds(raw.matched or raw.sent),
            local_ns,
            raw.first_id,
            raw.last_id,
            raw.previous_id,
            self.levels(raw.bids),
            self.levels(raw.asks),
        )

    def _snapshot(self, raw: RawSnapshot, local_ns: int) -> BookSnapshot:
        return BookSnapshot(
            self.market,
            _nanoseconds(raw.matched),
            local_ns,
            raw.last_id,
            self.levels(raw.bids),
            self.levels(raw.asks),
            self.scale,
        )

    def levels(self, pairs: Pairs) -> tuple[Level, ...]:
        """Give (price, quantity) texts as integers.

        :raises ValueError: when one of them is not what a level may hold.
        """
        prices, quantities = self._prices, self._quantities
        return tuple([(prices[price], quantities[quantity]) for price, quantity in pairs])


def _nanoseconds(stamp: int) -> int:
    return stamp * (1_000_000 if stamp < _MILLISECONDS_END else 1_000)
