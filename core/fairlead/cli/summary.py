"""Write the end of a run: what it earned, line by line, each adding up as it is shown.

Everything comes from `report.json`, so an old run reads like a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from rich.text import Text

from fairlead.cli.figure import (
    add_up,
    amount,
    clock,
    percent,
    places_for,
    rounded,
    signed,
    tone,
)
from fairlead.kernel import StopReason
from fairlead.model import ZERO, statistic

__all__ = ["next_commands", "summary_text"]

_LABELS = {
    "spread": "spread captured",
    "inventory": "trading inventory",
    "fees": "fees",
    "funding": "funding",
    "other": "other assets",
}
# What is shown even when it is nothing.
_ALWAYS = ("spread", "inventory", "fees")
# Ends that nobody has to look into.
_CLEAN = frozenset({StopReason.SOURCE_ENDED, StopReason.DURATION, StopReason.ASKED})
# From this width on, money and quality stand beside each other.
_WIDE = 130
# Rules that the summary names; the page names them all.
_MOST_RULES = 4


@dataclass(frozen=True, slots=True)
class _Money:
    """A run's profit, rounded so that every sum that is shown is right."""

    places: int
    start: Decimal | None
    end: Decimal | None
    transfers: Decimal
    parts: Mapping[str, Decimal]
    holding: Decimal
    trading: Decimal
    total: Decimal
    turnover: Decimal

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> _Money:
        summary = report["summary"]
        equity = {name: _money(figure) for name, figure in summary["equity"].items()}
        places = places_for(equity["start"])
        start, end = _shown(equity["start"], places), _shown(equity["end"], places)
        transfers = _shown(equity["transfers"], places) or ZERO
        exact = {name: Decimal(part) for name, part in summary["pnl"].items()}
        total = rounded(exact["total"], places)
        if start is not None and end is not None:
            total = end - start - transfers
        holding = rounded(exact["holding"], places)
        trading = total - holding
        names = [name for name in _LABELS if exact[name] or name in _ALWAYS]
        shown = add_up([exact[name] for name in names], trading, places)
        turnover = sum((Decimal(s["turnover"]) for s in summary["strategies"].values()), ZERO)
        parts = dict(zip(names, shown, strict=True))
        return cls(places, start, end, transfers, parts, holding, trading, total, turnover)

    def bps(self, value: Decimal) -> Decimal | None:
        return value / self.turnover * 10_000 if self.turnover else None


def summary_text(
    report: Mapping[str, Any],
    *,
    elapsed_s: float | None = None,
    commands: Sequence[str] = (),
    width: int = _WIDE,
) -> Text:
    """Write the summary of a report; ``elapsed_s`` is what it took on the wall.

    ``commands`` are shown as what to type next (see `next_commands`). On a terminal narrower
    than 130 columns the quality stands below the money instead of beside it.
    """
    money = _Money.of(report)
    lines = [_headline(report, elapsed_s)]
    profit, facts = list(_profit(report, money)), list(_facts(report, money))
    if width < _WIDE:
        profit, facts = [*profit, *facts], []
    beside = max(line.cell_len for line in profit) + 6
    for left, right in zip_longest(profit, facts):
        line = Text("   ").append_text(left or Text())
        if right is not None:
            line.pad_right(beside - line.cell_len)
            line.append_text(right)
        lines.append(line)
    if len(report["strategies"]) > 1:
        lines.extend(_each(report, money.places))
    for plan in report["summary"].get("plans_left", ()):  # a run of before may not have them
        lines.append(Text(f" unfinished: {plan['text']}", style="bold red" if plan["open"] else ""))
    lines.extend(Text(f" {note}", style="yellow") for note in _verdict(report))
    lines.extend(Text(f" {note}", style="dim") for note in report["summary"]["notes"])
    for number, command in enumerate(commands):
        line = Text().append(" next:  " if number == 0 else "        ", style="dim")
        lines.append(line.append(command, style="bold cyan"))
    return Text("\n").join(lines)


def next_commands(report: Mapping[str, Any], config: str, folder: str) -> tuple[str, ...]:
    """Give three lines to type next that fit what the run showed.

    ``config`` is the configuration as it was named; ``folder`` the run's, for its page.
    """
    venue = next(iter(report["venues"]), "main")
    fills = sum(strategy["fills"] for strategy in report["strategies"].values())
    denied = sum(strategy["orders"]["denied"] for strategy in report["strategies"].values())
    first = "fairlead explain worst" if fills else "fairlead explain latest"
    second = f"fairlead run {config}"
    if report["seed"] is not None:
        second += f" --set venues.{venue}.seed={report['seed'] + 1}"
    if denied and not fills:
        return first, second, "fairlead logs --kind denied"
    return first, second, f"open {folder}/report.html"


_MODES = {"paper": "simulated", "rehearse": "rehearsed"}


def _headline(report: Mapping[str, Any], elapsed_s: float | None) -> Text:
    strategies = report["strategies"].values()
    fills = sum(strategy["fills"] for strategy in strategies)
    details = report["summary"]["strategies"].values()
    volume = sum((Decimal(detail["turnover"]) for detail in details), ZERO)
    length = clock(report["ended_ns"] - report["started_ns"])
    mode = report["mode"]
    text = Text(" ").append(length, style="bold").append(f" {_MODES.get(mode, mode)}")
    if elapsed_s is not None and mode == "paper":
        text.append(f" in {elapsed_s:.1f} s" if elapsed_s < 10 else f" in {elapsed_s:.0f} s")
    maker = _weighted(report, "maker_share")
    text.append(f" · {fills:,} fills · {amount(volume, 0)} {report['currency']} volume")
    text.append(f" · maker {percent(maker, 0)}")
    return text.append(" · ").append_text(_ending(report))


def _ending(report: Mapping[str, Any]) -> Text:
    summary = report["summary"]
    reason = summary["reason"] or "stopped"
    if not summary["proven"]:
        return Text().append(f"{reason}, own orders NOT proven gone", style="bold red")
    left = f"{summary['orders_left']} orders left (proven twice)"
    if reason in _CLEAN:
        return Text().append(f"stopped clean, {left}", style="green")
    return Text().append(reason, style="bold red").append(f", {left}")


def _profit(report: Mapping[str, Any], money: _Money) -> Iterator[Text]:
    parts = [money.bps(part) for part in money.parts.values()]
    whole = money.bps(money.trading)
    shares: Sequence[Decimal | None] = parts
    if whole is not None:
        whole = rounded(whole, 1)
        shares = add_up([part or ZERO for part in parts], whole, 1)
    width = max(
        len(signed(value, money.places))
        for value in (*money.parts.values(), money.trading, money.holding, money.total)
    )
    for (name, part), bps in zip(money.parts.items(), shares, strict=True):
        line = _figures(_LABELS[name], part, bps, width, money.places)
        if name == "spread" and bps is not None:
            line.append(_edge(report, money, bps), style="dim")
        yield line
    line = _figures("= trading PnL", money.trading, whole, width, money.places, style="bold")
    trading = report["summary"]["trading"]
    if trading["low"] is not None:
        low, high = signed(trading["low"], 1), signed(trading["high"], 1)
        line.append(f"   95 % {low} … {high}", style="dim")
    yield line
    yield _figures("holding the target", money.holding, None, width, money.places)
    yield _figures("= total", money.total, None, width, money.places, style="bold")


def _figures(
    label: str, value: Decimal, bps: Decimal | None, width: int, places: int, style: str = ""
) -> Text:
    text = Text().append(f"{label:<20}", style=style)
    text.append(f"{signed(value, places):>{width}}", style=f"{style} {tone(value)}".strip())
    return text if bps is None else text.append(f"  {signed(bps, 1):>6} bps")


# The spread's own split, in bps of the whole turnover, adding up to the spread that is shown.
def _edge(report: Mapping[str, Any], money: _Money, spread_bps: Decimal) -> str:
    details = report["summary"]["strategies"].values()
    edge = money.bps(sum((Decimal(detail["quoted_edge"]) for detail in details), ZERO))
    if edge is None or not edge:
        return ""
    edge = rounded(edge, 1)
    return f"  (quoted {signed(edge, 1)}, stale {signed(spread_bps - edge, 1)})"


def _facts(report: Mapping[str, Any], money: _Money) -> Iterator[Text]:
    summary = report["summary"]
    strategies = report["strategies"].values()
    equity = Text().append("equity  ", style="dim").append(amount(money.start, money.places))
    equity.append(" → ").append(amount(money.end, money.places), style="bold")
    if money.transfers:
        equity.append(f" (transfers {signed(money.transfers, money.places)})", style="dim")
    yield equity
    fall = Text().append("max drawdown ", style="dim").append(percent(summary["drawdown_max"], 2))
    worst = summary["trading"]["worst_minute"]
    yield fall.append("  worst minute ", style="dim").append(signed(worst, money.places))
    quoted = Text().append("both sides quoted ", style="dim")
    quoted.append(percent(_weighted(report, "uptime")))
    quoted.append("  at top ", style="dim").append(percent(_weighted(report, "at_top"), 0))
    yield quoted
    yield _markout(report)
    counts = [strategy["orders"] for strategy in strategies]
    created, cancelled, denied = (
        sum(count[name] for count in counts) for name in ("created", "cancelled", "denied")
    )
    fills = sum(strategy["fills"] for strategy in strategies)
    each = cancelled / fills if fills else None
    orders = Text().append("orders ", style="dim").append(f"{created:,}")
    orders.append(" · cancels per fill ", style="dim").append(amount(each, 1))
    yield orders.append(" · denied ", style="dim").append(f"{denied:,}")
    done = _risk(summary.get("risk", {}))
    if done:
        yield Text().append("risk ", style="dim").append(done, style="yellow")
    if report["incidents"]:
        names = ", ".join(f"{name} {n}" for name, n in sorted(summary["incidents"].items()))
        yield Text().append(f"incidents {report['incidents']}: {names}", style="bold red")


def _risk(rules: Mapping[str, Mapping[str, Any]]) -> str:
    # What every run begins with says nothing of this one.
    told = {name: one for name, one in rules.items() if name != "warm_up"}
    fired = sorted(
        (name for name, one in told.items() if one["fired"]),
        key=lambda name: (-told[name]["active_ns"], name),
    )
    parts = [f"{name} {told[name]['fired']}x {clock(told[name]['active_ns'])}" for name in fired]
    more = len(parts) - _MOST_RULES
    return " · ".join(parts[:_MOST_RULES]) + (f" · {more} more" if more > 0 else "")


def _markout(report: Mapping[str, Any]) -> Text:
    details = list(report["summary"]["strategies"].values())
    text = Text().append("markout", style="dim")
    counts = []
    for label in ("1s", "10s", "60s"):
        found = [detail["markout"]["all"][label] for detail in details]
        known = [f for f in found if f["mean"] is not None]
        count = sum(f["n"] for f in known)
        # Fills of several strategies are pooled by their number; one strategy's mean is its own.
        mean = sum(f["mean"] * f["n"] for f in known) / count if count else None
        text.append(f"  {label} ", style="dim").append(signed(mean, 1), style=tone(mean))
        counts.append(str(count))
    return text.append(f" bps (n {'/'.join(counts)})", style="dim")


def _each(report: Mapping[str, Any], places: int) -> Iterator[Text]:
    width = max(len(name) for name in report["strategies"])
    for name, strategy in report["strategies"].items():
        pnl = {part: Decimal(figure) for part, figure in strategy["pnl"].items()}
        trading = pnl["total"] - pnl["holding"]
        line = Text("   ").append(f"{name:<{width}}", style="bold")
        line.append(f"  {strategy['market']}  {strategy['fills']:,} fills  trading ", style="dim")
        line.append(signed(trading, places), style=tone(trading))
        line.append("  total ", style="dim").append(signed(pnl["total"], places))
        yield line.append(f"  quoted {percent(strategy['uptime'])}", style="dim")


def _verdict(report: Mapping[str, Any]) -> Iterator[str]:
    trading = report["summary"]["trading"]
    minutes = trading["minutes"]
    if trading["too_short"]:
        seeds = ", one seed" if report["seed"] is not None else ""
        yield f"Too short to judge: {minutes:,} minute{'' if minutes == 1 else 's'}{seeds}."
    elif trading["low"] is None or trading["low"] <= 0 <= trading["high"]:
        yield "The 95 % interval holds zero: not to be told from luck."


# A share over all strategies, weighted by what it is a share of.
def _weighted(report: Mapping[str, Any], name: str) -> float | None:
    above = below = 0.0
    for strategy, detail in zip(
        report["strategies"].values(), report["summary"]["strategies"].values(), strict=True
    ):
        share = detail[name] if name in detail else strategy[name]
        weight = statistic(Decimal(detail["turnover"])) if name == "maker_share" else None
        weight = float(detail["valid_ns"]) if weight is None else weight
        if share is not None:
            above += share * weight
            below += weight
    return above / below if below else None


def _money(figure: str | None) -> Decimal | None:
    return None if figure is None else Decimal(figure)


def _shown(figure: Decimal | None, places: int) -> Decimal | None:
    return None if figure is None else rounded(figure, places)
