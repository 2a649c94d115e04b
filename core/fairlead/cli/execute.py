"""Work one plan from the command line: ``fairlead execute twap | tiered | position``."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fairlead.api import Plan, Start
from fairlead.api.plans import PositionPlan, TieredPlan, TwapPlan
from fairlead.cli.config import (
    Configured,
    built,
    config_argument,
    configured,
    found_file,
    set_option,
)
from fairlead.cli.execute_option import plan_from, plan_options
from fairlead.cli.execution_text import result_text, wide_console
from fairlead.cli.figure import clock, trimmed_amount
from fairlead.cli.run import new_session
from fairlead.errors import EngineError, ExitCode, UsageError
from fairlead.kernel import RunResult, SessionOptions, SystemProcess, markets_in, socket_path
from fairlead.kernel.executing import Executing, ExecutionProgress, only_plan
from fairlead.ledger import Report
from fairlead.store import ExecutionEnded

__all__ = ["execute"]

_MOST_NAMED = 20


@click.group()
def execute() -> None:
    """Work one plan and nothing else: no strategy of the configuration runs.

    Example: fairlead execute tiered --market main:ALT/USDT --side BUY --quantity 500
    """


class _Bar:
    """Shows on a terminal how far a plan is, and elsewhere nothing."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._said = ""
        self._task: TaskID = self._progress.add_task("waiting", total=None, figures="")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, now: ExecutionProgress) -> None:
        """Draw how far it is."""
        run = now.run
        if now.earlier != self._said:
            self._said = now.earlier
            click.echo(now.earlier, err=True)
        if run is None:
            self._progress.update(self._task, description=now.phase)
            return
        leg = run.legs[0]
        done = run.book.progress(leg.market, leg.side, entry=True)
        average = "" if done.average is None else f" at {done.average:.8g}"
        self._progress.update(
            self._task,
            description=f"{now.phase} {clock(now.elapsed_ns)}",
            total=float(leg.quantity),
            completed=float(done.quantity),
            figures=f"{trimmed_amount(done.quantity)} of {trimmed_amount(leg.quantity)}{average}",
            refresh=True,
        )


def _command(name: str, model: type[Plan], summary: str, example: str) -> click.Command:
    def work(
        path: Path | None, sets: tuple[str, ...], *, as_json: bool, **values: object
    ) -> ExitCode:
        return _work(Start(name, name, plan_from(model, values)), path, sets, as_json=as_json)

    work.__doc__ = (
        f"{summary}\n\nCtrl-C ends it cleanly: its orders are cancelled and proven gone. One that "
        "was killed before is gone on with instead of a new one."
        f"\n\nExample: fairlead execute {name} {example}\n"
    )
    callback: Callable[..., Any] = plan_options(model)(work)
    callback = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        callback
    )
    return click.command(name)(config_argument(set_option(callback)))


def _work(start: Start, path: Path | None, sets: tuple[str, ...], *, as_json: bool) -> ExitCode:
    config = found_file(path)
    found = configured(path, sets)
    _check_markets(start, found)
    settings, offers, controller = only_plan(found.settings, found.offers, start)
    process = SystemProcess(settings.store_path.parent)
    changed = (argument for one in sets for argument in ("--set", one))
    options = SessionOptions(
        socket=socket_path(settings.store_path.parent, settings.engine.instance),
        watchdog=("watchdog", str(config.resolve()), "--once", *changed),
    )
    session = new_session(replace(found, settings=settings, offers=offers), process, options)
    console = Console(stderr=True)
    with _Bar(console) as bar:
        executing = Executing(start, controller, bar.show)
        # From here on Ctrl-C asks for the clean stop; the plan hears of it first.
        restore = process.on_stop(session.engine.request_stop)
        try:
            outcome = session.run(executing)
        finally:
            restore()
            process.ignore_late_stops()
    _print(executing, as_json=as_json)
    return _verdict(outcome.result, outcome.report, executing.ended)


def _check_markets(start: Start, found: Configured) -> None:
    ask = built(found.raw, found.offers)
    for market in markets_in(start.plan):
        table = found.settings.venues.get(market.venue)
        if table is None:
            known = ", ".join(found.settings.venues)
            raise UsageError("--market", str(market), f"no such venue; there are: {known}")
        symbols = ask(market.venue, table.connector, table.options)
        # A real venue tells its markets only once it is connected.
        if symbols and not isinstance(symbols, str) and market.symbol not in symbols:
            known = ", ".join(sorted(symbols)[:_MOST_NAMED])
            raise UsageError("--market", str(market), f"the venue has no such market but: {known}")


def _print(executing: Executing, *, as_json: bool) -> None:
    ended = executing.ended
    if as_json:
        result = None if ended is None else msgspec.to_builtins(ended, str_keys=True)
        tree = {
            "schema": 1,
            "problem": executing.problem,
            "earlier": executing.earlier,
            "execution": result,
        }
        click.echo(json.dumps(tree, ensure_ascii=False, indent=2, default=str))
    elif ended is None:
        what = "no result" if executing.begun else "nothing was done"
        click.echo(f"{what}: {executing.problem}", err=True)
    else:
        text = result_text(ended.name, ended.result, ended.slippage_bps)
        wide_console().print(text, soft_wrap=True)


def _verdict(result: RunResult, report: Report | None, ended: ExecutionEnded | None) -> ExitCode:
    failure = result.failure
    if isinstance(failure, EngineError):
        click.echo(f"stopped early: {failure}", err=True)
    elif failure is not None:
        traceback.print_exception(failure)
    for order in result.left:
        click.echo(f"not proven gone: {order}", err=True)
    for plan in () if report is None else report["summary"]["plans_left"]:
        click.echo(f"unfinished: {plan['text']}", err=True)
    if result.exit_code is not ExitCode.CLEAN:
        return result.exit_code
    return ExitCode.CLEAN if ended is not None and ended.complete else ExitCode.CHECK_FAILED


for _name, _model, _summary, _example in (
    (
        "twap",
        TwapPlan,
        "Spread a quantity evenly over time, in slices that rest or take.",
        '--market main:ALT/USDT --side BUY --quantity 500 --duration "5 min"',
    ),
    (
        "tiered",
        TieredPlan,
        "Get a quantity in one market: rest first, then take what is left.",
        "--market main:ALT/USDT --side SELL --quantity 500 --mode limit_with_fallback",
    ),
    (
        "position",
        PositionPlan,
        "Enter a position, and leave it by the first of its barriers.",
        '--market main:ALT/USDT --side BUY --quantity 100 --take-profit "30 bps" '
        '--stop-loss "30 bps" --time-limit "10 min"',
    ),
):
    execute.add_command(_command(_name, _model, _summary, _example))
