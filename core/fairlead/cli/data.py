"""Inspect recorded market data: ``fairlead data check``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from fairlead.market import BinanceKind, Recording, RecordingCheck

__all__ = ["data"]

_LEVELS_SHOWN = 5


@click.group()
def data() -> None:
    """Inspect recorded market data.

    Example: fairlead data check spot_btcusdt_20240808.jsonl.gz
    """


@data.command()
@click.argument("files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in BinanceKind]),
    help="Which market the stream comes from; by default its messages tell.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...], kind: str | None, as_json: bool) -> None:
    """Replay recorded raw streams through the order book and compare it with the venue.

    FILE is a recording of one market, plain or gzip, a local receive time and a Binance message
    a line; several are read one after another. The book must have no gap, never cross, and agree
    with every best quote that the venue sent.

    Exit code 0: it does. 1: it does not, or a line cannot be read. 2: no usable file.

    Example: fairlead data check day1.jsonl.gz day2.jsonl.gz --json
    """
    if not files:
        raise click.UsageError("name at least one FILE")
    recording = Recording(files, None if kind is None else BinanceKind(kind))
    done = RecordingCheck(recording)
    _run(done, files)
    report = done.report()
    if as_json:
        click.echo(json.dumps(report, indent=2))
    elif done.error is None or done.error.usable:
        click.echo(_text(report, done))
    if done.error is not None:
        raise done.error
    ctx.exit(done.exit_code())


def _run(check: RecordingCheck, files: Sequence[Path]) -> None:
    console = Console(stderr=True)
    columns = (
        TextColumn("replaying"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    # Without the bar's own refresh thread: the replay itself says when there is something new.
    with Progress(
        *columns,
        console=console,
        transient=True,
        auto_refresh=False,
        disable=not console.is_terminal,
    ) as progress:
        size = sum(path.stat().st_size for path in files if path.is_file())
        task = progress.add_task("replay", total=size)
        check.run(lambda done: progress.update(task, completed=done, refresh=True))


def _text(report: dict[str, Any], check: RecordingCheck) -> str:
    checkpoints = report["checkpoints"]
    kind = report["kind"] or "unknown kind"
    lines = [
        f"{kind}: {report['messages']:,} messages, {report['diffs']:,} diffs, "
        f"{report['trades']:,} trades",
        f"gaps {report['gaps']}, resyncs {report['resyncs']}, crossed {report['crossed']}",
        f"best quotes: {checkpoints['compared']:,} compared, {checkpoints['wrong']:,} wrong",
    ]
    lines += [
        f"  after update {wrong.update_id} the venue said {wrong.said}, the book held {wrong.held}"
        for wrong in check.first_wrong
    ]
    lines.append(f"book: {check.state}, last update {report['last_update_id']}")
    sides = zip_longest(
        report["bids"][:_LEVELS_SHOWN], report["asks"][:_LEVELS_SHOWN], fillvalue=("", "")
    )
    lines += [
        f"{bid[1]:>16} {bid[0]:>14} │ {ask[0]:<14} {ask[1]:<16}".rstrip() for bid, ask in sides
    ]
    return "\n".join(lines)
