"""Hold every plan to its admission: what it may still place, and what of that risk must count.

New risk stays within the leg that was admitted, with all that is filled, live, unproven or about
to leave. What shrinks the plan's own exposure needs no admission and is never larger than it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from fairlead.api import Denied, Gate, Leg, OrderView
from fairlead.kernel.plans_run import PlanRun
from fairlead.model import ZERO, MarketId, OrderIntent, OrderState, Purpose, Side, Slot

__all__ = ["RESERVED_LEVEL", "Admissions"]

#: The slot level of what is reserved for a plan; no order has it.
RESERVED_LEVEL = -1
_STAGE = "admission"


class Admissions:
    """What the running plans were admitted for; judges their orders and shows what is reserved."""

    def __init__(
        self,
        runs: Mapping[str, PlanRun],
        waiting: Callable[[str], Sequence[OrderIntent]],
        held: Callable[[str], Gate | None],
    ) -> None:
        self._runs = runs
        self._waiting = waiting
        self._held = held
        #: What is being judged: new risk that the reservation of its plan must not count again.
        self.judged: OrderIntent | None = None

    def check(self, intent: OrderIntent) -> Denied | None:
        """Judge one order of whatever origin; quotes and a person's exits need no admission."""
        slot = intent.slot
        self.judged = intent if slot.plan else None
        if not slot.plan:
            if intent.purpose in (Purpose.QUOTE, Purpose.EXIT):
                return None
            return Denied(_STAGE, intent.purpose.value, "a plan", "no plan stands behind it")
        run = self._runs.get(slot.plan)
        if run is None or run.strategy != slot.strategy:
            return Denied(_STAGE, slot.plan, "a running plan", "there is no such execution")
        if slot.market not in run.instruments or slot.side is not intent.side or slot.level < 0:
            return Denied(_STAGE, f"{slot.market} {slot.side} {slot.level}", "a slot of the plan")
        return self._of_plan(intent, run)

    def _of_plan(self, intent: OrderIntent, run: PlanRun) -> Denied | None:
        slot = intent.slot
        if any(order.intent.slot == slot for order in run.orders.values()):
            return Denied(_STAGE, "an order", "an empty slot", "its last order may still fill")
        match intent.purpose:
            case Purpose.ENTRY:
                return self._entry(intent, run)
            case Purpose.HEDGE | Purpose.EXIT:
                return self._shrinking(intent, run)
            case Purpose.QUOTE:
                return Denied(_STAGE, intent.purpose.value, "entry, hedge or exit")

    def reserved(self, market: MarketId) -> list[OrderView]:
        """Give what plans may still place on a market, each as an order on its way.

        What is being judged against it is left out of it.
        """
        found: list[OrderView] = []
        judged = self.judged
        for run in self._runs.values():
            for leg in run.legs:
                if leg.market != market or run.closing is not None:
                    continue
                open_ = leg.quantity - self._used(run, leg, besides=judged)
                if judged is not None and _is_for(judged, run, leg):
                    open_ -= judged.quantity
                if open_ > 0:
                    found.append(_reservation(run, leg, open_))
        return found

    def _entry(self, intent: OrderIntent, run: PlanRun) -> Denied | None:
        gate = self._held(run.strategy)
        if gate is not None:
            return Denied(_STAGE, gate.name, "a strategy that is not held", gate.detail)
        leg = next((one for one in run.legs if _is_for(intent, run, one)), None)
        if leg is None:
            what = f"{intent.side} on {intent.slot.market}"
            return Denied(_STAGE, what, "an admitted leg", "the plan was not admitted for it")
        sign = intent.side.sign
        if sign * intent.price > sign * leg.bound:
            return Denied(_STAGE, intent.price, leg.bound, "beyond the price it was admitted for")
        used = self._used(run, leg, besides=intent)
        if used + intent.quantity > leg.quantity:
            return Denied(_STAGE, used + intent.quantity, leg.quantity, "beyond its admission")
        return None

    def _used(self, run: PlanRun, leg: Leg, besides: OrderIntent | None) -> Decimal:
        # Filled, live, unproven and waiting; another wish in the same slot gives way to it.
        filled = run.book.progress(leg.market, leg.side, entry=True).quantity
        live = sum(
            (
                order.leaves
                for order in run.orders.values()
                if order.intent.purpose is Purpose.ENTRY
                and order.intent.slot.market == leg.market
                and order.intent.side is leg.side
            ),
            start=ZERO,
        )
        queued = sum(
            (
                other.quantity
                for other in self._queued(run, besides)
                if other.purpose is Purpose.ENTRY
                and other.slot.market == leg.market
                and other.side is leg.side
            ),
            start=ZERO,
        )
        return filled + live + queued

    def _shrinking(self, intent: OrderIntent, run: PlanRun) -> Denied | None:
        # Of the market, or net over all markets of that base: whichever has more to shrink. What
        # shrinks one market counts for all that lean the same way: it may be hedged elsewhere.
        market, base = intent.slot.market, intent.instrument.base
        size, sign = intent.instrument.multiplier, intent.side.sign
        same = [one for one, traded in run.instruments.items() if traded.base == base]
        leaning = [one for one in same if run.book.exposure(one) * sign < 0]
        here = abs(self._exposure(run, leaning)) - self._leaving(intent, run, same)
        here = min(here, self._room(intent, run, (market,)))
        room = max(here, self._room(intent, run, same))
        wanted = intent.quantity * size
        if wanted > room:
            what = f"more than the plan's own exposure in {base}"
            return Denied(_STAGE, wanted, room, what)
        return None

    def _room(self, intent: OrderIntent, run: PlanRun, markets: Iterable[MarketId]) -> Decimal:
        known = tuple(markets)
        exposure = self._exposure(run, known)
        if exposure * intent.side.sign >= 0:
            return ZERO
        return abs(exposure) - self._leaving(intent, run, known)

    def _exposure(self, run: PlanRun, markets: Iterable[MarketId]) -> Decimal:
        return sum(
            (run.book.exposure(one) * run.instruments[one].multiplier for one in markets),
            start=ZERO,
        )

    def _leaving(self, intent: OrderIntent, run: PlanRun, known: Sequence[MarketId]) -> Decimal:
        pending = [
            (order.intent, order.leaves)
            for order in run.orders.values()
            if order.intent.slot.market in known
        ] + [
            (other, other.quantity)
            for other in self._queued(run, intent)
            if other.slot.market in known
        ]
        return sum(
            (
                leaves * other.instrument.multiplier
                for other, leaves in pending
                if other.side is intent.side and other.purpose is not Purpose.ENTRY
            ),
            start=ZERO,
        )

    def _queued(self, run: PlanRun, besides: OrderIntent | None) -> list[OrderIntent]:
        return [
            other
            for other in self._waiting(run.execution)
            if besides is None or other.slot != besides.slot
        ]


def _is_for(intent: OrderIntent, run: PlanRun, leg: Leg) -> bool:
    return (
        intent.slot.plan == run.execution
        and intent.purpose is Purpose.ENTRY
        and intent.slot.market == leg.market
        and intent.side is leg.side
    )


def _reservation(run: PlanRun, leg: Leg, quantity: Decimal) -> OrderView:
    side: Side = leg.side
    return OrderView(
        client_id="",
        slot=Slot(run.strategy, leg.market, side, RESERVED_LEVEL, run.execution),
        side=side,
        price=leg.bound,
        quantity=quantity,
        filled=ZERO,
        state=OrderState.PENDING_CREATE,
        purpose=Purpose.ENTRY,
        decided_ns=run.started_ns,
        acknowledged_ns=None,
    )
