"""Run the ``fairlead`` command: find the subcommand, and turn errors into one line and a code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module

import click
from typing_extensions import override

from fairlead import __version__
from fairlead.cli.config import load_for
from fairlead.errors import EngineError, ExitCode
from fairlead.model.numbers import install_context

__all__ = ["COMMANDS", "CommandLine", "cli", "main"]

# What a full disk says where our output goes to.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Command → where it is defined. A command's module is imported when it is called or listed.
COMMANDS: Mapping[str, str] = {
    "alert": "fairlead.cli.alert:alert",
    "attach": "fairlead.cli.attach:attach",
    "balances": "fairlead.cli.look:balances",
    "cancel": "fairlead.cli.act:cancel",
    "config": "fairlead.cli.config:config",
    "data": "fairlead.cli.data:data",
    "execute": "fairlead.cli.execute:execute",
    "executions": "fairlead.cli.executions:executions",
    "explain": "fairlead.cli.explain:explain",
    "fills": "fairlead.cli.look:fills",
    "flatten": "fairlead.cli.act:flatten",
    "logs": "fairlead.cli.logs:logs",
    "orders": "fairlead.cli.look:orders",
    "panic": "fairlead.cli.panic:panic",
    "pause": "fairlead.cli.act:pause",
    "plugins": "fairlead.cli.plugins:plugins",
    "pnl": "fairlead.cli.look:pnl",
    "positions": "fairlead.cli.look:positions",
    "quote": "fairlead.cli.quote:quote",
    "reduce-only": "fairlead.cli.act:reduce_only",
    "resume": "fairlead.cli.act:resume",
    "risk": "fairlead.cli.risk:risk",
    "run": "fairlead.cli.run:run",
    "simulate": "fairlead.cli.simulate:simulate",
    "status": "fairlead.cli.look:status",
    "strategy": "fairlead.cli.act:strategy",
    "watchdog": "fairlead.cli.watchdog:watchdog",
}

_PLUGINS = "fairlead.cli.main.plugins"


class CommandLine(click.Group):
    """The top-level group: the engine's own commands, then those of the enabled plugins."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, in the order of the alphabet.

        A plugin that cannot be loaded must not keep the help from being shown.
        """
        try:
            added = self._of_plugins(ctx).commands
        except EngineError as error:
            added = {}
            click.echo(str(error), err=True)
        return sorted({*COMMANDS, *added})

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name; None when nobody has it.

        :raises EngineError: when it is none of the engine's own and the plugins do not load.
        """
        place = COMMANDS.get(cmd_name)
        if place is None:
            return self._of_plugins(ctx).commands.get(cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    @staticmethod
    def _of_plugins(ctx: click.Context) -> click.Group:
        # The engine's own commands never come here, so they start without importing a plugin.
        added: click.Group | None = ctx.meta.get(_PLUGINS)
        if added is None:
            added = ctx.meta[_PLUGINS] = click.Group()
            load_for(None).add_commands(added, taken=COMMANDS)
        return added


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fairlead")
def cli() -> None:
    """Make markets on paper: recorded or made-up ones, with play money.

    Start with: fairlead run
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that ``arguments`` name and give its exit code (see `ExitCode`).

    Whatever is the user's to mend becomes one line on standard error; anything else is our own
    bug and keeps its traceback.
    """
    install_context()
    try:
        result = cli.main(arguments, prog_name="fairlead", standalone_mode=False)
    except EngineError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except click.Abort:
        click.echo("stopped", err=True)
        return ExitCode.CHECK_FAILED
    except OSError as error:
        return _judge(error)
    except Exception:  # noqa: BLE001 - the outermost line: our bug gets its own exit code
        traceback.print_exc()
        return ExitCode.BUG
    return result if isinstance(result, int) else ExitCode.CLEAN


def _judge(error: OSError) -> ExitCode:
    # What a file refuses has its name and is caught where it is written; this may be our output.
    reader_has_gone = isinstance(error, BrokenPipeError)  # ``| head`` has seen enough
    if not reader_has_gone and (error.errno not in _NO_ROOM or error.filename is not None):
        traceback.print_exception(error)
        return ExitCode.BUG
    # The interpreter must not try again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if reader_has_gone:
        return ExitCode.CLEAN
    click.echo(f"standard output: cannot be written ({error.strerror})", err=True)
    return ExitCode.USAGE
