"""Prove that nothing of ours is left: the last thing that a run does.

Proof is two complete reads of every venue's open orders in a row, a second or more apart, that
show none of ours, the first begun after the deadline of the last create whose answer is out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairlead.api import Clock, Connector
from fairlead.kernel.desk import Desk
from fairlead.kernel.outcome import RunSetup
from fairlead.model import ClientId, OrderUpdate, Unavailable
from fairlead.pipeline import ask

__all__ = ["ProofParts", "prove_gone", "prove_or_hurry"]

_SECOND = 1_000_000_000
_LIMIT_NS = 60 * _SECOND
_GAP_NS = 1 * _SECOND
# What a request may wait at the venue before its deadline is looked at.
_MARGIN_NS = 1 * _SECOND


@dataclass(frozen=True, slots=True)
class ProofParts:
    """Whose orders are to be proven gone, and where."""

    desk: Desk
    connectors: Mapping[str, Connector]
    setup: RunSetup
    clock: Clock
    #: Asks for each order that has no end in our books, and works the answers in.
    settle: Callable[[int], None]


async def prove_or_hurry(parts: ProofParts, hurry: asyncio.Event) -> tuple[str, ...]:
    """Prove, and wait for the last answers, unless ``hurry`` is set: then give up at once.

    Gives what is not proven gone; after a hurry at least that nobody has looked.
    """
    loop = asyncio.get_running_loop()
    work, hurried = loop.create_task(_prove_and_drain(parts)), loop.create_task(hurry.wait())
    try:
        await asyncio.wait((work, hurried), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
    finally:
        for task in (work, hurried):
            task.cancel()
        await asyncio.gather(work, hurried, return_exceptions=True)
    nobody = "nobody has looked whether anything is left: asked to stop twice"
    return (*_unended(parts.desk), nobody)


async def _prove_and_drain(parts: ProofParts) -> tuple[str, ...]:
    left = await prove_gone(parts)
    for gateway in parts.desk.gateways.values():
        await gateway.drain()
    return left


async def prove_gone(parts: ProofParts) -> tuple[str, ...]:
    """Cancel and read until proven; gives what is left after 60 s, empty = proven.

    Proven gone means gone at the venue and ended in our books: what an order had filled before
    it went is part of the proof. What a read shows although it should be gone is cancelled once
    more. Orders of others are left alone, and those of a later run of ours are that run's.
    """
    desk, connectors, clock = parts.desk, parts.connectors, parts.clock
    limit_ns = clock.now_ns() + _LIMIT_NS
    clean_reads = 0
    left: tuple[str, ...] = ("nothing was read",)
    while clock.now_ns() < limit_ns:
        desk.pipeline.cancel_all("stop")
        desk.pipeline.dispatch()
        await clock.sleep_until_ns(min(_landed_ns(desk, connectors), limit_ns))
        parts.settle(clock.now_ns())
        left = _unended(desk)
        for venue, connector in connectors.items():
            left += await _read_left(desk, venue, connector, parts.setup, clock, limit_ns)
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
    desk: Desk, venue: str, connector: Connector, setup: RunSetup, clock: Clock, limit_ns: int
) -> tuple[str, ...]:
    now_ns = clock.now_ns()
    answer = await ask(connector.open_orders, limit_ns - now_ns)
    if isinstance(answer, Unavailable):
        return (f"{venue}: open orders unavailable ({answer.cause})",)
    ours = [order for order in answer if _is_ours(order, setup)]
    overdue = [order for order in ours if _should_be_gone(desk, order, now_ns)]
    if overdue:
        desk.pipeline.sweep(venue, overdue, "stop")
    return tuple(f"{venue}: {order.client_id}" for order in ours)


def _should_be_gone(desk: Desk, found: OrderUpdate, now_ns: int) -> bool:
    order = desk.orders.get(found.client_id)
    asked_ns = None if order is None else order.cancel_sent_ns
    return asked_ns is None or now_ns - asked_ns >= _GAP_NS


def _is_ours(order: OrderUpdate, setup: RunSetup) -> bool:
    name = ClientId.parse(order.client_id)
    return name is not None and name.tag == setup.tag and name.epoch <= setup.epoch
