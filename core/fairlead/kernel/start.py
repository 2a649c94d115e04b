"""Start by reconciling: nothing quotes before the account is read and explained.

What an earlier run left open is taken up from the store, proven, cancelled and waited for; only
then the books open, on balances that nothing of ours moves any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from fairlead.api import Clock, Connector
from fairlead.kernel.desk import Desk
from fairlead.kernel.reading import AccountReading
from fairlead.kernel.reconcile import Reconciler
from fairlead.model import MarketId, OrderIntent, Slot, Unavailable
from fairlead.store import EarlierOrder

__all__ = ["fills_since", "reconcile_start", "take_up"]

_SECOND = 1_000_000_000
_ROUND_NS = 500_000_000
# How long after a fill a venue's balances may still be those of before.
_LAG_NS = 5 * _SECOND


def fills_since(
    earlier: Iterable[EarlierOrder], venues: Iterable[str], started_ns: int
) -> dict[str, int]:
    """Say from when on fills are to be read at each venue.

    An order without an end can have fills that nobody has booked since it was recorded; one that
    has ended, such as the venue told or listed later than its end.
    """
    since_ns = dict.fromkeys(venues, started_ns)
    for left in earlier:
        venue = MarketId.parse(left.market).venue
        from_ns = left.recorded_ns if left.closed_ns is None else left.closed_ns
        since_ns[venue] = min(since_ns.get(venue, from_ns), from_ns)
    return since_ns


def take_up(
    desk: Desk, connectors: Mapping[str, Connector], earlier: Iterable[EarlierOrder]
) -> int:
    """Take up the orders of earlier runs, those that have ended to be remembered; gives how many.

    One whose venue or market is no longer configured cannot be asked for: it is left to the
    reading of open orders, which tells our orders by their ids.
    """
    count = 0
    for left in earlier:
        market = MarketId.parse(left.market)
        connector = connectors.get(market.venue)
        instrument = None if connector is None else connector.instruments.get(market.symbol)
        if instrument is None:
            continue
        intent = OrderIntent(
            client_id=left.client_id,
            instrument=instrument,
            side=left.side,
            price=left.price,
            quantity=left.quantity,
            slot=Slot(left.strategy, market, left.side, left.level, left.execution),
            time_in_force=left.time_in_force,
            post_only=left.post_only,
            reduce_only=left.reduce_only,
            purpose=left.purpose,
            decided_ns=left.decided_ns,
        )
        desk.orders.restore(intent, left)
        count += 1
    return count


async def reconcile_start(
    desk: Desk, reconciler: Reconciler, venues: Iterable[str], clock: Clock, limit_ns: int
) -> str | Unavailable:
    """Read every venue until nothing of before is left; gives "" or why that did not succeed.

    `Unavailable` = a venue could not be read at all; a text = it shows what should be gone.

    :param limit_ns: when to give up, by the engine's clock.
    """
    # Side by side: a venue that takes long must not keep the others waiting.
    problems = await asyncio.gather(
        *(_reconcile_one(desk, reconciler, venue, clock, limit_ns) for venue in venues)
    )
    problem = next((one for one in problems if one), "")
    if not problem:
        desk.booking.opened = True
    return problem


async def _reconcile_one(
    desk: Desk, reconciler: Reconciler, venue: str, clock: Clock, limit_ns: int
) -> str | Unavailable:
    seen_ns: dict[str, int] = {}
    problem: str | Unavailable = Unavailable("it was not read")
    while clock.now_ns() < limit_ns:
        reading = await reconciler.read(venue)
        if isinstance(reading, Unavailable):
            problem = reading
            await clock.sleep_ns(_ROUND_NS)
            continue
        reconciler.work_in(reading)
        problem = _left(desk, reading, reconciler)
        wait_ns = 0 if problem else _lags_ns(reading, reconciler, seen_ns)
        if wait_ns:
            problem = "its balances may be those of before the last fill"
        elif not problem:
            desk.accounts[venue].begin(reading.balances)
            desk.open(venue)
            reconciler.balances[venue].opened = True
            return ""
        desk.pipeline.cancel_all("left by an earlier run")
        desk.pipeline.dispatch()
        # Nothing is learnt by reading in between, and what may be asked may be little.
        await clock.sleep_ns(max(wait_ns, _ROUND_NS))
        reconciler.apply(clock.now_ns())
    if isinstance(problem, Unavailable):
        return Unavailable(f"{venue} at the start: {problem.cause}")
    return f"{venue} at the start: {problem}"


def _left(desk: Desk, reading: AccountReading, reconciler: Reconciler) -> str:
    live = [
        order for order in desk.orders.live() if order.intent.slot.market.venue == reading.venue
    ]
    if live:
        return f"{len(live)} orders of an earlier run are not proven gone"
    ours = [order for order in reading.open_orders if reconciler.is_ours(order)]
    if ours:
        return f"{len(ours)} orders of an earlier run are still open"
    return ""


def _lags_ns(reading: AccountReading, reconciler: Reconciler, seen_ns: dict[str, int]) -> int:
    # For how long balances may still be those of before a fill; books that open on such would take
    # it for a transfer later. A fill's age is told by the venue's own times, and by how long ago it
    # was first seen in ``seen_ns``.
    venue_ns = max((balance.venue_ns for balance in reading.balances), default=0)
    ages_ns = (
        max(
            venue_ns - fill.venue_ns,
            reading.asked_ns - seen_ns.setdefault(fill.trade_id, reading.asked_ns),
        )
        for fill in reading.fills
        if reconciler.is_ours(fill)
    )
    return max((_LAG_NS - age_ns for age_ns in ages_ns if age_ns < _LAG_NS), default=0)
