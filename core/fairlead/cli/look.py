"""Look at a running engine: ``fairlead status | orders | positions | balances | pnl | fills``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import click

from fairlead.cli.engine import (
    EnginePlace,
    ask,
    engine_options,
    json_option,
    print_json,
    print_rows,
)
from fairlead.cli.figure import amount, clock, percent, signed
from fairlead.kernel.control_command import (
    Balances,
    Fills,
    Orders,
    Pnl,
    Positions,
    Query,
    Status,
)

__all__ = ["balances", "fills", "orders", "pnl", "positions", "status"]

_TERMS = ("market", "side", "price", "quantity")
_Show = Callable[[Mapping[str, Any]], None]


@click.command()
@engine_options
@json_option
def status(place: EnginePlace, as_json: bool) -> None:
    """Say how a running engine does: phase, risk, equity, markets, strategies.

    Example: fairlead status --json
    """
    _answer(place, Status(), as_json, _status)


@click.command()
@engine_options
@json_option
def orders(place: EnginePlace, as_json: bool) -> None:
    """List the orders of a running engine that may still fill.

    Example: fairlead orders --json
    """
    columns = ("order", "strategy", *_TERMS, "level", "filled", "state", "purpose")
    _answer(
        place,
        Orders(),
        as_json,
        lambda found: print_rows(found["orders"], columns, "no live order"),
    )


@click.command()
@engine_options
@json_option
def positions(place: EnginePlace, as_json: bool) -> None:
    """List what a running engine holds on each market, and what it steers to.

    Example: fairlead positions --json
    """
    columns = ("market", "position", "target", "gap", "base", "mark", "gap_value", "quote")
    _answer(
        place,
        Positions(),
        as_json,
        lambda found: print_rows(found["positions"], columns, "no market"),
    )


@click.command()
@engine_options
@json_option
def balances(place: EnginePlace, as_json: bool) -> None:
    """List the balances of a running engine, the venue's beside our own books.

    Example: fairlead balances --json
    """
    columns = ("venue", "asset", "free", "locked", "reserved", "total", "book")
    _answer(
        place,
        Balances(),
        as_json,
        lambda found: print_rows(found["balances"], columns, "no balance"),
    )


@click.command()
@engine_options
@json_option
def pnl(place: EnginePlace, as_json: bool) -> None:
    """Show what each strategy of a running engine has earned, part by part.

    Example: fairlead pnl --json
    """
    _answer(place, Pnl(), as_json, _pnl)


@click.command()
@engine_options
@click.option("--last", metavar="N", type=click.IntRange(1, 1_000), default=20, help="How many.")
@json_option
def fills(place: EnginePlace, last: int, as_json: bool) -> None:
    """List the last fills of a running engine, newest first.

    Example: fairlead fills --last 50
    """
    columns = ("order", "strategy", *_TERMS, "fee", "fee_asset", "liquidity", "spread")
    _answer(
        place,
        Fills(last),
        as_json,
        lambda found: print_rows(_named(found["fills"]), columns, "no fill yet"),
    )


def _answer(place: EnginePlace, query: Query, as_json: bool, show: _Show) -> None:
    found = ask(place, query)
    if as_json:
        print_json(found)
    else:
        show(found)


def _named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # As in logs and `explain`: the order's name within its run.
    return [row | {"order": row["order"][-8:]} for row in rows]


def _money(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _status(found: Mapping[str, Any]) -> None:
    why = f" by {found['posture_rule']}: {found['posture_reason']}" if found["posture_rule"] else ""
    drawdown = percent(_money(found["drawdown"]), 2)
    click.echo(
        f"{found['instance']} · {found['mode'].upper()} · {found['phase']} for "
        f"{clock(found['elapsed_ns'])} · run {found['instance']}-{found['epoch']}"
    )
    click.echo(f"risk {found['posture_effect'] or found['posture']}{why}")
    click.echo(
        f"equity {amount(_money(found['equity']))} {found['currency']} · drawdown {drawdown} · "
        f"{found['orders']} orders, {found['unproven']} unproven · {found['ticks']} ticks, "
        f"{found['overruns']} overruns"
    )
    for venue in found["venues"]:
        click.echo(f"  {_venue(venue)}")
    for market in found["markets"]:
        age = "never" if market["age_ns"] is None else f"{market['age_ns'] // 1_000_000} ms ago"
        state = f"mid {market['mid']}" if market["valid"] else "no valid book"
        click.echo(f"  {market['market']}: {state}, changed {age}, {market['posture']}")
    for plan in found["executions"]:
        click.echo(
            f"  {plan['strategy']} {plan['name']} ({plan['executor']}): {plan['phase']}, "
            f"{plan['side']} {plan['filled']} of {plan['quantity']} on {plan['market']}"
        )
    for strategy in found["strategies"]:
        gates = "; ".join(f"{gate['name']}: {gate['detail']}" for gate in strategy["gates"])
        click.echo(
            f"  {strategy['strategy']} on {strategy['market']}: {strategy['quotes']} quotes, "
            f"{strategy['orders']} orders" + (f", {gates}" if gates else "")
        )


def _venue(venue: Mapping[str, Any]) -> str:
    said = [f"{venue['requests']} requests"]
    if venue["mean_size"] is not None:
        said.append(f"{venue['mean_size']:.1f} orders in each, {venue['saved']} saved")
    said += [f"{one['limit']} {one['used']} of {one['capacity']}" for one in venue["limits"]]
    if venue["dropped"]:
        said.append(f"{venue['dropped']} dropped without room")
    if venue["held_cancels"]:
        said.append(f"{venue['held_cancels']} cancels wait")
    if venue["paused"]:
        said.append(f"nothing new: {', '.join(venue['paused'])} failed again and again")
    if venue["banned_ns"]:
        said.append(f"banned for {clock(venue['banned_ns'])} more")
    return f"{venue['venue']}: {', '.join(said)}"


def _pnl(found: Mapping[str, Any]) -> None:
    names = ("trading", "spread", "inventory", "fees", "funding", "other", "holding", "total")
    rows = []
    for row in (*found["strategies"], {"strategy": "all", **found["all"]}):
        shown = {name: signed(_money(row[name])) for name in names}
        rows.append({"strategy": row["strategy"], "fills": row.get("fills", ""), **shown})
    print_rows(rows, ("strategy", *names, "fills"), "no strategy")
    click.echo(f"in {found['currency']}; trading = total − holding")
