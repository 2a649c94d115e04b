"""Count what became of every wish and every order, for the report."""

from __future__ import annotations

from collections import Counter

from fairlead.api import Record
from fairlead.ledger import OrderCounts
from fairlead.model import OrderState
from fairlead.store import Incident, Journal, OrderMoved, OrderRecorded, Reconciled

__all__ = ["Tally"]


class Tally:
    """Counts by strategy and incidents by name; constant memory."""

    def __init__(self, journal: Journal) -> None:
        self.orders: dict[str, OrderCounts] = {}
        self.incidents: Counter[str] = Counter()
        #: The strategy of every order that is not closed.
        self._live: dict[str, str] = {}
        journal.observe(self._recorded)

    def of(self, strategy: str) -> OrderCounts:
        """Give the counts of one strategy."""
        return self.orders.setdefault(strategy, OrderCounts())

    def denied(self, counts: dict[str, dict[str, int]]) -> None:
        """Take the pipeline's denials over: every one, repetitions too."""
        for strategy, rules in counts.items():
            self.of(strategy).denied = sum(rules.values())

    def _recorded(self, seq: int, t_ns: int, record: Record) -> None:
        del seq, t_ns
        match record:
            case OrderRecorded(order=order, strategy=strategy):
                self.of(strategy).created += 1
                self._live[order] = strategy
            case OrderMoved(order=order, after=after) if after.is_closed:
                self._closed(self._live.pop(order, None), after)
            case Incident(name=name):
                self.incidents[name] += 1
            case Reconciled(differences=differences) if differences:
                self.incidents["reconcile_difference"] += 1
            case _:
                pass

    def _closed(self, strategy: str | None, after: OrderState) -> None:
        if strategy is None:
            return  # a late fill moved an order that was counted when it closed
        if after is OrderState.CANCELLED:
            self.of(strategy).cancelled += 1
        elif after is OrderState.REJECTED:
            self.of(strategy).rejected += 1
