"""Specify the hooks by which a plugin watches a run. None of them can change it.

The engine queues an observation once what it tells of is durable, and a task beside the engine
delivers it. An implementation is called synchronously and returns quickly. One that raises or
takes longer than 100 ms is counted, and not called any more once it has failed three times.
Market data never comes this way.
"""

from __future__ import annotations

from fairlead.api import OrderView, Severity
from fairlead.hookspecs.marker import hookspec
from fairlead.model import Fill, OrderState, Slot

__all__ = [
    "fairlead_alert",
    "fairlead_filled",
    "fairlead_order_changed",
    "fairlead_started",
    "fairlead_stopped",
]


@hookspec
def fairlead_started(
    instance: str, mode: str, epoch: int, config_hash: str, currency: str, now_ns: int
) -> None:
    """Learn that a run has begun.

    When: once per run, when the start is reconciled and the first tick is about to come.
    Result: ignored.
    Order: before every other observation of the run; among plugins as they are enabled.
    Errors: counted, skipped, and recorded as the incident ``observer_failed``.

    :param instance: the name of this engine in its configuration.
    :param mode: ``paper``, ``rehearse`` or ``live``.
    :param epoch: rises with every start of the instance; names the run's folder.
    :param config_hash: SHA-256 of the resolved configuration, the store's place left out.
    :param currency: the unit of every figure of the run that has none of its own.
    :param now_ns: the engine's time, nanoseconds since 1970; simulated where the source is.
    """


@hookspec
def fairlead_order_changed(order: OrderView, before: OrderState, now_ns: int) -> None:
    """Learn that an order of ours has moved from one state to another.

    When: after each transition, the first one from ``PENDING_CREATE`` included.
    Result: ignored.
    Order: as the transitions happened; one that a fill causes comes right before the fill's own
    observation.
    Errors: counted, skipped, and recorded as the incident ``observer_failed``.

    :param order: the order after the transition; ``order.slot`` tells strategy and market.
    :param before: the state that it left.
    :param now_ns: when the engine learned of it.
    """


@hookspec
def fairlead_filled(fill: Fill, slot: Slot, now_ns: int) -> None:
    """Learn of a fill of ours.

    When: once per fill, however often the venue reports it.
    Result: ignored.
    Order: as the fills were booked.
    Errors: counted, skipped, and recorded as the incident ``observer_failed``.

    :param fill: price, quantity and fee as the venue says; a rebate is a negative fee.
    :param slot: the strategy, market, side and level that it belongs to.
    :param now_ns: when the engine booked it; the venue's time stands in the fill.
    """


@hookspec
def fairlead_alert(severity: Severity, name: str, detail: str, now_ns: int) -> None:
    """Learn of something that a person should know.

    When: at each incident, when a risk rule restrains trading, and when something lasts too long:
    an order unproven, a position left; once a day with a statement of it.
    Result: ignored.
    Order: as the alerts arose, in one row with the other observations.
    Errors: counted, skipped, and recorded as the incident ``observer_failed``, of which no alert
    is made: none can go round.

    :param severity: how soon a person should look.
    :param name: the kind of alert, stable between versions: ``book_stale``, ``late_fill`` …
    :param detail: one line for a person, with the figures; never a secret.
    :param now_ns: when it arose.
    """


@hookspec
def fairlead_stopped(instance: str, reason: str, proven: bool, now_ns: int) -> None:
    """Learn that a run has ended.

    When: once per run that ends in an orderly way; not after a crash.
    Result: ignored.
    Order: the last observation of the run.
    Errors: counted, skipped, and recorded as the incident ``observer_failed``.

    :param instance: the name of this engine in its configuration.
    :param reason: why it ended, in one line.
    :param proven: True when two reads of the venue showed that no order of ours was left.
    :param now_ns: the engine's time at the end.
    """
