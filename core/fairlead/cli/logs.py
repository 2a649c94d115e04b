"""Read a run's journal: ``fairlead logs``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from fairlead.api import Duration
from fairlead.cli.figure import clock
from fairlead.cli.logs_line import QUIET, event_line
from fairlead.cli.logs_run import Event, events, find_run, short_order
from fairlead.errors import UsageError
from fairlead.store import RECORDS

__all__ = ["logs"]

_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{2})$")
_SECOND_NS = 1_000_000_000


@click.command()
@click.option("--run", metavar="FOLDER", help="The run: its folder or name; by default the newest.")
@click.option("--kind", "kinds", multiple=True, help="Only this kind of record; may be repeated.")
@click.option("--order", help="Only this order: its id, or the 8 characters that name it.")
@click.option(
    "--since", help='Only the last part of the run ("5 min"), or from a time of it on ("18:30").'
)
@click.option("--json", "as_json", is_flag=True, help="Print the records as they were written.")
def logs(
    run: str | None, kinds: tuple[str, ...], order: str | None, since: str | None, as_json: bool
) -> None:
    """Show what a run recorded, a line each, with the time since its start.

    Ticks, samples and markouts are shown only when --kind names them.

    Example: fairlead logs --kind fill --kind denied --since "5 min"
    """
    _check_kinds(kinds)
    folder = find_run(run)
    start_ns = _start_ns(folder)
    from_ns = start_ns if since is None else _from_ns(since, folder, start_ns)
    name = None if order is None else short_order(order)
    found = (event for event in _chosen(events(folder), kinds, name) if event["t_ns"] >= from_ns)
    if as_json:
        for event in found:
            click.echo(json.dumps(event, sort_keys=True, separators=(",", ":")))
        return
    console = Console(highlight=False)
    for event in found:
        line = Text().append(f"{clock(event['t_ns'] - start_ns, places=3)}  ", style="dim")
        console.print(line.append_text(event_line(event)), soft_wrap=True)


def _check_kinds(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in RECORDS:
            raise UsageError("--kind", kind, f"one of {', '.join(sorted(RECORDS))}")


def _chosen(
    all_events: Iterator[Event], kinds: Sequence[str], order: str | None
) -> Iterator[Event]:
    for event in all_events:
        if kinds and event["kind"] not in kinds:
            continue
        if order is not None and event.get("order") != order:
            continue
        if not kinds and event["kind"] in QUIET:
            continue
        yield event


def _start_ns(folder: Path) -> int:
    for event in islice(events(folder), 1):
        return int(event["t_ns"])
    raise UsageError(
        "--run", str(folder), "nothing of its trace is written yet; it follows within ten seconds"
    )


def _from_ns(since: str, folder: Path, start_ns: int) -> int:
    match = _CLOCK.match(since)
    if match is not None:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return start_ns + (hours * 3600 + minutes * 60 + seconds) * _SECOND_NS
    try:
        span = Duration.parse(since)
    except ValueError:
        raise UsageError("--since", since, 'a span as "5 min" or a time as "18:30"') from None
    end_ns = max(int(event["t_ns"]) for event in events(folder))
    return end_ns - span.ns
