"""Define where market data without a venue comes from: recordings and synthetic markets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fairlead.book import CONTIGUOUS, SequenceRule
from fairlead.model import InstrumentKind, MarketEvent, Scale
from fairlead.model.grid import PriceGrid

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["DataSource", "MarketHint", "SourceContext"]


@dataclass(frozen=True, slots=True)
class MarketHint:
    """What a source knows of a market that it carries.

    ``lot`` and the grid are None where nobody wrote them down and they must be found in the
    data (the greatest common divisors of the first snapshot); ``derived`` then says so.
    """

    symbol: str
    base: str
    quote: str
    scale: Scale
    grid: PriceGrid
    lot: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    kind: InstrumentKind = InstrumentKind.SPOT
    multiplier: Decimal = Decimal(1)
    settle: str | None = None
    inverse: bool = False
    #: True when tick and lot were found in the data instead of known.
    derived: bool = False
    #: How the ids of its diffs follow one another.
    sequence: SequenceRule = CONTIGUOUS


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a data source's builder gets besides its argument."""

    venue: str
    #: Make a generator for one purpose, from the venue's seed; the same one every time.
    random: Callable[[str], Random]
    folder: Path
    #: Trading rules written in the configuration, by symbol; they win over what data shows.
    instruments: Mapping[str, Mapping[str, str]]


class DataSource(Protocol):
    """A finite, ordered flow of market events that brings its own time."""

    @property
    def name(self) -> str:
        """Name the source as a person would, without a path."""

    @property
    def duration_ns(self) -> int | None:
        """Say how long it lasts, where that is known beforehand."""

    @property
    def starts_ns(self) -> int:
        """Say when its first event is, by our own stamp; reads as little as needed.

        :raises FeedError: when the source cannot be read.
        """

    def market(self) -> MarketHint:
        """Describe the market that it carries; reads as little as needed.

        :raises FeedError: when the source cannot be read.
        """

    def events(self) -> Iterator[MarketEvent]:
        """Give events in the order of `local_ns`, which never goes back; memory stays flat.

        :raises FeedError: at the first unreadable line, with its number and offset.
        """
