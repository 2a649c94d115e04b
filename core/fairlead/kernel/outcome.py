"""Say what a run is before it begins, and how it went when it is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from fairlead.errors import EngineError, ExitCode
from fairlead.store import RunStarted

__all__ = ["RunResult", "RunSetup", "StopReason", "StopRequest"]


class StopReason(StrEnum):
    """Why a run ended."""

    SOURCE_ENDED = "the source ended"
    DURATION = "the time asked for is over"
    ASKED = "asked to stop"
    HALTED = "halted"
    STORE = "the store failed"
    FAILED = "a part of the engine failed"
    VENUE = "a venue is unavailable"


@dataclass(slots=True)
class StopRequest:
    """What asked a run to stop, and how urgently."""

    reason: StopReason | None = None
    detail: str = ""
    failure: BaseException | None = None
    event: asyncio.Event = field(default_factory=asyncio.Event)
    #: Signals so far; the second one sets ``hurry``: end at once.
    signals: int = 0
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class RunSetup:
    """What is known of a run before it begins."""

    instance: str
    mode: str
    seed: int | None
    config_hash: str
    currency: str
    tag: int
    epoch: int
    #: False when the run before this one of the same instance was killed.
    clean_before: bool = True

    def record(self) -> RunStarted:
        """Give the record that begins the run's journal."""
        return RunStarted(
            instance=self.instance,
            mode=self.mode,
            seed=self.seed,
            config_hash=self.config_hash,
            currency=self.currency,
        )


@dataclass(slots=True)
class RunResult:
    """How a run went."""

    reason: StopReason
    detail: str
    started_ns: int
    ended_ns: int
    #: True when two reads of every venue showed no order of ours, or none was ever sent.
    proven: bool
    #: The orders that could not be proven gone.
    left: tuple[str, ...]
    failure: BaseException | None = None

    @property
    def exit_code(self) -> ExitCode:
        """Give the process's exit code; orders that may still stand at a venue come first."""
        if not self.proven:
            return ExitCode.NOT_PROVEN_GONE
        if isinstance(self.failure, EngineError):
            return self.failure.exit_code
        if self.failure is not None or self.reason is StopReason.FAILED:
            return ExitCode.BUG
        if self.reason in (StopReason.HALTED, StopReason.STORE):
            return ExitCode.HALTED
        if self.reason is StopReason.VENUE:
            return ExitCode.UNAVAILABLE
        return ExitCode.CLEAN
