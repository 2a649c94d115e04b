"""Show the live view of a running engine in another terminal: ``fairlead attach``."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace

import click
from rich.console import Console
from rich.live import Live

from fairlead.cli.engine import EnginePlace, engine_options, json_option, print_json
from fairlead.cli.keys import Keys
from fairlead.cli.live import LIVE_KEYS, LiveView
from fairlead.cli.live_key import Pin, key_commands
from fairlead.cli.picture import from_tree
from fairlead.errors import ControlError
from fairlead.kernel.control_client import ControlClient
from fairlead.kernel.control_command import Attach, Command

__all__ = ["attach"]

_REFRESH_S = 0.25
_KEYS = {**LIVE_KEYS, "d": "detach"}


@click.command()
@engine_options
@json_option
def attach(place: EnginePlace, as_json: bool) -> None:
    """Show what a running engine shows, with the same keys; d or Ctrl-C only ends the showing.

    With --json, or without a terminal, it is shown once.

    Example: fairlead attach
    """
    console = Console(stderr=as_json)
    with ControlClient(place.socket, place.instance, "attach") as client:
        first = client.ask(Attach())
        if as_json:
            print_json(first)
        elif not console.is_terminal:
            console.print(LiveView(from_tree(first)))
        else:
            with suppress(KeyboardInterrupt):  # the engine goes on; only the showing is ended
                _follow(client, console)


def _follow(client: ControlClient, console: Console) -> None:
    pin = Pin()
    with Keys(sys.stdin) as keys, Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            try:
                state = from_tree(client.ask(Attach()))
                for key in keys.pressed_within(_REFRESH_S):
                    if key == "d":
                        return
                    if key == "e":
                        pin.explain(state)
                    for command in key_commands(key, state):
                        _tell(client, command)
            except ControlError as error:
                # The last thing that is seen says why there is no more.
                live.stop()
                console.print(str(error), highlight=False)
                return
            live.update(LiveView(replace(pin.on(state), keys=_KEYS)), refresh=True)


def _tell(client: ControlClient, command: Command) -> None:
    try:
        client.ask(command)
    except ControlError as error:
        # A refusal is written down, so it is seen among the events.
        if error.gone:
            raise
