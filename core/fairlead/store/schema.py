"""Describe the tables: what is stored of instances, runs and everything that happened in them.

Rows are facts and stay as they are written; two columns alone may change: an instance's epoch
rises with each run, and a run gets its end. Money is text, because no database keeps decimals
exactly by itself; times are integer nanoseconds. Importing this module imports SQLAlchemy, so
the rest of the package imports it inside functions.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "config_snapshots",
    "execution_results",
    "execution_steps",
    "executions",
    "fills",
    "incidents",
    "instances",
    "journal",
    "metadata",
    "orders",
    "rule_states",
    "runs",
    "transitions",
]

#: All tables; constraints have names, so that a migration can find them on every database.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _written(*, key: bool) -> tuple[Column[int], ...]:
    # Which record of the journal a row is from, and when that was; where it is no other's key.
    return (
        Column("run_id", Integer, ForeignKey("runs.id"), primary_key=key, nullable=False),
        Column("seq", Integer, primary_key=key, nullable=False),
        Column("t_ns", BigInteger, nullable=False),
    )


#: One row for each ``engine.instance``: its order-id tag, and the epoch of its last run.
instances = Table(
    "instances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("tag", Integer, nullable=False, unique=True),
    Column("epoch", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

#: The text of every configuration that a run has had, by its hash.
config_snapshots = Table(
    "config_snapshots",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_used_ns", BigInteger, nullable=False),
)

#: One row for each run; ``ended_ns`` stays empty when the process was killed.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance_id", Integer, ForeignKey("instances.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("mode", Text, nullable=False),
    Column("seed", BigInteger),
    Column("config_hash", String(64), ForeignKey("config_snapshots.hash"), nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("reason", Text),
    Column("proven", Boolean),
    UniqueConstraint("instance_id", "epoch"),
)

#: Every stored record in order; ``body`` is its JSON, ``seq`` counts from 1 without gaps.
journal = Table(
    "journal",
    metadata,
    *_written(key=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,  # it is only ever appended to and read in the order of its key
)

#: Orders as they were recorded before sending; a client order id exists once, for ever.
orders = Table(
    "orders",
    metadata,
    Column("client_id", Text, primary_key=True),
    *_written(key=False),
    Column("strategy", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("price", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("time_in_force", Text, nullable=False),
    Column("post_only", Boolean, nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("decided_ns", BigInteger, nullable=False),
    # The execution that it works for; "" = a quote.
    Column("execution", Text, nullable=False, server_default=""),
    Index("ix_orders_run_id", "run_id", "seq"),
    Index("ix_orders_execution", "execution", sqlite_where=text("execution <> ''")),
    sqlite_with_rowid=False,
)

#: Every step of every order from state to state; ``filled`` is cumulative.
transitions = Table(
    "transitions",
    metadata,
    *_written(key=True),
    Column("client_id", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("filled", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_transitions_client_id", "client_id"),
    sqlite_with_rowid=False,
)

#: Every fill once. A venue of play begins its trade ids anew with each run: there ``venue_run``
#: is the run, at a real venue 0. Some venues count trades by market, so the market, which names
#: the venue too, belongs to the key.
fills = Table(
    "fills",
    metadata,
    *_written(key=True),
    Column("instance_id", Integer, ForeignKey("instances.id"), nullable=False),
    Column("venue_run", Integer, nullable=False),
    Column("market", Text, nullable=False),
    Column("trade_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("price", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("fee", Text, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("liquidity", Text, nullable=False),
    Column("venue_ns", BigInteger, nullable=False),
    UniqueConstraint("instance_id", "venue_run", "market", "trade_id"),
    Index("ix_fills_client_id", "client_id"),
    sqlite_with_rowid=False,
)

#: What should not have happened, with both sides' figures.
incidents = Table(
    "incidents",
    metadata,
    *_written(key=True),
    Column("name", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Plans that were admitted; ``plan``, ``legs`` and the first ``state`` are JSON.
executions = Table(
    "executions",
    metadata,
    Column("execution", Text, primary_key=True),
    *_written(key=False),
    Column("name", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("legs", Text, nullable=False),
    Column("state", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Every step of their executors; the last one's ``state`` is what a restart goes on from.
execution_steps = Table(
    "execution_steps",
    metadata,
    *_written(key=True),
    Column("execution", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("end", Text, nullable=False),
    Index("ix_execution_steps_execution", "execution"),
    sqlite_with_rowid=False,
)

#: What they came to; ``result`` is JSON, the rest is for queries.
execution_results = Table(
    "execution_results",
    metadata,
    Column("execution", Text, primary_key=True),
    *_written(key=False),
    Column("name", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("end", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("slippage_bps", Text),
    Column("duration_ns", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
    Index("ix_execution_results_t_ns", "t_ns"),
    sqlite_with_rowid=False,
)

#: What risk rules must know after a restart, as JSON; the last row of a rule counts.
rule_states = Table(
    "rule_states",
    metadata,
    *_written(key=True),
    Column("rule", Text, nullable=False),
    Column("state", Text, nullable=False),
    Index("ix_rule_states_rule", "rule", "run_id", "seq"),
    sqlite_with_rowid=False,
)
