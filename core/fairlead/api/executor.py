"""Define what an executor is: a synchronous step machine that manages *how* orders work."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

import msgspec

from fairlead.api.view import OrderView
from fairlead.model import Fill, Instrument, Purpose, Quote, Reason, Side, Slot, TimeInForce

__all__ = [
    "Action",
    "Cancel",
    "Executor",
    "ExecutorEvent",
    "ExecutorView",
    "Filled",
    "OrderChanged",
    "Place",
    "Pull",
    "Step",
    "Stop",
    "Wake",
    "Wish",
]

StateT = TypeVar("StateT", bound=msgspec.Struct)


class Wish(msgspec.Struct, frozen=True):
    """The tick's decision: every quote that should rest."""

    quotes: tuple[Quote, ...]
    decided_ns: int


class Pull(msgspec.Struct, frozen=True, gc=False):
    """Take everything away at once: the book is invalid, or a rule or a person says so."""

    reason: str


class OrderChanged(msgspec.Struct, frozen=True, gc=False):
    """One of the executor's own orders moved."""

    order: OrderView


class Filled(msgspec.Struct, frozen=True, gc=False):
    """One of the executor's own orders filled (in part)."""

    fill: Fill
    slot: Slot


class Wake(msgspec.Struct, frozen=True, gc=False):
    """The tick passed without a new decision: refresh timers may be due."""


class Stop(msgspec.Struct, frozen=True, gc=False):
    """Cancel everything and place nothing more."""


ExecutorEvent = Wish | Pull | OrderChanged | Filled | Wake | Stop


class Place(msgspec.Struct, frozen=True, gc=False):
    """Ask for an order; the pipeline rounds, checks and may deny it."""

    slot: Slot
    side: Side
    price: Decimal
    quantity: Decimal
    decided_ns: int
    purpose: Purpose = Purpose.QUOTE
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = True
    reference: Decimal | None = None
    reasons: tuple[Reason, ...] = ()
    #: Also tell the venue that it may only shrink the account's position in this contract.
    reduce_only: bool = False


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Ask for an own order to be cancelled."""

    client_id: str
    reason: str


Action = Place | Cancel


@dataclass(frozen=True, slots=True)
class ExecutorView:
    """What an executor sees: its own orders that are not closed, and the time."""

    now_ns: int
    instrument: Instrument
    orders: tuple[OrderView, ...]
    tick_ns: int
    #: Best opposite prices, to never cross the market or itself; None = no valid book.
    best_bid: Decimal | None = None
    best_ask: Decimal | None = None


class Step(msgspec.Struct, Generic[StateT], frozen=True):
    """What a step gives: the next state and what to do, in order."""

    state: StateT
    actions: tuple[Action, ...] = ()


class Executor(Protocol[StateT]):
    """Decides *how*; acts on filled quantity; restartable from its last durable state."""

    def initial(self) -> StateT:
        """Give the state to start with."""

    def step(self, state: StateT, event: ExecutorEvent, view: ExecutorView) -> Step[StateT]:
        """Take one step; pure, never waits."""
