"""Specify the hooks by which a plugin brings something: its offers and its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.api import Registry
from fairlead.hookspecs.marker import hookspec

if TYPE_CHECKING:
    import click

__all__ = ["fairlead_commands", "fairlead_register"]


@hookspec
def fairlead_register(registry: Registry) -> None:
    """Offer connectors, controllers, risk rules, data sources or notifiers to the engine.

    When: once per enabled plugin, after the configuration is read, before anything connects.
    Result: ignored; what was written into the registry counts, and is built only where the
    configuration names it.
    Order: as in ``[plugins] enable``; without that list, by name.
    Errors: a second offer of one kind under one name, and a model that is not frozen or takes
    unknown keys, stop the start-up with one line that names both sides. So does anything else
    that the plugin raises.

    :param registry: write-only, valid during this call.
    """


@hookspec
def fairlead_commands(cli: click.Group) -> None:
    """Add commands to the ``fairlead`` command.

    When: once per enabled plugin, when the help is shown or a command is called that the engine
    itself does not have; never during a run.
    Result: ignored; what was added to the group counts.
    Order: as in ``[plugins] enable``; without that list, by name.
    Errors: a command that exists already, and anything that the plugin raises, end the call
    with one line that names the plugin.

    :param cli: add with ``cli.add_command(…)`` or ``@cli.command()``; valid during this call.
    """
