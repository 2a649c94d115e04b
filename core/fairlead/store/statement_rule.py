"""Turn what rules remember into rows, and find the last of each again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import ClauseElement

__all__ = ["RuleStatements", "rule_statements"]


@dataclass(frozen=True, slots=True)
class RuleStatements:
    """The SQL for what rules remember, parameters as question marks."""

    state: str
    #: The rules that an instance has stored anything of, in one mode.
    find_rules: str
    #: The last state of one of them.
    find_state: str


@cache
def rule_statements() -> RuleStatements:
    """Give the SQL, written by SQLAlchemy at the first call."""
    from sqlalchemy import bindparam, insert, literal_column, select  # noqa: PLC0415 - slow to import
    from sqlalchemy.dialects.sqlite import dialect  # noqa: PLC0415 - slow to import

    from fairlead.store import schema  # noqa: PLC0415 - it imports SQLAlchemy

    def sql(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect(paramstyle="qmark")))

    states, runs = schema.rule_states, schema.runs
    own = (
        runs.c.id == states.c.run_id,
        runs.c.instance_id == bindparam("instance"),
        runs.c.mode == bindparam("mode"),
    )
    return RuleStatements(
        state=sql(insert(states)),
        find_rules=sql(select(states.c.rule).distinct().where(*own).order_by(states.c.rule)),
        find_state=sql(
            select(states.c.state)
            .where(states.c.rule == bindparam("rule"), *own)
            .order_by(states.c.run_id.desc(), states.c.seq.desc())
            .limit(literal_column("1"))
            .offset(literal_column("0"))  # else both would be parameters
        ),
    )
