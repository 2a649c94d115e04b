"""Say which promise was broken, when, and what happened around it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.api import Record
from fairlead.store import trace_line

__all__ = ["History", "Violation", "Violations"]

_SECOND = 1_000_000_000
# What is shown of the time before a violation.
_LINES_KEPT = 120


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: its rule, both sides' figures, and the time since the run's begin."""

    rule: str
    detail: str
    at_ns: int

    def describe(self) -> str:
        """Say it in one line."""
        return f"{_minutes(self.at_ns)} {self.rule}: {self.detail}"

    def as_json(self) -> Mapping[str, Any]:
        """Give it for a report."""
        return {"rule": self.rule, "detail": self.detail, "at_ns": self.at_ns}


class History:
    """The last things that happened, of the engine and of the world, for whoever must look."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._lines: deque[tuple[int, str, Record | str]] = deque(maxlen=_LINES_KEPT)

    def record(self, who: str, record: Record) -> None:
        """Keep a record of an engine's journal."""
        self._lines.append((self._now_ns(), who, record))

    def note(self, who: str, text: str) -> None:
        """Keep what the world or a venue did."""
        self._lines.append((self._now_ns(), who, text))

    def lines(self) -> tuple[str, ...]:
        """Give it as text, oldest first."""
        return tuple(
            f"{_minutes(at_ns)} {who:<8} {_text(what)}" for at_ns, who, what in self._lines
        )


class Violations:
    """The promises broken so far; a run ends with the first."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self.found: list[Violation] = []
        #: Set once there is one.
        self.any = asyncio.Event()

    def add(self, rule: str, detail: str) -> None:
        """Note that ``rule`` was broken now."""
        self.found.append(Violation(rule, detail, self._now_ns()))
        self.any.set()


def _minutes(at_ns: int) -> str:
    minutes, seconds = divmod(at_ns / _SECOND, 60)
    return f"{int(minutes):>3}:{seconds:06.3f}"


def _text(what: Record | str) -> str:
    if isinstance(what, str):
        return what
    return trace_line(0, 0, what).decode().rstrip()
