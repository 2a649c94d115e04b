"""Keep our books and the venue's the same: find what differs, prove it, and say so.

Readers run beside the engine and queue what they fetched; `Reconciler.apply` works it in on the
tick. Orders whose fate is unproven are asked for one by one, and only proof closes them: found,
or not found after their deadline with the fills read. Nobody counts failures here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.api import Clock, Connector, Margined, PostureLevel, Restartable
from fairlead.kernel.desk import Desk
from fairlead.kernel.difference import BalanceWatch, moves_of
from fairlead.kernel.instrument_watch import InstrumentWatch
from fairlead.kernel.outlook import MARGIN_EVERY_NS
from fairlead.kernel.reading import AccountReading, OrderReading, read_account, read_order
from fairlead.kernel.stream import StreamHealth
from fairlead.kernel.wall import WallWatch
from fairlead.model import (
    Accepted,
    ClientId,
    Fill,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Outcome,
    Slot,
    Unavailable,
)
from fairlead.store import Incident, Journal, Reconciled
from fairlead.trackers import Order

__all__ = ["Reconciler", "ReconcilerParts"]

_SECOND = 1_000_000_000
# How often a venue is read while its user stream is proven, and while it is not.
_CALM_NS = 120 * _SECOND
_ALARMED_NS = 5 * _SECOND
# News of an order may take this long before we ask for it.
_GRACE_NS = 2 * _SECOND
# How long after its deadline a request may have waited at the venue before it was looked at.
_MARGIN_NS = 2 * _SECOND
# A single order is asked for again no sooner than this.
_ASK_AGAIN_NS = 2 * _SECOND
_ASKS_AT_ONCE = 32
# A user stream that is not proven for this long pulls the venue's quotes.
_PULL_NS = 10 * _SECOND
_BEAT_NS = 250_000_000
_MOST_EXTERNAL = 1_000


@dataclass(frozen=True, slots=True)
class ReconcilerParts:
    """What a reconciler works with; ``tag`` and ``epoch`` are this run's own."""

    desk: Desk
    connectors: Mapping[str, Connector]
    clock: Clock
    journal: Journal
    tag: int
    epoch: int


class Reconciler:
    """The readers of all venues, and what the engine learns from them."""

    def __init__(self, parts: ReconcilerParts, fills_since_ns: Mapping[str, int]) -> None:
        self._parts = parts
        self._desk = parts.desk
        self._fetched: deque[AccountReading | OrderReading] = deque()
        self._asked_ns: dict[str, int] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._read_ns: dict[str, int] = {}
        self._suspicious: set[str] = set()
        # Set where a venue may have to be read sooner than it seemed.
        self._stirred = {venue: asyncio.Event() for venue in parts.connectors}
        self._external: set[str] = set()
        self._since_ns = dict(fills_since_ns)
        self._begun_ns = parts.clock.monotonic_ns()
        #: What differs at each venue.
        self.balances = {venue: BalanceWatch(venue, parts.journal) for venue in parts.connectors}
        parts.desk.booking.on_fill(self._booked)
        self.streams = {venue: StreamHealth() for venue in parts.connectors}
        parts.desk.outlook.watch_streams(self.streams)
        self.wall = WallWatch(parts.desk, self.streams, parts.clock, parts.journal)
        self._rules = InstrumentWatch(parts.desk, parts.connectors, parts.clock, parts.journal)
        #: Readings worked in, and those that gave no answer.
        self.readings = 0
        self.unavailable = 0

    def suspect(self, venue: str) -> None:
        """Read this venue as soon as possible: something does not fit."""
        self._suspicious.add(venue)
        self._stirred[venue].set()

    def connected(self, venue: str) -> None:
        """Note that a venue's streams are open: whatever was said meanwhile has to be read."""
        self.streams[venue].connected()
        self.suspect(venue)

    def cut(self, venue: str, now_ns: int) -> None:
        """Note that a venue's streams are gone: until they are back it is read more often."""
        self.streams[venue].cut(now_ns)
        self._stirred[venue].set()

    async def run(self) -> None:
        """Read every venue when it is due, until cancelled."""
        readers = [
            asyncio.get_running_loop().create_task(self._reader(venue, connector))
            for venue, connector in self._parts.connectors.items()
        ]
        readers += [
            asyncio.get_running_loop().create_task(self._margin_reader(venue, connector))
            for venue, connector in self._parts.connectors.items()
            if isinstance(connector, Margined)
        ]
        readers += [
            asyncio.get_running_loop().create_task(self._rules.read(venue))
            for venue in self._rules.venues
        ]
        try:
            await asyncio.gather(*readers)
        finally:
            for task in (*readers, *self._asking):
                task.cancel()
            await asyncio.gather(*readers, *self._asking, return_exceptions=True)

    def apply(self, now_ns: int) -> None:
        """Work in what was fetched, ask for what is unproven, and judge the streams."""
        while self._fetched:
            fetched = self._fetched.popleft()
            if isinstance(fetched, AccountReading):
                self.work_in(fetched)
            else:
                self._apply_order(fetched)
        self._rules.apply()
        self._ask_unproven(now_ns)
        if self._desk.booking.opened:
            for venue, watch in self.balances.items():
                if watch.doubts(self._desk, self._parts.clock.monotonic_ns()):
                    self.suspect(venue)
        for venue, health in self.streams.items():
            self._judge_stream(venue, health, now_ns)

    def heard(self, venue: str, client_id: str) -> None:
        """Note that a venue's user stream told of an order."""
        self.streams[venue].heard(client_id)

    def answered(self, intent: OrderIntent, outcome: Outcome) -> None:
        """Note an answer to a create: what the venue took, its stream must tell of."""
        self._rules.answered(intent.slot.market, outcome)
        if isinstance(outcome, Accepted):
            venue = intent.slot.market.venue
            self.streams[venue].expect(intent.client_id, self._parts.clock.now_ns())

    def _judge_stream(self, venue: str, health: StreamHealth, now_ns: int) -> None:
        rule = f"user_stream:{venue}"
        if health.judge(now_ns):
            self.suspect(venue)
            self._incident("stream_mute", f"{venue}: accepted orders were not told of")
            connector = self._parts.connectors[venue]
            if isinstance(connector, Restartable):
                connector.restart_streams("it is mute")
        unproven_ns = health.unproven_since_ns
        if any(rule.name == "user_stream" for rule in self._desk.gate.rules):
            return  # a rule of that name judges by its own limit
        if unproven_ns is None or now_ns - unproven_ns < _PULL_NS:
            self._desk.gate.lift(rule)
            return
        reason = f"{venue}: user stream unproven for {(now_ns - unproven_ns) // _SECOND} s"
        for market in self._desk.markets:
            if market.venue == venue:
                self._desk.gate.impose(rule, PostureLevel.CANCEL_ONLY, reason, market)

    def _booked(self, fill: Fill, slot: Slot) -> None:
        del slot
        order = self._desk.orders.get(fill.client_id)
        before = order is not None and order.earlier
        missed = moves_of(fill, order.intent.instrument) if order is not None and before else {}
        self.balances[fill.market.venue].moved(self._parts.clock.monotonic_ns(), missed)

    async def read(self, venue: str) -> AccountReading | Unavailable:
        """Read one venue now."""
        connector = self._parts.connectors[venue]
        reading = await read_account(
            venue, connector, self._parts.clock, self._since_ns.get(venue, 0)
        )
        if isinstance(reading, Unavailable):
            self.unavailable += 1
        return reading

    async def _reader(self, venue: str, connector: Connector) -> None:
        clock = self._parts.clock
        self._read_ns[venue] = clock.monotonic_ns()
        while True:
            await self._until_due(venue)
            self._suspicious.discard(venue)
            self._read_ns[venue] = clock.monotonic_ns()
            reading = await self.read(venue)
            if isinstance(reading, AccountReading):
                self._fetched.append(reading)
            else:
                await clock.sleep_ns(_SECOND)
                self._suspicious.add(venue)

    async def _until_due(self, venue: str) -> None:
        # Until it is time, or something is suspicious; what comes within a beat is read at once.
        clock, stirred = self._parts.clock, self._stirred[venue]
        begun_ns = clock.monotonic_ns()
        while True:
            stirred.clear()
            left_ns = self._due_ns(venue) - clock.monotonic_ns()
            if left_ns > 0:
                timer = clock.call_at_ns(clock.now_ns() + left_ns, stirred.set)
                try:
                    await stirred.wait()
                finally:
                    timer.cancel()
            passed_ns = clock.monotonic_ns() - begun_ns
            beats = max(-(-passed_ns // _BEAT_NS), 1)
            if (left_ns := beats * _BEAT_NS - passed_ns) > 0:
                await clock.sleep_ns(left_ns)
            if self._due_ns(venue) <= clock.monotonic_ns():
                return

    def _due_ns(self, venue: str) -> int:
        # When to read a venue, by the monotonic clock.
        read_ns = self._read_ns[venue]
        if venue in self._suspicious:
            return read_ns
        proven = self.streams[venue].proven and not self.balances[venue].waits
        return read_ns + (_CALM_NS if proven else _ALARMED_NS)

    async def _margin_reader(self, venue: str, connector: Margined) -> None:
        while True:
            self._desk.outlook.take_margin(venue, await connector.margin())
            await self._parts.clock.sleep_ns(MARGIN_EVERY_NS)

    def is_ours(self, update: OrderUpdate | Fill) -> bool:
        """Tell whether an order, or a fill's, belongs to this instance, of whatever run."""
        name = ClientId.parse(update.client_id)
        return name is not None and name.tag == self._parts.tag

    def work_in(self, reading: AccountReading) -> None:
        """Compare a complete reading with what we know, and mend or report what differs."""
        self.readings += 1
        for fill in reading.fills:
            self._since_ns[reading.venue] = max(self._since_ns.get(reading.venue, 0), fill.venue_ns)
            self._desk.handle(fill)
        shown = {order.client_id: order for order in reading.open_orders}
        differences = [
            text for update in reading.open_orders if (text := self._apply_open(update, reading))
        ]
        for order in self._desk.orders.live():
            if order.intent.slot.market.venue != reading.venue or order.client_id in shown:
                continue
            # The news that a cancel has worked may have been lost with the stream.
            if order.state is OrderState.PENDING_CANCEL or self._settled(order, reading):
                self._ask(order)
        for balance in reading.balances:
            self._desk.handle(balance)
        if self._desk.booking.opened:
            differences += self.balances[reading.venue].compare(reading, self._desk)
            self._stirred[reading.venue].set()
        self._parts.journal.append(
            Reconciled(
                venue=reading.venue,
                open_orders=len(reading.open_orders),
                balances={one.asset: one.total for one in reading.balances},
                differences=tuple(differences),
            )
        )

    def _apply_open(self, update: OrderUpdate, reading: AccountReading) -> str | None:
        """Work in an order that the venue shows as open; gives what is wrong with it."""
        order = self._desk.orders.get(update.client_id)
        if order is None:
            return self._apply_stranger(update, reading)
        if order.state.is_closed:
            if not self._is_old_news(order, reading):
                return None
            self._desk.pipeline.sweep(reading.venue, [update], "closed here, open there")
            return f"order {update.client_id[-8:]} is {order.state} here and open at the venue"
        self._desk.handle(update)
        asked_ns = order.cancel_sent_ns
        if (
            order.state is OrderState.PENDING_CANCEL
            and asked_ns is not None
            and reading.begun_ns - asked_ns > _GRACE_NS
        ):
            self._desk.pipeline.sweep(reading.venue, [update], "its cancel had no effect")
        return None

    def _apply_stranger(self, update: OrderUpdate, reading: AccountReading) -> str | None:
        """Tell whose an order is that this run did not make; gives what is wrong with it."""
        name = ClientId.parse(update.client_id)
        if name is None:
            if update.client_id not in self._external and len(self._external) < _MOST_EXTERNAL:
                self._external.add(update.client_id)
                self._incident("external_order", f"{reading.venue}: {update.client_id or '-'}")
            return None
        if name.tag != self._parts.tag:
            self._desk.gate.impose(
                "foreign_engine",
                PostureLevel.CANCEL_ONLY,
                f"another Fairlead trades this account: order {update.client_id}",
            )
            return f"order {update.client_id} belongs to another Fairlead"
        if name.epoch > self._parts.epoch:
            self._desk.gate.impose(
                "fenced", PostureLevel.HALTED, f"run {name.epoch} of this instance has begun"
            )
            return f"order {update.client_id[-8:]} is of a later run"
        self._desk.pipeline.sweep(reading.venue, [update], "left by an earlier run")
        return f"order {update.client_id[-8:]} of run {name.epoch} is still open"

    def _is_old_news(self, order: Order, reading: AccountReading) -> bool:
        # It was closed so long before the reading that no listing can lag behind by that much.
        lag_ns = self._parts.connectors[reading.venue].capabilities.visibility_ns + _GRACE_NS
        return order.closed_ns is not None and reading.begun_ns - order.closed_ns > lag_ns

    def _settled(self, order: Order, reading: AccountReading) -> bool:
        # Long enough acknowledged that a complete reading would have shown it.
        lag_ns = self._parts.connectors[reading.venue].capabilities.visibility_ns + _GRACE_NS
        return (
            order.acknowledged_ns is not None and reading.begun_ns - order.acknowledged_ns > lag_ns
        )

    def _ask_unproven(self, now_ns: int) -> None:
        live = self._desk.orders.live()
        if len(self._asked_ns) > len(live) + _ASKS_AT_ONCE:
            # Those that ended while their answer was lost.
            names = {order.client_id for order in live}
            self._asked_ns = {name: at for name, at in self._asked_ns.items() if name in names}
        for order in live:
            if order.state is OrderState.UNKNOWN or order.final is not None:
                self._ask(order)
            elif order.state is OrderState.PENDING_CANCEL:
                sent_ns = order.cancel_sent_ns or now_ns
                if now_ns - sent_ns > _GRACE_NS:
                    self._ask(order)

    def _ask(self, order: Order) -> None:
        now_ns = self._parts.clock.monotonic_ns()
        asked_ns = self._asked_ns.get(order.client_id)
        if len(self._asking) >= _ASKS_AT_ONCE or (
            asked_ns is not None and now_ns - asked_ns < _ASK_AGAIN_NS
        ):
            return
        self._asked_ns[order.client_id] = now_ns
        task = asyncio.get_running_loop().create_task(self._fetch(order))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _fetch(self, order: Order) -> None:
        market = order.intent.slot.market
        reading = await read_order(
            self._parts.connectors[market.venue],
            self._parts.clock,
            market,
            order.client_id,
            self._since_ns.get(market.venue, 0),
        )
        if isinstance(reading, OrderReading):
            self._fetched.append(reading)
        else:
            self.unavailable += 1

    def _apply_order(self, reading: OrderReading) -> None:
        for fill in reading.fills:
            self._desk.handle(fill)
        order = self._desk.orders.get(reading.client_id)
        if order is None or order.state.is_closed:
            self._asked_ns.pop(reading.client_id, None)
            return
        if reading.order is not None:
            self._desk.handle(reading.order)
            if order.state is OrderState.PENDING_CANCEL and not reading.order.state.is_closed:
                venue = order.intent.slot.market.venue
                self._desk.pipeline.sweep(venue, [reading.order], "its cancel had no effect")
        elif self._is_proof(order, reading):
            self._desk.orders.never_landed(order.client_id)
        if order.state.is_closed:
            self._asked_ns.pop(reading.client_id, None)

    def _is_proof(self, order: Order, reading: OrderReading) -> bool:
        # Absent counts only when the create can no longer land, and the venue's listing has had
        # the time to show what landed last.
        capabilities = self._parts.connectors[order.intent.slot.market.venue].capabilities
        # An earlier run's left before this one began. A wall clock that is set proves nothing.
        left_ns = order.left_ns if order.left_ns is not None else self._begun_ns
        margin_ns = _MARGIN_NS + capabilities.visibility_ns
        return reading.asked_ns > left_ns + capabilities.deadline_ns + margin_ns

    def _incident(self, name: str, detail: str) -> None:
        self._parts.journal.append(Incident(name=name, detail=detail))
