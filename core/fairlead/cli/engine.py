"""Find a running engine from where a person stands, and ask it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fairlead.cli.config import DEFAULT_FILE
from fairlead.cli.figure import NOT_AVAILABLE
from fairlead.config import EngineSettings, load
from fairlead.errors import UsageError
from fairlead.kernel.control_client import ControlClient
from fairlead.kernel.control_command import Command
from fairlead.kernel.control_socket import socket_path

__all__ = ["EnginePlace", "ask", "engine_options", "json_option", "print_json", "print_rows"]

_SQLITE = "sqlite:///"
_CONFIG = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The engine's configuration; plugins.toml by default.",
)
_INSTANCE = click.option(
    "--instance", metavar="NAME", help="The engine's name, where no configuration says it."
)
_STORE = click.option(
    "--store", metavar="FILE", help="The engine's database; its socket lies beside it."
)


@dataclass(frozen=True, slots=True)
class EnginePlace:
    """Where an engine is: its name, and the folder of its store."""

    instance: str
    folder: Path
    #: The configuration that was named; None = none was, so that it is `DEFAULT_FILE` if any.
    config: Path | None = None

    @property
    def socket(self) -> Path:
        """Give its control socket, there while it runs."""
        return socket_path(self.folder, self.instance)

    @classmethod
    def find(cls, config: Path | None, instance: str | None, store: str | None) -> EnginePlace:
        """Find it by its configuration, or by what is said in its place.

        :raises UsageError: when neither says enough.
        :raises ConfigError: when the configuration cannot be read.
        """
        folder, table = Path(), {}
        if config is not None or DEFAULT_FILE.is_file():
            raw = load(config or DEFAULT_FILE, (), os.environ)
            folder, table = raw.folder, dict(raw.table("engine"))
        default = EngineSettings.model_fields["store"].get_default()
        written = table.get("store", default)
        place = folder / str(written).removeprefix(_SQLITE)
        if store:
            place = Path(store.removeprefix(_SQLITE))
        name = instance or table.get("instance")
        if isinstance(name, str) and name:
            return cls(name, place.parent, config)
        running = sorted(place.parent.glob("*.sock"))
        if len(running) == 1:
            return cls(running[0].stem, place.parent, config)
        known = ", ".join(path.stem for path in running) or "none run in this folder"
        raise UsageError("--instance", "", f"say which engine; there are: {known}")


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--config``, ``--instance`` and ``--store``, as the parameter ``place``."""

    @wraps(command)
    def found(
        *arguments: Any,  # noqa: ANN401 - whatever else the command takes
        config: Path | None,
        instance: str | None,
        store: str | None,
        **rest: Any,  # noqa: ANN401 - the same
    ) -> Any:  # noqa: ANN401 - whatever it gives
        return command(*arguments, place=EnginePlace.find(config, instance, store), **rest)

    for option in (_STORE, _INSTANCE, _CONFIG):
        found = option(found)
    return found


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its ``--json`` option, as the parameter ``as_json``."""
    text = "Print the answer as JSON."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


def ask(place: EnginePlace, command: Command, *, patience_s: float = 30.0) -> dict[str, Any]:
    """Ask the engine one thing.

    :raises ControlError: when none runs there, or it refuses.
    """
    with ControlClient(place.socket, place.instance, "command") as client:
        return client.ask(command, patience_s=patience_s)


def print_json(result: Mapping[str, Any]) -> None:
    """Print what an engine answered, with the schema's number on top."""
    click.echo(json.dumps({"schema": 1, **result}, ensure_ascii=False, indent=2))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], none: str) -> None:
    """Print one line for each row, in columns under their names; ``none`` where there is none."""
    if not rows:
        click.echo(none)
        return
    table = [[_cell(row.get(column)) for column in columns] for row in rows]
    heads = [column.replace("_", " ") for column in columns]
    widths = [max(map(len, cells)) for cells in zip(heads, *table, strict=True)]
    right = [_is_number(rows[0].get(column)) for column in columns]
    for cells in (heads, *table):
        shown = (
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(cells, widths, right, strict=True)
        )
        click.echo("  ".join(shown).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOT_AVAILABLE if value is None else str(value)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.lstrip("-").replace(".", "", 1).isdecimal()
    return isinstance(value, int | float) and not isinstance(value, bool)
