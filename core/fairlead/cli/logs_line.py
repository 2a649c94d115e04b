"""Write each record of a trace as one line for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from rich.text import Text

from fairlead.cli.figure import amount, clock, signed, tone, trimmed_amount
from fairlead.cli.logs_run import Event

__all__ = ["QUIET", "event_line", "markout_text"]

#: Kinds that only make sense in a plot or by the thousand; shown when asked for by name.
QUIET = frozenset({"tick", "sample", "markout"})

_STYLES: Mapping[str, str] = {
    "fill": "bold",
    "denied": "yellow",
    "posture": "yellow",
    "rule_ended": "dim",
    "rule_fired": "yellow",
    "rule_state": "dim",
    "incident": "bold red",
    "alert": "bold red",
    "control": "bold",
    "strategy_changed": "bold",
    "order": "",
}


def event_line(event: Event) -> Text:
    """Say what a record means; a kind that is not known shows its fields."""
    write = _LINES.get(event["kind"], _fields)
    style = _STYLES.get(event["kind"], "dim")
    return (
        Text()
        .append(f"{event['kind']:<11} ", style="cyan")
        .append_text(_styled(write, event, style))
    )


def markout_text(bps: Mapping[str, float | None]) -> Text:
    """Write the markouts of a fill: the report's three horizons."""
    text = Text()
    for label in ("1s", "10s", "60s"):
        value = bps.get(label)
        text.append(f"  {label} ", style="dim").append(signed(value, 1), style=tone(value))
    return text.append(" bps", style="dim")


def _styled(write: Callable[[Event], str | Text], event: Event, style: str) -> Text:
    line = write(event)
    return line if isinstance(line, Text) else Text().append(line, style=style)


def _number(text: str | None) -> str:
    return trimmed_amount(None if text is None else Decimal(text))


def _run_started(event: Event) -> str:
    seed = "" if event["seed"] is None else f", seed {event['seed']}"
    config = event["config_hash"][:12]
    return f"{event['instance']} {event['mode']}{seed}, configuration {config}, {event['currency']}"


def _run_ended(event: Event) -> str:
    proof = "no order of ours left, proven" if event["proven"] else "own orders NOT proven gone"
    return f"{event['reason']}: {proof}"


def _tick(event: Event) -> str:
    skipped = f", {event['skipped']} skipped" if event["skipped"] else ""
    return f"number {event['number']}{skipped}, {event['messages']:,} messages"


def _decision(event: Event) -> str:
    gates = "; ".join(f"{gate['name']}: {gate['detail']}" for gate in event["gates"])
    target = "" if event["target"] is None else f", target {_number(event['target'])}"
    return f"{event['strategy']}: {event['quotes']} quotes{target}" + (
        f" — {gates}" if gates else ""
    )


def _order(event: Event) -> Text:
    text = Text().append(f"{event['order']} ").append_text(_side(event))
    text.append(f" {_number(event['quantity'])} @ {event['price']} level {event['level']}")
    last = event["reasons"][-1]["stage"] if event["reasons"] else ""
    return text.append(f"  {len(event['reasons'])} reasons to {last}" if last else "", style="dim")


def _transition(event: Event) -> str:
    filled = f", filled {_number(event['filled'])}" if Decimal(event["filled"]) else ""
    detail = f" ({event['detail']})" if event["detail"] else ""
    step = f"{event['before']} → {event['after']} by {event['trigger']}"
    return f"{event['order']} {step}{filled}{detail}"


def _cancel(event: Event) -> str:
    return f"{event['order']} {event['reason']}"


def _fill(event: Event) -> Text:
    text = Text().append(f"{event['order']} ").append_text(_side(event))
    text.append(f" {_number(event['quantity'])} @ {event['price']} {event['liquidity']}", "bold")
    spread = None if event["spread"] is None else Decimal(event["spread"])
    text.append("  spread ", style="dim").append(signed(spread, 4), style=tone(spread))
    return text.append(f"  fee {_number(event['fee'])} {event['fee_asset']}", style="dim")


def _markout(event: Event) -> Text:
    text = Text().append(f"trade {event['trade']} ").append_text(_side(event))
    return text.append(f" {amount(Decimal(event['notional']))}").append_text(
        markout_text(event["bps"])
    )


def _denied(event: Event) -> str:
    return (
        f"{event['strategy']}: {event['side']} {_number(event['quantity'])} @ {event['price']} "
        f"level {event['level']} by {event['rule']} ({event['stage']}): "
        f"{event['observed']}, limit {event['limit']}"
    )


def _posture(event: Event) -> str:
    reason = f" — {event['rule']}: {event['reason']}" if event["rule"] or event["reason"] else ""
    return f"{event['market'] or 'account'} {event['level']}{reason}"


def _rule_fired(event: Event) -> str:
    return f"{event['market'] or 'account'} {event['effect']} — {event['rule']}: {event['reason']}"


def _rule_ended(event: Event) -> str:
    what = f"{event['market'] or 'account'} {event['effect']}"
    return f"{what} — {event['rule']}: over after {clock(event['lasted_ns'])}"


def _rule_state(event: Event) -> str:
    return f"{event['rule']} {event['state']}"


def _sample(event: Event) -> str:
    return (
        f"{event['strategy']}: mid {event['mid'] or 'n/a'}, own {event['bid'] or 'n/a'} / "
        f"{event['ask'] or 'n/a'}, position {_number(event['position'])}, total {event['total']}"
    )


def _reconciled(event: Event) -> str:
    found = "; ".join(event["differences"]) or "no difference"
    return f"{event['venue']}: {event['open_orders']} open orders, {found}"


def _incident(event: Event) -> str:
    return f"{event['name']}: {event['detail']}"


def _control(event: Event) -> str:
    arguments = "".join(f" {name}={value}" for name, value in event["arguments"].items())
    refused = f", refused: {event['refused']}" if event["refused"] else ""
    return f"{event['command']}{arguments} by {event['who']}{refused}"


def _strategy_changed(event: Event) -> str:
    return f"{event['strategy']} on {event['market']} {event['change']}"


def _alert(event: Event) -> str:
    return f"{event['severity']} {event['name']}: {event['detail']}"


def _fields(event: Event) -> str:
    shown = (
        f"{name}={value}" for name, value in event.items() if name not in {"kind", "n", "t_ns"}
    )
    return " ".join(shown)


def _side(event: Event) -> Text:
    return Text().append(event["side"], style="green" if event["side"] == "BUY" else "red")


_LINES: Mapping[str, Callable[[Event], str | Text]] = {
    "run_started": _run_started,
    "run_ended": _run_ended,
    "tick": _tick,
    "decision": _decision,
    "order": _order,
    "transition": _transition,
    "cancel": _cancel,
    "fill": _fill,
    "markout": _markout,
    "denied": _denied,
    "posture": _posture,
    "rule_ended": _rule_ended,
    "rule_fired": _rule_fired,
    "rule_state": _rule_state,
    "sample": _sample,
    "reconciled": _reconciled,
    "incident": _incident,
    "control": _control,
    "strategy_changed": _strategy_changed,
    "alert": _alert,
}
