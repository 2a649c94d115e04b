"""List plugins: what is loaded, from which distribution, and what it offers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fairlead.api import Offer, Offers
from fairlead.cli.config import config_argument, load_for

__all__ = ["plugins"]


@click.command()
@config_argument
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def plugins(path: Path | None, as_json: bool) -> None:
    """List the plugins in use: name, distribution, version and what each offers.

    These are the ones that CONFIG (plugins.toml) enables; without a configuration all built-in
    ones.

    Example: fairlead plugins
    """
    loaded = load_for(path)
    offers = _by_plugin(loaded.register_offers())
    if as_json:
        rows = [
            {
                "plugin": plugin.name,
                "distribution": plugin.distribution,
                "version": plugin.version,
                "offers": offers.get(plugin.name, []),
            }
            for plugin in loaded.loaded
        ]
        click.echo(json.dumps({"schema": 1, "plugins": rows}, ensure_ascii=False, indent=2))
        return
    for plugin in loaded.loaded:
        click.echo(f"{plugin.name:<14}{plugin.origin}")
        for offer in offers.get(plugin.name, []):
            click.echo(f"  {offer['kind']:<12}{offer['name']:<18}{offer['summary']}".rstrip())


def _by_plugin(offers: Offers) -> dict[str, list[dict[str, str]]]:
    kinds: Mapping[str, Mapping[str, Offer[Any, Any]]] = {
        "connector": offers.connectors,
        "controller": offers.controllers,
        "risk rule": offers.rules,
        "data source": offers.sources,
        "notifier": offers.notifiers,
    }
    found: dict[str, list[dict[str, str]]] = {}
    for kind, table in kinds.items():
        for offer in table.values():
            row = {"kind": kind, "name": offer.name, "summary": offer.summary}
            found.setdefault(offer.plugin, []).append(row)
    return found
