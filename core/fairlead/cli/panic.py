"""Stop everything of an instance, at every venue: ``fairlead panic``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from fairlead.cli.config import Configured, config_argument, configured, reachable, set_option
from fairlead.cli.run import new_session
from fairlead.errors import ConfigError, ExitCode, UsageError
from fairlead.kernel.clock import SystemClock
from fairlead.kernel.exits import Exits
from fairlead.kernel.flatten import slippage as bounded
from fairlead.kernel.ids import SystemIds
from fairlead.kernel.outside import instance_tag, outside_connectors
from fairlead.kernel.panic import EmergencyStop, EmergencyStopParts
from fairlead.kernel.process import SystemProcess
from fairlead.kernel.session import SessionOptions
from fairlead.kernel.single import lock_name
from fairlead.kernel.transport import SystemTransport

__all__ = ["panic"]


@click.command()
@config_argument
@set_option
@click.option("--reason", default="asked by a person", help="Why; shown by fairlead resume.")
@click.option(
    "--flatten",
    "slippage",
    metavar="RATIO",
    help='Then bring every position to its target, at prices no further from the mid than "1%".',
)
@click.option(
    "--to",
    type=click.Choice(["target", "zero"]),
    default="target",
    help="With --flatten: where positions go, to what the strategies steer to or to nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_context
def panic(
    ctx: click.Context,
    path: Path | None,
    sets: tuple[str, ...],
    reason: str,
    slippage: str | None,
    to: str,
    as_json: bool,
) -> None:
    """Halt an instance, cancel all its orders at every venue, and prove them gone.

    Works whether its engine runs, hangs or is dead, and with mistakes in the configuration that
    concern neither the engine nor a venue (but then without --flatten). Nothing trades again until
    fairlead resume, but the exits that --flatten asks for. Ends with 4 and a list when something is
    not proven gone after a minute, and with 1 when a position is left that could still be traded.

    Example: fairlead panic plugins.toml --reason "the feed is wrong" --flatten "1%"
    """
    found = reachable(path, sets)
    if found.settings.engine.mode == "paper":
        click.echo("mode paper: nothing is outside of the engine's own process; end that one")
        ctx.exit(ExitCode.CLEAN)
    if slippage is not None and bounded(slippage) is None:
        raise UsageError("--flatten", slippage, 'write a ratio below 100%, e.g. "30 bps" or "1%"')
    act = _prepared(found, as_json=as_json)
    act.halt(reason)
    try:
        left = asyncio.run(_sweep(act, found))
    finally:
        act.let_go()
    if not left and not as_json:
        click.echo(f"proven: no order is left, {len(act.cancelled)} cancelled from here")
    exits = Exits(slippage or "", to)
    if not left and slippage is not None:
        left = _flatten(path, sets, exits, as_json=as_json)
    if as_json:
        done = {
            "halted": not act.unwritten,
            "cancelled": dict(act.cancelled),
            "not_proven_gone": list(left),
        }
        click.echo(json.dumps({"schema": 1, **done, "exits": exits.done}, indent=2))
    for what in left:
        click.echo(f"not proven gone: {what}", err=True)
    if act.unwritten:
        click.echo(f"nothing keeps it from starting again: {act.unwritten}", err=True)
    else:
        click.echo("it stays halted; when all is understood: fairlead resume", err=as_json)
    if left:
        ctx.exit(ExitCode.NOT_PROVEN_GONE)
    done_all = exits.complete and not act.unwritten
    ctx.exit(ExitCode.CLEAN if done_all else ExitCode.CHECK_FAILED)


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


def _flatten(
    path: Path | None, sets: tuple[str, ...], exits: Exits, *, as_json: bool
) -> tuple[str, ...]:
    # A whole engine, that every exit may pass risk, record and proof as ever; it quotes nothing.
    try:
        found = configured(path, sets)
    except ConfigError as error:
        exits.refused += [str(finding) for finding in error.findings]
        for refusal in exits.refused:
            click.echo(f"not flattened: {refusal}", err=True)
        return ()
    process = SystemProcess(found.settings.store_path.parent)
    session = new_session(found, process, SessionOptions(exits_only=True))
    result = session.run(exits).result
    if result.failure is not None:
        raise result.failure
    for done in exits.done:
        text = f"{done['market']}: {done['side'] or 'nothing'} {done['filled']}"
        click.echo(f"{text}; left {done['residual'] or 'unknown'} ({done['end']})", err=as_json)
    for refusal in exits.refused:
        click.echo(f"not flattened: {refusal}", err=True)
    return result.left


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
