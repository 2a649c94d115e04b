"""Say in SQL what a start asks of earlier runs: their orders without an end, and the last ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fairlead.model import CLOSED_STATES

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import ClauseElement, ColumnElement

__all__ = ["EarlierStatements", "earlier_statements"]

# A venue of play ends with its run, and so do its orders.
_PAPER = "paper"


@dataclass(frozen=True, slots=True)
class EarlierStatements:
    """The SQL for the orders of earlier runs, parameters as question marks."""

    #: Orders of an instance without an end, of the runs after the last that ended with proof.
    find_unfinished: str
    #: The instance's last runs at a venue that outlives them, newest first.
    find_runs: str
    #: When a run's last record was written.
    find_last: str
    #: One row where a run has made an order.
    find_made: str
    #: The ends that a run recorded from a time on, newest first.
    find_ended: str
    find_order: str
    find_transitions: str
    find_trades: str


@cache
def earlier_statements() -> EarlierStatements:
    """Give the SQL, written by SQLAlchemy at the first call."""
    from sqlalchemy import bindparam, func, literal_column, select  # noqa: PLC0415 - slow to import
    from sqlalchemy.dialects.sqlite import dialect  # noqa: PLC0415 - slow to import

    from fairlead.store import schema  # noqa: PLC0415 - it imports SQLAlchemy

    def sql(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect(paramstyle="qmark")))

    runs, journal, orders = schema.runs, schema.journal, schema.orders
    transitions, fills = schema.transitions, schema.fills
    # What is not a column here would be a parameter.
    zero: ColumnElement[int] = literal_column("0")
    one: ColumnElement[int] = literal_column("1")
    ends = transitions.c.after.in_(
        [literal_column(f"'{state}'") for state in sorted(CLOSED_STATES)]
    )
    last_proven = (
        select(func.coalesce(func.max(runs.c.id), zero))
        .where(runs.c.instance_id == bindparam("proven_of"), runs.c.proven)
        .scalar_subquery()
    )
    ended_order = (
        select(transitions.c.seq).where(transitions.c.client_id == orders.c.client_id, ends)
    ).exists()
    # Walked backwards from the run's end, so that its length does not matter.
    older = transitions.alias("older")
    before = (
        select(older.c.seq)
        .where(older.c.run_id == bindparam("older_of"), older.c.t_ns < bindparam("since_ns"))
        .order_by(older.c.seq.desc())
        .limit(one)
        .offset(zero)
        .scalar_subquery()
    )
    order = (
        orders.c.client_id,
        orders.c.t_ns,
        orders.c.strategy,
        orders.c.market,
        orders.c.side,
        orders.c.level,
        orders.c.price,
        orders.c.quantity,
        orders.c.time_in_force,
        orders.c.post_only,
        orders.c.reduce_only,
        orders.c.purpose,
        orders.c.decided_ns,
        orders.c.execution,
    )
    return EarlierStatements(
        find_unfinished=sql(
            select(*order)
            .join(runs, runs.c.id == orders.c.run_id)
            .where(
                runs.c.instance_id == bindparam("instance"),
                runs.c.id > last_proven,
                ~ended_order,
            )
            .order_by(orders.c.client_id)
        ),
        find_runs=sql(
            select(runs.c.id)
            .where(
                runs.c.instance_id == bindparam("instance"),
                runs.c.mode != literal_column(f"'{_PAPER}'"),
            )
            .order_by(runs.c.epoch.desc())
            .limit(literal_column("100"))
            .offset(zero)
        ),
        find_last=sql(
            select(journal.c.t_ns)
            .where(journal.c.run_id == bindparam("run"))
            .order_by(journal.c.seq.desc())
            .limit(one)
            .offset(zero)
        ),
        find_made=sql(
            select(orders.c.seq).where(orders.c.run_id == bindparam("run")).limit(one).offset(zero)
        ),
        find_ended=sql(
            select(transitions.c.client_id)
            .where(
                transitions.c.run_id == bindparam("run"),
                transitions.c.seq > func.coalesce(before, zero),
                ends,
            )
            .order_by(transitions.c.seq.desc())
        ),
        find_order=sql(select(*order).where(orders.c.client_id == bindparam("order"))),
        find_transitions=sql(
            select(transitions.c.after, transitions.c.filled, transitions.c.t_ns)
            .where(transitions.c.client_id == bindparam("order"))
            .order_by(transitions.c.run_id, transitions.c.seq)
        ),
        find_trades=sql(
            select(fills.c.trade_id, fills.c.quantity)
            .where(fills.c.client_id == bindparam("order"))
            .order_by(fills.c.run_id, fills.c.seq)
        ),
    )
