"""Ask before real money trades: limits that a person wrote, a banner, and a name to type."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from fairlead.api import Amount
from fairlead.cli.config import Configured, configured, found_file
from fairlead.cli.figure import amount
from fairlead.config import REQUIRED, Loosened, load, loosened, unwritten
from fairlead.errors import ConfigError, UsageError

__all__ = ["Consent", "accepted", "banner", "confirm", "live_options"]

_LIVE = click.option(
    "--live", is_flag=True, help="Trade real money, after a banner and a typed name."
)
_ACCEPT = click.option(
    "--accept-risk", is_flag=True, help="Live: limits looser than the file's are meant to be."
)
_YES = click.option(
    "--yes", metavar="NAME", help="Live: the instance's name, where nobody can type it."
)
# What the banner supposes the market to do.
_MOVE = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person says to live trading."""

    live: bool
    accept_risk: bool
    yes: str | None


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--live``, ``--accept-risk`` and ``--yes``, as the parameter ``consent``."""

    @wraps(command)
    def consenting(
        *arguments: Any,  # noqa: ANN401 - whatever else the command takes
        live: bool,
        accept_risk: bool,
        yes: str | None,
        **rest: Any,  # noqa: ANN401 - the same
    ) -> Any:  # noqa: ANN401 - whatever it gives
        return command(*arguments, consent=Consent(live, accept_risk, yes), **rest)

    for option in (_YES, _ACCEPT, _LIVE):
        consenting = option(consenting)
    return consenting


def accepted(
    path: Path | None, sets: Sequence[str], env: Mapping[str, str], *, accept_risk: bool
) -> tuple[Loosened, ...]:
    """Check the limits of a live run; gives what is loosened against the file, by consent.

    :raises ConfigError: for a limit that no person has written.
    :raises UsageError: when limits are loosened and nobody said that this is meant.
    """
    file = found_file(path)
    raw = load(file, sets, env)
    missing = unwritten(raw)
    if missing:
        raise ConfigError(missing)
    # Live itself may not be had; its limits are judged all the same.
    judged = ("engine.mode=rehearse",)
    written = configured(path, judged, env={})
    in_force = configured(path, (*sets, *judged), env=env)
    found = loosened(raw, _rules(written), _rules(in_force))
    if found and not accept_risk:
        first = found[0]
        text = f"{first.key} is {first.after} instead of {first.before} by {first.origin}"
        raise UsageError("--accept-risk", "", f"{text}; say --accept-risk if this is meant")
    return found


def banner(found: Configured, looser: Sequence[Loosened] = ()) -> str:
    """Say what a live run may do at most: venues, limits, and what the worst case costs."""
    settings = found.settings
    currency = settings.engine.currency
    lines = [f"{settings.engine.instance} trades LIVE, with real money"]
    lines += [f"  venue {name}: {one.connector}" for name, one in settings.venues.items()]
    lines += [
        f"  strategy {name}: {one.controller} on {one.market}"
        for name, one in settings.strategies.items()
    ]
    for name in REQUIRED:
        limit = getattr(settings.risk.get(name), "limit", None)
        lines.append(f"  {name} {limit}")
    position = getattr(settings.risk.get("max_position"), "limit", None)
    markets = dict.fromkeys(one.market for one in settings.strategies.values())
    if isinstance(position, Amount):
        held = position.value * len(markets)
        lost = held * _MOVE
        lines.append(
            f"  worst case of the whole ladder: {amount(held, 2)} {position.asset} away from the "
            f"targets on {len(markets)} markets; 10 % against that costs {amount(lost, 2)}"
        )
    else:
        lines.append(f"  worst case of the whole ladder: not to be told in {currency}")
    lines += [f"  LOOSER: {one.key} {one.before} -> {one.after} by {one.origin}" for one in looser]
    return "\n".join(lines)


def confirm(instance: str, yes: str | None) -> None:
    """Wait for the instance's name; ``yes`` is that name where there is nobody to type it.

    :raises UsageError: when it is another name, or nobody is there.
    """
    if yes is None:
        if not sys.stdin.isatty():
            expected = f"there is nobody to ask here; say --yes {instance}"
            raise UsageError("--yes", "", expected)
        yes = click.prompt(f"type {instance} to trade live", err=True)
    if yes != instance:
        raise UsageError("--yes", str(yes), f"this is not the instance's name, {instance!r}")


def _rules(found: Configured) -> dict[str, BaseModel]:
    return dict(found.settings.risk)
