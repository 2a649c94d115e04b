"""Draw what a venue, a market and a crash may do to a plan, and drive a `Kit` through it.

A schedule is a list of moves; each does what it says if it can be done now, else nothing. The
laws that hold for every executor are the kit's own; `finish` is a venue that behaves again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from fairlead.api import Denied, OrderView
from fairlead.model import MarketId, OrderIntent, OrderState, OrderTrigger
from tests.fairlead.execution.plan_kit import Kit

_TRIGGERS = {
    "ack": OrderTrigger.ACCEPTED,
    "reject": OrderTrigger.REJECTED,
    "lose": OrderTrigger.ANSWER_LOST,
    "never": OrderTrigger.NEVER_LANDED,
    "cancelled": OrderTrigger.CANCELLED,
    "expired": OrderTrigger.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that happens; the numbers mean what the kind makes of them."""

    kind: str
    pick: int = 0
    amount: int = 0


_ORDER_KINDS = (*_TRIGGERS, "fill", "fill", "fill", "cancel_fails")
MOVES: st.SearchStrategy[Move] = st.one_of(
    st.builds(Move, st.sampled_from(_ORDER_KINDS), st.integers(0, 3), st.integers(1, 10)),
    st.builds(Move, st.just("behave"), st.integers(0, 3)),
    st.builds(Move, st.just("wait"), st.just(0), st.integers(1, 12)),
    st.builds(Move, st.just("quote"), st.integers(-12, 12), st.integers(1, 6)),
    st.builds(Move, st.sampled_from(["no_book", "refuse", "allow"])),
    st.builds(Move, st.just("restart"), st.integers(0, 3), st.integers(0, 10)),
)
SCHEDULES = st.lists(MOVES, max_size=40)
#: The same with a venue whose books are slower than its answers: an order fills after its end.
LATE_SCHEDULES = st.lists(
    MOVES | st.builds(Move, st.just("late"), st.integers(0, 9), st.integers(1, 10)), max_size=40
)


def drive(kit: Kit, market: MarketId, schedule: Sequence[Move], mid: Decimal) -> None:
    """Let it all happen, until the plan has ended and is quiet."""
    for move in schedule:
        if kit.finished and move.kind != "late":
            continue
        _do(kit, market, move, mid)


def finish(kit: Kit, market: MarketId, mid: Decimal, seconds: int) -> None:
    """Behave from now on; the plan has to come to its end within that time."""
    kit.refuse = lambda intent: None
    kit.quote(market, mid * Decimal("0.999"), mid * Decimal("1.001"))
    kit.run(seconds)
    assert kit.finished, f"it goes on: {kit.state}, {kit.live}"


def _do(kit: Kit, market: MarketId, move: Move, mid: Decimal) -> None:
    if move.kind == "late":
        _late(kit, move)
        return
    order = _picked(kit, move.pick)
    if order is not None and move.kind in _ORDER_KINDS:
        _to_order(kit, order, move)
        return
    match move.kind:
        case "behave":
            kit.settle()
        case "wait":
            kit.advance(move.amount / 2)
        case "quote":
            middle = mid * (1 + Decimal(move.pick) / 1000)
            half = mid * Decimal(move.amount) / 10_000
            kit.quote(market, _cents(middle - half), _cents(middle + half))
        case "no_book":
            kit.book(market, None)
        case "refuse":
            kit.refuse = _refuse
        case "allow":
            kit.refuse = lambda intent: None
        case "restart":
            share = Decimal(move.amount) / 10
            fills = {one.client_id: _part(kit, one, share) for one in kit.live.values()}
            kit.restart(
                lost_steps=move.pick,
                fills={name: part for name, part in fills.items() if part > 0},
            )
        case _:
            pass  # there is no order that it could happen to


def _to_order(kit: Kit, order: OrderView, move: Move) -> None:
    match move.kind:
        case "fill":
            part = _part(kit, order, Decimal(move.amount) / 10)
            if part > 0:
                kit.fill(order, part)
        case "cancel_fails":
            if order.state is OrderState.PENDING_CANCEL:
                kit.cancel_fails(order)
        case kind:
            kit.move(order, _TRIGGERS[kind])


def _late(kit: Kit, move: Move) -> None:
    ended = [
        order
        for order in kit.orders.values()
        if order.state in {OrderState.CANCELLED, OrderState.EXPIRED}
    ]
    if ended:
        order = ended[move.pick % len(ended)]
        part = _part(kit, order, Decimal(move.amount) / 10)
        if part > 0:
            kit.fill_late(order, part)
            kit.late[order.side] = kit.late.get(order.side, Decimal(0)) + part


def _picked(kit: Kit, pick: int) -> OrderView | None:
    live = list(kit.live.values())
    return live[pick % len(live)] if live else None


def _part(kit: Kit, order: OrderView, share: Decimal) -> Decimal:
    return kit.instruments[order.slot.market].round_quantity(order.leaves * share)


def _refuse(intent: OrderIntent) -> Denied:
    return Denied("test", intent.quantity, "nothing")


def _cents(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.01"))
