"""Cancel an engine's orders when it dies: ``fairlead watchdog``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from fairlead.api import Connector
from fairlead.cli.config import Configured, config_argument, reachable, set_option
from fairlead.errors import ExitCode
from fairlead.kernel.clock import SystemClock
from fairlead.kernel.ids import SystemIds
from fairlead.kernel.outside import outside_connectors
from fairlead.kernel.process import SystemProcess
from fairlead.kernel.transport import SystemTransport
from fairlead.kernel.watchdog import Watchdog, WatchdogParts, WatchEnd

__all__ = ["watchdog"]


@click.command()
@config_argument
@set_option
@click.option("--once", is_flag=True, help="End when the run that beats now is over.")
@click.pass_context
def watchdog(ctx: click.Context, path: Path | None, sets: tuple[str, ...], once: bool) -> None:
    """Watch a running engine, and cancel its orders at every venue when it falls silent.

    ``fairlead run`` starts one by itself where a venue has no timer of its own. In a container,
    or against the failure of a machine, run it elsewhere on the same folder.

    Example: fairlead watchdog plugins.toml
    """
    found = reachable(path, sets)
    process = SystemProcess(found.settings.store_path.parent)
    clock, transport = SystemClock(), SystemTransport()
    connectors = outside_connectors(
        found.settings, found.offers, clock=clock, ids=SystemIds(), transport=transport
    )
    guard = _guard(found, process, clock, connectors)
    try:
        asyncio.run(_watch(guard, transport, once=once))
    except KeyboardInterrupt:
        _tell("nobody watches any more")
    for what in guard.left:
        click.echo(f"not proven gone: {what}", err=True)
    ctx.exit(ExitCode.NOT_PROVEN_GONE if guard.left else ExitCode.CLEAN)


def _guard(
    found: Configured,
    process: SystemProcess,
    clock: SystemClock,
    connectors: dict[str, Connector],
) -> Watchdog:
    engine = found.settings.engine
    return Watchdog(
        WatchdogParts(
            instance=engine.instance,
            process=process,
            clock=clock,
            connectors=connectors,
            timeout_ns=engine.dead_man.ns,
            tell=_tell,
        )
    )


async def _watch(guard: Watchdog, transport: SystemTransport, *, once: bool) -> None:
    try:
        while True:
            end = await guard.watch()
            if end is WatchEnd.OVER:
                _tell(end.value)
            if once:
                return
    finally:
        await transport.close()


def _tell(text: str) -> None:
    at = datetime.fromtimestamp(SystemClock().now_ns() / 1e9, UTC)
    click.echo(f"{at:%Y-%m-%d %H:%M:%S} UTC  {text}")
