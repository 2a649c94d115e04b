"""Keep the shadow ledger of our orders: what is proven about each, from whatever came first.

Answers, stream news and fills may come in any order, twice or late. Every change goes through
the one table of states (`fairlead.model.TRANSITIONS`) and into the journal; a fill counts once,
by venue and trade id. Finished orders stay known for a while, for late news, and so do those that
an earlier run saw end shortly before its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from fairlead.model import (
    Accepted,
    Fill,
    MarketId,
    NotSent,
    OrderIntent,
    OrderState,
    OrderTrigger,
    OrderUpdate,
    Outcome,
    RejectClass,
    Rejected,
    Unknown,
    next_state,
    trimmed,
)
from fairlead.store import (
    ENDED_KEPT,
    CancelAsked,
    EarlierOrder,
    Incident,
    Journal,
    OrderMoved,
    OrderRecorded,
)
from fairlead.trackers.claims import OrderClaims
from fairlead.trackers.order import Order

__all__ = ["OrderTracker"]

_FINAL_TRIGGERS = {
    OrderState.CANCELLED: OrderTrigger.CANCELLED,
    OrderState.EXPIRED: OrderTrigger.EXPIRED,
    OrderState.REJECTED: OrderTrigger.REJECTED,
}
_UNPROVEN = (OrderState.PENDING_CREATE, OrderState.UNKNOWN)
# The state in which a trigger only repeats what is known.
_SETTLED = {
    OrderTrigger.ACCEPTED: OrderState.OPEN,
    OrderTrigger.ANSWER_LOST: OrderState.UNKNOWN,
    OrderTrigger.CANCELLED: OrderState.CANCELLED,
    OrderTrigger.CANCEL_SENT: OrderState.PENDING_CANCEL,
    OrderTrigger.EXPIRED: OrderState.EXPIRED,
    OrderTrigger.NEVER_LANDED: OrderState.CANCELLED,
    OrderTrigger.NOT_SENT: OrderState.CANCELLED,
    OrderTrigger.PROVEN_OPEN: OrderState.OPEN,
    OrderTrigger.REJECTED: OrderState.REJECTED,
}


class OrderTracker:
    """All orders of this run, by client id; the only place that changes an order."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._live: dict[str, Order] = {}
        #: What live orders take of each asset.
        self.claims = OrderClaims()
        self._closed: OrderedDict[str, Order] = OrderedDict()
        self._changed: list[Callable[[Order], None]] = []
        self._recorded: list[Callable[[Order], None]] = []

    def on_change(self, listener: Callable[[Order], None], *, new: bool = False) -> None:
        """Call ``listener`` after each change of an order's state or filled quantity.

        ``new`` = with each order that is recorded or taken up from an earlier run, instead.
        """
        (self._recorded if new else self._changed).append(listener)

    def get(self, client_id: str) -> Order | None:
        """Find an order, finished ones included while they are remembered."""
        return self._live.get(client_id) or self._closed.get(client_id)

    def live(
        self, *, strategy: str | None = None, market: MarketId | None = None
    ) -> tuple[Order, ...]:
        """Give the orders that are not closed, oldest first."""
        return tuple(
            order
            for order in self._live.values()
            if (strategy is None or order.intent.slot.strategy == strategy)
            and (market is None or order.intent.slot.market == market)
        )

    def record(self, intent: OrderIntent, now_ns: int) -> int:
        """Take an intent that is about to be sent; gives the journal number to wait for."""
        if self.get(intent.client_id) is not None:
            raise ValueError(f"client id {intent.client_id} was used before")
        order = self._live[intent.client_id] = Order(intent, now_ns)
        self.claims.follow(order)
        for listener in self._recorded:
            listener(order)
        return self._journal.append(
            OrderRecorded(
                order=intent.client_id,
                strategy=intent.slot.strategy,
                market=str(intent.slot.market),
                side=intent.side,
                level=intent.slot.level,
                price=intent.price,
                quantity=intent.quantity,
                time_in_force=intent.time_in_force,
                post_only=intent.post_only,
                reduce_only=intent.reduce_only,
                purpose=intent.purpose,
                decided_ns=intent.decided_ns,
                reference=intent.reference,
                mid=intent.mid,
                reasons=intent.reasons,
                execution=intent.slot.plan,
            )
        )

    def restore(self, intent: OrderIntent, left: EarlierOrder) -> None:
        """Take up an order of an earlier run; recorded means maybe sent, so it is unproven.

        One that has ended is only remembered, as one of this run would be.
        """
        order = Order(intent, left.recorded_ns)
        order.earlier = True
        order.sent_ns = left.recorded_ns
        order.filled = left.filled
        order.trades = list(left.trades)
        order.state = left.state
        if left.state.is_closed:
            order.acknowledged_ns, order.closed_ns = left.recorded_ns, left.closed_ns
            self._remember(order)
            trigger = OrderTrigger.FULL_FILL if order.leaves <= 0 else OrderTrigger.PARTIAL_FILL
            if left.filled > left.stepped and next_state(order.state, trigger) is not None:
                self._move(order, trigger, "the run before this one ended")
            return
        self._live[intent.client_id] = order
        self.claims.follow(order)
        for listener in self._recorded:
            listener(order)
        if left.state is OrderState.PENDING_CREATE:
            self._move(order, OrderTrigger.ANSWER_LOST, "the run before this one ended")
        elif left.state is not OrderState.UNKNOWN:
            order.acknowledged_ns = left.recorded_ns
        # Whoever waited for the answer to its cancel is gone: it may never have left.
        order.cancel_lost = left.state is OrderState.PENDING_CANCEL

    def never_landed(self, client_id: str) -> None:
        """Take the proof that the venue does not have an order and will not get it.

        One that was once acknowledged has gone there without a word: it is closed with an
        incident.
        """
        order = self._live.get(client_id)
        if order is None:
            return
        if order.acknowledged_ns is None:
            self._move(order, OrderTrigger.NEVER_LANDED, "not found after its deadline")
        else:
            self._incident("vanished", order, "the venue no longer knows it")
            self._move(order, OrderTrigger.CANCELLED, "the venue no longer knows it")

    def apply_outcome(self, client_id: str, outcome: Outcome, now_ns: int) -> None:
        """Take the answer to a create; the stream may have said more before."""
        order = self._live.get(client_id)
        if order is None:
            return
        match outcome:
            case Accepted(venue_id=venue_id):
                self._acknowledge(order, venue_id, now_ns)
            case Rejected(code=code, detail=detail) if order.state in _UNPROVEN:
                self._move(order, OrderTrigger.REJECTED, f"{code} {detail}".strip())
            case NotSent(cause=cause) if order.state is OrderState.PENDING_CREATE:
                self._move(order, OrderTrigger.NOT_SENT, cause)
            case Unknown(cause=cause) if order.state is OrderState.PENDING_CREATE:
                self._move(order, OrderTrigger.ANSWER_LOST, cause)
            case _:
                # The stream has proven more than this answer says.
                pass

    def ask_cancel(
        self, client_id: str, reason: str, now_ns: int, *, again: bool = False
    ) -> Order | None:
        """Mark that a cancel leaves now; None when the order is closed or already leaving.

        An order whose create is unanswered keeps its state: its cancel follows the answer. A
        cancel whose answer was lost is repeated, and any other ``again``, when it had no effect.
        """
        order = self._live.get(client_id)
        if order is None or order.state is OrderState.PENDING_CREATE:
            return None
        if order.state is OrderState.PENDING_CANCEL and not (again or order.cancel_lost):
            return None
        self._journal.append(CancelAsked(order=client_id, reason=reason))
        order.cancel_sent_ns, order.cancel_lost = now_ns, False
        self._move(order, OrderTrigger.CANCEL_SENT, reason)
        return order

    def apply_cancel_outcome(self, client_id: str, outcome: Outcome) -> None:
        """Take the answer to a cancel. Only the stream or a query proves the order gone."""
        order = self._live.get(client_id)
        if order is None or order.state is not OrderState.PENDING_CANCEL:
            return
        match outcome:
            case Rejected(code=code, reason=reason) if reason is not RejectClass.NOT_FOUND:
                self._stays(order, code)
            case NotSent(cause=cause):
                self._stays(order, cause)
            case Unknown():
                order.cancel_lost = True
            case _:
                # Accepted, or not found: filled, gone or not yet seen. News will tell.
                pass

    def apply_update(self, update: OrderUpdate, now_ns: int) -> None:
        """Take the venue's news of an order; fills are booked by `apply_fill` alone."""
        order = self._live.get(update.client_id)
        if order is None:
            return
        trigger = _FINAL_TRIGGERS.get(update.state)
        if trigger is None:
            self._acknowledge(order, update.venue_id, now_ns)
        elif update.filled > order.filled:
            order.final = (trigger, update.filled)
        else:
            self._move(order, trigger, update.detail)

    def expects(self, fill: Fill) -> Order | None:
        """Find the order of a fill that was not booked yet; None = repeated or none of ours."""
        order = self.get(fill.client_id)
        return None if order is None or fill.trade_id in order.trades else order

    def apply_fill(self, fill: Fill, now_ns: int) -> Order | None:
        """Book a fill once; None when it is a repetition or no order of this run."""
        order = self.expects(fill)
        if order is None:
            return None
        was_closed = order.state.is_closed
        if order.acknowledged_ns is None:
            order.acknowledged_ns = now_ns
            order.venue_id = fill.venue_id
        order.trades.append(fill.trade_id)
        order.filled += fill.quantity
        order.touch()
        if order.filled > order.intent.quantity:
            self._incident("overfill", order, f"filled {trimmed(order.filled)}")
        if was_closed:
            self._incident("late_fill", order, f"{trimmed(fill.quantity)} after {order.state}")
        full = order.leaves <= 0
        self._move(order, OrderTrigger.FULL_FILL if full else OrderTrigger.PARTIAL_FILL)
        final = order.final
        if final is not None and order.filled >= final[1] and not order.state.is_closed:
            self._move(order, final[0])
        return order

    def _acknowledge(self, order: Order, venue_id: str, now_ns: int) -> None:
        if order.acknowledged_ns is None:
            order.acknowledged_ns = now_ns
            order.venue_id = venue_id
            order.touch()
        if order.state in _UNPROVEN:
            self._move(order, OrderTrigger.ACCEPTED)

    def _stays(self, order: Order, detail: str) -> None:
        # The cancel had no effect: the order is what it was before.
        if order.acknowledged_ns is None:
            self._move(order, OrderTrigger.ANSWER_LOST, detail)
        elif order.filled > 0:
            self._move(order, OrderTrigger.PROVEN_PARTIAL, detail)
        else:
            self._move(order, OrderTrigger.PROVEN_OPEN, detail)

    def _move(self, order: Order, trigger: OrderTrigger, detail: str = "") -> None:
        before = order.state
        if before is _SETTLED.get(trigger):
            return
        after = next_state(before, trigger)
        if after is None:
            self._incident("illegal_step", order, f"{trigger} in state {before}")
            return
        order.state = after
        order.touch()
        self._journal.append(
            OrderMoved(
                order=order.client_id,
                before=before,
                trigger=trigger,
                after=after,
                filled=order.filled,
                detail=detail,
            )
        )
        if after.is_closed:
            order.closed_ns = order.closed_ns or self._journal.now_ns()
            self._close(order)
        self.claims.follow(order)
        for listener in self._changed:
            listener(order)

    def _close(self, order: Order) -> None:
        if self._live.pop(order.client_id, None) is not None:
            self._remember(order)

    def _remember(self, order: Order) -> None:
        self._closed[order.client_id] = order
        if len(self._closed) > ENDED_KEPT:
            self._closed.popitem(last=False)

    def _incident(self, name: str, order: Order, detail: str) -> None:
        self._journal.append(Incident(name=name, detail=f"order {order.client_id[-8:]}: {detail}"))
