"""The first tables: instances, runs, the journal, and what is looked up by its own key."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables in an empty database."""
    _instances_and_runs()
    _journal()
    _orders()
    _fills()


def _instances_and_runs() -> None:
    op.create_table(
        "instances",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tag", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        sa.UniqueConstraint("name", name="uq_instances_name"),
        sa.UniqueConstraint("tag", name="uq_instances_tag"),
    )
    op.create_table(
        "config_snapshots",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("first_used_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_config_snapshots"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("instance_id", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger),
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("proven", sa.Boolean),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name="fk_runs_instance_id"),
        sa.ForeignKeyConstraint(
            ["config_hash"], ["config_snapshots.hash"], name="fk_runs_config_hash"
        ),
        sa.UniqueConstraint("instance_id", "epoch", name="uq_runs_instance_id"),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_journal"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_journal_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incidents",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_incidents"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_incidents_run_id"),
        sqlite_with_rowid=False,
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("time_in_force", sa.Text, nullable=False),
        sa.Column("post_only", sa.Boolean, nullable=False),
        sa.Column("reduce_only", sa.Boolean, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("decided_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_orders"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_orders_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_orders_run_id", "orders", ["run_id", "seq"])
    op.create_table(
        "transitions",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("filled", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_transitions"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_transitions_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_transitions_client_id", "transitions", ["client_id"])


def _fills() -> None:
    op.create_table(
        "fills",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("instance_id", sa.Integer, nullable=False),
        sa.Column("venue_run", sa.Integer, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("trade_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("fee", sa.Text, nullable=False),
        sa.Column("fee_asset", sa.Text, nullable=False),
        sa.Column("liquidity", sa.Text, nullable=False),
        sa.Column("venue_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_fills"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_fills_run_id"),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name="fk_fills_instance_id"),
        sa.UniqueConstraint(
            "instance_id", "venue_run", "market", "trade_id", name="uq_fills_instance_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fills_client_id", "fills", ["client_id"])
