"""Tell people what they should know: alerts, their grades, and what carries them out of here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec

from fairlead.api.seams import Clock, Transport
from fairlead.api.secret import Secret

__all__ = ["Alert", "Notifier", "NotifierContext", "NotifyError", "Severity"]


class Severity(StrEnum):
    """How soon a person should look at an alert."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Give 0 for info up to 2 for critical."""
        return list(Severity).index(self)


class Alert(msgspec.Struct, frozen=True):
    """Something that a person should know."""

    severity: Severity
    #: The kind, stable between versions: ``halted``, ``stream_lost`` …
    name: str
    #: One line with the figures; never a secret.
    detail: str
    instance: str
    #: The run's name; "" outside of one.
    run: str
    #: When it arose, by the engine's clock.
    at_ns: int
    #: Unlike that of any other alert of the run; a repeated delivery has the same.
    number: int
    #: For how many of its kind it stands: those in between were not sent one by one.
    count: int = 1

    @property
    def text(self) -> str:
        """Write it as one line."""
        times = f" (x{self.count})" if self.count > 1 else ""
        return f"{self.instance}: {self.severity.upper()} {self.name}{times}: {self.detail}"


class NotifyError(Exception):
    """An alert was not delivered. Its text goes to logs: a notifier puts no secret into it."""


class Notifier(Protocol):
    """Carries alerts to people; one at a time, beside the engine and never awaited by it."""

    async def notify(self, alert: Alert) -> None:
        """Deliver one alert; retries, if any, are bounded and deliver the same alert.

        On cancellation it may or may not have been delivered.

        :raises NotifyError: when it was given up.
        """

    async def close(self) -> None:
        """Let go of what is open."""


@dataclass(frozen=True, slots=True)
class NotifierContext:
    """What a notifier's builder gets besides its own configuration."""

    #: Its name, the key below ``[alerts]``.
    name: str
    clock: Clock
    transport: Transport
    #: Relative paths in the configuration are relative to this folder.
    folder: Path
    #: Read a secret where its reference says, e.g. ``env:NAME``. Raises `ValueError`.
    secret: Callable[[str], Secret]
