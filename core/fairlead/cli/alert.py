"""Try the notifiers of a configuration: ``fairlead alert test``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from fairlead.api import Alert, Notifier, NotifierContext, Severity
from fairlead.cli.config import config_argument, configured, set_option
from fairlead.cli.engine import json_option, print_json
from fairlead.errors import ExitCode, UsageError
from fairlead.kernel import Delivery, Post, SystemClock, SystemTransport, build_notifiers
from fairlead.kernel.secret import read_secret

__all__ = ["alert"]


@click.group()
def alert() -> None:
    """Work with the alerts of a configuration.

    Example: fairlead alert test
    """


@alert.command()
@config_argument
@set_option
@click.option("--notifier", "only", metavar="NAME", help="Try this one alone.")
@json_option
@click.pass_context
def test(
    ctx: click.Context, path: Path | None, sets: tuple[str, ...], only: str | None, as_json: bool
) -> None:
    """Send one alert of each grade by every notifier, and say what became of them.

    Ends with 1 when one was not delivered.

    Example: fairlead alert test plugins.toml --notifier webhook
    """
    found = configured(path, sets)
    settings = found.settings
    transport = SystemTransport()
    notifiers = build_notifiers(
        settings,
        found.offers,
        lambda name: NotifierContext(
            name=name,
            clock=SystemClock(),
            transport=transport,
            folder=settings.folder,
            secret=partial(read_secret, folder=settings.folder, env=os.environ),
        ),
    )
    if only is not None and only not in notifiers:
        known = ", ".join(notifiers) or "none; write a table [alerts.NAME]"
        raise UsageError("--notifier", only, f"is not configured; there are: {known}")
    chosen = {name: one for name, one in notifiers.items() if only in (None, name)}
    if not chosen:
        raise UsageError(found.raw.file, "", "no notifier is configured; write [alerts.NAME]")
    tried = asyncio.run(_try(chosen, transport, settings.engine.instance))
    rows = [
        {"notifier": name, "sent": one.sent, "failed": one.failed, "trouble": one.trouble}
        for name, one in tried.items()
    ]
    if as_json:
        print_json({"notifiers": rows})
    else:
        for name, one in tried.items():
            click.echo(f"{name}: {one.trouble or 'ok'}")
    failed = any(one.failed for one in tried.values())
    ctx.exit(ExitCode.CHECK_FAILED if failed else ExitCode.CLEAN)


async def _try(
    notifiers: Mapping[str, Notifier], transport: SystemTransport, instance: str
) -> Mapping[str, Delivery]:
    post = Post(notifiers)
    for number, severity in enumerate(Severity, 1):
        post.send(
            Alert(
                severity=severity,
                name="test",
                detail="someone tries the alerts; nothing is wrong",
                instance=instance,
                run=f"test-{SystemClock().now_ns()}",
                at_ns=SystemClock().now_ns(),
                number=number,
            )
        )
    running = asyncio.get_running_loop().create_task(post.run())
    await post.done()
    running.cancel()
    await asyncio.wait([running])
    await transport.close()
    return post.deliveries
