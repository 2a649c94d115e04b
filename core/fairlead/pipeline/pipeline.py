"""Lead every order the same way to its venue.

The way: normalize, risk, breaker, reserve, queue, throttle, batch, record, send. Whatever can
refuse comes before the record; between record and send nothing decides. Cancels take the short
way: they are never checked, never queued behind creates and never wait for the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from fairlead.api import Action, Cancel, Denied, Place, PostureLevel, RiskView
from fairlead.model import (
    ZERO,
    CancelRequest,
    Instrument,
    MarketId,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Outcome,
    Purpose,
    Side,
    Slot,
    trimmed,
)
from fairlead.pipeline.backoff import LONGEST_NS, Backoff, Refusal, backed_off
from fairlead.pipeline.breaker import NEW_RISK
from fairlead.pipeline.gateway import Gateway
from fairlead.pipeline.normalize import normalize
from fairlead.pipeline.queue import CreateQueue, queued_id
from fairlead.pipeline.risk import RiskGate, growing
from fairlead.store import Incident, IntentDenied, Journal
from fairlead.trackers import AccountTracker, Order, OrderTracker, needs

__all__ = ["Pipeline", "PipelineParts"]

# A cancel of the same order does not leave sooner again, whatever became of the last.
_CANCEL_AGAIN_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PipelineParts:
    """What a pipeline works with."""

    journal: Journal
    orders: OrderTracker
    accounts: AccountTracker
    gate: RiskGate
    instruments: Mapping[MarketId, Instrument]
    new_id: Callable[[], str]
    now_ns: Callable[[], int]
    mid: Callable[[MarketId], Decimal | None]
    tick_ns: int
    #: Hold an order to the admission of its plan; None = nothing is against it.
    admission: Callable[[OrderIntent], Denied | None] = lambda intent: None
    #: A plan's wish was refused, and from when on it may be asked again.
    refused: Callable[[Place, Refusal, int], None] = lambda place, refusal, until_ns: None


class Pipeline:
    """The one way by which orders and cancels leave, for all strategies and venues."""

    def __init__(self, parts: PipelineParts) -> None:
        self._parts = parts
        self._gateways: dict[str, Gateway] = {}
        self._queue = CreateQueue()
        self._cancels: dict[str, str] = {}
        self._backoffs: dict[Slot, Backoff] = {}
        #: Denials by strategy and rule. Every one counts; only a change is journaled.
        self.denied: dict[str, dict[str, int]] = {}
        self.open_for_creates = True
        parts.orders.on_change(self._order_changed)

    def connect(self, venue: str, gateway: Gateway) -> None:
        """Send what concerns ``venue`` through this gateway."""
        self._gateways[venue] = gateway
        gateway.wanted = self._wanted

    def submit(self, actions: Sequence[Action], view: RiskView) -> None:
        """Take an executor's actions; they leave at the next `dispatch`."""
        for action in actions:
            match action:
                case Cancel(client_id=client_id, reason=reason):
                    self._cancels.setdefault(client_id, reason)
                case Place():
                    self._admit(action, view)

    def judge(self, place: Place, view: RiskView) -> OrderIntent | Refusal:
        """Lead a wish through every stage that can refuse; changes nothing."""
        instrument = self._parts.instruments[place.slot.market]
        intent = normalize(place, instrument)
        if isinstance(intent, Denied):
            return Refusal("normalize", intent)
        intent = msgspec.structs.replace(intent, mid=self._parts.mid(instrument.market))
        denied = self._parts.admission(intent)
        if denied is not None:
            return Refusal("admission", denied)
        denied = self._parts.gate.check(intent, view)
        if denied is not None:
            return Refusal("risk", denied)
        if self._parts.gate.reduces_only(intent):
            intent = msgspec.structs.replace(intent, reduce_only=True)
        gateway = self._gateways.get(instrument.market.venue)
        if gateway is not None and intent.purpose in NEW_RISK:
            denied = gateway.breaker.check(instrument.market)
        if denied is not None:
            return Refusal("breaker", denied)
        denied = self._reserve(intent)
        return intent if denied is None else Refusal("reserve", denied)

    def waiting(self, plan: str | None = None) -> tuple[OrderIntent, ...]:
        """Give the creates that were allowed but have not left; of one plan where it is named."""
        return self._queue.waiting(plan)

    def drop_creates(
        self,
        market: MarketId | None = None,
        *,
        quotes_only: bool = False,
        slot: Slot | None = None,
        new_risk: Sequence[Side] = (),
    ) -> None:
        """Forget creates that wait, of one market or all: a posture or a stop caught them.

        ``quotes_only``: hedges and exits stay. ``slot``: only what waits for that one.
        ``new_risk``: only quotes and entries of these sides.
        """
        self._queue.drop(
            lambda intent: (
                (market is None or intent.slot.market == market)
                and (intent.purpose is Purpose.QUOTE or not quotes_only)
                and (slot is None or intent.slot == slot)
                and (not new_risk or (intent.side in new_risk and intent.purpose in NEW_RISK))
            )
        )

    def cancel_all(self, reason: str) -> None:
        """Ask for every live order to be cancelled, at the next `dispatch`."""
        for order in self._parts.orders.live():
            self._cancels.setdefault(order.client_id, reason)

    def reduce_only(self, market: MarketId, gap: Decimal, reason: str) -> None:
        """Take away what would grow |gap|, and of what reduces it all that is beyond |gap|.

        The oldest orders stay; one that is leaving already may still fill and counts.
        """
        live = self._parts.orders.live(market=market)
        reducing = [order for order in live if not growing(order.intent.side, gap)]
        # One that leaves, or whose cancel waits for the answer to its create, may still fill.
        room = abs(gap) - sum(
            (
                order.leaves
                for order in reducing
                if order.state is OrderState.PENDING_CANCEL or order.client_id in self._cancels
            ),
            start=ZERO,
        )
        leaving = ZERO
        for order in live:
            if order.state is OrderState.PENDING_CANCEL or order.client_id in self._cancels:
                continue
            if order.intent.slot.plan and order.intent.purpose in (Purpose.HEDGE, Purpose.EXIT):
                room -= order.leaves if order in reducing else ZERO
                continue  # it shrinks what its plan holds, and no more than that
            if order not in reducing or order.leaves > room:
                self._cancels.setdefault(order.client_id, reason)
                leaving += order.leaves if order in reducing else ZERO
            else:
                room -= order.leaves
        room -= leaving  # until they are proven gone nothing new has their room
        for intent in self._queue.waiting():
            if intent.slot.market != market:
                continue
            if intent.slot.plan and intent.purpose in (Purpose.HEDGE, Purpose.EXIT):
                room -= ZERO if growing(intent.side, gap) else intent.quantity
                continue
            if growing(intent.side, gap) or intent.quantity > room:
                self._queue.supersede(intent.slot)
            else:
                room -= intent.quantity

    def sweep(self, venue: str, found: Sequence[OrderUpdate], reason: str) -> None:
        """Cancel orders of ours that a venue shows although they should be gone, at once.

        Their cancel was lost, or they were created by a run before this one.
        """
        now_ns = self._parts.now_ns()
        for update in found:
            self._parts.orders.ask_cancel(update.client_id, reason, now_ns, again=True)
        self._gateways[venue].cancel(
            [
                CancelRequest(update.client_id, update.market, update.venue_id or None, reason)
                for update in found
            ]
        )

    def dispatch(self, *, on_tick: bool = False) -> None:
        """Let everything leave that can: cancels first, then creates by urgency.

        ``on_tick`` = at the end of a tick's dispatch.
        """
        self._send_cancels()
        if not self.open_for_creates:
            self.drop_creates()
            return
        now_ns = self._parts.now_ns()
        tick_ns = self._parts.tick_ns
        # One from the future is from before the clock was set back.
        for intent in self._queue.drop(lambda one: abs(now_ns - one.decided_ns) >= tick_ns):
            self._gateways[intent.slot.market.venue].counts.dropped += 1
        for venue, gateway in self._gateways.items():
            for batch in gateway.admit(self._queue.ready(venue), on_tick=on_tick):
                self._queue.remove(batch)
                self._record_and_send(batch, gateway, now_ns)

    def created(self, intent: OrderIntent, outcome: Outcome) -> None:
        """Take a create's outcome from the gateway."""
        now_ns = self._parts.now_ns()
        market = intent.instrument.market
        if self._gateways[market.venue].breaker.learn(market, outcome):
            self._parts.journal.append(
                Incident(name="market_paused", detail=f"{market}: rejected again and again")
            )
        self._parts.orders.apply_outcome(intent.client_id, outcome, now_ns)

    def sent(self, intents: Sequence[OrderIntent]) -> None:
        """Note that creates leave now."""
        now_ns = self._parts.now_ns()
        for intent in intents:
            order = self._parts.orders.get(intent.client_id)
            if order is not None:
                order.mark_sent(now_ns)

    def cancelled(self, request: CancelRequest, outcome: Outcome) -> None:
        """Take a cancel's outcome from the gateway."""
        self._parts.orders.apply_cancel_outcome(request.client_id, outcome)

    def _wanted(self, intent: OrderIntent) -> bool:
        # Whether an order that the venue refused with its whole batch may be sent alone. Not when
        # it is stale, or anything that would have kept it from leaving has come since.
        parts = self._parts
        order = parts.orders.get(intent.client_id)
        posture = parts.gate.posture(intent.slot.market)
        new_risk = intent.purpose in NEW_RISK
        allowed = PostureLevel.ACTIVE if new_risk else PostureLevel.REDUCING
        return (
            self.open_for_creates
            and order is not None
            and order.state is OrderState.PENDING_CREATE
            and intent.client_id not in self._cancels
            and intent.decided_ns > parts.now_ns() - parts.tick_ns
            and posture.level.rank <= allowed.rank
            and not (new_risk and intent.side in posture.paused)
        )

    def _admit(self, place: Place, view: RiskView) -> None:
        now_ns = self._parts.now_ns()
        self._queue.supersede(place.slot)
        backoff = self._backoffs.get(place.slot)
        if backoff is not None and backoff.holds(place, now_ns):
            if place.slot.plan:
                self._parts.refused(place, backoff.refusal, backoff.until_ns)
            return
        intent = self.judge(place, view)
        if isinstance(intent, Refusal) and self._clears(intent.denied):
            intent = self.judge(place, view)
        if isinstance(intent, Refusal):
            self._deny(place, intent, now_ns)
            if place.slot.plan:
                self._parts.refused(place, intent, now_ns)
            return
        self._backoffs.pop(place.slot, None)
        self._queue.put(intent)

    def _clears(self, denied: Denied) -> bool:
        # What is in the way of a hedge and has not left need not be cancelled first.
        way = denied.in_the_way
        return bool(way and self._queue.drop(lambda one: queued_id(one.slot) in way))

    def _reserve(self, intent: OrderIntent) -> Denied | None:
        # Queued creates hold what they need until they are recorded; then the order holds it.
        instrument = intent.instrument
        venue = instrument.market.venue
        asset = instrument.quote if intent.side is Side.BUY else instrument.base
        live = self._parts.orders.claims.of(venue, asset)
        queued = self._queue.claims.of(venue, asset, besides=intent.slot)
        available = self._parts.accounts[venue].balance(asset, *live).available - queued
        need = needs(intent, intent.quantity, asset)
        if need > available:
            return Denied("balance", need, available, f"not enough {asset}")
        return None

    def _deny(self, place: Place, refusal: Refusal, now_ns: int) -> None:
        slot, denied = place.slot, refusal.denied
        counts = self.denied.setdefault(slot.strategy, {})
        counts[denied.rule] = counts.get(denied.rule, 0) + 1
        backoff = self._backoffs.get(slot)
        repeated = backoff is not None and backoff.refusal.denied.rule == denied.rule
        # Plans come and go, and their slots with them: who asked no more is forgotten.
        oldest_ns = now_ns - LONGEST_NS
        while self._backoffs and next(iter(self._backoffs.values())).until_ns < oldest_ns:
            del self._backoffs[next(iter(self._backoffs))]
        self._backoffs.pop(slot, None)
        self._backoffs[slot] = backed_off(backoff, place, refusal, now_ns, self._parts.tick_ns)
        for client_id in denied.in_the_way:
            self._cancels.setdefault(client_id, f"in the way of a {place.purpose}")
        if repeated:
            return
        self._parts.journal.append(
            IntentDenied(
                strategy=slot.strategy,
                market=str(slot.market),
                side=place.side,
                level=slot.level,
                price=place.price,
                quantity=place.quantity,
                stage=refusal.stage,
                rule=denied.rule,
                observed=_figure(denied.observed),
                limit=_figure(denied.limit),
                reasons=place.reasons,
            )
        )

    def _record_and_send(
        self, batch: tuple[OrderIntent, ...], gateway: Gateway, now_ns: int
    ) -> None:
        named = tuple(
            msgspec.structs.replace(intent, client_id=self._parts.new_id()) for intent in batch
        )
        seq = 0
        for intent in named:
            seq = self._parts.orders.record(intent, now_ns)
        gateway.create(named, seq)

    def _send_cancels(self) -> None:
        now_ns = self._parts.now_ns()
        by_venue: dict[str, list[CancelRequest]] = {}
        # Each order that moves tells listeners, who may ask for more: those leave next time.
        pending, self._cancels = self._cancels, {}
        for client_id, reason in pending.items():
            order = self._parts.orders.get(client_id)
            if order is None or order.state.is_closed:
                continue
            if order.state is OrderState.PENDING_CREATE:
                self._cancels[client_id] = reason  # follows the answer to the create
                continue
            if now_ns - (order.cancel_sent_ns or -_CANCEL_AGAIN_NS) < _CANCEL_AGAIN_NS:
                self._cancels[client_id] = reason  # refused just now: hammering would not help
                continue
            if self._parts.orders.ask_cancel(client_id, reason, now_ns) is not None:
                slot = order.intent.slot
                by_venue.setdefault(slot.market.venue, []).append(
                    CancelRequest(client_id, slot.market, order.venue_id, reason)
                )
        for venue, requests in by_venue.items():
            self._gateways[venue].cancel(requests)

    def _order_changed(self, order: Order) -> None:
        if order.client_id in self._cancels and order.state is not OrderState.PENDING_CREATE:
            self._send_cancels()


def _figure(value: Decimal | str) -> str:
    return trimmed(value) if isinstance(value, Decimal) else value
