"""Show the risk rules and how far each is from firing: ``fairlead risk list | reset-peak``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from fairlead.cli.config import Configured, configured, set_option
from fairlead.cli.engine import (
    EnginePlace,
    ask,
    engine_options,
    json_option,
    print_json,
)
from fairlead.cli.figure import clock
from fairlead.config import shown
from fairlead.errors import ControlError, ExitCode
from fairlead.kernel.control_command import ResetPeak, Risk
from fairlead.kernel.peak import ask_peak_reset
from fairlead.kernel.process import SystemProcess

__all__ = ["risk"]


@click.group()
def risk() -> None:
    """Show the risk rules, and reset the peak that drawdown is measured from.

    Example: fairlead risk list
    """


@risk.command("list")
@engine_options
@set_option
@json_option
def listed(place: EnginePlace, sets: tuple[str, ...], as_json: bool) -> None:
    """List every rule in the order in which it is asked, its values and who set them.

    Where the engine runs, also how far each rule is from firing, what it restrains now, and what
    it has done so far.

    Example: fairlead risk list --config plugins.toml
    """
    found = configured(place.config, sets)
    running = _running(place)
    rules = _rules(found, running or {})
    if as_json:
        print_json({"running": running is not None, "rules": rules})
        return
    for number, rule in enumerate(rules, 1):
        click.echo(f"{number:>2}  {_head(rule)}")
        for value in rule["values"]:
            key = f"{value['key']} = {value['value']}"
            click.echo(f"      {key:<34}  # {value['origin']}")
        for gauge in rule["gauges"]:
            click.echo(f"      {_gauge(gauge)}")
    if running is None:
        click.echo(f"{place.instance} does not run, so nothing is measured")


@risk.command("reset-peak")
@engine_options
@json_option
def reset_peak(place: EnginePlace, as_json: bool) -> None:
    """Let the peak that drawdown is measured from be where the account stands now.

    Where no engine runs, its next start does it: halted by a drawdown, an engine has stopped.

    Example: fairlead risk reset-peak
    """
    try:
        done = ask(place, ResetPeak())
    except ControlError as error:
        if error.exit_code is not ExitCode.UNAVAILABLE:
            raise
        ask_peak_reset(SystemProcess(place.folder), place.instance)
        done = {"peak": None, "at": "the next start"}
    if as_json:
        print_json({"at": "now", **done})
    elif "at" in done:
        click.echo(f"{place.instance} does not run; its next start resets the peak")
    else:
        click.echo(f"the peak is {done['peak'] or 'unavailable'} now")


def _running(place: EnginePlace) -> dict[str, Any] | None:
    try:
        answer = ask(place, Risk())
    except ControlError:
        return None
    return {rule["rule"]: rule for rule in answer["rules"]}


def _rules(found: Configured, running: Mapping[str, Any]) -> list[dict[str, Any]]:
    values: dict[str, list[dict[str, str]]] = {name: [] for name in found.settings.risk}
    for row in shown(found.settings, found.raw):
        table, _, rest = row.key.partition(".")
        name, _, key = rest.partition(".")
        if table == "risk" and name in values:
            text = row.value.strip('"')
            origin = _origin(found, name, key, row.origin)
            values[name].append({"key": key, "value": text, "origin": origin})
    names = dict.fromkeys((*found.settings.risk, *running))
    offers = found.offers.rules
    return [
        {
            "rule": name,
            "summary": offers[name].summary if name in offers else "imposed by the engine",
            "values": values.get(name, []),
            "gauges": running.get(name, {}).get("gauges", []),
            **{key: running.get(name, {}).get(key) for key in _DONE},
        }
        for name in names
    ]


def _origin(found: Configured, name: str, key: str, origin: str) -> str:
    # A bare value stands for the limit alone.
    written = found.raw.table("risk").get(name)
    return origin if key == "limit" or isinstance(written, Mapping) else "default"


_DONE = ("effects", "fired", "active_ns", "first_ns", "last_ns", "in_force", "denied")


def _head(rule: Mapping[str, Any]) -> str:
    text = f"{rule['rule']}: {rule['summary']}"
    effects: Sequence[Mapping[str, str]] = rule["effects"] or ()
    for effect in effects:
        text += f" · {effect['effect']}{' on ' if effect['market'] else ''}{effect['market']}"
    if rule["fired"]:
        text += f" · fired {rule['fired']} times, {clock(rule['active_ns'])} in all"
    return f"{text} · denied {rule['denied']}" if rule["denied"] else text


def _gauge(gauge: Mapping[str, Any]) -> str:
    name = " ".join(part for part in (gauge["name"], gauge["market"]) if part)
    used = "" if gauge["used"] is None else f" ({gauge['used'] * 100:.0f} % used)"
    return f"{name or 'now'}: {gauge['now']} of {gauge['limit']}{used}"
