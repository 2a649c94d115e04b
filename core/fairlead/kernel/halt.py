"""Remember that trading was halted: a note beside the store that outlives the process.

While the note is there nothing trades: a running engine halts at its next tick, a starting one
refuses. A person lifts it, after being told why it is there. The note is written through the
Process seam, so it works when the store does not; putting a file of that name there by hand is
the kill switch that needs nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from fairlead.api import Process

__all__ = ["Halt", "lift_halt", "marker_name", "read_halt", "write_halt"]


@dataclass(frozen=True, slots=True)
class Halt:
    """Why an instance is halted, and since when by the engine's clock; 0 = nobody said."""

    rule: str
    reason: str
    at_ns: int


def marker_name(instance: str) -> str:
    """Name the note of an instance; beside the store, so one for each instance there."""
    return f"{instance}.HALTED"


def write_halt(process: Process, instance: str, halt: Halt) -> None:
    """Leave the note; an older one stays, since the first reason is the cause.

    :raises OSError: when the disk refuses even this.
    """
    name = marker_name(instance)
    if process.read_marker(name) is None:
        note = {"rule": halt.rule, "reason": halt.reason, "at_ns": halt.at_ns}
        process.write_marker(name, json.dumps(note) + "\n")


def read_halt(process: Process, instance: str) -> Halt | None:
    """Give the halt in force, None when there is none.

    A note that nobody of us wrote, an empty file for one, halts as well.
    """
    text = process.read_marker(marker_name(instance))
    if text is None:
        return None
    try:
        note = json.loads(text)
        return Halt(str(note["rule"]), str(note["reason"]), int(note["at_ns"]))
    except (ValueError, KeyError, TypeError):
        return Halt("kill_switch", text.strip() or "a file asks for it", 0)


def lift_halt(process: Process, instance: str) -> Halt | None:
    """Take the note away and give what it said; None = there was none."""
    halt = read_halt(process, instance)
    if halt is not None:
        process.clear_marker(marker_name(instance))
    return halt
