"""Turn records into rows, and the schema into SQL: compiled once, executed by the driver.

SQLAlchemy writes the SQL when the first database is opened; from then on a commit is nothing
but the driver's ``executemany``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from fairlead.api import Record
from fairlead.store.record import (
    ExecutionEnded,
    ExecutionStarted,
    ExecutionStepped,
    FillBooked,
    Incident,
    OrderMoved,
    OrderRecorded,
    RunEnded,
)
from fairlead.store.record_risk import RuleState
from fairlead.store.statement_execution import execution_change
from fairlead.store.statement_rule import rule_statements

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import ClauseElement

__all__ = ["Change", "Entry", "Origin", "Row", "Statements", "changes", "statements"]

#: A record with its place in the run: (seq, t_ns, record).
Entry: TypeAlias = tuple[int, int, Record]
#: The values of one row, in the order of the statement's parameters.
Row: TypeAlias = tuple[str | int | None, ...]
#: One statement and the rows that it is executed with.
Change: TypeAlias = tuple[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Origin:
    """The keys under which a run's records are stored.

    ``venue_run`` is the run where trade ids begin anew with it, else 0.
    """

    run_id: int
    instance_id: int
    epoch: int
    venue_run: int


@dataclass(frozen=True, slots=True)
class Statements:
    """The SQL for all that is written and read, parameters as question marks."""

    journal: str
    order: str
    transition: str
    fill: str
    incident: str
    end_run: str
    instance: str
    epoch: str
    config: str
    run: str
    find_instance: str
    find_tag: str
    find_config: str
    find_run: str
    find_epoch: str
    all_runs: str
    all_records: str
    all_orders: str
    all_transitions: str
    all_fills: str
    all_incidents: str


@cache
def statements() -> Statements:
    """Give the SQL, written by SQLAlchemy at the first call."""
    from sqlalchemy import (  # noqa: PLC0415 - see the module
        bindparam,
        insert,
        select,
        update,
    )
    from sqlalchemy.dialects.sqlite import dialect  # noqa: PLC0415 - see the module

    from fairlead.store import schema  # noqa: PLC0415 - it imports SQLAlchemy

    def sql(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect(paramstyle="qmark")))

    instances, runs, journal = schema.instances, schema.runs, schema.journal
    config = schema.config_snapshots
    ended: dict[str, Any] = {
        "ended_ns": bindparam("a"),
        "reason": bindparam("b"),
        "proven": bindparam("c"),
    }

    def of_run(name: str) -> str:
        table = schema.metadata.tables[name]
        return sql(select(table).where(table.c.run_id == bindparam("run")).order_by(table.c.seq))

    return Statements(
        journal=sql(insert(journal)),
        order=sql(insert(schema.orders)),
        transition=sql(insert(schema.transitions)),
        fill=sql(insert(schema.fills)),
        incident=sql(insert(schema.incidents)),
        end_run=sql(update(runs).where(runs.c.id == bindparam("d")).values(ended)),
        instance=sql(insert(instances)),
        epoch=sql(
            update(instances).where(instances.c.id == bindparam("b")).values(epoch=bindparam("a"))
        ),
        config=sql(insert(config)),
        run=sql(insert(runs)),
        find_instance=sql(
            select(instances.c.id, instances.c.tag, instances.c.epoch).where(
                instances.c.name == bindparam("name")
            )
        ),
        find_tag=sql(select(instances.c.id).where(instances.c.tag == bindparam("tag"))),
        find_config=sql(select(config.c.hash).where(config.c.hash == bindparam("hash"))),
        find_run=sql(
            select(runs.c.started_ns, runs.c.ended_ns).where(
                runs.c.instance_id == bindparam("instance"), runs.c.epoch == bindparam("epoch")
            )
        ),
        find_epoch=sql(select(instances.c.epoch).where(instances.c.id == bindparam("id"))),
        all_runs=sql(
            select(instances.c.name.label("instance"), instances.c.tag, runs)
            .join(instances, instances.c.id == runs.c.instance_id)
            .order_by(runs.c.id)
        ),
        all_records=of_run("journal"),
        all_orders=of_run("orders"),
        all_transitions=of_run("transitions"),
        all_fills=of_run("fills"),
        all_incidents=of_run("incidents"),
    )


_encoder = msgspec.json.Encoder(order="deterministic")


def changes(origin: Origin, entries: Sequence[Entry]) -> list[Change]:
    """Give all rows that ``entries`` become; together they are one commit.

    Every record is a line of the journal; what is looked up by a key of its own has a row in a
    table of its own besides.
    """
    sql = statements()
    journal: list[Row] = []
    tables: dict[str, list[Row]] = {}
    for seq, t_ns, record in entries:
        body = _encoder.encode(record).decode()
        journal.append((origin.run_id, seq, t_ns, record.kind, body))
        match record:
            case OrderRecorded():
                tables.setdefault(sql.order, []).append(_order(origin, seq, t_ns, record))
            case OrderMoved():
                tables.setdefault(sql.transition, []).append(_transition(origin, seq, t_ns, record))
            case FillBooked():
                tables.setdefault(sql.fill, []).append(_fill(origin, seq, t_ns, record))
            case ExecutionStarted() | ExecutionStepped() | ExecutionEnded():
                statement, execution_row = execution_change(origin.run_id, seq, t_ns, record)
                tables.setdefault(statement, []).append(execution_row)
            case RuleState():
                rule_row: Row = (origin.run_id, seq, t_ns, record.rule, record.state)
                tables.setdefault(rule_statements().state, []).append(rule_row)
            case Incident():
                row: Row = (origin.run_id, seq, t_ns, record.name, record.detail)
                tables.setdefault(sql.incident, []).append(row)
            case RunEnded():
                row = (t_ns, record.reason, record.proven, origin.run_id)
                tables.setdefault(sql.end_run, []).append(row)
            case _:
                pass  # a line of the journal is all that it needs
    return [(sql.journal, journal), *tables.items()]


def _money(value: Decimal) -> str:
    return format(value, "f")


def _order(origin: Origin, seq: int, t_ns: int, order: OrderRecorded) -> Row:
    return (
        order.order,
        origin.run_id,
        seq,
        t_ns,
        order.strategy,
        order.market,
        order.side.value,
        order.level,
        _money(order.price),
        _money(order.quantity),
        order.time_in_force.value,
        order.post_only,
        order.reduce_only,
        order.purpose.value,
        order.decided_ns,
        order.execution,
    )


def _transition(origin: Origin, seq: int, t_ns: int, move: OrderMoved) -> Row:
    return (
        origin.run_id,
        seq,
        t_ns,
        move.order,
        move.before.value,
        move.trigger.value,
        move.after.value,
        _money(move.filled),
        move.detail,
    )


def _fill(origin: Origin, seq: int, t_ns: int, fill: FillBooked) -> Row:
    return (
        origin.run_id,
        seq,
        t_ns,
        origin.instance_id,
        origin.venue_run,
        fill.market,
        fill.trade,
        fill.order,
        fill.strategy,
        fill.side.value,
        _money(fill.price),
        _money(fill.quantity),
        _money(fill.fee),
        fill.fee_asset,
        fill.liquidity.value,
        fill.venue_ns,
    )
