"""Read an account completely: open orders, fills since the last one known, balances, positions.

Background readers fetch, the tick applies: nothing here changes the engine's state. A reading is
whole or it is `Unavailable`; half a truth is not handed on.
"""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.api import Clock, Connector
from fairlead.model import BalanceUpdate, Fill, MarketId, OrderUpdate, PositionUpdate, Unavailable
from fairlead.pipeline import ask
from fairlead.store import LATE_NEWS_NS

__all__ = ["AccountReading", "OrderReading", "read_account", "read_order"]

_SECOND = 1_000_000_000
_PATIENCE_NS = 10 * _SECOND
# Fills are asked for again from this far before the last one known: venues list them late.
_OVERLAP_NS = LATE_NEWS_NS


@dataclass(frozen=True, slots=True)
class AccountReading:
    """One venue's account; what it shows was true at some instant from begin to end."""

    venue: str
    begun_ns: int
    ended_ns: int
    #: When it was begun by the monotonic clock: what is proven by time is proven by this one.
    asked_ns: int
    open_orders: tuple[OrderUpdate, ...]
    fills: tuple[Fill, ...]
    balances: tuple[BalanceUpdate, ...]
    positions: tuple[PositionUpdate, ...]


@dataclass(frozen=True, slots=True)
class OrderReading:
    """One order asked for by its id; ``order`` None = the venue did not know it."""

    client_id: str
    #: When it was begun, by the monotonic clock.
    asked_ns: int
    order: OrderUpdate | None
    fills: tuple[Fill, ...]


async def read_account(
    venue: str, connector: Connector, clock: Clock, fills_since_ns: int
) -> AccountReading | Unavailable:
    """Read the whole account; orders before fills before balances.

    In this order an order that has gone is explained by the fills that follow, and the balances
    contain at least every fill that was read.
    """
    begun_ns, asked_ns = clock.now_ns(), clock.monotonic_ns()
    open_orders = await ask(connector.open_orders, _PATIENCE_NS)
    if isinstance(open_orders, Unavailable):
        return open_orders
    since_ns = max(fills_since_ns - _OVERLAP_NS, 0)
    fills = await ask(lambda: connector.fills(since_ns), _PATIENCE_NS)
    if isinstance(fills, Unavailable):
        return fills
    balances = await ask(connector.balances, _PATIENCE_NS)
    if isinstance(balances, Unavailable):
        return balances
    positions = await ask(connector.positions, _PATIENCE_NS)
    if isinstance(positions, Unavailable):
        return positions
    ended_ns = clock.now_ns()
    return AccountReading(
        venue, begun_ns, ended_ns, asked_ns, open_orders, fills, balances, positions
    )


async def read_order(
    connector: Connector, clock: Clock, market: MarketId, client_id: str, fills_since_ns: int
) -> OrderReading | Unavailable:
    """Ask for one order and then for the fills that may explain its fate."""
    asked_ns = clock.monotonic_ns()
    order = await ask(lambda: connector.order(market, client_id), _PATIENCE_NS)
    if isinstance(order, Unavailable):
        return order
    since_ns = max(fills_since_ns - _OVERLAP_NS, 0)
    fills = await ask(lambda: connector.fills(since_ns), _PATIENCE_NS)
    if isinstance(fills, Unavailable):
        return fills
    return OrderReading(client_id, asked_ns, order, fills)
