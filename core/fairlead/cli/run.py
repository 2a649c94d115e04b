"""Run an engine from a configuration: ``fairlead run``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from fairlead.api import Duration
from fairlead.cli.config import Configured, config_argument, configured, found_file, set_option
from fairlead.cli.logs_run import EVENTS, RUNS
from fairlead.cli.summary import next_commands, summary_text
from fairlead.cli.watch import LiveWatch, ProgressWatch
from fairlead.errors import EngineError, ExitCode, StoreError, UsageError
from fairlead.kernel import Session, SessionOptions, SessionOutcome, SystemProcess, markets_of
from fairlead.ledger import Report
from fairlead.store import Durability, QueuedStore, TraceWriter, open_store

__all__ = ["read_config", "run"]

# A demo on a terminal takes this long, whatever it simulates.
_DEMO_S = 30
_SECOND = 1_000_000_000
# Where a source does not know its own length.
_PACE = 60.0


@click.command()
@config_argument
@set_option
@click.option("--for", "length", metavar="DURATION", help='Stop after this long, e.g. "10 min".')
@click.option(
    "--speed",
    metavar="max|N",
    help="As fast as possible, or N times real time. On a terminal a run lasts 30 s by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, nothing else.")
@click.pass_context
def run(
    ctx: click.Context,
    path: Path | None,
    sets: tuple[str, ...],
    length: str | None,
    speed: str | None,
    as_json: bool,
) -> None:
    """Run until the source ends, --for is over, or Ctrl-C; always stops clean, with proof.

    Leaves report.json, report.html and events.jsonl.gz in runs/INSTANCE-EPOCH.

    Example: fairlead run plugins.toml --for "10 min" --speed max
    """
    found = read_config(path, sets)
    screen = Console(stderr=as_json)
    drawn = screen.is_terminal and not as_json
    for_ns = None if length is None else _duration("--for", length).ns
    pace = _pace(speed)
    store = _store(found)
    folder: list[Path] = []
    session = Session(
        found.settings,
        found.plugins,
        found.offers,
        store=store,
        traces=_traces(folder),
        process=SystemProcess(found.settings.store_path.parent),
        options=SessionOptions(for_ns=for_ns, pace=pace),
    )
    if drawn and speed is None:
        session.set_pace(_demo_pace(session.length_ns))
    watch = LiveWatch(screen, session.pace) if drawn else ProgressWatch(Console(stderr=True))
    began_ns = session.wall_ns()
    outcome = session.run(watch)
    elapsed_s = (session.wall_ns() - began_ns) / _SECOND
    if outcome.report is not None:
        _write(outcome.report, folder[0], screen)
        if as_json:
            click.echo(json.dumps(outcome.report))
        else:
            commands = next_commands(outcome.report, str(found_file(path)), str(folder[0]))
            text = summary_text(outcome.report, elapsed_s=elapsed_s, commands=commands)
            screen.print(text, soft_wrap=True, highlight=False)
    ctx.exit(_verdict(outcome))


def read_config(path: Path | None, sets: tuple[str, ...]) -> Configured:
    """Read a configuration for a command that uses it, markets checked.

    :raises ConfigError: with every finding.
    """
    return configured(path, sets, markets_of=lambda raw, offers: markets_of(offers, raw.folder))


def _store(found: Configured) -> QueuedStore:
    url = f"sqlite:///{found.settings.store_path}"
    return open_store(url, durability=Durability.NORMAL, inline=True)


def _traces(made: list[Path]) -> Callable[[str], TraceWriter]:
    def trace(name: str) -> TraceWriter:
        folder = RUNS / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(str(folder), f"cannot be made ({error.strerror})") from error
        made.append(folder)
        return TraceWriter(folder / EVENTS)

    return trace


def _duration(option: str, text: str) -> Duration:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise UsageError(option, text, str(error)) from error


def _pace(speed: str | None) -> float | None:
    if speed is None or speed == "max":
        return None
    try:
        pace = float(speed.removeprefix("x").removeprefix("×"))
    except ValueError:
        pace = 0.0
    if not 0 < pace < float("inf"):
        raise UsageError("--speed", speed, 'write "max" or a number above zero, e.g. 60')
    return pace


def _demo_pace(length_ns: int | None) -> float:
    if length_ns is None:
        return _PACE
    return max(length_ns / _SECOND / _DEMO_S, 1.0)


def _write(report: Report, folder: Path, screen: Console) -> None:
    from fairlead.cli.page import write_page  # noqa: PLC0415 - plotly loads where it is used

    try:
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        with screen.status("drawing report.html"):
            write_page(folder)
    except OSError as error:
        raise StoreError(str(folder), f"the report cannot be written ({error})") from error


def _verdict(outcome: SessionOutcome) -> ExitCode:
    result = outcome.result
    failure = result.failure
    if failure is not None and not isinstance(failure, EngineError):
        sys.excepthook(type(failure), failure, failure.__traceback__)
    if result.exit_code is not ExitCode.CLEAN:
        click.echo(f"{result.reason.value}: {result.detail}".rstrip(": "), err=True)
    for order in result.left:
        click.echo(f"not proven gone: {order}", err=True)
    return result.exit_code
