"""Measure the way of market data: lines, decoding, the book, and the check of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, rate
from fairlead.book import Book
from fairlead.market import Recording, RecordingCheck
from fairlead.model import BookDiff, BookSnapshot, MarketId

__all__ = ["SPOT", "figures"]

#: The recorded spot stream, in sequence.
SPOT = ("spot_btcusdt_20240808.jsonl.gz", "spot_btcusdt_20240809.jsonl.gz")
_MARKET = MarketId("bench", "BTC/USDT")


def figures(data: Path) -> Iterator[Figure]:
    """Measure over the recorded spot stream in the folder of recorded data, part by part."""
    recording = Recording([data / "binance_l2" / name for name in SPOT])
    messages = sum(1 for _ in recording.events(_MARKET))

    def lines() -> None:
        for _ in recording.lines:
            pass

    def decoding() -> None:
        for _ in recording.events(_MARKET):
            pass

    yield rate("unpack and split lines", "messages", messages, lines)
    yield rate("decode to events", "messages", messages, decoding)
    yield rate("data check, whole", "messages", messages, RecordingCheck(recording).run)

    # Last, because what is kept here makes every collection of garbage above slower.
    depth = [e for e in recording.events(_MARKET) if isinstance(e, BookDiff | BookSnapshot)]
    levels = sum(len(event.bids) + len(event.asks) for event in depth)

    def following() -> None:
        book = Book(_MARKET, recording.head.kind.sequence)
        for event in depth:
            if isinstance(event, BookDiff):
                book.on_diff(event)
            else:
                book.on_snapshot(event)

    yield rate("apply diffs to the book", "levels", levels, following)
