"""Say as data how often a venue may be asked, and how a connector keeps to it.

A venue has limits; each allows so much weight within any window of time. A request weighs
something in every limit that names its kind, and needs room in all of these: that is how limits
are linked, an order count with a request weight for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fairlead.api.seams import Response

__all__ = ["UNMETERED", "Meter", "RateLimit", "RequestKind", "Unmetered", "Weight"]


class RequestKind(StrEnum):
    """What a request does. A connector may name kinds of its own for queries that weigh more."""

    CREATE = "create"
    CANCEL = "cancel"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Weight:
    """What a request weighs: ``request``, ``item`` for each order, and 1 for each full ``every``.

    Source: Hyperliquid's "1 + floor(batch / 40)" is ``Weight(1, every=40)``, Binance's order
    count ``Weight(0, item=1)`` (exchanges' API documentation, limits, 2026).

    :raises ValueError: when a number is negative.
    """

    request: int = 1
    item: int = 0
    #: Full so many orders weigh 1 more; 0 = they do not.
    every: int = 0

    def __post_init__(self) -> None:
        if min(self.request, self.item, self.every) < 0:
            raise ValueError(f"{self}: a weight is not negative")

    def of(self, items: int) -> int:
        """Give the weight of one request with so many orders."""
        return self.request + self.item * items + (items // self.every if self.every else 0)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``capacity`` of weight within any ``window_ns``.

    :raises ValueError: when it allows nothing, or not even one request that it weighs.
    """

    name: str
    capacity: int
    window_ns: int
    #: By `RequestKind` or a kind of the connector's own; what is not named weighs nothing here.
    weights: Mapping[str, Weight]
    #: The response header in which the venue says how much is used; "" = it does not.
    used_header: str = ""

    def __post_init__(self) -> None:
        if self.window_ns <= 0 or self.capacity < max(self.heaviest, 1):
            raise ValueError(f"limit {self.name!r} lets nothing pass")

    @property
    def heaviest(self) -> int:
        """Give the weight of the heaviest request of one item."""
        return max((weight.of(1) for weight in self.weights.values()), default=0)


class Meter(Protocol):
    """The budget of one account, as its connector sees it.

    Creates and cancels are admitted by the engine before they reach a connector. What a
    connector asks besides, it asks for here, and tells of every answer.
    """

    async def admit(self, kind: str, *, within_ns: int, urgent: bool = False) -> bool:
        """Wait until a query may leave, and count it as leaving; False = not within that time.

        ``urgent`` = it protects us, as arming a dead-man timer does: it has the room of cancels.
        """

    def heard(self, kind: str, response: Response | None) -> None:
        """Learn from an answer: weight used, patience asked for, a ban; None = none came."""


class Unmetered:
    """The meter of a connector that nobody measures, such as a watchdog's."""

    async def admit(self, kind: str, *, within_ns: int, urgent: bool = False) -> bool:
        """Let everything pass."""
        del kind, within_ns, urgent
        return True

    def heard(self, kind: str, response: Response | None) -> None:
        """Learn nothing."""
        del kind, response


#: One for all; it remembers nothing.
UNMETERED = Unmetered()
