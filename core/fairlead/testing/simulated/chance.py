"""Draw what goes wrong, and count it: one generator for each kind, so that none moves another."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fairlead.api import Ids

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["Chance"]


class Chance:
    """The draws of one venue. A rate of 0 draws nothing at all."""

    def __init__(self, ids: Ids, venue: str) -> None:
        self._ids = ids
        self._venue = venue
        self._generators: dict[str, Random] = {}
        #: How often each kind of fault has really happened.
        self.counts: Counter[str] = Counter()

    def random(self, kind: str) -> Random:
        """Give the generator of a kind, the same one every time."""
        generator = self._generators.get(kind)
        if generator is None:
            generator = self._ids.random(f"venue.{self._venue}.{kind}")
            self._generators[kind] = generator
        return generator

    def hits(self, kind: str, rate: float) -> bool:
        """Draw whether a fault happens now; one that does is counted."""
        if rate <= 0.0 or self.random(kind).random() >= rate:
            return False
        self.counts[kind] += 1
        return True

    def span_ns(self, kind: str, rate: float, span: tuple[int, int]) -> int:
        """Draw for how long something is late; 0 = it is not."""
        return self.between(kind, span) if self.hits(kind, rate) else 0

    def between(self, kind: str, span: tuple[int, int]) -> int:
        """Draw evenly from a span, both ends included."""
        low, high = span
        return low if low >= high else low + int(self.random(kind).random() * (high - low + 1))
