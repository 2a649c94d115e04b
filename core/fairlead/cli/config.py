"""Check, show and describe configurations: ``fairlead config check | show | schema``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from fairlead.api import Offers
from fairlead.config import (
    MarketsOf,
    RawConfig,
    Settings,
    config_hash,
    enabled,
    load,
    resolve,
    resolve_venues,
    shown,
)
from fairlead.config.schema import schema as json_schema
from fairlead.errors import ConfigError, Finding, UsageError
from fairlead.kernel import markets_of
from fairlead.kernel.plugins import Plugins, load_plugins, try_plugins

__all__ = [
    "DEFAULT_FILE",
    "Configured",
    "built",
    "config",
    "config_argument",
    "configured",
    "found_file",
    "reachable",
    "set_option",
]

#: The configuration that commands take where none is named.
DEFAULT_FILE = Path("plugins.toml")


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration that can be used, and the plugins that it enables."""

    raw: RawConfig
    settings: Settings
    plugins: Plugins
    offers: Offers


def config_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its ``[CONFIG]`` argument, as the parameter ``path``."""
    path = click.Path(path_type=Path)
    return click.argument("path", metavar="[CONFIG]", type=path, required=False)(command)


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its ``--set`` option, as the parameter ``sets``."""
    text = 'Override a value, e.g. --set engine.tick="2 s"; may be given several times.'
    return click.option("--set", "sets", metavar="KEY=VALUE", multiple=True, help=text)(command)


def found_file(path: Path | None) -> Path:
    """Give the named file, or else ``plugins.toml`` of the working folder.

    :raises UsageError: when none is named and there is none here.
    """
    if path is None and not DEFAULT_FILE.is_file():
        raise UsageError(
            str(DEFAULT_FILE), "", "there is none in this folder; name a configuration file"
        )
    return path or DEFAULT_FILE


def built(raw: RawConfig, offers: Offers) -> MarketsOf:
    """Ask venues for their markets by building their connectors, which opens nothing."""
    return markets_of(offers, raw.folder)


def configured(
    path: Path | None,
    sets: Sequence[str] = (),
    *,
    env: Mapping[str, str] | None = None,
    markets_of: Callable[[RawConfig, Offers], MarketsOf] = built,
) -> Configured:
    """Read a configuration, load its plugins and resolve it; nothing is written or sent.

    :param path: as for `found_file`.
    :param env: the environment; by default the process's own.
    :param markets_of: makes what tells a venue's markets, once the offers are known.
    :raises ConfigError: with every finding, plugins included.
    :raises UsageError: when there is no configuration.
    """
    raw = load(found_file(path), sets, os.environ if env is None else env)
    plugins, broken = try_plugins(enabled(raw))
    offers, failures = plugins.try_offers()
    settings = resolve(
        raw,
        offers,
        markets_of=markets_of(raw, offers),
        broken=(*broken, *failures),
    )
    return Configured(raw, settings, plugins, offers)


def reachable(path: Path | None, sets: Sequence[str] = ()) -> Configured:
    """Read as much of a configuration as reaches its venues, whatever else is wrong with it.

    For who only cancels; what is passed over is told.

    :param path: as for `found_file`.
    :raises ConfigError: with every finding, when one concerns the engine or a venue.
    :raises UsageError: when there is no configuration.
    """
    raw = load(found_file(path), sets, os.environ)
    plugins, broken = try_plugins(enabled(raw))
    offers, failures = plugins.try_offers()
    settings, findings = resolve_venues(raw, offers, broken=(*broken, *failures))
    for found in findings:
        click.echo(f"passed over: {found}", err=True)
    return Configured(raw, settings, plugins, offers)


@click.group()
def config() -> None:
    """Check, show and describe configurations.

    Example: fairlead config check plugins.toml
    """


@config.command()
@config_argument
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(path: Path | None, sets: tuple[str, ...], as_json: bool) -> None:
    """Say everything that is wrong with a configuration; nothing is written or sent.

    Example: fairlead config check plugins.toml --set engine.tick="500 ms"
    """
    try:
        done = configured(path, sets)
    except ConfigError as error:
        if as_json:
            click.echo(_json(_verdict(error.findings)))
        raise
    if as_json:
        click.echo(_json(_verdict(()) | {"config_hash": config_hash(done.settings)}))
        return
    venues, strategies = len(done.settings.venues), len(done.settings.strategies)
    click.echo(
        f"{done.raw.file}: ok, {_count(venues, 'venue')}, "
        f"{_count(strategies, 'strategy', 'strategies')}, "
        f"{_count(len(done.settings.risk), 'risk rule')}"
    )


@config.command()
@config_argument
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print keys, values and origins as JSON.")
def show(path: Path | None, sets: tuple[str, ...], as_json: bool) -> None:
    """Show every value in force and who set it, the defaults included.

    Example: fairlead config show plugins.toml --set risk.max_order="100 USDT"
    """
    done = configured(path, sets)
    rows = shown(done.settings, done.raw)
    if as_json:
        values = [{"key": row.key, "value": row.value, "origin": row.origin} for row in rows]
        tree = {"schema": 1, "config_hash": config_hash(done.settings), "values": values}
        click.echo(_json(tree))
        return
    width = max(len(f"{row.key} = {row.value}") for row in rows)
    for row in rows:
        click.echo(f"{f'{row.key} = {row.value}':<{min(width, 60)}}  # {row.origin}")


@config.command()
@config_argument
def schema(path: Path | None) -> None:
    """Print the JSON Schema of all that a configuration may hold, for editors.

    With a configuration it covers the plugins that this one enables, else all built-in ones.

    Example: fairlead config schema > plugins.schema.json
    """
    click.echo(_json(json_schema(load_for(path).register_offers())))


def load_for(path: Path | None) -> Plugins:
    """Load the plugins of a configuration; without any all built-in ones.

    :raises EngineError: when the configuration cannot be read or a plugin not be loaded.
    """
    file = path or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    return load_plugins(enabled(load(file, (), os.environ)))


def _verdict(findings: tuple[Finding, ...]) -> dict[str, Any]:
    rows = [
        {
            "place": found.place,
            "key": found.key,
            "value": found.value,
            "expected": found.expected,
        }
        for found in findings
    ]
    return {"schema": 1, "ok": not findings, "findings": rows}


def _json(tree: object) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=2)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
