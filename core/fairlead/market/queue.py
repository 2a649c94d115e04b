"""Estimate where an own order stands in the queue of its price, from public data alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fairlead.model import Side

__all__ = ["QueueModel", "QueuedOrder"]


class QueueModel(StrEnum):
    """What is believed of others' cancels, which the feed shows without their place.

    ``conservative``: they all stood behind us, so they bring us no further. ``probabilistic``:
    every unit shown is equally likely to be the one that went, so what is ahead shrinks in
    proportion.

    Source: E. Rigtorp, "Estimating Order Queue Position", 2013, with f(x) = x.
    """

    CONSERVATIVE = "conservative"
    PROBABILISTIC = "probabilistic"


@dataclass(slots=True)
class QueuedOrder:
    """A resting order of ours and the quantity of others ahead of it; integers of the feed."""

    key: str
    side: Side
    price: int
    leaves: int
    #: Others' quantity that is served before ours; None = unknown, beyond the known depth.
    ahead: int | None
    #: The quantity that the book shows at the price, as far as `on_level` was told.
    shown: int
    #: The venue's stamp of the book that ``shown`` was read from; 0 where it gives none.
    known_ns: int
    #: Printed at the price since then, so expected to be gone from the next quantity shown.
    printed: int = 0
    #: By how much the last quantity shown cut ``ahead`` without a print to explain it; None =
    #: by all there was before we came.
    _cut: int | None = field(default=None, repr=False)

    def on_level(self, shown: int, venue_ns: int, model: QueueModel) -> None:
        """Learn what the book shows at the price now: never less than what is ahead.

        A decrease that prints explain was counted when they came.
        """
        before = self.ahead
        if before is None:
            self.ahead = shown
        else:
            cancelled = self.shown - shown - self.printed
            ahead = before
            if cancelled > 0 and model is QueueModel.PROBABILISTIC:
                others = self.shown - self.printed
                # Whole units of what is shared out go to those behind: never in our favour.
                ahead -= cancelled * min(ahead, others) // others
            self.ahead = min(ahead, shown)
            self._cut = before - self.ahead
        self.shown, self.known_ns, self.printed = shown, venue_ns, 0

    def forget(self) -> None:
        """Stop believing what is ahead: the price has left the known depth."""
        self.ahead, self.shown, self.printed = None, 0, 0

    def on_print(self, quantity: int, reaching: int, venue_ns: int) -> int:
        """Learn of a print at the price and give what of it goes beyond what is ahead.

        ``reaching`` of the ``quantity`` printed is not yet spent on own orders before this one. A
        print that the venue stamped before the book that we know of is already missing from what
        that book shows, so what it cut there is not cut again.
        """
        if 0 < venue_ns < self.known_ns:
            cut = reaching if self._cut is None else min(self._cut, reaching)
            if self._cut is not None:
                self._cut -= cut
            reaching -= cut
        else:
            self.printed += quantity
        if self.ahead is None:
            return 0
        beyond = max(reaching - self.ahead, 0)
        self.ahead = max(self.ahead - reaching, 0)
        return beyond
