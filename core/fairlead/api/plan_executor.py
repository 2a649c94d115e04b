"""Define how a plan is worked: new risk that was admitted once, and the machine that works it.

A controller (or a person) asks for a plan by value with a `Start`. It is admitted on a tick or not
at all: admission names the most that it may trade in each market and the worst price, and reserves
that until the plan ends. Between ticks a plan places only within its admission; what shrinks its
own exposure (a hedge, an exit, an unwind) needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict

from fairlead.api.executor import Action, Filled, OrderChanged, Place, Stop, Wake
from fairlead.api.risk import Denied
from fairlead.api.view import Balance, BookView, OrderView
from fairlead.model import ZERO, Instrument, MarketId, Side

__all__ = [
    "Admitted",
    "ExecutionMode",
    "ExecutionResult",
    "ExecutionView",
    "ExecutorContext",
    "Leg",
    "LegResult",
    "MarketLook",
    "Plan",
    "PlanEvent",
    "PlanExecutor",
    "PlanStep",
    "PlanView",
    "Progress",
    "Refused",
    "Resumed",
    "Start",
    "Triggered",
    "Watch",
]

StateT = TypeVar("StateT", bound=msgspec.Struct)


class Plan(BaseModel):
    """What an executor is asked to do; each executor has a model of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Start:
    """Ask for a plan to be admitted and worked."""

    #: Names it among the strategy's plans; one of that name that still runs is left alone.
    name: str
    #: The executor's name, as it is offered.
    executor: str
    plan: Plan


class Leg(msgspec.Struct, frozen=True, gc=False):
    """New risk in one market: at most ``quantity`` (base units or contracts), within ``bound``."""

    market: MarketId
    side: Side
    quantity: Decimal
    bound: Decimal
    #: What the executor expects to get on average, for the result; None = nothing.
    expected: Decimal | None = None
    #: Where its first order is priced if it takes at once; None = it rests, or is sliced.
    priced: Decimal | None = None


class Admitted(msgspec.Struct, Generic[StateT], frozen=True):
    """A plan that may begin: its first state and what it may do at most."""

    state: StateT
    legs: tuple[Leg, ...]
    #: What ending it early may cost at most, in the first leg's quote currency; None = no cap.
    loss_cap: Decimal | None = None


class Progress(msgspec.Struct, frozen=True, gc=False):
    """What fills add up to; each counts once, those of before a restart included."""

    quantity: Decimal = ZERO
    #: Sum of price x quantity x contract size, in quote currency.
    value: Decimal = ZERO
    #: Sum of price x quantity, for the average.
    weighted: Decimal = ZERO
    #: The part of ``quantity`` that was filled as maker.
    maker: Decimal = ZERO
    fills: int = 0
    #: By asset, as the venue took them; a rebate is negative.
    fees: tuple[tuple[str, Decimal], ...] = ()
    first_ns: int | None = None
    last_ns: int | None = None

    @property
    def average(self) -> Decimal | None:
        """Give the average price; None before the first fill."""
        return self.weighted / self.quantity if self.quantity else None


@dataclass(frozen=True, slots=True)
class MarketLook:
    """One market of a plan as it stands this instant."""

    instrument: Instrument
    #: Net of own orders where they are in it; None while the book is invalid, stale or one-sided.
    book: BookView | None
    #: The last valid mark; None before the first.
    mark: Decimal | None
    base: Balance
    quote: Balance
    #: What the account holds of it.
    position: Decimal


class PlanView(Protocol):
    """What a plan's executor sees: its markets, its own orders and what they filled."""

    @property
    def now_ns(self) -> int:
        """Give kernel time."""

    @property
    def tick_ns(self) -> int:
        """Give the length of a tick."""

    @property
    def orders(self) -> Sequence[OrderView]:
        """Give the plan's own orders that are not closed, UNKNOWN ones included, oldest first."""

    def market(self, market: MarketId) -> MarketLook:
        """Show one of the plan's markets."""

    def done(
        self, market: MarketId | None = None, side: Side | None = None, level: int | None = None
    ) -> Progress:
        """Add up the plan's fills: all, or those of one market, side or slot level."""

    def exposure(self, market: MarketId) -> Decimal:
        """Give what the plan itself bought less what it sold there; base units or contracts."""

    def rate(self, asset: str) -> Decimal | None:
        """Give the engine's currency per unit of ``asset``; None = no mark path."""


class Watch(msgspec.Struct, frozen=True, gc=False):
    """Wake the plan once a market's mid is at or beyond a price."""

    name: str
    market: MarketId
    price: Decimal
    #: True: at or above ``price``; False: at or below.
    above: bool


class Triggered(msgspec.Struct, frozen=True, gc=False):
    """A `Watch` was reached; it stays off until the executor asks for it again."""

    watch: Watch
    mid: Decimal


class Refused(msgspec.Struct, frozen=True):
    """A wish of the plan did not become an order: the pipeline denied it."""

    place: Place
    #: The stage that refused: normalize, admission, risk, breaker or reserve.
    stage: str
    denied: Denied


class Resumed(msgspec.Struct, frozen=True, gc=False):
    """The engine was restarted: the state is the last durable one, no order of before is live."""


PlanEvent = OrderChanged | Filled | Wake | Stop | Triggered | Refused | Resumed


class ExecutionMode(StrEnum):
    """How it was done in the end."""

    MAKER = "maker"
    TAKER = "taker"
    MIXED = "mixed"
    NONE = "none"


class LegResult(msgspec.Struct, frozen=True):
    """What became of one market of a plan; the kernel fills it in from the fills."""

    market: str
    side: Side
    requested: Decimal
    filled: Decimal
    #: The mid when the plan was admitted; None = there was no valid book.
    decision_mid: Decimal | None
    #: What the executor expected to get on average; None = it expected nothing.
    expected: Decimal | None
    average: Decimal | None
    #: Signed, positive = worse: side x (average - mid at decision), x filled x contract size.
    slippage_quote: Decimal | None
    slippage_bps: Decimal | None
    maker: Decimal
    fees: dict[str, Decimal]


class ExecutionResult(msgspec.Struct, frozen=True):
    """What a plan came to; stored."""

    #: True: it did what it was asked for.
    complete: bool
    #: Why it ended, in a few words: "done", "stopped", "time limit", "bound", …
    end: str
    mode: ExecutionMode
    legs: tuple[LegResult, ...]
    #: What is left open by market, in base units or contracts; {} = nothing above a lot.
    residual: dict[str, Decimal]
    started_ns: int
    ended_ns: int
    #: What the executor adds of its own: loss, policy used, which barrier, …; texts. One that is
    #: named "incident" is recorded as an incident too.
    notes: dict[str, str]


class PlanStep(msgspec.Struct, Generic[StateT], frozen=True):
    """What a step gives: the next state, what to do in order, and when to be woken.

    ``wake_ns`` and ``watches`` replace those of the step before; a watch that stays as it was is
    not reached again before the market moves. A plan that has ended (``end`` not "") places nothing
    more; the kernel waits until none of its orders can fill, and records. Until then it goes on
    stepping: the first ``end`` and ``complete`` stay, a later ``residual``, ``kept`` or ``notes``
    replaces the one before.
    """

    state: StateT
    actions: tuple[Action, ...] = ()
    wake_ns: int | None = None
    watches: tuple[Watch, ...] = ()
    end: str = ""
    complete: bool = False
    #: What remains open and is nobody's to mend: → REDUCING on that market, and an alert.
    residual: tuple[tuple[MarketId, Decimal], ...] = ()
    #: What remains open as agreed, or because no order could be that small: reported as a part of
    #: the result's residual, it restrains nothing.
    kept: tuple[tuple[MarketId, Decimal], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutorContext:
    """What a plan executor's builder gets besides the plan."""

    strategy: str
    #: The plan's own id: the ``plan`` of the slots of all its orders.
    execution: str
    instruments: Mapping[MarketId, Instrument]


class PlanExecutor(Protocol[StateT]):
    """Works one plan; pure; acts on filled quantity; restartable from its last durable state.

    Fills are never counted in the state: `PlanView.done` is the sum, also after a restart.
    Orders go into slots of ``Slot(strategy, market, side, level, execution)``; the level is the
    order's role and the executor's to choose.
    """

    @property
    def state(self) -> type[StateT]:
        """Give the class of its state, to read a stored one."""

    def admit(self, view: PlanView) -> Admitted[StateT] | Denied:
        """Say what it would do at most if it began now, or why it must not."""

    def step(self, state: StateT, event: PlanEvent, view: PlanView) -> PlanStep[StateT]:
        """Take one step; pure, never waits. The first event is a `Wake`."""


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """One execution as a controller sees it."""

    name: str
    execution: str
    executor: str
    plan: Plan
    #: None while it runs.
    result: ExecutionResult | None = None
    exposure: Mapping[MarketId, Decimal] = field(default_factory=dict)
