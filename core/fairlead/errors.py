"""Say what went wrong in one line: the errors that Fairlead raises on purpose.

::

    EngineError
    ├── ConfigError      the configuration has findings; nothing was started
    ├── PluginError      a plugin is missing, broken or offers something twice
    ├── StoreError       the database cannot be opened, read or written
    ├── FeedError        a market-data source or a recording is unusable
    ├── ControlError     a running engine cannot be reached, or refuses what it is asked
    └── UsageError       a command was asked for something that does not exist

What a venue answers and what risk refuses are values, not errors (`fairlead.model.outcome`).
Every error carries fields; the sentence is built from them. Anything that is not an
`EngineError` is our own bug and keeps its traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from typing_extensions import override

__all__ = [
    "ConfigError",
    "ControlError",
    "EngineError",
    "ExitCode",
    "FeedError",
    "Finding",
    "PluginError",
    "StoreError",
    "UsageError",
]


class ExitCode(IntEnum):
    """What the process answers to its shell; one meaning for each number, in every command."""

    CLEAN = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    NOT_PROVEN_GONE = 4
    HALTED = 5
    BUG = 70


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in the input: where it stands, what stands there, what would be right."""

    place: str
    key: str
    value: str
    expected: str

    @override
    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        return f"{self.place}: {self.key}{shown}: {self.expected}"


class EngineError(Exception):
    """The base of all that Fairlead raises on purpose; its text is one line for a person."""

    exit_code: ExitCode = ExitCode.BUG


class ConfigError(EngineError):
    """The configuration cannot be used. Raised before anything is written or sent."""

    exit_code = ExitCode.USAGE

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings)
        #: Every mistake found, in the order of the file.
        self.findings = findings

    @override
    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class PluginError(EngineError):
    """A plugin cannot be used. Raised while plugins load, before anything connects."""

    exit_code = ExitCode.USAGE

    def __init__(self, plugin: str, distribution: str, reason: str) -> None:
        super().__init__(plugin, distribution, reason)
        #: The entry point's name.
        self.plugin = plugin
        #: Name and version of the distribution that brings it, or "" when none does.
        self.distribution = distribution
        #: What is wrong and what would help.
        self.reason = reason

    @override
    def __str__(self) -> str:
        origin = f" ({self.distribution})" if self.distribution else ""
        return f"plugin {self.plugin!r}{origin}: {self.reason}"


class StoreError(EngineError):
    """The store cannot be opened, read or written; the engine cancels all and stops."""

    exit_code = ExitCode.HALTED

    def __init__(self, place: str, reason: str, *, fenced: bool = False) -> None:
        super().__init__(place, reason)
        #: The database, without credentials.
        self.place = place
        #: True: nothing is broken, but a later run of the instance owns the database now.
        self.fenced = fenced
        #: What is wrong and what would help.
        self.reason = reason

    @override
    def __str__(self) -> str:
        return f"store {self.place}: {self.reason}"


class FeedError(EngineError):
    """A source of market data cannot be read (further)."""

    exit_code = ExitCode.UNAVAILABLE

    def __init__(
        self,
        source: str,
        reason: str,
        *,
        line: int | None = None,
        offset: int | None = None,
        usable: bool = True,
    ) -> None:
        super().__init__(source, reason)
        #: The file or venue.
        self.source = source
        #: What is wrong and what would be right.
        self.reason = reason
        #: Line in the file, from 1, and byte offset of its begin in the uncompressed stream.
        self.line = line
        self.offset = offset
        #: False when nothing at all could be read: a wrong input rather than a broken one.
        self.usable = usable
        self.exit_code = ExitCode.CHECK_FAILED if usable else ExitCode.USAGE

    @override
    def __str__(self) -> str:
        where = self.source
        if self.line is not None:
            where += f", line {self.line}"
        if self.offset is not None:
            where += f", offset {self.offset}"
        return f"{where}: {self.reason}"


class ControlError(EngineError):
    """A running engine cannot be reached, or refuses what it is asked."""

    exit_code = ExitCode.UNAVAILABLE

    def __init__(
        self,
        instance: str,
        reason: str,
        exit_code: ExitCode = ExitCode.UNAVAILABLE,
        *,
        gone: bool = True,
    ) -> None:
        super().__init__(instance, reason)
        #: False: it is there, and refuses.
        self.gone = gone
        #: The instance that was asked.
        self.instance = instance
        #: What is wrong and what would help.
        self.reason = reason
        self.exit_code = exit_code

    @override
    def __str__(self) -> str:
        return f"{self.instance}: {self.reason}"


class UsageError(EngineError):
    """A command names something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE

    def __init__(self, place: str, value: str, expected: str) -> None:
        super().__init__(place, value, expected)
        self.place = place
        self.value = value
        self.expected = expected

    @override
    def __str__(self) -> str:
        shown = f" {self.value!r}" if self.value else ""
        return f"{self.place}{shown}: {self.expected}"
