"""Measure the way of market data: lines, decoding, the book, and the check of a recording.

Each measurement is the best of a few rounds in time of the processor, since neighbours on the
machine only make it slower.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fairlead.book import Book
from fairlead.market import Recording, RecordingCheck
from fairlead.model import BookDiff, BookSnapshot, MarketId

__all__ = ["Row", "rows"]

_ROUNDS = 3
_MARKET = MarketId("bench", "BTC/USDT")
_SPOT = ("spot_btcusdt_20240808.jsonl.gz", "spot_btcusdt_20240809.jsonl.gz")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, how much of it, in how many seconds."""

    name: str
    unit: str
    count: int
    seconds: float

    @property
    def rate(self) -> float:
        """Give units per second."""
        return self.count / self.seconds


def rows(data: Path) -> Iterator[Row]:
    """Measure over the recorded spot stream in the folder of recorded data, part by part."""
    recording = Recording([data / "binance_l2" / name for name in _SPOT])
    messages = sum(1 for _ in recording.events(_MARKET))

    def lines() -> None:
        for _ in recording.lines:
            pass

    def decoding() -> None:
        for _ in recording.events(_MARKET):
            pass

    def checking() -> None:
        RecordingCheck(recording).run()

    yield Row("unpack and split lines", "messages", messages, _best(lines))
    yield Row("decode to events", "messages", messages, _best(decoding))
    yield Row("data check, whole", "messages", messages, _best(checking))

    # Last, because what is kept here makes every collection of garbage above slower.
    depth = [e for e in recording.events(_MARKET) if isinstance(e, BookDiff | BookSnapshot)]
    levels = sum(len(event.bids) + len(event.asks) for event in depth)

    def following() -> None:
        _follow(Book(_MARKET, recording.head.kind.sequence), depth)

    yield Row("book: apply diffs", "levels", levels, _best(following))


def _follow(book: Book, depth: list[BookDiff | BookSnapshot]) -> None:
    for event in depth:
        if isinstance(event, BookDiff):
            book.on_diff(event)
        else:
            book.on_snapshot(event)


def _best(work: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best
