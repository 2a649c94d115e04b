"""Bring one market's position to its target, or to zero, while the engine runs.

First every order on the market must be proven gone; then an `ExitExecutor` works the rest tick by
tick, and each of its orders passes the pipeline as any other. Where a limit of size is in the way,
the orders get smaller; any other refusal of risk ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from fairlead.api import Cancel, ExecutorEvent, ExecutorView, Filled, Place, Ratio, Relief, Wake
from fairlead.execution import EXIT_LEVEL, ExitEnd, ExitExecutor, ExitPlan, ExitState
from fairlead.model import ONE, ZERO, Fill, MarketId, Purpose, Side, Slot, trimmed
from fairlead.pipeline import Refusal
from fairlead.trackers import Order

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk

__all__ = ["FlattenAsked", "Flattening", "slippage"]

_SECOND = 1_000_000_000
_LIMIT_NS = 60 * _SECOND
_HALVINGS = 20
# Levels of the book that are looked at for a slice.
_DEPTH = 100
# The stage that refuses what is below a minimum: halved too often.
_TOO_SMALL = "normalize"


@dataclass(frozen=True, slots=True)
class FlattenAsked:
    """What a person wants: which market, how far from the mid at most, and where to."""

    market: MarketId
    #: The strategy in whose books the fills go.
    strategy: str
    #: A share of the mid, above zero.
    slippage: Decimal
    #: "target" or "zero", for the answer; the desk's target is where it goes.
    to: str
    #: How much of the gap at most, and in what slices, where a risk rule asks.
    relief: Relief | None = None


class Flattening:
    """One exit from beginning to end; `tick` it until it has an ``end``."""

    def __init__(self, desk: Desk, asked: FlattenAsked, now_ns: int) -> None:
        self.asked = asked
        self._desk = desk
        self._until_ns = now_ns + _LIMIT_NS
        self._executor: ExitExecutor | None = None
        self._plan: ExitPlan | None = None
        self._state = ExitState(ZERO)
        self._filled = self._value = ZERO
        #: Why it is over; "" while it is not.
        self.end = ""

    def tick(self, now_ns: int) -> None:
        """Go on by one tick: wait for the market to be empty of us, begin, or take a step."""
        if self.end:
            return
        if now_ns >= self._until_ns:
            self.stop("the time is over", now_ns)
        elif self._executor is not None:
            self._step(Wake(), now_ns)
        elif not self._others():
            self._begin(now_ns)

    def filled(self, fill: Fill, slot: Slot, now_ns: int) -> None:
        """Take a fill of any order; those of the exit count."""
        order = self._desk.orders.get(fill.client_id)
        if order is None or not self._is_mine(order) or self._executor is None:
            return
        self._filled += fill.quantity
        self._value += fill.quantity * fill.price
        self._step(Filled(fill, slot), now_ns)

    def stop(self, why: str, now_ns: int) -> None:
        """Place nothing more and cancel what may still fill."""
        self.end = self.end or why
        cancels = tuple(Cancel(order.client_id, why) for order in self._mine())
        self._desk.pipeline.submit(cancels, self._desk.view)

    def result(self) -> dict[str, Any]:
        """Say what was done and what is left; figures in base units, prices in quote."""
        gap, tracker = self._gap(), self._desk.markets[self.asked.market]
        # The target may have moved on meanwhile; what counts is what was to be done.
        wanted = self._state.left if self._plan is not None else None if gap is None else abs(gap)
        left = None if wanted is None else tracker.instrument.round_quantity(wanted)
        mark = tracker.mark
        tradable = left is None or (
            left > 0 and (mark is None or tracker.instrument.below_minimum(mark, left) is None)
        )
        return {
            "market": str(self.asked.market),
            "to": self.asked.to,
            "side": None if self._plan is None else self._plan.side.value,
            "filled": trimmed(self._filled),
            "average": None
            if not self._filled
            else trimmed((self._value / self._filled).quantize(Decimal("0.00000001"))),
            "bound": None if self._plan is None else trimmed(self._plan.bound),
            "residual": None if gap is None else trimmed(gap),
            # False: what is left to do is nothing, or less than the venue takes as an order.
            "open": tradable,
            "unproven": sum(order.state.is_unproven for order in self._mine()),
            "end": self.end,
        }

    def _begin(self, now_ns: int) -> None:
        desk, market = self._desk, self.asked.market
        gap, mid = self._gap(), desk.markets[market].mid
        if gap is None or (gap and mid is None):
            return  # without a valid book nobody knows what a bound is, nor perhaps the target
        if not gap or mid is None:
            self.end = ExitEnd.DONE
            return
        side = Side.SELL if gap > 0 else Side.BUY
        bound = mid * (ONE + side.sign * self.asked.slippage)
        relief = self.asked.relief
        wanted = abs(gap)
        if relief is not None and relief.quantity is not None:
            wanted = min(wanted, relief.quantity)
        self._plan = ExitPlan(self.asked.strategy, market, side, wanted, bound, mid)
        self._executor = ExitExecutor(self._plan)
        self._state = self._executor.initial()
        self._step(Wake(), now_ns)

    def _step(self, event: ExecutorEvent, now_ns: int) -> None:
        if self._executor is None:
            return
        step = self._executor.step(self._state, event, self._view(now_ns))
        self._state = step.state
        for action in step.actions:
            if isinstance(action, Place):
                self._place(action)
        if self._state.end is not None:
            self.end = self.end or self._state.end.value

    def _place(self, place: Place) -> None:
        # A limit on size or price makes the order smaller; the executor goes by what is filled.
        pipeline, view = self._desk.pipeline, self._desk.view
        refusal: Refusal | None = None
        for _ in range(_HALVINGS):
            place = self._no_further(self._sliced(place))
            judged = pipeline.judge(place, view)
            if not isinstance(judged, Refusal):
                pipeline.submit((place,), view)
                return
            if refusal is None or judged.stage != _TOO_SMALL:
                refusal = judged
            place = msgspec.structs.replace(place, quantity=place.quantity / 2)
        if refusal is not None:
            denied = refusal.denied
            self.end = f"denied by {denied.rule}: {denied.observed}, limit {denied.limit}"

    def _sliced(self, place: Place) -> Place:
        # No more at once than a share of what rests near the mid.
        relief = self.asked.relief
        tracker = self._desk.markets[self.asked.market]
        book, mid = tracker.view(), tracker.mid
        if relief is None or relief.slice_share is None or book is None or mid is None:
            return place
        edge = mid * (ONE + place.side.sign * relief.depth_within)
        depth = sum(
            (
                level.quantity
                for level in book.depth(place.side.opposite, _DEPTH)
                if place.side.sign * (edge - level.price) >= 0
            ),
            start=ZERO,
        )
        most = tracker.instrument.round_quantity(depth * relief.slice_share)
        if not most or place.quantity <= most:
            return place
        return msgspec.structs.replace(place, quantity=most)

    def _no_further(self, place: Place) -> Place:
        # Through the market only as far as the book says that this quantity needs.
        book = self._desk.markets[self.asked.market].view()
        walk = None if book is None else book.walk(place.side, place.quantity)
        if walk is None or place.side.sign * walk.worst >= place.side.sign * place.price:
            return place
        return msgspec.structs.replace(place, price=walk.worst)

    def _view(self, now_ns: int) -> ExecutorView:
        tracker = self._desk.markets[self.asked.market]
        book = tracker.view()
        return ExecutorView(
            now_ns=now_ns,
            instrument=tracker.instrument,
            orders=tuple(order.view() for order in self._mine()),
            tick_ns=0,
            best_bid=None if book is None else book.best_bid.price,
            best_ask=None if book is None else book.best_ask.price,
        )

    def _gap(self) -> Decimal | None:
        market, desk = self.asked.market, self._desk
        target = desk.target(market)
        return None if target is None else desk.position(market) - target

    def _mine(self) -> list[Order]:
        live = self._desk.orders.live(market=self.asked.market)
        return [order for order in live if self._is_mine(order)]

    def _others(self) -> list[Order]:
        live = self._desk.orders.live(market=self.asked.market)
        return [order for order in live if not self._is_mine(order)]

    @staticmethod
    def _is_mine(order: Order) -> bool:
        slot = order.intent.slot
        return order.intent.purpose is Purpose.EXIT and slot.level == EXIT_LEVEL


def slippage(text: str) -> Decimal | None:
    """Read how far from the mid a price may be, as a share of it; None = no ratio from 0 to 1."""
    try:
        ratio = Ratio.parse(text).value
    except ValueError:
        return None
    return ratio if 0 < ratio < 1 else None
