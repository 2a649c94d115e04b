"""Show what executions of this instance came to: ``fairlead executions``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import msgspec

from fairlead.cli.config import config_argument, found_file
from fairlead.cli.execution_text import figures_of, figures_table, last_table, wide_console
from fairlead.cli.option import duration_ns
from fairlead.config import EngineSettings, load
from fairlead.errors import UsageError
from fairlead.kernel.clock import SystemClock
from fairlead.model import trimmed
from fairlead.store import StoredExecution, StoreReader, open_reader

__all__ = ["executions"]

_SQLITE = "sqlite:///"


@click.command()
@config_argument
@click.option("--strategy", help="Only what this strategy started.")
@click.option(
    "--window",
    metavar="DURATION",
    help='Only what ended within this time, e.g. "24h"; on paper it counts back from the last end.',
)
@click.option("--json", "as_json", is_flag=True, help="Print figures and results as JSON.")
def executions(path: Path | None, strategy: str | None, window: str | None, as_json: bool) -> None:
    """Show how plans were worked: how many, how well, how fast and what they cost.

    Reads the database; no engine needs to run.

    Example: fairlead executions plugins.toml --strategy alt --window 24h
    """
    span_ns = duration_ns("--window", window)
    raw = load(found_file(path), (), os.environ)
    engine = dict(raw.table("engine"))
    instance = engine.get("instance")
    if not isinstance(instance, str):
        raise UsageError("engine.instance", "", "the configuration does not name its engine")
    store = str(engine.get("store", EngineSettings.model_fields["store"].get_default()))
    reader = open_reader(f"{_SQLITE}{raw.folder / store.removeprefix(_SQLITE)}")
    try:
        found = _within(reader, instance, span_ns)
        running = [
            row | {"held": reader.held(row["execution"])}
            for row in reader.open_executions(instance)
        ]
    finally:
        reader.close()
    found = [one for one in found if strategy in {None, one.strategy}]
    running = [row for row in running if strategy in {None, row["strategy"]}]
    if as_json:
        click.echo(json.dumps(_tree(found, running), ensure_ascii=False, indent=2, default=str))
        return
    console = wide_console()
    if found:
        groups = {"all": figures_of(found)}
        names = list(dict.fromkeys(one.executor for one in found))
        for name in names if len(names) > 1 else ():
            groups[name] = figures_of(one for one in found if one.executor == name)
        console.print(figures_table(groups))
        console.print()
        console.print(last_table(found))
    else:
        console.print("no execution has ended")
    for row in running:
        held = ", ".join(f"{trimmed(size)} on {market}" for market, size in row["held"].items())
        what = f"{row['strategy']} {row['name']} ({row['executor']})"
        console.print(f"without an end: {what}, holds {held or 'nothing'}")


def _within(reader: StoreReader, instance: str, span_ns: int | None) -> list[StoredExecution]:
    found = list(reader.executions(instance))
    if span_ns is None or not found:
        return found
    runs = reader.runs(instance)
    # Play money has a time of its own.
    paper = bool(runs) and runs[-1].mode == "paper"
    now_ns = max(one.ended_ns for one in found) if paper else SystemClock().now_ns()
    return [one for one in found if one.ended_ns >= now_ns - span_ns]


def _tree(found: list[StoredExecution], running: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": 1,
        "figures": figures_of(found).as_json(),
        "without_an_end": [
            {key: row[key] for key in ("execution", "name", "strategy", "executor", "t_ns")}
            | {"held": {market: str(quantity) for market, quantity in row["held"].items()}}
            for row in running
        ],
        "executions": [
            {
                "execution": one.execution,
                "name": one.name,
                "strategy": one.strategy,
                "executor": one.executor,
                "market": one.market,
                "ended_ns": one.ended_ns,
                "slippage_bps": None if one.slippage_bps is None else str(one.slippage_bps),
                "result": msgspec.to_builtins(one.result),
            }
            for one in found
        ],
    }
