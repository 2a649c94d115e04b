"""Define what a strategy is: a pure function from what is seen to what is wished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final, Generic, Literal, Protocol, TypeVar

import msgspec

from fairlead.api.plan import QuotesConfig
from fairlead.api.plan_executor import Start
from fairlead.api.view import View
from fairlead.model import Instrument, Quote

__all__ = ["KEEP", "Controller", "ControllerContext", "Decision", "Gate", "NoMemory"]

MemoryT = TypeVar("MemoryT", bound=msgspec.Struct)


class _Keep(Enum):
    KEEP = "keep"


#: The wish that what rests should go on resting, whatever it is.
KEEP: Final = _Keep.KEEP


class Gate(msgspec.Struct, frozen=True, gc=False):
    """Why something is not quoted: the gate's name and what it saw."""

    name: str
    detail: str


class NoMemory(msgspec.Struct, frozen=True):
    """The memory of a strategy that remembers nothing."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[MemoryT]):
    """What a strategy wants from this tick until its next.

    ``quotes`` is every quote that should rest (none: pull all) or `KEEP`. ``target`` is the
    inventory in base units that the strategy steers to, None to leave it as it was. No quote is
    missing without a gate that says why.

    The targets of one market add up, and nothing new is risked there before each strategy has
    decided on a valid book. One that tells none then steers to nothing; where none of them does,
    what is held is the target.
    """

    memory: MemoryT
    quotes: tuple[Quote, ...] | Literal[_Keep.KEEP] = KEEP
    gates: tuple[Gate, ...] = ()
    target: Decimal | None = None
    #: Plans to begin, and names of running ones to end.
    start: tuple[Start, ...] = ()
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControllerContext:
    """What a controller's builder gets besides its own configuration."""

    strategy: str
    instrument: Instrument
    #: Tell the engine of a mistake in the configuration: (key, value, what would be right).
    refuse: Callable[[str, str, str], None] = field(default=lambda key, value, expected: None)


class Controller(Protocol[MemoryT]):
    """Decides *what* to quote; pure, so that a replay decides the same."""

    @property
    def plan(self) -> QuotesConfig:
        """Say how its quotes are worked; constant, e.g. a class attribute ``QuotesConfig()``.

        The strategy table's ``replace`` key wins over the plan's.
        """

    def initial(self) -> MemoryT:
        """Give the memory to start with."""

    def decide(self, view: View, memory: MemoryT) -> Decision[MemoryT]:
        """Decide on one tick. Must not keep anything outside ``memory``."""
