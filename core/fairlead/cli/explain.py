"""Say why a quote was what it was: ``fairlead explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal

import click
from rich.console import Console
from rich.text import Text

from fairlead.cli.explain_story import Story, latest_story, order_story, worst_story
from fairlead.cli.figure import clock, signed, tone, trimmed_amount
from fairlead.cli.logs_line import markout_text
from fairlead.cli.logs_run import Event, find_run
from fairlead.model import trimmed

__all__ = ["chain_lines", "explain", "story_text"]

_SHOWN = Context(prec=10)


@click.command()
@click.argument("order", default="latest")
@click.option("--run", metavar="FOLDER", help="The run: its folder or name; by default the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print the records behind it as JSON.")
def explain(order: str, run: str | None, as_json: bool) -> None:
    """Show the chain of reasons behind a quote, and what became of it.

    ORDER is an order's id or the 8 characters that name it in its run; "latest", the default, is
    the last one and whatever stopped quotes after it; "worst" the one with the worst fill after
    10 s.

    Example: fairlead explain worst
    """
    folder = find_run(run)
    match order:
        case "latest":
            story = latest_story(folder)
        case "worst":
            story = worst_story(folder)
        case _:
            story = order_story(folder, order)
    if as_json:
        click.echo(json.dumps(story.as_json(), indent=2, sort_keys=True))
    else:
        Console(highlight=False).print(story_text(story), soft_wrap=True)


def story_text(story: Story) -> Text:
    """Write a story for a person."""
    lines: list[Text] = []
    if story.order is not None:
        lines += [*_head(story, story.order), *chain_lines(story.order["reasons"])]
        lines += _life(story, story.order)
    if story.decision is not None:
        when = clock(story.decision["t_ns"] - story.start_ns)
        lines.append(Text().append(f" stopped by, since {when}", style="bold yellow"))
        lines += [
            Text(f"   {gate['name']}: ").append(gate["detail"], style="dim")
            for gate in story.decision["gates"]
        ]
    if story.denied is not None:
        lines += _denial(story, story.denied)
    return Text("\n").join(lines)


def _head(story: Story, order: Event) -> Iterator[Text]:
    text = Text(" order ").append(order["order"], style="bold cyan")
    text.append(f" of {story.run} · {order['strategy']} · {order['market']} · ", style="dim")
    text.append(order["side"], style="green" if order["side"] == "BUY" else "red")
    text.append(f" {trimmed_amount(Decimal(order['quantity']))} @ {order['price']}", style="bold")
    yield text.append(f" · level {order['level']}", style="dim")
    flags = [order["time_in_force"], order["purpose"]]
    flags += [name.replace("_", "-") for name in ("post_only", "reduce_only") if order[name]]
    waited_ns = order["t_ns"] - order["decided_ns"]
    when = clock(order["decided_ns"] - story.start_ns, places=3)
    text = Text(f"   decided at {when}, recorded {waited_ns / 1e6:.3g} ms later", style="dim")
    yield text.append(" · " + " · ".join(flags))


def chain_lines(reasons: Sequence[Event]) -> Iterator[Text]:
    """Write the chains of reasons of a quote, price first, a line for each stage."""
    for subject in ("price", "quantity"):
        chain = [reason for reason in reasons if reason["subject"] == subject]
        if not chain:
            continue
        yield Text(f" {subject}", style="bold")
        stage_width = max(len(reason["stage"]) for reason in chain)
        steps = [_step(reason) for reason in chain]
        step_width = max(len(step) for step in steps)
        for reason, step in zip(chain, steps, strict=True):
            line = Text(f"   {reason['stage']:<{stage_width}}  {step:<{step_width}}  ")
            yield line.append_text(_change(reason)).append(f"  {reason['detail']}", style="dim")


def _step(reason: Event) -> str:
    before = "" if reason["before"] is None else f"{_short(reason['before'])} → "
    return f"{before}{_short(reason['after'])}"


# Ten digits tell prices apart; what is recorded is exact.
def _short(figure: str) -> str:
    return trimmed(_SHOWN.plus(Decimal(figure)))


def _change(reason: Event) -> Text:
    if reason["before"] is None or not Decimal(reason["before"]):
        return Text(" " * 10)
    before, after = Decimal(reason["before"]), Decimal(reason["after"])
    if reason["subject"] == "price":
        return Text(f"{signed((after - before) / before * 10_000, 2):>6} bps")
    return Text(f"{signed((after - before) / before * 100, 1):>7} % ")


def _life(story: Story, order: Event) -> Iterator[Text]:
    yield Text(" life", style="bold")
    for event in sorted((*story.life, *story.fills), key=lambda event: event["n"]):
        after = (event["t_ns"] - order["t_ns"]) / 1e9
        line = Text(f"   +{after:.3f} s  ", style="dim")
        shown = Text()
        if event["kind"] == "fill":
            shown = _fill(event, story)
        elif event["kind"] == "cancel":
            shown.append(f"cancel asked: {event['reason']}")
        else:
            detail = f" ({event['detail']})" if event["detail"] else ""
            shown.append(f"{event['trigger']}: {event['before']} → {event['after']}{detail}")
        yield Text().append_text(line).append_text(shown)
    if not story.life and not story.fills:
        yield Text("   nothing more is recorded", style="dim")


def _fill(event: Event, story: Story) -> Text:
    quantity = trimmed_amount(Decimal(event["quantity"]))
    text = Text().append(f"filled {quantity} @ {event['price']} {event['liquidity']}", style="bold")
    if event["mark"] is not None:
        price, sign = Decimal(event["price"]), 1 if event["side"] == "BUY" else -1
        spread = sign * (Decimal(event["mark"]) - price) / price * 10_000
        text.append("  spread ", style="dim").append(signed(spread, 1), style=tone(spread))
        if event["reference"] is not None:
            edge = sign * (Decimal(event["reference"]) - price) / price * 10_000
            text.append(f" bps ({signed(edge, 1)} at quote, {signed(spread - edge, 1)} stale)")
    markouts = story.markouts.get(event["trade"])
    if markouts is not None:
        text.append("  markout", style="dim").append_text(markout_text(markouts))
    return text


def _denial(story: Story, denied: Event) -> Iterator[Text]:
    when = clock(denied["t_ns"] - story.start_ns)
    quantity = trimmed_amount(Decimal(denied["quantity"]))
    text = Text(f" denied at {when} by {denied['rule']} ({denied['stage']})", style="bold yellow")
    yield text
    yield Text(
        f"   {denied['side']} {quantity} @ {denied['price']} level {denied['level']}: "
        f"{denied['observed']}, limit {denied['limit']}"
    )
    yield from chain_lines(denied["reasons"])
