"""Turn the records of executions into rows, and say how they are found again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from fairlead.store.record import ExecutionEnded, ExecutionStarted, ExecutionStepped

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import ClauseElement

__all__ = ["ExecutionStatements", "execution_change", "execution_statements"]

_Row: TypeAlias = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class ExecutionStatements:
    """The SQL for executions, parameters as question marks."""

    started: str
    stepped: str
    ended: str
    #: Those of an instance without an end, oldest first; with the mode of their run.
    find_unfinished: str
    #: The last step of one execution.
    find_last_step: str
    #: All fills of an execution's orders, in order, with each order's own record.
    find_fills: str
    #: Results of an instance from some time on, oldest first.
    find_results: str
    #: Those of an instance without an end, from some time on.
    find_open: str


@cache
def execution_statements() -> ExecutionStatements:
    """Give the SQL, written by SQLAlchemy at the first call."""
    from sqlalchemy import and_, bindparam, insert, literal_column, select  # noqa: PLC0415 - slow to import
    from sqlalchemy.dialects.sqlite import dialect  # noqa: PLC0415 - slow to import

    from fairlead.store import schema  # noqa: PLC0415 - it imports SQLAlchemy

    def sql(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect(paramstyle="qmark")))

    instances, runs, journal = schema.instances, schema.runs, schema.journal
    executions, steps, results = (
        schema.executions,
        schema.execution_steps,
        schema.execution_results,
    )
    orders, fills = schema.orders, schema.fills
    ended = select(results.c.seq).where(results.c.execution == executions.c.execution).exists()

    return ExecutionStatements(
        started=sql(insert(executions)),
        stepped=sql(insert(steps)),
        ended=sql(insert(results)),
        find_unfinished=sql(
            select(
                executions.c.execution,
                executions.c.name,
                executions.c.strategy,
                executions.c.executor,
                executions.c.plan,
                executions.c.legs,
                executions.c.state,
                executions.c.t_ns,
                runs.c.mode,
            )
            .join(runs, runs.c.id == executions.c.run_id)
            .where(runs.c.instance_id == bindparam("instance"), ~ended)
            .order_by(executions.c.run_id, executions.c.seq)
        ),
        find_last_step=sql(
            select(steps.c.state, steps.c.end)
            .where(steps.c.execution == bindparam("execution"))
            .order_by(steps.c.run_id.desc(), steps.c.seq.desc())
            .limit(literal_column("1"))
            .offset(literal_column("0"))  # else both would be parameters
        ),
        find_fills=sql(
            select(
                fills.c.market,
                fills.c.side,
                fills.c.price,
                fills.c.quantity,
                fills.c.fee,
                fills.c.fee_asset,
                fills.c.liquidity,
                fills.c.t_ns,
                journal.c.body,
            )
            .join(orders, orders.c.client_id == fills.c.client_id)
            .join(journal, and_(journal.c.run_id == orders.c.run_id, journal.c.seq == orders.c.seq))
            .where(
                orders.c.execution == bindparam("execution"),
                orders.c.execution != literal_column("''"),
            )
            .order_by(fills.c.run_id, fills.c.seq)
        ),
        find_results=sql(
            select(results)
            .join(runs, runs.c.id == results.c.run_id)
            .join(instances, instances.c.id == runs.c.instance_id)
            .where(instances.c.name == bindparam("instance"), results.c.t_ns >= bindparam("since"))
            .order_by(results.c.run_id, results.c.seq)
        ),
        find_open=sql(
            select(executions)
            .join(runs, runs.c.id == executions.c.run_id)
            .join(instances, instances.c.id == runs.c.instance_id)
            .where(
                instances.c.name == bindparam("instance"),
                executions.c.t_ns >= bindparam("since"),
                ~ended,
            )
            .order_by(executions.c.run_id, executions.c.seq)
        ),
    )


_encoder = msgspec.json.Encoder(order="deterministic")


def execution_change(
    run_id: int,
    seq: int,
    t_ns: int,
    record: ExecutionStarted | ExecutionStepped | ExecutionEnded,
) -> tuple[str, _Row]:
    """Give the statement that writes a record to its own table, and the row."""
    sql = execution_statements()
    match record:
        case ExecutionStarted():
            return sql.started, (
                record.execution,
                run_id,
                seq,
                t_ns,
                record.name,
                record.strategy,
                record.executor,
                record.plan,
                _encoder.encode(record.legs).decode(),
                record.state,
            )
        case ExecutionStepped():
            return sql.stepped, (run_id, seq, t_ns, record.execution, record.state, record.end)
        case ExecutionEnded():
            return sql.ended, (
                record.execution,
                run_id,
                seq,
                t_ns,
                record.name,
                record.strategy,
                record.executor,
                record.market,
                record.complete,
                record.end,
                record.mode,
                _money(record.slippage_bps),
                record.duration_ns,
                _encoder.encode(record.result).decode(),
            )


def _money(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
