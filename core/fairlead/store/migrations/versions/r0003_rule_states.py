"""Store what risk rules must know after a restart: peaks, the day, losing trades in a row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; nothing was remembered before."""
    op.create_table(
        "rule_states",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("t_ns", sa.BigInteger, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_rule_states"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_rule_states_run_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rule_states_rule", "rule_states", ["rule", "run_id", "seq"])
