"""Simulate bad luck and look for broken promises: ``fairlead simulate``."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fairlead.cli.config import config_argument, set_option
from fairlead.cli.simulate_jobs import Work, run_tasks
from fairlead.errors import ExitCode, StoreError, UsageError
from fairlead.kernel import SystemClock
from fairlead.testing.simulation import (
    PLANTS,
    Plant,
    SeedRun,
    SimulationReport,
    Task,
    chosen_faults,
    named_plant,
    needs_plans,
)

__all__ = ["simulate"]

_SECOND = 1_000_000_000
_HOUR_NS = 3_600 * _SECOND
_SHORTEST_H = 0.05
_SEEDS = "1-20"
# Within so many seeds a planted bug must be found.
_PLANT_SEEDS = "1-50"
_HOURS = 0.25
# What of the shipped is run, and whether that works plans.
_VARIANTS = {"quotes": False, "plans": True}
_SEEDS_TEXT = re.compile(r"(\d+)(?:-(\d+))?")
# Violations shown in full; the others stand in the report.
_SHOWN = 3


@click.command()
@config_argument
@set_option
@click.option("--seeds", metavar="A-B", help=f"Which seeds to run. [default: {_SEEDS}]")
@click.option("--hours", type=float, default=_HOURS, show_default=True, help="Length of each seed.")
@click.option("--jobs", type=int, metavar="N", help="Processes at once. [default: one per CPU]")
@click.option(
    "--faults",
    default="all",
    show_default=True,
    metavar="all|none|LIST",
    help="Which faults there may be, e.g. crash,lost_answer; each seed has half of them.",
)
@click.option("--only", metavar="LIST", help="Only these faults of a seed's schedule, by number.")
@click.option(
    "--shipped",
    type=click.Choice(list(_VARIANTS)),
    help="Without CONFIG: only the variants that quote, or only those that work plans.",
)
@click.option("--plant", metavar="NAME|list", help="Plant a bug, and see it found.")
@click.option("--json", "report_to", metavar="FILE", type=Path, help="Write the report as JSON.")
@click.pass_context
def simulate(  # noqa: PLR0913 - one parameter for each option
    ctx: click.Context,
    path: Path | None,
    sets: tuple[str, ...],
    *,
    seeds: str | None,
    hours: float,
    jobs: int | None,
    faults: str,
    only: str | None,
    shipped: str | None,
    plant: str | None,
    report_to: Path | None,
) -> None:
    """Run the whole engine against simulated venues, in virtual time, through bad luck.

    Each seed draws its faults: lost answers, late orders, cut streams, full disks, kills. What
    really happened at the venues is held against what the engine promises, at every event.

    Without CONFIG a small one runs that comes with Fairlead. Exit code 1: a promise was broken;
    the seed, the faults that it takes and the command that shows it again are printed.

    Example: fairlead simulate --seeds 1-20 --hours 0.25
    """
    if plant == "list":
        for one in PLANTS.values():
            click.echo(f"{one.name:<26} {one.meaning}")
        return
    bug = None if plant is None else named_plant(plant)
    numbers = _seeds(seeds or (_SEEDS if bug is None else _PLANT_SEEDS))
    tasks = _tasks(numbers, _length_ns(hours), faults, only, bug, _words(path, sets, shipped))
    work = Work(path, sets, bug is not None, _plans(path, shipped, bug))
    work.load()  # what is wrong with it is said once, here
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    report = _run(work, tasks, _jobs(jobs, len(tasks)))
    _show(report, (clock.monotonic_ns() - began_ns) / _SECOND)
    if report_to is not None:
        _write(report, report_to)
    ctx.exit(ExitCode.CHECK_FAILED if report.failures else ExitCode.CLEAN)


def _tasks(
    numbers: Sequence[int],
    length_ns: int,
    faults: str,
    only: str | None,
    plant: Plant | None,
    words: Sequence[str],
) -> list[Task]:
    kinds, places = chosen_faults(faults), _places(only)
    # A planted bug is found, not investigated.
    tries = 40 if plant is None and only is None else 0
    return [
        Task(SeedRun(seed, length_ns, kinds, places, plant), words, tries=tries) for seed in numbers
    ]


def _run(work: Work, tasks: Sequence[Task], jobs: int) -> SimulationReport:
    report = SimulationReport()
    console = Console(stderr=True)
    columns = (
        TextColumn("seeds"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[hours]:.1f} simulated hours, {task.fields[broken]} violations"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        auto_refresh=False,
        disable=not console.is_terminal,
    ) as progress:
        shown = progress.add_task("", total=len(tasks), hours=0.0, broken=0)
        for result, failures in run_tasks(work, tasks, jobs):
            report.add(result, failures)
            progress.update(
                shown, advance=1, hours=report.hours, broken=len(report.failures), refresh=True
            )
    return report


def _show(report: SimulationReport, elapsed_s: float) -> None:
    total = sum(report.faults.values())
    click.echo(
        f"{report.seeds} seeds, {report.hours:.1f} simulated hours in {elapsed_s:.0f} s: "
        f"{report.orders:,} orders, {report.lives:,} processes, "
        f"{total:,} faults of {len(report.faults)} kinds"
    )
    for failure in sorted(report.failures, key=lambda one: one.seed)[:_SHOWN]:
        click.echo(f"\n{failure.describe()}")
    if report.failures:
        broken = ", ".join(str(failure.seed) for failure in report.failures)
        click.echo(f"\nviolations in {len(report.failures)} seeds: {broken}")
    else:
        click.echo("no violation")


def _write(report: SimulationReport, path: Path) -> None:
    text = json.dumps(report.as_json(), indent=1) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(str(path), f"cannot be written ({error.strerror})") from error


def _seeds(text: str) -> range:
    found = _SEEDS_TEXT.fullmatch(text)
    first, last = (0, -1) if found is None else (int(found[1]), int(found[2] or found[1]))
    if last < first:
        raise UsageError("--seeds", text, "write a first and a last seed, e.g. 1-20")
    return range(first, last + 1)


def _length_ns(hours: float) -> int:
    if not _SHORTEST_H <= hours < float("inf"):
        raise UsageError("--hours", f"{hours:g}", f"write {_SHORTEST_H:g} or more")
    return int(hours * _HOUR_NS)


def _jobs(jobs: int | None, tasks: int) -> int:
    if jobs is not None and jobs < 1:
        raise UsageError("--jobs", str(jobs), "write 1 or more")
    return min(jobs or os.cpu_count() or 1, tasks)


def _places(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = [] if text == "none" else text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError("--only", text, "write numbers, e.g. 3,17, or none")
    return tuple(int(part) for part in parts)


def _plans(path: Path | None, shipped: str | None, bug: Plant | None) -> bool | None:
    # Which variants are run; a planted bug is looked for where it can show.
    if shipped is None:
        return None if bug is None else needs_plans(bug)
    if path is not None:
        raise UsageError("--shipped", shipped, "leave it out, or CONFIG")
    return _VARIANTS[shipped]


def _words(path: Path | None, sets: Sequence[str], shipped: str | None) -> list[str]:
    chosen = [] if shipped is None else ["--shipped", shipped]
    named = (word for one in sets for word in ("--set", shlex.quote(one)))
    return [*_quoted(path), *named, *chosen]


def _quoted(path: Path | None) -> Iterator[str]:
    if path is not None:
        yield shlex.quote(str(path))
