"""Write the table of each risk rule into the page that says what it does."""

from collections.abc import Callable
from typing import Any

from fairlead.api import Offers

__all__ = ["risk_blocks"]


def risk_blocks(offers: Offers, table: Callable[[Any], list[str]]) -> dict[str, str]:
    """Give a block ``rule_NAME`` for every rule: its keys, kinds, defaults and meanings."""
    return {
        f"rule_{rule.name}": "\n".join(table(rule.config))
        for rule in offers.rules.values()
        if rule.config is not None
    }
