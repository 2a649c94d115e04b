"""Hold every order to what the design promises about it, from its intent to its end."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from typing_extensions import override

from fairlead.api import Record, Request, Response
from fairlead.model import (
    TRANSITIONS,
    ZERO,
    ClientId,
    OrderState,
    OrderTrigger,
    trimmed,
)
from fairlead.store import Incident, OrderMoved, OrderRecorded
from fairlead.testing.neutral import CancelBatch, PlaceBatch
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["OrderOracle"]

# Orders remembered, closed ones included: days of quoting.
_KEPT = 50_000
# What the engine reports of itself only when something in it is wrong.
_BUGS = (
    "illegal_step",
    "overfill",
    "core_failed",
    "part_failed",
    "rule_failed",
    "strategy_failed",
    "execution_failed",
    "observers_failed",
    "observer_failed",
)

# Ends that say that the venue never had the order.
_NEVER_THERE = (OrderTrigger.NEVER_LANDED, OrderTrigger.NOT_SENT, OrderTrigger.REJECTED)

# Answers by which a venue refuses a request as a whole: it makes no sense, or comes too often.
_REFUSED = (400, 418, 429)

#: Strategy, market, side, level, execution.
_Slot = tuple[str, str, str, int, str]


@dataclass(slots=True)
class _Known:
    record: OrderRecorded
    #: The process that recorded it, and the one that spoke of it last.
    life: int
    teller: int
    state: OrderState = OrderState.PENDING_CREATE
    durable: bool = False
    sent: bool = False
    created: bool = False
    #: What of it has filled at the venue.
    filled: Decimal = ZERO

    @property
    def slot(self) -> _Slot:
        record = self.record
        side = str(record.side)
        return (record.strategy, record.market, side, record.level, record.execution)


@dataclass(slots=True)
class _Slots:
    most: Mapping[str, int]
    #: Orders in a slot that the engine has not closed, by its own journal.
    held: dict[_Slot, dict[str, None]] = field(default_factory=dict)
    #: Orders in a slot that are live at the venue.
    live: dict[_Slot, dict[str, None]] = field(default_factory=dict)


class OrderOracle(Oracle):
    """Intents first, ids once, slots bounded, states legal, foreign orders left alone."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        most: Mapping[str, int],
    ) -> None:
        self._add = add
        self._venues = venues
        self._orders: OrderedDict[str, _Known] = OrderedDict()
        self._slots = _Slots(most)
        self._unsafe: deque[tuple[int, str]] = deque()
        self._halted = False
        self._tag: int | None = None
        #: Orders created at a venue by the engine.
        self.created = 0

    @override
    def begun(self, life: Life) -> None:
        self._unsafe.clear()
        self._tag = None

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        match record:
            case OrderRecorded():
                self._intent(life, seq, record)
            case OrderMoved():
                self._step(life, record)
            case Incident(name=name, detail=detail) if name in _BUGS:
                self._add("no part of the engine fails", f"{name}: {detail}")
            case _:
                pass

    @override
    def durable(self, life: Life, seq: int) -> None:
        while self._unsafe and self._unsafe[0][0] <= seq:
            _, name = self._unsafe.popleft()
            self._orders[name].durable = True

    @override
    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        for place in batch.orders:
            known = self._orders.get(place.client_id)
            if known is None:
                self._add("an intent is recorded before its order is sent", place.client_id)
                continue
            if not known.durable:
                self._add("an intent is durable before its order is sent", place.client_id)
            if known.sent:
                self._add("no order is sent twice", place.client_id)
            if life.halt_note() is not None:
                self._add("HALTED places nothing", f"{place.client_id}: {life.halt_note()}")
            known.sent = True
            held = self._slots.held[known.slot]
            if len(held) > self._most(known):
                self._add(
                    "an order whose end is not proven blocks its slot",
                    f"{_short(place.client_id)} in {_name(known.slot)}: "
                    f"{_states(self._orders, held)}",
                )

    @override
    def cancelling(self, life: Life, venue: str, batch: CancelBatch) -> None:
        for cancel in batch.orders:
            name = ClientId.parse(cancel.client_id)
            if name is None or name.tag != life.tag:
                self._add("orders of others are left alone", cancel.client_id or cancel.venue_id)

    @override
    def answered(self, life: Life, venue: str, request: Request, response: Response) -> None:
        if request.url.endswith("/orders") and response.status in _REFUSED:
            # The whole request is refused, which proves that it had no effect.
            for place in msgspec.json.decode(request.body, type=PlaceBatch).orders:
                if place.client_id in self._orders:
                    self._orders[place.client_id].sent = False

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        if effect.origin is not Origin.ENGINE:
            return
        known = self._orders.get(effect.client_id)
        if effect.kind is EffectKind.CREATED:
            self.created += 1
            if known is None:
                self._add("an order at the venue has its intent recorded", effect.client_id)
                return
            if known.created:
                self._add("no client id is created twice", effect.client_id)
            if known.state.is_closed:
                self._add(
                    "an order is closed by proof only",
                    f"{_short(effect.client_id)} was {known.state} and was created now",
                )
            known.created = True
            live = self._slots.live.setdefault(known.slot, {})
            live[effect.client_id] = None
            if len(live) > self._most(known):
                self._add(
                    "one order lives in a slot",
                    f"{len(live)} in {_name(known.slot)}: {', '.join(map(_short, live))}",
                )
        elif known is not None:
            if effect.kind is EffectKind.FILLED:
                known.filled += self._venues[venue].truth.fills[-1].quantity
            if not effect.live:
                self._slots.live.get(known.slot, {}).pop(effect.client_id, None)

    def _intent(self, life: Life, seq: int, record: OrderRecorded) -> None:
        if record.order in self._orders:
            self._add("a client id is made once", record.order)
        known = self._orders[record.order] = _Known(record, life.number, life.number)
        self._unsafe.append((seq, record.order))
        self._slots.held.setdefault(known.slot, {})[record.order] = None
        if len(self._orders) > _KEPT:
            self._orders.popitem(last=False)

    def _step(self, life: Life, moved: OrderMoved) -> None:
        if TRANSITIONS.get((moved.before, moved.trigger)) is not moved.after:
            self._add(
                "every step is in the table",
                f"{_short(moved.order)}: {moved.before} by {moved.trigger} to {moved.after}",
            )
        known = self._orders.get(moved.order)
        if known is None:
            return
        # A new process knows only what its predecessor made durable.
        if known.teller == life.number and known.state is not moved.before:
            self._add(
                "every step begins where the last one ended",
                f"{_short(moved.order)}: {known.state}, then {moved.before} to {moved.after}",
            )
        known.state, known.teller = moved.after, life.number
        self._proven(known, moved)
        held = self._slots.held.setdefault(known.slot, {})
        if known.state.is_closed:
            held.pop(moved.order, None)
        else:
            held[moved.order] = None

    def _proven(self, known: _Known, moved: OrderMoved) -> None:
        venue = self._venues[known.record.market.partition(":")[0]]
        if moved.after.is_closed and venue.truth.live(moved.order) is not None:
            self._add(
                "an order is closed by proof only",
                f"{_short(moved.order)} became {moved.after} by {moved.trigger} and lives",
            )
        elif moved.trigger in _NEVER_THERE and known.created:
            self._add(
                "an order is closed by proof only",
                f"{_short(moved.order)} became {moved.after} by {moved.trigger} and was created",
            )

        # What the venue itself learns late comes as a late fill.
        least = known.filled - venue.account.learnt_late.get(moved.order, ZERO)
        if moved.after.is_closed and not least <= moved.filled <= known.filled:
            self._add(
                "an order is closed with all its fills",
                f"{_short(moved.order)} became {moved.after} with {trimmed(moved.filled)} of "
                f"{trimmed(known.filled)}",
            )

    @override
    def killed(self, life: Life) -> None:
        # What was recorded and never became safe cannot have been sent: it never was.
        for _, name in self._unsafe:
            known = self._orders.get(name)
            if known is not None and not known.durable and not known.sent:
                self._slots.held.get(known.slot, {}).pop(name, None)

    def _most(self, known: _Known) -> int:
        return self._slots.most.get(known.record.strategy, 1)


def _short(client_id: str) -> str:
    return client_id[-8:]


def _name(slot: _Slot) -> str:
    return " ".join(str(part) for part in slot).rstrip()


def _states(orders: Mapping[str, _Known], names: Mapping[str, None]) -> str:
    return ", ".join(f"{_short(name)} {orders[name].state}" for name in names if name in orders)
