"""Store how plans were worked: executions, their steps and results, and whose order an order is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables, and the column to the orders that are there: those were quotes."""
    op.add_column(
        "orders", sa.Column("execution", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.create_index(
        "ix_orders_execution", "orders", ["execution"], sqlite_where=sa.text("execution <> ''")
    )
    op.create_table(
        "executions",
        sa.Column("execution", sa.Text, nullable=False),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("executor", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("legs", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("execution", name="pk_executions"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_executions_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "execution_steps",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("execution", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("end", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_execution_steps"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_execution_steps_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_execution_steps_execution", "execution_steps", ["execution"])
    op.create_table(
        "execution_results",
        sa.Column("execution", sa.Text, nullable=False),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("executor", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("end", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("slippage_bps", sa.Text),
        sa.Column("duration_ns", sa.BigInteger, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("execution", name="pk_execution_results"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_execution_results_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_execution_results_t_ns", "execution_results", ["t_ns"])
