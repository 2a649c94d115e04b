"""Look at the begin of a recording: which kind of market, which symbol, how many decimals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from math import gcd
from types import MappingProxyType

import msgspec

from fairlead.book import BINANCE_COINM, BINANCE_SPOT, BINANCE_USDM, SequenceRule
from fairlead.errors import FeedError
from fairlead.market.decode import (
    BinanceDecoder,
    Raw,
    RawDiff,
    RawQuote,
    RawSnapshot,
    RawTrade,
    parse_binance,
)
from fairlead.market.recorded_lines import RecordedLines
from fairlead.model import MarketId, Scale, trimmed, unscaled

__all__ = ["BinanceKind", "RecordingHead", "read_recording_head"]

#: How many lines are looked at for a snapshot. Recorders ask for it within seconds.
_LINES = 5_000


class BinanceKind(StrEnum):
    """Which of the venue's three markets a stream comes from."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"

    @property
    def sequence(self) -> SequenceRule:
        """Say how the ids of its diffs follow one another."""
        return _RULES[self]


_RULES = MappingProxyType(
    {
        BinanceKind.SPOT: BINANCE_SPOT,
        BinanceKind.USDM: BINANCE_USDM,
        BinanceKind.COINM: BINANCE_COINM,
    }
)
# COIN-M contracts are named PAIR_PERP or PAIR_yymmdd with a pair against USD.
_COINM_SYMBOL = re.compile(r"[A-Z0-9]+USD_(PERP|\d{6})")


@dataclass(frozen=True, slots=True)
class RecordingHead:
    """What the begin of a recording shows.

    ``tick`` and ``lot`` are the greatest common divisors of the prices and quantities of the
    first snapshot, None without one; ``symbol`` is the venue's, "" when no message names it.
    """

    kind: BinanceKind
    symbol: str
    scale: Scale
    tick: Decimal | None
    lot: Decimal | None


def read_recording_head(lines: RecordedLines, kind: BinanceKind | None = None) -> RecordingHead:
    """Read up to the first snapshot and the first message that names its market.

    Lines that cannot be read are left to the reader of the whole. ``kind`` overrides what the
    messages show.

    :raises FeedError: when nothing can be read or no line holds a message of a book; its
        ``usable`` is False.
    """
    seen = _Seen()
    trouble: FeedError | None = None
    try:
        for line in islice(lines.raw(), _LINES):
            try:
                seen.add(parse_binance(line.partition(b" ")[2]))
            except (ValueError, msgspec.DecodeError, RecursionError) as error:
                trouble = trouble or lines.error(f"unreadable message ({error})", usable=False)
            if seen.complete:
                break
    except FeedError as error:
        trouble = trouble or error
    head = seen.head(kind)
    if head is not None:
        return head
    if trouble is None:
        raise FeedError(str(lines.path), "no usable message", usable=False)
    raise FeedError(
        trouble.source,
        f"no usable message: {trouble.reason}",
        line=trouble.line,
        offset=trouble.offset,
        usable=False,
    ) from trouble


class _Seen:
    # What the messages have shown so far.

    def __init__(self) -> None:
        self._kind: BinanceKind | None = None
        self._symbol = ""
        self._snapshot: RawSnapshot | None = None
        self._price_decimals = 0
        self._quantity_decimals = 0
        self._any = False

    @property
    def complete(self) -> bool:
        return self._snapshot is not None and self._symbol != ""

    def add(self, raw: Raw | None) -> None:
        if raw is None:
            return
        self._any = True
        for price, quantity in _numbers(raw):
            self._price_decimals = max(self._price_decimals, _decimals(price))
            self._quantity_decimals = max(self._quantity_decimals, _decimals(quantity))
        if isinstance(raw, RawSnapshot) and self._snapshot is None:
            self._snapshot = raw
        if raw.symbol and not self._symbol:
            self._symbol = raw.symbol
            self._kind = _kind(raw)

    def head(self, kind: BinanceKind | None) -> RecordingHead | None:
        if not self._any:
            return None
        scale = Scale(self._price_decimals, self._quantity_decimals)
        shown = self._kind or (self._snapshot and _kind(self._snapshot)) or BinanceKind.SPOT
        tick, lot = self._divisors(scale)
        return RecordingHead(kind or shown, self._symbol, scale, tick, lot)

    def _divisors(self, scale: Scale) -> tuple[Decimal | None, Decimal | None]:
        if self._snapshot is None:
            return None, None
        decoder = BinanceDecoder(MarketId("", ""), self._snapshot.symbol or "", scale)
        try:
            levels = decoder.levels([*self._snapshot.bids, *self._snapshot.asks])
        except ValueError:
            return None, None  # the reader of the whole will say where and why
        tick = gcd(*(price for price, _ in levels))
        lot = gcd(*(quantity for _, quantity in levels))
        return (
            _plain(tick, scale.price_decimals) if tick else None,
            _plain(lot, scale.quantity_decimals) if lot else None,
        )


def _numbers(raw: Raw) -> list[tuple[str, str]]:
    match raw:
        case RawQuote():
            return [(raw.bid, raw.bid_quantity), (raw.ask, raw.ask_quantity)]
        case RawTrade():
            return [(raw.price, raw.quantity)]
        case RawDiff() | RawSnapshot():
            return [*raw.bids, *raw.asks]


def _kind(raw: Raw) -> BinanceKind:
    if raw.symbol and _COINM_SYMBOL.fullmatch(raw.symbol):
        return BinanceKind.COINM
    match raw:
        case RawQuote():
            spot = raw.event is None
        case RawTrade():
            spot = raw.ignored is not None
        case RawDiff():
            spot = raw.previous_id is None
        case RawSnapshot():
            spot = raw.sent is None
    return BinanceKind.SPOT if spot else BinanceKind.USDM


def _decimals(text: str) -> int:
    return min(len(text.partition(".")[2]), 24)


def _plain(value: int, decimals: int) -> Decimal:
    # Without the zeros that feeds pad with, so that prices on this grid have none either.
    return Decimal(trimmed(unscaled(value, decimals)))
