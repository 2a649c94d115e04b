"""Find what risk rules stored before a restart."""

from __future__ import annotations

from fairlead.store.database import Transaction
from fairlead.store.statement_rule import rule_statements

__all__ = ["read_rule_states"]


def read_rule_states(transaction: Transaction, instance_id: int, *, mode: str) -> dict[str, str]:
    """Give what each rule stored last in the instance's runs of this mode, as JSON by rule."""
    sql = rule_statements()
    found: dict[str, str] = {}
    for (rule,) in transaction.read(sql.find_rules, instance_id, mode):
        for (state,) in transaction.read(sql.find_state, rule, instance_id, mode):
            found[rule] = state
    return found
