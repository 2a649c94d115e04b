"""Decide from its ids whether a diff follows what a book holds: one rule for each kind of feed.

A rule is a small frozen object, so that another venue's feed is another value and not another
book. It sees ids only, never contents.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from typing_extensions import override

from fairlead.model import BookDiff

__all__ = [
    "BINANCE_COINM",
    "BINANCE_SPOT",
    "BINANCE_USDM",
    "CONTIGUOUS",
    "ConsecutiveIds",
    "LinkedIds",
    "Sequel",
    "SequenceRule",
]


class Sequel(StrEnum):
    """What a diff is to the book that it meets."""

    #: It follows; apply it.
    NEXT = "next"
    #: The book already holds what it says; leave it out.
    OLD = "old"
    #: Something between the book and it is missing; the book is no longer true.
    GAP = "gap"


class SequenceRule(Protocol):
    """Say what a diff is to a book; pure, and the same for the same ids."""

    @property
    def name(self) -> str:
        """Name the rule as reports show it."""

    def judge(self, diff: BookDiff, last_id: int, *, fresh: bool) -> Sequel:
        """Judge ``diff`` against a book at ``last_id``.

        ``fresh`` = nothing was applied since the snapshot, which need not fall on a diff's edge.
        """


@dataclass(frozen=True, slots=True)
class ConsecutiveIds:
    """Ids count without a hole: a diff begins where the last one ended, plus one.

    With ``spans_snapshot`` the first diff after a snapshot may begin before the snapshot's id, as
    long as it reaches beyond it. A later one that only overlaps is a gap: one stream does not do
    that, so the feed is not what it seems.

    Source: Binance Spot API documentation, "How to manage a local order book correctly", 2025.
    """

    name: str
    spans_snapshot: bool = True

    def judge(self, diff: BookDiff, last_id: int, *, fresh: bool) -> Sequel:
        """Judge by the diff's first and last id."""
        if diff.last_id <= last_id:
            return Sequel.OLD
        if diff.first_id == last_id + 1:
            return Sequel.NEXT
        if fresh and self.spans_snapshot and diff.first_id <= last_id:
            return Sequel.NEXT
        return Sequel.GAP

    @override
    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class LinkedIds:
    """Each diff names the one before; ids have holes because other markets share them.

    The first after a snapshot contains the snapshot's id, or names it as the one before.

    Source: Binance USD-M and COIN-M Futures API documentation, "How to manage a local order book
    correctly", 2025; that a first diff may also begin exactly after the snapshot was seen on the
    recorded streams.
    """

    name: str

    def judge(self, diff: BookDiff, last_id: int, *, fresh: bool) -> Sequel:
        """Judge by the diff's own ids and the one it names as before."""
        if diff.previous_id == last_id:
            return Sequel.NEXT
        if fresh:
            if diff.last_id < last_id:
                return Sequel.OLD
            return Sequel.NEXT if diff.first_id <= last_id else Sequel.GAP
        # The same message twice: its quantities are the ones already held.
        return Sequel.OLD if diff.last_id <= last_id else Sequel.GAP

    @override
    def __str__(self) -> str:
        return self.name


#: Binance spot ``depth`` streams.
BINANCE_SPOT: SequenceRule = ConsecutiveIds("binance spot")
#: Binance USD-M futures ``depth`` streams.
BINANCE_USDM: SequenceRule = LinkedIds("binance usdm")
#: Binance COIN-M futures ``depth`` streams.
BINANCE_COINM: SequenceRule = LinkedIds("binance coinm")
#: Feeds of our own making: every diff begins right after the book's id, the first one too.
CONTIGUOUS: SequenceRule = ConsecutiveIds("contiguous", spans_snapshot=False)
