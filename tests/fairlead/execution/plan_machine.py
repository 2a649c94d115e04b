"""What venues, markets and deaths of the engine do to any plan: the rules that machines share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import SearchStrategy
from typing_extensions import override

from fairlead.api import OrderView
from fairlead.model import MarketId, OrderState, OrderTrigger
from tests.fairlead.execution.plan_kit import Kit

PICK = st.integers(0, 20)
#: What a venue can say about an order without a fill.
PROOFS = [
    trigger
    for trigger in OrderTrigger
    if trigger not in {OrderTrigger.CANCEL_SENT, OrderTrigger.PARTIAL_FILL, OrderTrigger.FULL_FILL}
]


def _own(name: str) -> SearchStrategy[Any]:
    # What differs from plan to plan is an attribute of the machine that runs.
    return st.runner().flatmap(lambda machine: getattr(machine, name))


class PlanMachine(RuleBasedStateMachine):
    """Acknowledgements, fills, proofs, crashes and markets in any order.

    The machine of a plan builds `kit` as it begins, and says in `judge` what must hold. Whatever
    happened, in the end everybody behaves, and the plan must come to its end.
    """

    kit: Kit
    #: A fill came after the end of its order: what nobody could know may break a limit.
    late = False
    _rest: Decimal | None = None
    #: The markets that move, how far in hundredths around 100, and the size of their levels.
    moving: ClassVar[SearchStrategy[MarketId]]
    moves: ClassVar[SearchStrategy[int]]
    sizes: ClassVar[SearchStrategy[int]]
    #: How long it may be until the next tick.
    pauses_ms: ClassVar[SearchStrategy[int]]
    #: Nobody stops a plan before it has placed more orders.
    placed_first = 1

    #: Where markets are in the end, in hundredths: around 100, or how wide.
    rests: ClassVar[SearchStrategy[int]]

    #: Looks whether all that must hold, holds.
    judge: Callable[[], None]
    #: Lets everybody behave from now on, with markets as they were drawn to be.
    fall_quiet: Callable[[Decimal], None]

    @initialize(rest=_own("rests"))
    def draw_rest(self, rest: int) -> None:
        self._rest = Decimal(rest) / 100

    @override
    def teardown(self) -> None:
        # What has failed, was thrown away or never began is not gone on with.
        begun = hasattr(self, "kit") and self._rest is not None
        if sys.exc_info()[0] is not None or not begun or self.kit.finished:
            return
        assert self._rest is not None
        self.fall_quiet(self._rest)
        assert self.kit.finished, "it never ends"
        self.judge()

    def pick(self, number: int) -> OrderView:
        """Give one of the live orders, of which there must be one."""
        return list(self.kit.live.values())[number % len(self.kit.live)]

    @property
    def gone(self) -> Sequence[OrderView]:
        """Give the orders that have ended with something left."""
        ends = {OrderState.CANCELLED, OrderState.EXPIRED}
        return [order for order in self.kit.orders.values() if order.state in ends]

    def part(self, order: OrderView, part: str) -> Decimal:
        """Give a part of what is left of an order, in lots."""
        lot = self.kit.instruments[order.slot.market].lot
        return max(order.leaves * Decimal(part) // lot * lot, min(lot, order.leaves))

    # What venues do.

    @precondition(lambda self: self.kit.live)
    @rule(number=PICK, trigger=st.sampled_from(PROOFS))
    def venue_says(self, number: int, trigger: OrderTrigger) -> None:
        self.kit.move(self.pick(number), trigger)
        self.judge()

    @precondition(lambda self: self.kit.live)
    @rule(number=PICK, part=st.sampled_from(["1", "0.5", "0.2"]), better=st.booleans())
    def venue_fills(self, number: int, part: str, better: bool) -> None:
        order = self.pick(number)
        improved = order.price * (1 - order.side.sign * Decimal("0.0003"))
        self.kit.fill(order, self.part(order, part), improved if better else None)
        self.judge()

    @precondition(lambda self: not self.kit.end and self.gone)
    @rule(number=PICK)
    def a_fill_comes_after_the_end_of_its_order(self, number: int) -> None:
        order = self.gone[number % len(self.gone)]
        self.late = True
        self.kit.fill_late(order, self.kit.instruments[order.slot.market].lot)
        self.judge()

    @rule(
        market=_own("moving"),
        moved=_own("moves"),
        size=_own("sizes"),
        valid=st.sampled_from([True, True, True, False]),
    )
    def market_moves(self, market: MarketId, moved: int, size: int, valid: bool) -> None:
        mid = 100 + Decimal(moved) / 100
        if valid:
            self.kit.quote(market, mid - Decimal("0.05"), mid + Decimal("0.05"), size)
        else:
            self.kit.book(market, None)
        self.judge()

    # What the engine does.

    @rule(milliseconds=_own("pauses_ms"))
    def time_passes(self, milliseconds: int) -> None:
        self.kit.advance(ns=milliseconds * 1_000_000)
        self.judge()

    @precondition(lambda self: not self.kit.end)
    @rule(number=PICK, part=st.sampled_from(["0", "1", "0.5"]), lost=st.integers(0, 3))
    def engine_dies(self, number: int, part: str, lost: int) -> None:
        fills: dict[str, Decimal] = {}
        if self.kit.live and part != "0":
            order = self.pick(number)
            fills[order.client_id] = self.part(order, part)
        self.kit.restart(lost_steps=lost, fills=fills)
        self.judge()

    @precondition(lambda self: not self.kit.end and len(self.kit.orders) > self.placed_first)
    @rule()
    def somebody_stops_it(self) -> None:
        self.kit.stop()
        self.judge()
