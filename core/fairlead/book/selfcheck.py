"""Compare a book with the venue's own best-quote stream while both arrive.

Both streams carry the same ids, but a best quote may come before or after the diff that ends at
its id. So recent quotes and recent tops of the book wait for each other by id, and each pair is
compared once, when its second half is there.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from fairlead.model import BestQuote

__all__ = ["SelfCheck", "Top", "WrongTop"]

HalfT = TypeVar("HalfT")

#: How many quotes and how many tops wait at least; a burst is a few hundred.
_RECENT = 2048
#: How many wrong pairs are kept for a person to look at.
_SHOWN = 5


class Top(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of a book with their quantities, in the feed's integers."""

    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class WrongTop(msgspec.Struct, frozen=True, gc=False):
    """A pair that disagrees: what the venue said and what the book held after that update."""

    update_id: int
    said: Top
    held: Top


class _Recent(Generic[HalfT]):
    # The last n to 2n halves by id. Two generations, because a dictionary that is used as a queue
    # pays for every entry that was deleted at its front.

    def __init__(self, count: int) -> None:
        self._count = count
        self._young: dict[int, HalfT] = {}
        self._old: dict[int, HalfT] = {}

    def put(self, update_id: int, half: HalfT) -> None:
        if len(self._young) >= self._count:
            self._old, self._young = self._young, {}
        self._young[update_id] = half

    def take(self, update_id: int) -> HalfT | None:
        half = self._young.pop(update_id, None)
        return self._old.pop(update_id, None) if half is None else half


class SelfCheck:
    """Count how often book and best quotes agreed; memory is bounded.

    ``recent`` is how many quotes, and how many tops, wait at least for their other half.
    """

    def __init__(self, recent: int = _RECENT) -> None:
        self._quotes: _Recent[BestQuote] = _Recent(recent)
        self._tops: _Recent[Top] = _Recent(recent)
        #: Pairs compared, and how many of them disagreed.
        self.compared = 0
        self.wrong = 0
        #: The first few that disagreed.
        self.first_wrong: tuple[WrongTop, ...] = ()

    def on_quote(self, quote: BestQuote) -> bool | None:
        """Take the venue's best quote; tells whether the book agrees, None if not known yet."""
        top = self._tops.take(quote.update_id)
        if top is None:
            self._quotes.put(quote.update_id, quote)
            return None
        return self._compare(quote, top)

    def on_top(self, update_id: int, top: Top) -> bool | None:
        """Take the book's top right after the diff that ends at ``update_id``."""
        quote = self._quotes.take(update_id)
        if quote is None:
            self._tops.put(update_id, top)
            return None
        return self._compare(quote, top)

    def _compare(self, quote: BestQuote, held: Top) -> bool:
        said = Top(quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity)
        self.compared += 1
        if said == held:
            return True
        self.wrong += 1
        if len(self.first_wrong) < _SHOWN:
            self.first_wrong += (WrongTop(quote.update_id, said, held),)
        return False
