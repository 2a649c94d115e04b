"""Define what a venue must offer to the engine: the connector contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from fairlead.api.limit import UNMETERED, Meter, RateLimit
from fairlead.api.seams import Clock, Ids, Transport
from fairlead.api.source import DataSource
from fairlead.book import SequenceRule
from fairlead.model import (
    BalanceUpdate,
    CancelRequest,
    Fill,
    Instrument,
    MarketId,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    Rejected,
    Unavailable,
    VenueEvent,
)

__all__ = [
    "BatchLimits",
    "Capabilities",
    "Connector",
    "ConnectorContext",
    "DeadMan",
    "DeadManKind",
    "DeadlineKind",
    "Publish",
    "Restartable",
]

#: Hand an event to the engine; synchronous, never raises, never waits.
Publish = Callable[[VenueEvent], None]


class DeadlineKind(StrEnum):
    """Whether a request carries a time after which the venue refuses it."""

    NONE = "none"
    REQUEST = "request"


class DeadManKind(StrEnum):
    """Whether the venue cancels our orders when we fall silent."""

    NONE = "none"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How many orders one request may carry; 1 = no batches."""

    creates: int = 1
    cancels: int = 1
    #: Whether one request may concern several markets; for creates and cancels.
    mixed_markets: bool = False
    #: Whether one request may hold buys and sells; for creates.
    mixed_sides: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue can do, as data."""

    batch: BatchLimits = BatchLimits()
    deadline: DeadlineKind = DeadlineKind.NONE
    #: How long after sending a request can still take effect; with `DeadlineKind.NONE` a guess.
    deadline_ns: int = 5_000_000_000
    #: How long the venue's listings may lag behind what has happened there.
    visibility_ns: int = 2_000_000_000
    dead_man: DeadManKind = DeadManKind.NONE
    #: Whether the venue's public book contains our own orders.
    own_orders_in_book: bool = True
    amend: bool = False
    #: How many requests may be under way at once.
    max_in_flight: int = 64
    #: How much may be asked in what time; a request needs room in each that weighs its kind.
    limits: tuple[RateLimit, ...] = ()
    #: True where nothing real can be lost: paper.
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class ConnectorContext:
    """What the engine hands to a connector's builder besides its own configuration."""

    venue: str
    clock: Clock
    ids: Ids
    transport: Transport
    #: Make the data source that a ``scheme:argument`` text names, seeded for this venue.
    source: Callable[[str, int], DataSource]
    #: Relative paths in the configuration are relative to this folder.
    folder: Path
    #: The account's budget; queries of the connector's own are admitted here.
    meter: Meter = UNMETERED


@runtime_checkable
class Restartable(Protocol):
    """A connector whose streams can be opened anew: the engine asks when one has gone mute."""

    def restart_streams(self, reason: str) -> None:
        """Drop every stream and open it again; returns at once."""


@runtime_checkable
class DeadMan(Protocol):
    """A connector whose venue cancels our orders when it does not hear from us in time.

    It needs `Capabilities.dead_man` besides: `DeadManKind.TIMER`.
    """

    async def arm(self, timeout_ns: int) -> Rejected | Unavailable | None:
        """Begin, or begin anew: without another call everything is cancelled after that time.

        None = armed; `Rejected` = this account has no such timer, which is final for the run.
        """

    async def disarm(self) -> Rejected | Unavailable | None:
        """End it, once nothing of ours is left; None = done."""


class Connector(Protocol):
    """One account at one venue. Only here does the engine wait for the outside.

    Nothing here raises for what venue or network do: outcomes are values, queries give a value
    or `Unavailable`, never a neutral default. Cancels and queries work without `run` too: a
    watchdog asks for nothing else.
    """

    @property
    def capabilities(self) -> Capabilities:
        """Say what the venue can do; constant."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Give the markets by unified symbol; complete before the first event."""

    @property
    def starts_ns(self) -> int | None:
        """Say when its source begins, where that brings its own time; None: it has none.

        In paper mode the engine's clock starts at the earliest of these.
        """

    @property
    def ends_ns(self) -> int | None:
        """Say when its source ends, where that is known beforehand; for showing progress."""

    def sequence_rule(self, symbol: str) -> SequenceRule:
        """Say how the ids of this market's diffs follow one another; constant."""

    def resync(self, symbol: str) -> None:
        """Begin to fetch a fresh book snapshot and publish it; returns at once, may be repeated.

        The engine asks when its book has a gap or cannot be trusted. A source that has no other
        snapshot to give does nothing.
        """

    async def run(self, publish: Publish) -> None:
        """Publish venue events until cancelled or the source ends; close what it opened."""

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        """Send orders; one outcome each, in order. Cancelling the call does not undo a send."""

    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        """Ask for orders to be cancelled; one outcome each, in order."""

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        """Read every open order of the account, complete or `Unavailable`."""

    async def order(self, market: MarketId, client_id: str) -> OrderUpdate | Unavailable | None:
        """Read one order; None = the venue does not know it now."""

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Read our fills at or after ``since_ns`` (venue time), oldest first."""

    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        """Read every balance that is not zero."""

    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        """Read every open position; empty for a spot account."""
