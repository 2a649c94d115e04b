"""Write the reference of the command line from what click itself knows of every command."""

import inspect
from collections.abc import Iterator

import click

from fairlead.cli.main import COMMANDS, cli

__all__ = ["command_page", "commands", "section"]

COMMANDS_PAGE = """\
# Commands

{note}

Everything is one command, `fairlead`, with the subcommands below. `fairlead COMMAND --help` prints
the same. What a command answers to its shell stands in [exit codes](exit-codes.md), what it leaves
behind in [files](files.md). Plugins may add commands of their own; the built-in ones add none.

`CONFIG` is a [configuration](configuration.md) file: `plugins.toml` of the working folder where
none is named.
"""


def commands() -> dict[str, click.Command]:
    """Give every command and subcommand by its full name, ``fairlead`` itself first."""
    return dict(_below("fairlead", cli, list(COMMANDS)))


def _below(
    name: str, command: click.Command, subcommands: list[str] | None = None
) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for one in sorted(subcommands or command.list_commands(context)):
            found = command.get_command(context, one)
            if found is not None:
                yield from _below(f"{name} {one}", found)


def command_page(note: str) -> str:
    parts = [COMMANDS_PAGE.format(note=note)]
    for name, command in commands().items():
        parts += section(name, command)
    return "\n".join(parts).rstrip() + "\n"


def section(name: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## `{name}`", "", "```", usage, "```", ""]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        about, colon, example = paragraph.partition("Example: ")
        if colon and not about:
            lines += ["```console", f"$ {example}", "```", ""]
        else:
            lines += [paragraph.replace("``", "`"), ""]
    # Click keeps the help option as the first caller of a command saw it, so that a command called
    # without its parents knows no -h ever after: the row is written here, not asked for.
    records = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context)) is not None
    ]
    records.append(("-h, --help", "Show this message and exit."))
    lines += ["| Option | Meaning |", "|---|---|"]
    lines += [f"| `{_cell(option)}` | {_cell(meaning)} |" for option, meaning in records]
    return [*lines, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
