"""Remember what risk needs over a restart, and let a person reset the peak when nothing runs.

A peak that an engine halted by cannot be reset there: it has stopped. So a note beside the store,
written through the Process seam like a halt, asks the next start to do it. Another one lifts what
plans restrained by leaving something open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.api import Process
from fairlead.config import Settings
from fairlead.store import RunIdentity

__all__ = [
    "RiskMemory",
    "ask_peak_reset",
    "ask_residuals_lifted",
    "peak_note",
    "residuals_note",
    "risk_memory",
]


@dataclass(frozen=True, slots=True)
class RiskMemory:
    """What a desk's guard begins with."""

    #: What rules and the account stored last, as JSON by name.
    states: Mapping[str, str] = field(default_factory=dict)
    #: A person asked for the peak to be where the account stands now.
    forget_peak: bool = False
    #: A person has looked at what plans left open.
    lift_residuals: bool = False
    #: When a trading day begins after midnight UTC.
    day_offset_ns: int = 0


def risk_memory(settings: Settings, identity: RunIdentity, process: Process) -> RiskMemory:
    """Gather it for a run that begins; a note that asked for a reset is used up by that."""
    instance = settings.engine.instance
    return RiskMemory(
        states=identity.rule_states,
        forget_peak=_used_up(peak_note(instance), process),
        lift_residuals=_used_up(residuals_note(instance), process),
        day_offset_ns=settings.engine.day_starts.ns,
    )


def peak_note(instance: str) -> str:
    """Name the note of an instance that asks for its peak to be reset."""
    return f"{instance}.RESET_PEAK"


def ask_peak_reset(process: Process, instance: str) -> None:
    """Leave the note.

    :raises OSError: when the disk refuses.
    """
    process.write_marker(peak_note(instance), "reset the peak at the next start\n")


def residuals_note(instance: str) -> str:
    """Name the note of an instance that lifts what its plans' residuals restrain."""
    return f"{instance}.LIFT_RESIDUALS"


def ask_residuals_lifted(process: Process, instance: str) -> None:
    """Leave the note: a person has looked.

    :raises OSError: when the disk refuses.
    """
    process.write_marker(residuals_note(instance), "lift what residuals restrain\n")


def _used_up(note: str, process: Process) -> bool:
    if process.read_marker(note) is None:
        return False
    process.clear_marker(note)
    return True
