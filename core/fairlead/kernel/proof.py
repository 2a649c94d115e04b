"""Prove that nothing of ours is left: the last thing that a run does.

Proof is two complete reads of every venue's open orders in a row, a second or more apart, that
show none of ours, the first begun after the deadline of the last create whose answer is out.
"""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.api import Clock, Connector
from fairlead.kernel.desk import Desk
from fairlead.model import ClientId, Unavailable

__all__ = ["prove_gone"]

_SECOND = 1_000_000_000
_LIMIT_NS = 60 * _SECOND
_GAP_NS = 1 * _SECOND
# What a request may wait at the venue before its deadline is looked at.
_MARGIN_NS = 1 * _SECOND


async def prove_gone(
    desk: Desk, connectors: Mapping[str, Connector], tag: int, clock: Clock
) -> tuple[str, ...]:
    """Cancel and read until proven; gives what is left after 60 s, empty = proven.

    ``tag`` tells our instance's orders from those of others, which are left alone.
    """
    limit_ns = clock.now_ns() + _LIMIT_NS
    clean_reads = 0
    left: tuple[str, ...] = ("nothing was read",)
    while clock.now_ns() < limit_ns:
        waiting_ns = _unproven_until_ns(desk, connectors)
        if clock.now_ns() < waiting_ns:
            await clock.sleep_until_ns(min(waiting_ns, limit_ns))
        desk.pipeline.cancel_all("stop")
        desk.pipeline.dispatch()
        left = await _read_left(desk, connectors, tag)
        clean_reads = 0 if left else clean_reads + 1
        if clean_reads == 2:
            return ()
        await clock.sleep_ns(_GAP_NS)
    return left


def _unproven_until_ns(desk: Desk, connectors: Mapping[str, Connector]) -> int:
    # A create whose answer is out may still land until its deadline has passed.
    return max(
        (
            order.recorded_ns
            + connectors[order.intent.slot.market.venue].capabilities.deadline_ns
            + _MARGIN_NS
            for order in desk.orders.live()
            if order.state.is_unproven
        ),
        default=0,
    )


async def _read_left(desk: Desk, connectors: Mapping[str, Connector], tag: int) -> tuple[str, ...]:
    left: list[str] = []
    for venue, connector in connectors.items():
        orders = await connector.open_orders()
        if isinstance(orders, Unavailable):
            left.append(f"{venue}: open orders unavailable ({orders.cause})")
            continue
        for order in orders:
            mine = ClientId.parse(order.client_id)
            if mine is not None and mine.tag == tag:
                left.append(f"{venue}: {order.client_id}")
    left.extend(
        f"{order.intent.slot.market.venue}: {order.client_id} ({order.state})"
        for order in desk.orders.live()
        if order.state.is_unproven
    )
    return tuple(dict.fromkeys(left))
