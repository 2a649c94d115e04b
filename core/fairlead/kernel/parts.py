"""Say what an engine is put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fairlead.api import Clock, Connector, Process
from fairlead.kernel.desk import Desk
from fairlead.kernel.observing import ObserverQueue
from fairlead.kernel.outcome import RunSetup
from fairlead.kernel.protection import Protection
from fairlead.kernel.ticker import Ticker
from fairlead.store import Journal, RunIdentity

__all__ = ["DeskMaker", "EngineParts"]


class DeskMaker(Protocol):
    """Builds the desk, once every venue has shown its markets."""

    def __call__(self, *, failed: Callable[[BaseException, str], None]) -> Desk:
        """Build it; ``failed`` hears what failed in the core, and where."""


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What an engine is put together from."""

    setup: RunSetup
    identity: RunIdentity
    clock: Clock
    process: Process
    journal: Journal
    connectors: Mapping[str, Connector]
    ticker: Ticker
    desk: DeskMaker
    observers: ObserverQueue
    #: What cancels our orders when we cannot; None where nothing real can be lost.
    protection: Protection | None = None
