"""Hold one execution while it runs: its plan, its machine, its orders, and what it waits for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import BaseModel

from fairlead.api import (
    Balance,
    ExecutionResult,
    ExecutionView,
    Leg,
    MarketLook,
    OrderView,
    Place,
    Plan,
    PlanEvent,
    PlanExecutor,
    Progress,
    Timer,
    Watch,
)
from fairlead.kernel.plans_book import PlanBook
from fairlead.model import Instrument, MarketId, Side, Slot
from fairlead.store import AdmittedLeg
from fairlead.trackers import MarketTracker, Order

__all__ = ["WAITING", "Closing", "PlanLook", "PlanRun", "PlanSurroundings", "markets_in"]

#: What the id of a wish begins with that was allowed but has not left; its slot follows.
WAITING = "?"


def markets_in(value: object) -> tuple[MarketId, ...]:
    """Name every market that a plan, or any other model, has in its fields, each once."""
    return tuple(dict.fromkeys(_markets_in(value)))


def _markets_in(value: object) -> Iterator[MarketId]:
    match value:
        case MarketId():
            yield value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _markets_in(getattr(value, name))
        case tuple() | list():
            for one in value:
                yield from _markets_in(one)
        case Mapping():
            for one in value.values():
                yield from _markets_in(one)
        case _:
            pass


@dataclass(frozen=True, slots=True)
class PlanSurroundings:
    """What every plan may look at."""

    now_ns: Callable[[], int]
    tick_ns: int
    markets: Mapping[MarketId, MarketTracker]
    balance: Callable[[str, str], Balance]
    position: Callable[[MarketId], Decimal]
    rate: Callable[[str], Decimal | None]
    #: Wishes of a plan that were allowed but have not left, as orders on their way.
    waiting: Callable[[str], tuple[OrderView, ...]]


@dataclass(slots=True)
class Closing:
    """What a plan's executor said when it ended; its last orders are waited for."""

    end: str
    complete: bool
    residual: dict[MarketId, Decimal]
    kept: dict[MarketId, Decimal]
    notes: dict[str, str]
    #: What was filled since, where the executor has not said what that makes of the residual.
    since: dict[MarketId, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class PlanRun:
    """One execution; `PlanDesk` leads it."""

    execution: str
    name: str
    strategy: str
    executor_name: str
    plan: Plan
    executor: PlanExecutor[Any]
    state: msgspec.Struct
    #: The state as it was journaled last.
    durable: str
    legs: tuple[Leg, ...]
    #: The mids at admission, by market.
    mids: Mapping[MarketId, Decimal | None]
    instruments: Mapping[MarketId, Instrument]
    started_ns: int
    book: PlanBook
    loss_cap: Decimal | None = None
    #: Live orders by client id, and wishes that the pipeline took but that have not left.
    orders: dict[str, Order] = field(default_factory=dict)
    placed: dict[Slot, Place] = field(default_factory=dict)
    events: deque[PlanEvent] = field(default_factory=deque)
    watches: tuple[Watch, ...] = ()
    #: Watches that were reached and not asked for otherwise since.
    reached: tuple[Watch, ...] = ()
    timer: Timer | None = None
    #: Refusals that it hears of later, by slot.
    late: dict[Slot, Timer] = field(default_factory=dict)
    closing: Closing | None = None
    #: False: its books are kept, but it does not step; it waits for the start to be reconciled.
    awake: bool = True
    #: What its executor had said at its end, in a run before this one; "" = it had not ended.
    ended_before: str = ""
    #: True: its executor failed, and is not asked any more.
    broken: bool = False

    def look(self, around: PlanSurroundings) -> PlanLook:
        """Give what its executor may see."""
        return PlanLook(around, self.execution, self.instruments, self.book, self.orders)

    def view(self, result: ExecutionResult | None = None) -> ExecutionView:
        """Show it to its controller."""
        return ExecutionView(
            name=self.name,
            execution=self.execution,
            executor=self.executor_name,
            plan=self.plan,
            result=result,
            exposure={market: self.book.exposure(market) for market in self.instruments},
        )

    def admitted_legs(self) -> tuple[AdmittedLeg, ...]:
        """Give its legs as they are stored."""
        return tuple(
            AdmittedLeg(
                market=str(leg.market),
                side=leg.side,
                quantity=leg.quantity,
                bound=leg.bound,
                expected=leg.expected,
                mid=self.mids.get(leg.market),
            )
            for leg in self.legs
        )

    def stop_waiting(self) -> None:
        """Wait for no time and no price any more."""
        self.watches = ()
        self.set_timer(None)

    def let_go(self) -> None:
        """Wait for nothing at all any more."""
        self.stop_waiting()
        for late in self.late.values():
            late.cancel()

    def set_timer(self, timer: Timer | None) -> None:
        """Wait for this timer from now on, and for no other."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer


@dataclass(frozen=True, slots=True)
class PlanLook:
    """What a plan's executor sees of the world; a live view, see `fairlead.api.PlanView`."""

    around: PlanSurroundings
    execution: str
    instruments: Mapping[MarketId, Instrument]
    book: PlanBook
    live: Mapping[str, Order]

    @property
    def now_ns(self) -> int:
        """Give kernel time."""
        return self.around.now_ns()

    @property
    def tick_ns(self) -> int:
        """Give the length of a tick."""
        return self.around.tick_ns

    @property
    def orders(self) -> tuple[OrderView, ...]:
        """Give its orders that are not closed, and those that are about to leave."""
        return tuple(order.view() for order in self.live.values()) + self.around.waiting(
            self.execution
        )

    def market(self, market: MarketId) -> MarketLook:
        """Show one of the plan's markets."""
        instrument, tracker = self.instruments[market], self.around.markets[market]
        return MarketLook(
            instrument=instrument,
            book=tracker.view(),
            mark=tracker.mark,
            base=self.around.balance(market.venue, instrument.base),
            quote=self.around.balance(market.venue, instrument.quote),
            position=self.around.position(market),
        )

    def done(
        self, market: MarketId | None = None, side: Side | None = None, level: int | None = None
    ) -> Progress:
        """Add up the plan's fills."""
        return self.book.progress(market, side, level)

    def exposure(self, market: MarketId) -> Decimal:
        """Give what the plan bought less what it sold there."""
        return self.book.exposure(market)

    def rate(self, asset: str) -> Decimal | None:
        """Give the engine's currency per unit of an asset."""
        return self.around.rate(asset)
