"""Find the orders of earlier runs that a start must know: without an end, or ended just before.

A venue may tell of a fill after it has told of the order's end. A running engine keeps what has
ended for such news; a start finds the same in the store, however the run before it went.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fairlead.model import ZERO, OrderState, Purpose, Side, TimeInForce
from fairlead.store.database import Transaction
from fairlead.store.statement_earlier import earlier_statements

__all__ = ["ENDED_KEPT", "LATE_NEWS_NS", "EarlierOrder", "read_ended", "read_unfinished"]

#: How long after the end of an order a venue may still tell, or begin to list, a fill of it.
LATE_NEWS_NS = 60_000_000_000

#: Ended orders kept for late news at most; enough for hours of quoting, a few MB.
ENDED_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class EarlierOrder:
    """An order of an earlier run of the instance, as far as its journal goes.

    Recorded means maybe sent: without a transition nothing is proven about it.
    """

    client_id: str
    strategy: str
    market: str
    side: Side
    level: int
    price: Decimal
    quantity: Decimal
    time_in_force: TimeInForce
    post_only: bool
    reduce_only: bool
    purpose: Purpose
    decided_ns: int
    recorded_ns: int
    state: OrderState
    filled: Decimal
    #: The trades of it that are booked.
    trades: tuple[str, ...]
    #: The execution that it works for; "" = it is a quote, or a person's exit.
    execution: str = ""
    #: When its end, or what came after it, was recorded; None = it has no end.
    closed_ns: int | None = None
    #: What had filled by its last step; less than ``filled`` where the step of a fill was lost.
    stepped: Decimal = ZERO


def read_unfinished(transaction: Transaction, instance_id: int) -> tuple[EarlierOrder, ...]:
    """Give the instance's orders without an end, oldest first.

    A run that ended with proof left none, so only the runs after the last such one are read.
    """
    rows = transaction.read(earlier_statements().find_unfinished, instance_id, instance_id)
    return tuple(_order(transaction, row) for row in rows)


def read_ended(transaction: Transaction, instance_id: int) -> tuple[EarlierOrder, ...]:
    """Give the orders of which late news may come, by their ends, the oldest first.

    Those are the ones that ended within `LATE_NEWS_NS` of their run's last record; at most
    `ENDED_KEPT`, the newest.
    """
    sql = earlier_statements()
    names: dict[str, None] = {}
    for name in _ended(transaction, instance_id):
        names[name] = None
        if len(names) == ENDED_KEPT:
            break
    found = [
        _order(transaction, row)
        for name in reversed(names)
        for row in transaction.read(sql.find_order, name)
    ]
    return tuple(one for one in found if one.closed_ns is not None)


def _ended(transaction: Transaction, instance_id: int) -> Iterator[str]:
    # A run that has made an order had read the account: what ended long before it is settled.
    # One that has made none may never have reached the venue, so those before it count too.
    sql = earlier_statements()
    oldest_ns: int | None = None
    for (run_id,) in transaction.read(sql.find_runs, instance_id):
        last = transaction.read(sql.find_last, run_id)
        if not last:
            continue
        ((last_ns,),) = last
        if oldest_ns is not None and last_ns < oldest_ns:
            return
        since_ns = last_ns - LATE_NEWS_NS if oldest_ns is None else oldest_ns
        for (name,) in transaction.read(sql.find_ended, run_id, run_id, since_ns):
            yield name
        if oldest_ns is None and transaction.read(sql.find_made, run_id):
            oldest_ns = since_ns


def _order(transaction: Transaction, row: Sequence[Any]) -> EarlierOrder:
    sql = earlier_statements()
    client_id = row[0]
    state, filled, moved_ns = OrderState.PENDING_CREATE, ZERO, 0
    for after, cumulative, t_ns in transaction.read(sql.find_transitions, client_id):
        state, filled, moved_ns = OrderState(after), Decimal(cumulative), t_ns
    trades = transaction.read(sql.find_trades, client_id)
    return EarlierOrder(
        client_id=client_id,
        recorded_ns=row[1],
        strategy=row[2],
        market=row[3],
        side=Side(row[4]),
        level=row[5],
        price=Decimal(row[6]),
        quantity=Decimal(row[7]),
        time_in_force=TimeInForce(row[8]),
        post_only=bool(row[9]),
        reduce_only=bool(row[10]),
        purpose=Purpose(row[11]),
        decided_ns=row[12],
        execution=row[13],
        state=state,
        filled=sum((Decimal(quantity) for _, quantity in trades), start=ZERO) or filled,
        trades=tuple(trade for trade, _ in trades),
        closed_ns=moved_ns if state.is_closed else None,
        stepped=filled,
    )
