"""Find what an earlier run left open: orders whose end was never recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fairlead.model import ZERO, OrderState, Purpose, Side, TimeInForce
from fairlead.store.database import Transaction
from fairlead.store.statement import statements

__all__ = ["UnfinishedOrder", "read_unfinished"]


@dataclass(frozen=True, slots=True)
class UnfinishedOrder:
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


def read_unfinished(transaction: Transaction, instance_id: int) -> tuple[UnfinishedOrder, ...]:
    """Give the instance's orders without an end, oldest first.

    A run that ended with proof left none, so only the runs after the last such one are read.
    """
    sql = statements()
    rows = transaction.read(sql.find_unfinished, instance_id, instance_id)
    return tuple(_order(transaction, row) for row in rows)


def _order(transaction: Transaction, row: Sequence[Any]) -> UnfinishedOrder:
    sql = statements()
    client_id = row[0]
    state, filled = OrderState.PENDING_CREATE, ZERO
    for after, cumulative in transaction.read(sql.find_transitions, client_id):
        state, filled = OrderState(after), Decimal(cumulative)
    trades = transaction.read(sql.find_trades, client_id)
    return UnfinishedOrder(
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
    )
