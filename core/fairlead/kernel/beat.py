"""Show other processes that an engine lives: a note beside the store that changes all the time.

The note says whose orders to cancel when it stops changing, so that a watchdog needs no database.
The watchdog shows its own life the same way, so that the engine notices when it hangs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from fairlead.api import Process

__all__ = ["Beat", "beat_name", "clear_beat", "read_beat", "sign_name", "write_beat"]


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat of one run: its number from 1, and under which tag and epoch its orders go."""

    number: int
    tag: int
    epoch: int
    by: str


def beat_name(instance: str) -> str:
    """Name the note of an instance."""
    return f"{instance}.beat"


def sign_name(instance: str) -> str:
    """Name the note by which an instance's watchdog shows that it lives."""
    return f"{instance}.watchdog"


def write_beat(process: Process, instance: str, beat: Beat) -> None:
    """Leave a beat. :raises OSError: when it cannot be left."""
    note = {"number": beat.number, "tag": beat.tag, "epoch": beat.epoch, "by": beat.by}
    process.beat(beat_name(instance), json.dumps(note) + "\n")


def read_beat(process: Process, instance: str) -> Beat | None:
    """Give the last beat; None when no run is on, and for a note that cannot be read."""
    text = process.read_marker(beat_name(instance))
    try:
        note = json.loads(text or "")
        return Beat(int(note["number"]), int(note["tag"]), int(note["epoch"]), str(note["by"]))
    except (ValueError, KeyError, TypeError):
        return None


def clear_beat(process: Process, instance: str, epoch: int) -> None:
    """Say that a run is over in order; the beat of a later run stays."""
    beat = read_beat(process, instance)
    if beat is None or beat.epoch <= epoch:
        process.clear_marker(beat_name(instance))
