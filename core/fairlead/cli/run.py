"""Run an engine from a configuration: ``fairlead run``."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from fairlead.cli.config import Configured, config_argument, configured, found_file, set_option
from fairlead.cli.live_guard import Consent, accepted, banner, confirm, live_options
from fairlead.cli.logs_run import EVENTS, RUNS
from fairlead.cli.option import duration_ns
from fairlead.cli.picture import Picture
from fairlead.cli.summary import next_commands, summary_text
from fairlead.cli.watch import LiveWatch, ProgressWatch
from fairlead.config import Loosened
from fairlead.errors import EngineError, ExitCode, StoreError, UsageError
from fairlead.kernel import RunResult, Session, SessionOptions, SystemProcess, socket_path
from fairlead.ledger import Report
from fairlead.store import Durability, TraceWriter, open_store

__all__ = ["new_session", "run"]

# A demo on a terminal takes this long, whatever it simulates.
_DEMO_S = 30
_SECOND = 1_000_000_000
# The multiple of real time where a source does not know its own length.
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
@click.option(
    "--reduce-only",
    is_flag=True,
    help="Let no order grow a position, until: fairlead reduce-only off.",
)
@live_options
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, nothing else.")
@click.pass_context
def run(
    ctx: click.Context,
    path: Path | None,
    sets: tuple[str, ...],
    length: str | None,
    speed: str | None,
    reduce_only: bool,
    consent: Consent,
    as_json: bool,
) -> None:
    """Run until the source ends, --for is over, or Ctrl-C; always stops clean, with proof.

    Leaves report.json, report.html and events.jsonl.gz in runs/INSTANCE-EPOCH.

    Example: fairlead run plugins.toml --for "10 min" --speed max
    """
    config = found_file(path)
    looser: tuple[Loosened, ...] = ()
    if consent.live:
        looser = accepted(path, sets, os.environ, accept_risk=consent.accept_risk)
        sets = (*sets, "engine.mode=live")
    found = configured(path, sets)
    if consent.live:
        click.echo(banner(found, looser), err=True)
        confirm(found.settings.engine.instance, consent.yes)
    elif found.settings.engine.mode == "live":
        raise UsageError("--live", "", 'engine.mode is "live"; say --live if real money is meant')
    options = SessionOptions(
        for_ns=duration_ns("--for", length),
        pace=_pace(speed),
        reduce_only=reduce_only,
        accepted={one.key: f"{one.before} -> {one.after}" for one in looser},
        socket=socket_path(found.settings.store_path.parent, found.settings.engine.instance),
        reread=lambda: configured(path, sets).settings,
        watchdog=_watchdog(config, sets),
    )
    mode = found.settings.engine.mode
    if speed is not None and mode != "paper":
        raise UsageError("--speed", speed, f"mode {mode!r} runs in real time; leave it out")
    process = SystemProcess(found.settings.store_path.parent)
    session = new_session(found, process, options)
    picture = Picture(session)
    session.control.picture = picture.tree
    # With --json standard output belongs to the report; everything else goes beside it.
    screen = Console(stderr=as_json)
    watch: LiveWatch | ProgressWatch = ProgressWatch(Console(stderr=True))
    if screen.is_terminal and not as_json:
        if speed is None:
            session.set_pace(_demo_pace(session.length_ns))
        watch = LiveWatch(screen)
        watch.picture = picture
    # From here on Ctrl-C asks for the clean stop; what is left of a run is always written.
    restore = process.on_stop(session.engine.request_stop)
    try:
        began_ns = session.wall_ns()
        outcome = session.run(watch)
        elapsed_s = (session.wall_ns() - began_ns) / _SECOND
        unwritten: Sequence[EngineError] = ()
        if outcome.report is not None:
            folder = RUNS / session.name
            commands = next_commands(outcome.report, str(config), str(folder))
            width = {"width": screen.width} if screen.is_terminal else {}
            text = summary_text(outcome.report, elapsed_s=elapsed_s, commands=commands, **width)
            unwritten = _leave(outcome.report, folder, None if as_json else text, screen)
    finally:
        restore()
        process.ignore_late_stops()
    ctx.exit(_verdict(outcome.result, unwritten))


def _watchdog(config: Path, sets: Sequence[str]) -> tuple[str, ...]:
    changed = (argument for one in sets for argument in ("--set", one))
    return ("watchdog", str(config.resolve()), "--once", *changed)


def new_session(found: Configured, process: SystemProcess, options: SessionOptions) -> Session:
    """Put a session together as its mode wants it, with its trace in its run folder.

    :raises EngineError: when the store, the lock or the socket cannot be had.
    """
    url = f"sqlite:///{found.settings.store_path}"
    paper = found.settings.engine.mode == "paper"
    # Play money may lose its last second to a power cut; nothing else may.
    durability = Durability.NORMAL if paper else Durability.FULL
    return Session(
        found.settings,
        found.plugins,
        found.offers,
        store=open_store(url, durability=durability, inline=paper),
        traces=_trace,
        process=process,
        options=options,
    )


def _trace(run_name: str) -> TraceWriter:
    folder = RUNS / run_name
    try:
        if folder.exists():
            # Of another database, whose epochs were counted from 1 too.
            aside = next(one for n in count(1) if not (one := RUNS / f"{run_name}.{n}").exists())
            folder.rename(aside)
            click.echo(f"{folder} was there already; it is {aside} now", err=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise StoreError(str(folder), f"cannot be made ({error.strerror})") from error
    return TraceWriter(folder / EVENTS)


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


def _leave(
    report: Report, folder: Path, summary: Text | None, screen: Console
) -> Sequence[EngineError]:
    """Write and show how a run went; gives what could not be written.

    A disk that refuses a file must not hide the rest.
    """
    trouble = [*_refused(folder / "report.json", partial(_write_report, report))]
    try:
        if summary is None:
            click.echo(json.dumps(report))
        else:
            screen.print(summary, soft_wrap=True, highlight=False)
    finally:
        # Also when the reader has seen enough (``| head``).
        if not trouble:
            with screen.status("drawing report.html"):
                trouble += _refused(folder / "report.html", _draw_page)
    return trouble


def _write_report(report: Report, path: Path) -> None:
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _draw_page(path: Path) -> None:
    from fairlead.cli.page import write_page  # noqa: PLC0415 - plotly loads where it is used

    write_page(path.parent)


def _refused(path: Path, write: Callable[[Path], object]) -> Iterator[EngineError]:
    try:
        write(path)
    except EngineError as error:
        yield error
    except OSError as error:
        with suppress(OSError):
            path.unlink()  # half a file is worse than none
        yield StoreError(str(path), f"cannot be written ({error.strerror})")


def _verdict(result: RunResult, unwritten: Sequence[EngineError]) -> ExitCode:
    """Say on standard error what was not clean, a line for each, and give the exit code."""
    failure = result.failure
    if failure is not None and not isinstance(failure, EngineError):
        traceback.print_exception(failure)
    if isinstance(failure, EngineError):
        click.echo(f"stopped early: {failure}", err=True)
    elif result.exit_code is not ExitCode.CLEAN:
        click.echo(f"{result.reason}: {result.detail}".rstrip(": "), err=True)
    for order in result.left:
        click.echo(f"not proven gone: {order}", err=True)
    for error in unwritten:
        click.echo(str(error), err=True)
    if result.exit_code is ExitCode.CLEAN and unwritten:
        return unwritten[0].exit_code
    return result.exit_code
