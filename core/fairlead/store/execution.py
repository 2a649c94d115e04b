"""Find executions: those that an earlier run left unfinished, and what others came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from fairlead.api import ExecutionResult
from fairlead.model import Liquidity, Purpose, Side
from fairlead.store.database import Transaction
from fairlead.store.record import AdmittedLeg, OrderRecorded
from fairlead.store.statement_execution import execution_statements

__all__ = [
    "ExecutionFill",
    "StoredExecution",
    "UnfinishedExecution",
    "read_unfinished_executions",
    "stored_execution",
]


@dataclass(frozen=True, slots=True)
class ExecutionFill:
    """A fill of an execution's order that is booked; money as in `FillBooked`."""

    market: str
    side: Side
    level: int
    purpose: Purpose
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    booked_ns: int
    #: The mid when the order was decided; None = there was no valid book.
    mid: Decimal | None


@dataclass(frozen=True, slots=True)
class UnfinishedExecution:
    """An execution of an earlier run whose end was never recorded, as far as its journal goes."""

    execution: str
    name: str
    strategy: str
    executor: str
    #: JSON of the plan and of the executor's last durable state.
    plan: str
    state: str
    #: Why its executor had ended, where only its last orders were waited for; else "".
    end: str
    legs: tuple[AdmittedLeg, ...]
    started_ns: int
    #: False: the run that it belongs to was of another kind; it can only be ended.
    resumable: bool
    fills: tuple[ExecutionFill, ...]


@dataclass(frozen=True, slots=True)
class StoredExecution:
    """An execution that ended, as it is stored."""

    execution: str
    name: str
    strategy: str
    executor: str
    market: str
    ended_ns: int
    #: Notional-weighted over its legs, positive = worse; None = unknown.
    slippage_bps: Decimal | None
    result: ExecutionResult


def read_unfinished_executions(
    transaction: Transaction, instance_id: int, *, mode: str
) -> tuple[UnfinishedExecution, ...]:
    """Give the instance's executions without an end, oldest first.

    On paper a venue begins anew with each run, so nothing can be gone on with there.
    """
    sql = execution_statements()
    rows = transaction.read(sql.find_unfinished, instance_id)
    return tuple(_unfinished(transaction, row, mode) for row in rows)


def stored_execution(row: dict[str, Any]) -> StoredExecution:
    """Read a row of results."""
    return StoredExecution(
        execution=row["execution"],
        name=row["name"],
        strategy=row["strategy"],
        executor=row["executor"],
        market=row["market"],
        ended_ns=row["t_ns"],
        slippage_bps=None if row["slippage_bps"] is None else Decimal(row["slippage_bps"]),
        result=msgspec.json.decode(row["result"], type=ExecutionResult),
    )


def _unfinished(transaction: Transaction, row: Sequence[Any], mode: str) -> UnfinishedExecution:
    sql = execution_statements()
    execution, name, strategy, executor, plan, legs, first, started_ns, its_mode = row
    steps = transaction.read(sql.find_last_step, execution)
    state, end = steps[0] if steps else (first, "")
    return UnfinishedExecution(
        execution=execution,
        name=name,
        strategy=strategy,
        executor=executor,
        plan=plan,
        state=state,
        end=end,
        legs=msgspec.json.decode(legs, type=tuple[AdmittedLeg, ...]),
        started_ns=started_ns,
        resumable=mode == its_mode != "paper",
        fills=tuple(_fill(found) for found in transaction.read(sql.find_fills, execution)),
    )


def _fill(row: Sequence[Any]) -> ExecutionFill:
    order = msgspec.json.decode(row[8], type=OrderRecorded)
    return ExecutionFill(
        market=row[0],
        side=Side(row[1]),
        level=order.level,
        purpose=order.purpose,
        price=Decimal(row[2]),
        quantity=Decimal(row[3]),
        fee=Decimal(row[4]),
        fee_asset=row[5],
        liquidity=Liquidity(row[6]),
        booked_ns=row[7],
        mid=order.mid,
    )
