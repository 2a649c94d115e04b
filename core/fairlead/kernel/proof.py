"""Prove that nothing of ours is left: the last thing that a run does.

Proof is two complete reads of every venue's open orders in a row, a second or more apart, that
show none of ours, the first begun after the deadline of the last create whose answer is out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairlead.api import Clock, Connector
from fairlead.kernel.desk import Desk
from fairlead.model import ClientId, OrderUpdate, Unavailable
from fairlead.pipeline import ask

__all__ = ["prove_gone"]

_SECOND = 1_000_000_000
_LIMIT_NS = 60 * _SECOND
_GAP_NS = 1 * _SECOND
# What a request may wait at the venue before its deadline is looked at.
_MARGIN_NS = 1 * _SECOND


async def prove_gone(
    desk: Desk,
    connectors: Mapping[str, Connector],
    tag: int,
    clock: Clock,
    settle: Callable[[int], None],
) -> tuple[str, ...]:
    """Cancel and read until proven; gives what is left after 60 s, empty = proven.

    Proven gone means gone at the venue and ended in our books: what an order had filled before
    it went is part of the proof, so ``settle`` asks for each that has no end and works the
    answers in. What a read shows although it should be gone is cancelled once more. ``tag`` tells our
    instance's orders from those of others, which are left alone.
    """
    limit_ns = clock.now_ns() + _LIMIT_NS
    clean_reads = 0
    left: tuple[str, ...] = ("nothing was read",)
    while clock.now_ns() < limit_ns:
        desk.pipeline.cancel_all("stop")
        desk.pipeline.dispatch()
        await clock.sleep_until_ns(min(_landed_ns(desk, connectors), limit_ns))
        settle(clock.now_ns())
        left = _unended(desk)
        for venue, connector in connectors.items():
            left += await _read_left(desk, venue, connector, tag, clock, limit_ns)
        clean_reads = 0 if left else clean_reads + 1
        if clean_reads == 2:
            return ()
        await clock.sleep_ns(_GAP_NS)
    return left


def _landed_ns(desk: Desk, connectors: Mapping[str, Connector]) -> int:
    # When the last create whose fate nobody has proven can no longer land.
    return max(
        (
            order.sent_ns
            + connectors[order.intent.slot.market.venue].capabilities.deadline_ns
            + _MARGIN_NS
            for order in desk.orders.live()
            if order.acknowledged_ns is None and order.sent_ns is not None
        ),
        default=0,
    )


def _unended(desk: Desk) -> tuple[str, ...]:
    # Recorded and not closed in our books: it may yet leave, land, fill, or have filled.
    return tuple(
        f"{order.intent.slot.market.venue}: {order.client_id} "
        f"({'not sent yet' if order.sent_ns is None else order.state.value})"
        for order in desk.orders.live()
    )


async def _read_left(
    desk: Desk, venue: str, connector: Connector, tag: int, clock: Clock, limit_ns: int
) -> tuple[str, ...]:
    now_ns = clock.now_ns()
    answer = await ask(connector.open_orders, limit_ns - now_ns)
    if isinstance(answer, Unavailable):
        return (f"{venue}: open orders unavailable ({answer.cause})",)
    ours = [order for order in answer if _is_ours(order, tag)]
    overdue = [order for order in ours if _should_be_gone(desk, order, now_ns)]
    if overdue:
        desk.pipeline.sweep(venue, overdue, "stop")
    return tuple(f"{venue}: {order.client_id}" for order in ours)


def _should_be_gone(desk: Desk, found: OrderUpdate, now_ns: int) -> bool:
    order = desk.orders.get(found.client_id)
    asked_ns = None if order is None else order.cancel_sent_ns
    return asked_ns is None or now_ns - asked_ns >= _GAP_NS


def _is_ours(order: OrderUpdate, tag: int) -> bool:
    mine = ClientId.parse(order.client_id)
    return mine is not None and mine.tag == tag
