"""Configure the executors that ship with the engine, so that a controller starts them by value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fairlead.model import ZERO

__all__ = ["QuotesConfig", "Replace"]


class Replace(StrEnum):
    """How a live order gives way to its successor in the same slot."""

    #: The successor leaves once the cancel is proven; at most one order lives in a slot.
    WAIT = "wait"
    #: Cancel and successor leave together; at most two live in a slot, and both are reserved.
    TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class QuotesConfig:
    """How the quotes executor works; ratios are shares of a price or quantity (0.0001 = 1 bp).

    The defaults suit a strategy that says nothing about it.
    """

    #: An order younger than this is not replaced, whatever the wish has become.
    refresh_every_ns: int = 10_000_000_000
    #: An order whose price is within this of the wish stays and keeps its place in the queue.
    keep_within: Decimal = Decimal("0.0001")
    #: The same for what is left of its quantity.
    size_within: Decimal = Decimal("0.2")
    #: An order that the mid has approached to less than this is pulled at once, however young,
    #: and none is placed there; None = never.
    cancel_closer_than: Decimal | None = None
    replace: Replace = Replace.WAIT

    def __post_init__(self) -> None:
        if self.refresh_every_ns < 0:
            raise ValueError(f"refresh_every_ns {self.refresh_every_ns} is below zero")
        for name in ("keep_within", "size_within", "cancel_closer_than"):
            if (getattr(self, name) or ZERO) < 0:
                raise ValueError(f"{name} {getattr(self, name)} is below zero")
