"""Tell a running engine what to do: ``fairlead pause | resume | cancel | flatten | strategy``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from fairlead.cli.engine import EnginePlace, ask, engine_options, json_option, print_json
from fairlead.errors import ControlError, ExitCode, UsageError
from fairlead.kernel.control_command import CancelOrders, Flatten, Pause, Reduce, Resume, Strategy
from fairlead.kernel.halt import Halt, lift_halt, read_halt
from fairlead.kernel.peak import ask_residuals_lifted
from fairlead.kernel.process import SystemProcess

__all__ = ["cancel", "flatten", "pause", "reduce_only", "resume", "strategy"]

# An exit may take a minute of the engine's time, and as long of ours where that runs slower.
_FLATTEN_S = 180.0


@click.command()
@click.argument("target", metavar="[STRATEGY|MARKET]", default="")
@engine_options
@json_option
def pause(place: EnginePlace, target: str, as_json: bool) -> None:
    """Pull the quotes of a strategy, of a market or of all; hedges and stops go on.

    Example: fairlead pause alt
    """
    done = ask(place, Pause(target))
    _say(done, as_json, f"paused: {', '.join(done['paused'])}; go on: fairlead resume {target}")


@click.command()
@click.argument("target", metavar="[STRATEGY|MARKET]", default="")
@click.option("--yes", is_flag=True, help="Lift a halt without being asked whether to.")
@engine_options
@json_option
def resume(place: EnginePlace, target: str, yes: bool, as_json: bool) -> None:
    """Let a strategy, a market or all quote again; without one, lift a halt and a reduce-only too.

    A halt says first why it is there and since when, and asks. The engine that halted has
    stopped: start it again then.

    Example: fairlead resume main:ALT/USDT
    """
    halt = _lifted(place, yes=yes) if not target else None
    try:
        done = ask(place, Resume(target))
    except ControlError as error:
        # What halted an engine has stopped it as well, so there is none to ask.
        if halt is None or error.exit_code is not ExitCode.UNAVAILABLE:
            raise
        done = {"resumed": []}
    done["halt"] = None if halt is None else {"rule": halt.rule, "reason": halt.reason}
    if as_json:
        print_json(done)
        return
    if halt is not None:
        click.echo("lifted; start it again: fairlead run")
    if done["resumed"] or halt is None:
        click.echo(f"resumed: {', '.join(done['resumed']) or 'nothing was paused'}")


@click.command("reduce-only")
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
@engine_options
@json_option
def reduce_only(place: EnginePlace, state: str, as_json: bool) -> None:
    """Let no order grow a position, or end that; what grows one is cancelled at once.

    Rules that restrain by themselves go on doing so: fairlead risk list. Off also lifts what plans
    restrained by leaving something open, and rules by failing; where no engine runs, its next
    start does that, but for a rule that then cannot read what it stored.

    Example: fairlead reduce-only on
    """
    try:
        done = ask(place, Reduce(state == "on"))
    except ControlError as error:
        if error.exit_code is not ExitCode.UNAVAILABLE or state == "on":
            raise
        ask_residuals_lifted(SystemProcess(place.folder), place.instance)
        text = f"{place.instance} does not run; its next start lifts what plans left restrained"
        _say({"reduce_only": False, "at": "the next start"}, as_json, text)
        return
    off = "orders may grow positions again, where no rule says otherwise"
    text = "orders may only reduce now; end it: fairlead reduce-only off" if state == "on" else off
    _say(done, as_json, text)


@click.command()
@click.argument("target", metavar="[MARKET|ORDER]", default="")
@engine_options
@json_option
def cancel(place: EnginePlace, target: str, as_json: bool) -> None:
    """Cancel an order, those of a market, or all; strategies that are not paused quote anew.

    Example: fairlead cancel main:ALT/USDT
    """
    done = ask(place, CancelOrders(target))
    names = ", ".join(order[-8:] for order in done["orders"])
    _say(done, as_json, f"cancelling {len(done['orders'])} orders{': ' if names else ''}{names}")


@click.command()
@click.argument("market")
@click.option(
    "--max-slippage",
    metavar="RATIO",
    required=True,
    help='How far from the mid of now no order may be priced, e.g. "0.3%" or "30 bps".',
)
@click.option(
    "--to",
    type=click.Choice(["target", "zero"]),
    default="target",
    help="Where the position goes: what the strategies steer to, or nothing.",
)
@engine_options
@json_option
@click.pass_context
def flatten(
    ctx: click.Context,
    place: EnginePlace,
    market: str,
    max_slippage: str,
    to: str,
    as_json: bool,
) -> None:
    """Pause a market and bring its position to the target, by taking at a bounded price.

    Ends with 1 when something is left that could still be traded.

    Example: fairlead flatten main:ALT/USDT --max-slippage "30 bps"
    """
    done = ask(place, Flatten(market, max_slippage, to), patience_s=_FLATTEN_S)
    average = "" if done["average"] is None else f" at {done['average']} on average"
    bound = "" if done["bound"] is None else f", bound {done['bound']}"
    side = done["side"] or "nothing to do"
    _say(
        done,
        as_json,
        f"{market}: {side} {done['filled']}{average}{bound}; left {done['residual'] or 'unknown'} "
        f"({done['end']}); its strategies are paused: fairlead resume {market}",
    )
    ctx.exit(ExitCode.CHECK_FAILED if done["open"] else ExitCode.CLEAN)


@click.group()
def strategy() -> None:
    """Add, remove and reload strategies of a running engine from its configuration file.

    Example: fairlead strategy reload alt
    """


def _change(change: str, text: str) -> None:
    @strategy.command(change, help=text)
    @click.argument("name")
    @engine_options
    @json_option
    def command(place: EnginePlace, name: str, as_json: bool) -> None:
        done = ask(place, Strategy(change, name))
        waits = done.get("waits_for_next_start")
        more = f"; changed too, from the next start on: {', '.join(waits)}" if waits else ""
        _say(done, as_json, f"{change} {name} on {done['market']}: done{more}")


_change(
    "add",
    """Begin a strategy that the configuration file has by now, at the next tick.

    The whole file is checked first.

    Example: fairlead strategy add beta
    """,
)
_change(
    "remove",
    """End a strategy at the next tick: its orders are cancelled, its position stays.

    Example: fairlead strategy remove beta
    """,
)
_change(
    "reload",
    """Give a strategy the settings that the configuration file has by now, at the next tick.

    The whole file is checked first; orders that still fit stay.

    Example: fairlead strategy reload alt
    """,
)


def _lifted(place: EnginePlace, *, yes: bool) -> Halt | None:
    process = SystemProcess(place.folder)
    halt = read_halt(process, place.instance)
    if halt is None:
        return None
    click.echo(f"{place.instance} is halted by {halt.rule} since {_since(halt)}", err=True)
    click.echo(f"because: {halt.reason}", err=True)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                "resume", "", "there is nobody to ask here; say --yes to lift the halt"
            )
        click.confirm("Is that understood and over? Lift the halt", abort=True, err=True)
    return lift_halt(process, place.instance)


def _since(halt: Halt) -> str:
    if not halt.at_ns:
        return "a time that nobody wrote down"
    return f"{datetime.fromtimestamp(halt.at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _say(done: dict[str, Any], as_json: bool, text: str) -> None:
    if as_json:
        print_json(done)
    else:
        click.echo(text)
