"""Hold what a position remembers between steps, and what it holds now."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from fairlead.api import MarketLook, OrderView, PlanView
from fairlead.api.plans import PositionPlan
from fairlead.execution.position_barrier import Barrier
from fairlead.model import ZERO, InstrumentKind

__all__ = [
    "ENTRY_LEVEL",
    "LEAVE_LEVEL",
    "PROFIT_LEVEL",
    "REST_LEVEL",
    "Holding",
    "PositionState",
    "holding",
]

#: Slot levels by role: the entry, an exit that rests, the take profit, an exit that takes.
ENTRY_LEVEL, REST_LEVEL, PROFIT_LEVEL, LEAVE_LEVEL = 0, 2, 3, 4


class PositionState(msgspec.Struct, frozen=True):
    """What it remembers; what was filled is not here."""

    quantity: Decimal
    #: The worst price of the entry.
    bound: Decimal
    #: When it began; 0 = not yet.
    started_ns: int = 0
    #: Why nothing more is entered; "" = it still may be.
    entry_over: str = ""
    #: Where the trailing stop stands; None = it is not armed.
    trail: Decimal | None = None
    #: The barrier that was reached, when, and the worst price of leaving (None = no book since).
    barrier: Barrier | None = None
    barrier_ns: int = 0
    exit_bound: Decimal | None = None
    #: When it took last, on the way in, with the profit, and on the way out; 0 = not yet.
    entered_ns: int = 0
    profited_ns: int = 0
    left_ns: int = 0
    #: Since when nothing was offered within the bound; None = something was.
    empty_ns: int | None = None
    #: (slot level, when its last order was refused).
    refused_ns: tuple[tuple[int, int], ...] = ()
    #: No entry or exit is larger, since a limit of size was in the way; None = all at once.
    entry_most: Decimal | None = None
    exit_most: Decimal | None = None
    stopped: bool = False
    end: str = ""
    refusal: str = ""


class Holding(msgspec.Struct, frozen=True):
    """What there is of a position, in base units or contracts."""

    #: What the plan holds and could give back, positive = its own way; fees that were taken out
    #: of it are gone. Below zero when an exit filled after its end was proven.
    net: Decimal
    #: What its live exits may still take from that.
    leaving: Decimal
    #: What was entered in all, and at which average; None = nothing yet.
    entered: Decimal
    average: Decimal | None

    @property
    def held(self) -> Decimal:
        """Give what is held the plan's own way; never below zero."""
        return max(self.net, ZERO)

    @property
    def room(self) -> Decimal:
        """Give what another exit may have at most."""
        return max(self.held - self.leaving, ZERO)


def holding(plan: PositionPlan, view: PlanView, look: MarketLook) -> Holding:
    """Add up what a plan holds."""
    entered = view.done(plan.market, plan.side, ENTRY_LEVEL)
    exposure = plan.side.sign * view.exposure(plan.market)
    if look.instrument.kind is InstrumentKind.SPOT:
        # A fee in base is not there any more; on the way back it only makes less arrive.
        paid = dict(view.done(plan.market).fees).get(look.instrument.base, ZERO)
        exposure = min(exposure, exposure - plan.side.sign * paid)
    return Holding(
        net=exposure,
        leaving=_leaves(order for order in view.orders if order.side is not plan.side),
        entered=entered.quantity,
        average=entered.average,
    )


def _leaves(orders: Iterable[OrderView]) -> Decimal:
    return sum((order.leaves for order in orders), start=ZERO)
