"""Hold every plan to its admission while it is worked, and to its own word when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from typing_extensions import override

from fairlead.api import Record
from fairlead.model import ZERO, MarketId, Purpose, Side, trimmed
from fairlead.store import (
    AlertRaised,
    ExecutionEnded,
    ExecutionStarted,
    FillBooked,
    OrderRecorded,
    StoreReader,
    TickPassed,
)
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["PlanOracle"]

# Plans that are to end with nothing open, whatever they did.
_FLAT = ("atomic", "xemm", "position")
_RESIDUAL = "residual_exposure"
# Ends after which what is left open is nobody's to mend.
_ALARMING = ("not closed", "not hedged")


@dataclass(slots=True, eq=False)
class _Plan:
    started: ExecutionStarted
    #: Its orders as they were recorded.
    orders: dict[str, OrderRecorded] = field(default_factory=dict)
    #: What filled at the venues, signed, by market; and new risk alone, by market and side.
    net: dict[str, Decimal] = field(default_factory=dict)
    entered: dict[tuple[str, Side], Decimal] = field(default_factory=dict)
    #: What fills cost in the base asset: it is gone, so nobody can trade it away.
    fees: Decimal = ZERO
    #: Where its end stands in the journal; None = it runs.
    ended: int | None = None


class PlanOracle(Oracle):
    """Within its admission, never hedged twice, and ended with exactly what it says."""

    def __init__(
        self, add: Callable[[str, str], None], venues: Mapping[str, SimulatedVenue]
    ) -> None:
        self._add = add
        self._venues = venues
        self._plans: dict[str, _Plan] = {}
        self._of: dict[str, _Plan] = {}
        self._safe = 0
        #: What was left open, and fills of plans that had ended, that are to be told
        #: by an alert of this tick.
        self._late: dict[str, None] = {}
        self._alerts = 0
        #: What the last process worked when it was looked at last.
        self._worked: tuple[str, ...] = ()
        #: Executions that have ended, ever.
        self.count = 0

    @override
    def begun(self, life: Life) -> None:
        # What was not safe may be lost, and its plan goes on.
        for plan in self._plans.values():
            if plan.ended is not None and plan.ended > self._safe:
                plan.ended = None
            elif plan.ended is not None:
                plan.ended = 0
        self._safe = 0
        self._late.clear()
        self._alerts = 0
        self._worked = ()

    @override
    def durable(self, life: Life, seq: int) -> None:
        self._safe = max(self._safe, seq)

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        match record:
            case ExecutionStarted(execution=execution):
                if execution in self._plans:
                    self._add("an execution begins once", execution)
                self._plans[execution] = _Plan(record)
            case OrderRecorded(execution=execution) if execution:
                self._intent(record)
            case ExecutionEnded(execution=execution):
                self._judge(self._plans.get(execution), record, seq)
            case FillBooked(order=order) if order in self._of:
                if self._of[order].ended is not None:
                    self._late[f"a fill of {order[-8:]}"] = None
            case AlertRaised(name=name) if name == _RESIDUAL:
                self._alerts += 1
            case TickPassed():
                self._worked = tuple(life.engine.desk.plans.runs)
                if len(self._late) > self._alerts:
                    self._add("what a plan leaves open is told", ", ".join(self._late))
                self._late.clear()
                self._alerts = 0
            case _:
                pass

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        plan = self._of.get(effect.client_id)
        if plan is None or effect.origin is not Origin.ENGINE:
            return
        order = plan.orders[effect.client_id]
        if effect.kind is EffectKind.CREATED:
            if plan.ended is not None:
                self._add("a plan that has ended trades no more", _named(plan, order))
            elif order.purpose is Purpose.ENTRY:
                self._entry(plan, order)
            else:
                self._shrinking(plan, order)
        elif effect.kind is EffectKind.FILLED:
            fill = self._venues[venue].truth.fills[-1]
            signed = order.side.sign * fill.quantity
            plan.net[order.market] = plan.net.get(order.market, ZERO) + signed
            if fill.fee_asset == self._venues[venue].instrument.base:
                plan.fees += fill.fee
            if order.purpose is Purpose.ENTRY:
                key = (order.market, order.side)
                plan.entered[key] = plan.entered.get(key, ZERO) + fill.quantity

    def audit(self, reader: StoreReader, instance: str) -> Iterator[str]:
        """Say which executions have no end stored, although nobody works them any more.

        What the last process worked when it was stopped, the next goes on with.
        """
        for row in reader.open_executions(instance):
            if row["execution"] not in self._worked:
                yield f"execution {row['name']} of {row['strategy']} has no end"

    # While it is worked.

    def _intent(self, order: OrderRecorded) -> None:
        plan = self._plans.get(order.execution)
        if plan is None:
            self._add("a plan is recorded before its orders", order.order[-8:])
            return
        plan.orders[order.order] = order
        self._of[order.order] = plan
        if order.purpose is not Purpose.ENTRY:
            return
        sign = order.side.sign
        bounds = [leg.bound for leg in plan.started.legs if _is_of(order, leg.market, leg.side)]
        if not bounds or sign * order.price > sign * bounds[0]:
            bound = trimmed(bounds[0]) if bounds else "no leg"
            text = f"{_named(plan, order)} at {trimmed(order.price)}, admitted: {bound}"
            self._add("no plan exceeds its admission", text)

    def _entry(self, plan: _Plan, order: OrderRecorded) -> None:
        legs = [leg for leg in plan.started.legs if _is_of(order, leg.market, leg.side)]
        most = sum((leg.quantity for leg in legs), start=ZERO)
        entered = plan.entered.get((order.market, order.side), ZERO)
        live = self._leaves(plan, order, entry=True, market=order.market)
        if entered + live > most + self._unlearnt(plan):
            text = f"{trimmed(entered)} filled, {trimmed(live)} live, {trimmed(most)} admitted"
            self._add("no plan exceeds its admission", f"{_named(plan, order)}: {text}")

    def _shrinking(self, plan: _Plan, order: OrderRecorded) -> None:
        # All markets of a simulation are of one base.
        net = sum(plan.net.values(), start=ZERO)
        open_ = max(-order.side.sign * net, ZERO) + self._unlearnt(plan)
        live = self._leaves(plan, order, entry=False)
        if live > open_:
            text = f"{trimmed(live)} live where {trimmed(net)} is open"
            self._add("nothing is hedged twice", f"{_named(plan, order)}: {text}")

    def _leaves(
        self, plan: _Plan, like: OrderRecorded, *, entry: bool, market: str = ""
    ) -> Decimal:
        found = ZERO
        for name, order in plan.orders.items():
            if order.side is not like.side or market not in ("", order.market):
                continue
            if (order.purpose is Purpose.ENTRY) is entry:
                live = self._venues[_venue(order.market)].truth.live(name)
                found += ZERO if live is None else live.leaves
        return found

    def _unlearnt(self, plan: _Plan) -> Decimal:
        # What the venue itself learns late nobody else can know.
        return sum(
            (
                self._venues[_venue(order.market)].account.learnt_late.get(name, ZERO)
                for name, order in plan.orders.items()
            ),
            start=ZERO,
        )

    # When it has ended.

    def _judge(self, plan: _Plan | None, ended: ExecutionEnded, seq: int) -> None:
        if plan is None:
            self._add("an execution ends that has begun", ended.execution)
            return
        if plan.ended is not None:
            self._add("an execution ends once", f"{ended.executor} {ended.name}")
        plan.ended = seq
        self.count += 1
        name = f"{ended.executor} {ended.name} ({ended.end})"
        live = [
            order.order[-8:]
            for order in plan.orders.values()
            if self._venues[_venue(order.market)].truth.live(order.order) is not None
        ]
        if live:
            self._add("a plan ends when none of its orders can fill", f"{name}: {', '.join(live)}")
        if ended.end in _ALARMING and any(ended.result.residual.values()):
            self._late[name] = None
        slack = self._unlearnt(plan)
        told: dict[str, Decimal] = {}
        for leg in ended.result.legs:
            told[leg.market] = told.get(leg.market, ZERO) + leg.side.sign * leg.filled
        for market in {**plan.net, **told} if ended.result.legs else ():
            true = plan.net.get(market, ZERO)
            if abs(told.get(market, ZERO) - true) > slack:
                text = f"{market} {trimmed(told.get(market, ZERO))}, in truth {trimmed(true)}"
                self._add("a result tells what was filled", f"{name}: {text}")
        if ended.executor in _FLAT or not ended.result.legs:
            self._flat(plan, ended, name, slack)

    def _flat(self, plan: _Plan, ended: ExecutionEnded, name: str, slack: Decimal) -> None:
        net = sum(plan.net.values(), start=ZERO)
        left = sum(ended.result.residual.values(), start=ZERO)
        if not left:
            # What no order could trade away is no residual.
            slack += max(venue.instrument.lot for venue in self._venues.values())
        if abs(net - left) > slack + plan.fees:
            text = f"{trimmed(net)} is open, {trimmed(left)} reported"
            self._add("a plan ends at zero or at its residual", f"{name}: {text}")


def _is_of(order: OrderRecorded, market: str, side: Side) -> bool:
    return order.market == market and order.side is side


def _venue(market: str) -> str:
    return MarketId.parse(market).venue


def _named(plan: _Plan, order: OrderRecorded) -> str:
    return f"{plan.started.executor} {plan.started.name} {order.purpose} {order.order[-8:]}"
