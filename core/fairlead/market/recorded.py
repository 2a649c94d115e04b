"""Play recorded raw Binance streams as a source of market data.

A recording is one or several files, in order, of lines ``<local receive time> <message>``; the
time counts nanoseconds or microseconds, the message is the venue's JSON as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import msgspec

from fairlead.api import MarketHint, SourceContext
from fairlead.errors import FeedError
from fairlead.market.decode import BinanceDecoder
from fairlead.market.recorded_head import BinanceKind, RecordingHead, read_recording_head
from fairlead.market.recorded_lines import RecordedLines
from fairlead.model import (
    ONE,
    ZERO,
    BestQuote,
    BookDiff,
    BookSnapshot,
    ConstantStep,
    InstrumentKind,
    MarketId,
    Trade,
    decimal_from,
    power_of_ten,
)

__all__ = ["RecordedSource", "Recording", "recorded_source"]

#: Quote assets of the venue's spot markets, longest first where one ends another.
_QUOTES = (
    *("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USD1", "EURI", "AEUR"),
    *("DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "ARS", "MXN", "PLN", "RON", "UAH", "ZAR"),
    *("IDR", "CZK", "BTC", "ETH", "BNB", "SOL", "XRP", "TRX", "DOGE", "DOT"),
)
_COINM_PERPETUAL = re.compile(r"(?P<base>[A-Z0-9]+)USD_PERP")
#: USD in one COIN-M contract. Source: Binance COIN-M "Contract specifications", 2025.
_COINM_BTC_USD, _COINM_OTHER_USD = Decimal(100), Decimal(10)


class Recording:
    """Files of one market's raw messages, read from the begin each time."""

    def __init__(self, paths: Sequence[Path], kind: BinanceKind | None = None) -> None:
        self._paths = tuple(paths)
        self._kind = kind
        #: Where the last iteration over events stands.
        self.lines = RecordedLines(self._paths)
        #: Valid messages of the last iteration that were not about the book.
        self.ignored = 0

    @cached_property
    def head(self) -> RecordingHead:
        """Give what the first messages show; read once.

        :raises FeedError: when a file is missing or no usable message is found.
        """
        for path in self._paths:
            # Before an hour is spent on the files in front of it.
            if not path.is_file():
                raise FeedError(str(path), "there is no such file", usable=False)
        return read_recording_head(RecordedLines(self._paths), self._kind)

    def events(self, market: MarketId) -> Iterator[BookSnapshot | BookDiff | BestQuote | Trade]:
        """Give the events in order, as those of ``market``; memory stays flat.

        :raises FeedError: at the first line that cannot be read, with its number and offset.
        """
        self.ignored = 0
        self.lines = lines = RecordedLines(self._paths)
        decode = BinanceDecoder(market, self.head.symbol, self.head.scale).decode
        for local_ns, payload in lines:
            try:
                event = decode(payload, local_ns)
            except (ValueError, msgspec.DecodeError, RecursionError) as error:
                raise lines.error(f"unreadable message ({error})") from error
            if event is None:
                self.ignored += 1
            else:
                yield event


class RecordedSource:
    """A recording as a data source; it brings its own time."""

    def __init__(
        self, paths: Sequence[Path], context: SourceContext, kind: BinanceKind | None = None
    ) -> None:
        self._paths = tuple(paths)
        self._context = context
        self._recording = Recording(paths, kind)

    @property
    def name(self) -> str:
        """Name the files without folder and ending."""
        return ", ".join(path.name.partition(".")[0] for path in self._paths)

    @property
    def duration_ns(self) -> int | None:
        """Give None: only the last line would tell."""
        return None

    @cached_property
    def starts_ns(self) -> int:
        """Give the local time of the first line.

        :raises FeedError: when that line has none.
        """
        for local_ns, _ in RecordedLines(self._paths):
            return local_ns
        raise FeedError(self.name, "no usable message", usable=False)

    def market(self) -> MarketHint:
        """Describe the market: rules from the configuration, else found in the first snapshot.

        :raises FeedError: when no usable message is found, or it is of an unknown market.
        """
        return self._hint

    def events(self) -> Iterator[BookSnapshot | BookDiff | BestQuote | Trade]:
        """Give the events in order of their local time.

        :raises FeedError: at the first line that cannot be read, with its number and offset.
        """
        return self._recording.events(MarketId(self._context.venue, self._hint.symbol))

    @cached_property
    def _hint(self) -> MarketHint:
        head = self._recording.head
        base, quote, settle = self._assets(head)
        symbol = f"{base}/{quote}" + (f":{settle}" if settle else "")
        written = self._written(symbol)
        inverse = head.kind is BinanceKind.COINM
        tick, lot = written.get("tick"), written.get("lot")
        found_tick = head.tick or power_of_ten(-head.scale.price_decimals)
        found_lot = head.lot or power_of_ten(-head.scale.quantity_decimals)
        size = ONE
        if inverse:
            size = _COINM_BTC_USD if base == "BTC" else _COINM_OTHER_USD
        return MarketHint(
            symbol=symbol,
            base=base,
            quote=quote,
            scale=head.scale,
            grid=ConstantStep(tick or found_tick),
            lot=lot or found_lot,
            min_quantity=written.get("min_quantity", ZERO),
            min_notional=written.get("min_notional", ZERO),
            kind=InstrumentKind.PERPETUAL if settle else InstrumentKind.SPOT,
            multiplier=written.get("multiplier", size),
            settle=settle,
            inverse=inverse,
            derived=tick is None or lot is None,
            sequence=head.kind.sequence,
        )

    def _assets(self, head: RecordingHead) -> tuple[str, str, str | None]:
        # Base, quote and, for a contract, what it settles in.
        symbol = head.symbol
        if head.kind is BinanceKind.COINM:
            match = _COINM_PERPETUAL.fullmatch(symbol)
            if match is not None:
                return match["base"], "USD", match["base"]
        else:
            for quote in _QUOTES:
                base = symbol.removesuffix(quote)
                if base not in {"", symbol} and base.isalnum():
                    return base, quote, quote if head.kind is BinanceKind.USDM else None
        raise FeedError(
            self.name,
            f"the symbol {symbol!r} is no {head.kind} market that is known"
            if symbol
            else "no message names its market",
            usable=False,
        )

    def _written(self, symbol: str) -> Mapping[str, Decimal]:
        rules = self._context.instruments.get(symbol, {})
        try:
            return {key: decimal_from(text) for key, text in rules.items()}
        except ValueError as error:
            raise FeedError(
                self.name, f"trading rules of {symbol}: {error}", usable=False
            ) from error


def recorded_source(argument: str, context: SourceContext) -> RecordedSource:
    """Build the source that ``file:a.jsonl.gz,b.jsonl.gz`` names; paths relative to the folder.

    :raises ValueError: when no file is named.
    """
    names = [name.strip() for name in argument.split(",")]
    if not all(names):
        raise ValueError('name one or more files, e.g. "file:a.jsonl.gz,b.jsonl.gz"')
    return RecordedSource([context.folder / name for name in names], context)
