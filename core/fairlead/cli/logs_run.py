"""Find the folder of a run, and read what it left there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fairlead.errors import UsageError
from fairlead.store.trace import read_trace

__all__ = ["EVENTS", "RUNS", "Event", "events", "find_run", "short_order"]

#: The trace in a run's folder, and the folder of all runs.
EVENTS = "events.jsonl.gz"
RUNS = Path("runs")

#: A line of a trace.
Event = Mapping[str, Any]


def find_run(run: str | None, runs: Path = RUNS) -> Path:
    """Find a run's folder by path or by name under ``runs``; None = the newest.

    :raises UsageError: when there is none, with the names of those that there are.
    """
    found = sorted(runs.glob(f"*/{EVENTS}"), key=lambda path: (path.stat().st_mtime_ns, path))
    if run is None:
        if found:
            return found[-1].parent
        raise UsageError(str(runs), "", "no run here yet; make one with: fairlead run")
    for folder in (Path(run), runs / run):
        if (folder / EVENTS).is_file():
            return folder
    names = ", ".join(path.parent.name for path in found[-5:]) or "none; make one: fairlead run"
    raise UsageError("--run", run, f"no folder with {EVENTS}; there are: {names}")


def events(folder: Path) -> Iterator[Event]:
    """Read a run's records, first to last.

    :raises StoreError: when the trace is garbled.
    """
    return read_trace(folder / EVENTS)


def short_order(order: str) -> str:
    """Give an order's name within its run: the last 8 characters of its id."""
    return order.lower()[-8:]
