"""Replay a recording through the book and say whether the two agree with the venue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.book import Book, SelfCheck, WrongTop
from fairlead.errors import ExitCode, FeedError
from fairlead.market.recorded import Recording
from fairlead.market.recorded_head import BinanceKind
from fairlead.model import BestQuote, BookDiff, BookSnapshot, MarketId, Scale, Side, trimmed

__all__ = ["RecordingCheck"]

_LEVELS_SHOWN = 20
#: How many events pass between two calls for progress.
_PROGRESS_EVERY = 5_000


class RecordingCheck:
    """Count what a recording holds and what its book went through."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._check = SelfCheck()
        self._book: Book | None = None
        self._events = self._diffs = self._trades = 0
        #: What ended the replay before the files' end; None when nothing did.
        self.error: FeedError | None = None

    @property
    def state(self) -> str:
        """Say whether the book is valid, and why not."""
        if self._book is None:
            return "no book"
        return self._book.reason or "valid"

    @property
    def first_wrong(self) -> tuple[WrongTop, ...]:
        """Give the first pairs in which the venue's best quote and the book disagree."""
        return self._check.first_wrong

    def run(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Replay to the end or to the first line that cannot be read.

        ``progress`` is told now and then how many bytes of the files have been read.
        """
        try:
            self._replay(progress)
        except FeedError as error:
            self.error = error

    def exit_code(self) -> ExitCode:
        """Say what the command answers: CLEAN only for a whole, gapless, agreeing recording."""
        if self.error is not None:
            return self.error.exit_code
        book = self._book
        clean = book is not None and book.valid and not self._check.wrong
        if clean and book is not None and not book.counters.gaps + book.counters.crossed:
            return ExitCode.CLEAN
        return ExitCode.CHECK_FAILED

    def report(self) -> dict[str, Any]:
        """Give the figures, complete or as far as the replay came, ready for JSON."""
        book, kind = self._book, self._kind()
        counters = None if book is None else book.counters
        return {
            "schema": 1,
            "kind": None if kind is None else kind.value,
            "messages": self._events + self._recording.ignored,
            "diffs": self._diffs,
            "trades": self._trades,
            "gaps": counters.gaps if counters else 0,
            "resyncs": counters.resyncs if counters else 0,
            "crossed": counters.crossed if counters else 0,
            "valid": book is not None and book.valid,
            "last_update_id": None if book is None else book.last_id,
            "checkpoints": {"compared": self._check.compared, "wrong": self._check.wrong},
            "bids": self._side(Side.BUY),
            "asks": self._side(Side.SELL),
            "errors": [] if self.error is None else [_described(self.error)],
        }

    def _replay(self, progress: Callable[[int], None]) -> None:
        recording = self._recording
        head = recording.head
        market = MarketId("check", head.symbol)
        self._book = book = Book(market, head.kind.sequence, check=self._check)
        on_diff, on_quote = book.on_diff, self._check.on_quote
        for event in recording.events(market):
            self._events += 1
            if isinstance(event, BestQuote):
                on_quote(event)
            elif isinstance(event, BookDiff):
                self._diffs += 1
                on_diff(event)
            elif isinstance(event, BookSnapshot):
                book.on_snapshot(event)
            else:
                self._trades += 1
            if not self._events % _PROGRESS_EVERY:
                progress(recording.lines.bytes_read())

    def _kind(self) -> BinanceKind | None:
        return None if self._book is None else self._recording.head.kind

    def _side(self, side: Side) -> list[list[str]]:
        book = self._book
        if book is None or book.scale is None:
            return []
        scale: Scale = book.scale
        return [
            [trimmed(scale.price(price)), trimmed(scale.quantity(quantity))]
            for price, quantity in book.levels(side, _LEVELS_SHOWN)
        ]


def _described(error: FeedError) -> dict[str, Any]:
    return {
        "file": error.source,
        "line": error.line,
        "offset": error.offset,
        "reason": error.reason,
    }
