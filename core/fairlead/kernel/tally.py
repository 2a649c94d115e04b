"""Count what became of every wish and every order, for the report."""

from __future__ import annotations

from collections import Counter

from fairlead.api import Record
from fairlead.ledger import OrderCounts
from fairlead.model import OrderState
from fairlead.store import Incident, Journal, OrderRecorded, Reconciled
from fairlead.trackers import Order

__all__ = ["Tally"]


class Tally:
    """Counts by strategy and incidents by name; constant memory."""

    def __init__(self, journal: Journal) -> None:
        self.orders: dict[str, OrderCounts] = {}
        self.incidents: Counter[str] = Counter()
        journal.observe(self._recorded)

    def of(self, strategy: str) -> OrderCounts:
        """Give the counts of one strategy."""
        return self.orders.setdefault(strategy, OrderCounts())

    def order_changed(self, order: Order) -> None:
        """Count an order that ended unfilled."""
        counts = self.of(order.intent.slot.strategy)
        if order.state is OrderState.CANCELLED:
            counts.cancelled += 1
        elif order.state is OrderState.REJECTED:
            counts.rejected += 1

    def denied(self, counts: dict[str, dict[str, int]]) -> None:
        """Take the pipeline's denials over: every one, repetitions too."""
        for strategy, rules in counts.items():
            self.of(strategy).denied = sum(rules.values())

    def _recorded(self, seq: int, t_ns: int, record: Record) -> None:
        del seq, t_ns
        match record:
            case OrderRecorded(strategy=strategy):
                self.of(strategy).created += 1
            case Incident(name=name):
                self.incidents[name] += 1
            case Reconciled(differences=differences) if differences:
                self.incidents["reconcile_difference"] += 1
            case _:
                pass
