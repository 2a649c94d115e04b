"""Gather from a trace all that concerns one order, or what stopped one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.cli.logs_run import Event, events, short_order
from fairlead.errors import UsageError

__all__ = ["Story", "latest_story", "order_story", "worst_story"]


@dataclass(slots=True)
class Story:
    """An order's record, life and fills; or, without an order, what stood in the way."""

    run: str
    start_ns: int = 0
    order: Event | None = None
    #: Transitions and cancels, in order.
    life: list[Event] = field(default_factory=list)
    fills: list[Event] = field(default_factory=list)
    #: Trade → markouts in bps by horizon.
    markouts: dict[str, dict[str, float | None]] = field(default_factory=dict)
    #: The last decision when it had gates, and the last denial when no order came after it.
    decision: Event | None = None
    denied: Event | None = None

    def take(self, event: Event) -> None:
        """Take in a record if it concerns this order."""
        assert self.order is not None  # noqa: S101 - a story is gathered for an order
        if event["kind"] == "markout":
            if any(fill["trade"] == event["trade"] for fill in self.fills):
                self.markouts[event["trade"]] = dict(event["bps"])
        elif event.get("order") != self.order["order"]:
            return
        elif event["kind"] in {"transition", "cancel"}:
            self.life.append(event)
        elif event["kind"] == "fill":
            self.fills.append(event)

    def as_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "schema": 1,
            "run": self.run,
            "order": self.order,
            "life": self.life,
            "fills": self.fills,
            "markouts_bps": self.markouts,
            "decision": self.decision,
            "denied": self.denied,
        }


def order_story(folder: Path, order: str) -> Story:
    """Gather the story of one order, by its id or by the end of its name.

    :raises UsageError: when no order or more than one of the run has that name.
    """
    name = short_order(order)
    story = Story(folder.name)
    for number, event in enumerate(events(folder)):
        if number == 0:
            story.start_ns = event["t_ns"]
        if event["kind"] == "order" and event["order"].endswith(name):
            if story.order is not None:
                both = f"{story.order['order']} and {event['order']}"
                raise UsageError("order", order, f"more than one: {both}, …")
            story.order = event
        elif story.order is not None:
            story.take(event)
    if story.order is None:
        raise UsageError(
            "order", order, f"not in run {folder.name}; see: fairlead logs --kind order"
        )
    return story


def latest_story(folder: Path) -> Story:
    """Gather the story of the last order, and of what stood in the way after it.

    :raises UsageError: when the run has neither.
    """
    last: dict[str, Event] = {}
    for event in events(folder):
        if event["kind"] in {"order", "decision", "denied"}:
            last[event["kind"]] = event
    order, decision, denied = (last.get(kind) for kind in ("order", "decision", "denied"))
    story = Story(folder.name) if order is None else order_story(folder, order["order"])
    if order is None:
        story.start_ns = next(iter(events(folder)), {"t_ns": 0})["t_ns"]
    if decision is not None and decision["gates"]:
        story.decision = decision
    if denied is not None and (order is None or denied["n"] > order["n"]):
        story.denied = denied
    if order is None and story.decision is None and story.denied is None:
        raise UsageError("run", folder.name, "no order, gate or denial in it to explain")
    return story


def worst_story(folder: Path) -> Story:
    """Gather the story of the order whose fill had the worst 10 s markout.

    :raises UsageError: when no fill of the run has one.
    """
    order = _worst_order(events(folder))
    if order is None:
        raise UsageError("run", folder.name, "no fill in it was followed for 10 s")
    return order_story(folder, order)


def _worst_order(all_events: Iterable[Event]) -> str | None:
    worst, order = 0.0, None
    # Each trade until its markouts are known: minutes of fills, not all of them.
    pending: dict[str, str] = {}
    for event in all_events:
        if event["kind"] == "fill":
            pending[event["trade"]] = event["order"]
        elif event["kind"] == "markout":
            found = pending.pop(event["trade"], None)
            bps = event["bps"].get("10s")
            if found is not None and bps is not None and (order is None or bps < worst):
                worst, order = bps, found
    return order
