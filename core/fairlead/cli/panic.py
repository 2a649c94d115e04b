"""Stop everything of an instance, at every venue: ``fairlead panic``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from fairlead.cli.config import Configured, config_argument, configured, set_option
from fairlead.errors import ExitCode
from fairlead.kernel.clock import SystemClock
from fairlead.kernel.ids import SystemIds
from fairlead.kernel.outside import instance_tag, outside_connectors
from fairlead.kernel.panic import EmergencyStop, EmergencyStopParts
from fairlead.kernel.process import SystemProcess
from fairlead.kernel.single import lock_name
from fairlead.kernel.transport import SystemTransport

__all__ = ["panic"]


@click.command()
@config_argument
@set_option
@click.option("--reason", default="asked by a person", help="Why; shown by fairlead resume.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_context
def panic(
    ctx: click.Context, path: Path | None, sets: tuple[str, ...], reason: str, as_json: bool
) -> None:
    """Halt an instance, cancel all its orders at every venue, and prove them gone.

    Works whether its engine runs, hangs or is dead. Nothing trades again until fairlead resume.
    Ends with 4 and a list when something is not proven gone after a minute.

    Example: fairlead panic plugins.toml --reason "the feed is wrong"
    """
    found = configured(path, sets)
    if found.settings.engine.mode == "paper":
        click.echo("mode paper: nothing is outside of the engine's own process; end that one")
        ctx.exit(ExitCode.CLEAN)
    act = _prepared(found, as_json=as_json)
    act.halt(reason)
    try:
        left = asyncio.run(_sweep(act, found))
    finally:
        act.let_go()
    if as_json:
        done = {"halted": True, "cancelled": dict(act.cancelled), "not_proven_gone": list(left)}
        click.echo(json.dumps({"schema": 1, **done}, indent=2))
    elif not left:
        click.echo(f"proven: no order is left, {len(act.cancelled)} cancelled from here")
        click.echo("it stays halted; when all is understood: fairlead resume")
    for what in left:
        click.echo(f"not proven gone: {what}", err=True)
    ctx.exit(ExitCode.NOT_PROVEN_GONE if left else ExitCode.CLEAN)


def _prepared(found: Configured, *, as_json: bool) -> EmergencyStop:
    settings = found.settings
    return EmergencyStop(
        EmergencyStopParts(
            instance=settings.engine.instance,
            lock=lock_name(settings),
            process=SystemProcess(settings.store_path.parent),
            clock=SystemClock(),
            tell=lambda text: click.echo(text, err=as_json),
        )
    )


async def _sweep(act: EmergencyStop, found: Configured) -> tuple[str, ...]:
    transport = SystemTransport()
    process = SystemProcess(found.settings.store_path.parent)
    try:
        connectors = outside_connectors(
            found.settings,
            found.offers,
            clock=SystemClock(),
            ids=SystemIds(),
            transport=transport,
        )
        return await act.sweep(connectors, instance_tag(found.settings, process))
    finally:
        await transport.close()
