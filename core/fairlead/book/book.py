"""Follow a venue's order book: snapshot, diffs, and whether what is held can be trusted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from fairlead.book.ladder import Ladder, LadderMaker, SortedLadder
from fairlead.book.selfcheck import SelfCheck, Top
from fairlead.book.sequence import Sequel, SequenceRule
from fairlead.book.view import DecimalView
from fairlead.model import BookDiff, BookSnapshot, Level, MarketId, Scale, Side

__all__ = ["Book", "BookCounters", "BookResult"]

#: How many diffs wait for a snapshot; the oldest go first, and a snapshot that would have needed
#: them is then found too old by the sequence rule.
_WAITING = 4096


class BookResult(StrEnum):
    """What became of a message; after GAP or CROSSED the book needs a fresh snapshot.

    After DISAGREES it is as valid as before, and the caller decides whether to `Book.lose` it.
    """

    APPLIED = "applied"
    #: It waits for a snapshot.
    BUFFERED = "buffered"
    #: The book already held what it says.
    DROPPED = "dropped"
    #: Something before it is missing; the book is invalid now.
    GAP = "gap"
    #: It left the book crossed or locked; the book is invalid now.
    CROSSED = "crossed"
    #: Applied, but the venue's own best quote of this update is another.
    DISAGREES = "disagrees"


_TROUBLE = (BookResult.GAP, BookResult.CROSSED, BookResult.DISAGREES)


class BookCounters(msgspec.Struct, gc=False):
    """What a book went through since it was made."""

    #: Diffs applied, and those left out because the book held what they say.
    applied: int = 0
    dropped: int = 0
    gaps: int = 0
    crossed: int = 0
    #: Losses asked for from outside: a connection went, the feed fell silent.
    lost: int = 0
    #: Snapshots that made an invalid book valid again; the very first one is none.
    resyncs: int = 0


class Book:
    """One market's book. Synchronous, and valid or empty: a doubtful book shows nothing.

    Diffs before the snapshot wait, bounded, and follow it. A gap, a crossed or locked top, or
    `lose` makes the book invalid until a fresh snapshot replaces it. ``check`` is told the top
    after every diff that was applied.
    """

    def __init__(
        self,
        market: MarketId,
        rule: SequenceRule,
        *,
        check: SelfCheck | None = None,
        ladder: LadderMaker = SortedLadder,
        waiting: int = _WAITING,
    ) -> None:
        self.market = market
        self.rule = rule
        self.check = check
        self.counters = BookCounters()
        #: Whether what is held follows the venue; only then there is anything to see.
        self.valid = False
        #: Why it is not valid; "" when it is.
        self.reason = "no snapshot yet"
        #: The last update that was applied; None before the first snapshot.
        self.last_id: int | None = None
        #: The venue's stamp of the last message applied; 0 where it gives none.
        self.venue_ns = 0
        #: Our stamp of the last message that made the content different.
        self.changed_ns = 0
        #: Best bid and ask; None while invalid or while a side is empty. Cheap to read.
        self.top: Top | None = None
        #: What the integers stand for; None before the first snapshot, then fixed.
        self.scale: Scale | None = None
        self._bids = ladder(Side.BUY)
        self._asks = ladder(Side.SELL)
        self._waiting: deque[BookDiff] = deque(maxlen=waiting)
        self._fresh = True
        self._was_lost = False
        # The view with all that is in the book, until the next change.
        self._view: DecimalView | None = None

    def on_snapshot(self, snapshot: BookSnapshot) -> BookResult:
        """Hold the snapshot instead of everything else, then follow it with what waited.

        DROPPED when the book is valid and already beyond it. GAP when what waited does not follow
        it: it is too old, ask again.

        :raises ValueError: when it has other decimals than the one before.
        """
        if self.valid and self.last_id is not None and snapshot.last_id < self.last_id:
            return BookResult.DROPPED
        if self.scale is not None and snapshot.scale != self.scale:
            raise ValueError(f"{self.market}: the decimals of a book are fixed for its life")
        self.scale = snapshot.scale
        changed = self._bids.replace(snapshot.bids)
        changed |= self._asks.replace(snapshot.asks)
        self.last_id, self.venue_ns = snapshot.last_id, snapshot.venue_ns
        self.valid, self.reason, self._fresh = True, "", True
        if not self._settle(changed, snapshot.local_ns):
            return self._crossed()
        result = self._replay()
        if self.valid:
            self.counters.resyncs += self._was_lost
            self._was_lost = False
            if changed:
                # What waited was stamped before the snapshot that made it visible.
                self.changed_ns = snapshot.local_ns
        return result

    def on_diff(self, diff: BookDiff) -> BookResult:
        """Apply a diff, or say why not."""
        if not self.valid or self.last_id is None:
            self._waiting.append(diff)
            return BookResult.BUFFERED
        sequel = self.rule.judge(diff, self.last_id, fresh=self._fresh)
        if sequel is Sequel.OLD:
            self.counters.dropped += 1
            return BookResult.DROPPED
        if sequel is Sequel.GAP:
            self.counters.gaps += 1
            self._invalidate(f"gap: {self.last_id} is followed by {diff.first_id}")
            self._waiting.append(diff)
            return BookResult.GAP
        changed = self._bids.apply(diff.bids)
        changed |= self._asks.apply(diff.asks)
        self.last_id, self.venue_ns, self._fresh = diff.last_id, diff.venue_ns, False
        self.counters.applied += 1
        if changed and not self._settle(changed, diff.local_ns):
            return self._crossed()
        if self.check is None or self.top is None:
            return BookResult.APPLIED
        agrees = self.check.on_top(diff.last_id, self.top)
        return BookResult.DISAGREES if agrees is False else BookResult.APPLIED

    def lose(self, reason: str) -> None:
        """Trust nothing until the next snapshot: the feed fell silent, a check failed.

        What waited is forgotten, since it may belong to a connection that is gone.
        """
        self.counters.lost += 1
        self._invalidate(reason)
        self._waiting.clear()

    def levels(self, side: Side, limit: int | None = None) -> Iterator[Level]:
        """Give up to ``limit`` bids (BUY) or asks from the best outwards, as integers."""
        return self._side(side).outwards(limit)

    def level_count(self, side: Side) -> int:
        """Count the bids (BUY) or asks."""
        return len(self._side(side))

    def quantity_at(self, side: Side, price: int) -> int:
        """Give the quantity of the bid (BUY) or ask at a price; 0 when there is none."""
        return self._side(side).quantity_at(price)

    def volume_through(self, side: Side, price: int) -> int:
        """Give the total of the bids (BUY) or asks at ``price`` and at every better price."""
        return self._side(side).volume_through(price)

    def view(self, own: Mapping[tuple[Side, int], int] | None = None) -> DecimalView | None:
        """Show the book in decimals, without our own orders where ``own`` names them.

        ``own`` maps (side, price) to the quantity of ours that the venue's book contains, as
        integers; a level of which nothing is left vanishes. None while the book is invalid or a
        side is empty. A view is of this instant: it must not outlive the next message.
        """
        if self.top is None or self.scale is None:
            return None
        if own:
            return DecimalView.of(self._bids, self._asks, self.scale, own)
        if self._view is None:
            self._view = DecimalView.of(self._bids, self._asks, self.scale, {})
        return self._view

    def _side(self, side: Side) -> Ladder:
        return self._bids if side is Side.BUY else self._asks

    def _settle(self, changed: bool, local_ns: int) -> bool:
        # Read the new top; False when it is crossed or locked.
        self._view = None
        if changed:
            self.changed_ns = local_ns
        bid, ask = self._bids.best(), self._asks.best()
        if bid is None or ask is None:
            self.top = None
            return True
        if bid[0] >= ask[0]:
            return False
        self.top = Top(bid[0], bid[1], ask[0], ask[1])
        return True

    def _crossed(self) -> BookResult:
        self.counters.crossed += 1
        self._invalidate(f"crossed or locked after {self.last_id}")
        return BookResult.CROSSED

    def _invalidate(self, reason: str) -> None:
        if self.valid:
            self._was_lost = True
        self.valid, self.reason, self.top, self._view = False, reason, None, None
        self._bids.replace(())
        self._asks.replace(())

    def _replay(self) -> BookResult:
        waiting, self._waiting = self._waiting, deque(maxlen=self._waiting.maxlen)
        result = BookResult.APPLIED
        for diff in waiting:
            # After a gap the rest waits on, for a younger snapshot.
            answer = self.on_diff(diff)
            if answer in _TROUBLE:
                result = answer
        return result
