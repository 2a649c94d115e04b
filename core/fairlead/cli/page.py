"""Make ``report.html``: a run's plots and worst fills in one file that works without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]  # ships no types

from fairlead.cli.explain import story_text
from fairlead.cli.figure import NOT_AVAILABLE, clock, percent, signed
from fairlead.cli.logs_run import EVENTS
from fairlead.cli.page_data import FillPoint, RunData, StrategyData, collect
from fairlead.cli.page_plot import (
    Figure,
    inventory_figure,
    level_figure,
    markout_figure,
    pnl_figure,
    price_figure,
)
from fairlead.cli.page_style import SCRIPT, STYLE
from fairlead.cli.summary import summary_text
from fairlead.errors import UsageError

__all__ = ["page_html", "write_page"]

_CONFIG = {
    "displaylogo": False,
    "responsive": True,
    # nothing of a run is to leave this machine by a click
    "modeBarButtonsToRemove": ["sendChartToCloud", "lasso2d", "select2d"],
}
_PLOTS = {
    "price": (
        "Price, own quotes and fills",
        "Bands run from our innermost to our outermost quote. A triangle is a fill, up for a buy; "
        "green when the market went our way within 10 s, red when it ran us over.",
    ),
    "pnl": (
        "Where the money came from",
        "Gains are stacked above zero and losses below; the solid line is their sum, the dotted "
        "one leaves out the price moves of the target inventory.",
    ),
    "inventory": (
        "Inventory",
        "Position against target and limit; shaded where risk rules restrained trading.",
    ),
    "markout": (
        "Markout",
        "What a fill was worth after a time, in bps before fees, weighted by notional, with 95 % "
        "bands. A curve that falls from left to right is adverse selection.",
    ),
    "level": (
        "Fills and markout by level and hour",
        "Bars count fills; points are their mean 10 s markout with its 95 % interval.",
    ),
}


def write_page(folder: Path) -> Path:
    """Write ``report.html`` beside a run's ``report.json`` and trace, and give its path.

    :raises UsageError: when one of them is missing.
    :raises StoreError: when the trace is garbled.
    """
    source = folder / "report.json"
    for path in (source, folder / EVENTS):
        if not path.is_file():
            raise UsageError("run", str(folder), f"has no {path.name}")
    page = folder / "report.html"
    report = json.loads(source.read_text(encoding="utf-8"))
    page.write_text(page_html(report, collect(folder)), encoding="utf-8")
    return page


def page_html(report: Mapping[str, Any], data: RunData) -> str:
    """Put the page together from a report and what was collected from its trace."""
    figures: dict[str, Figure] = {}
    body: list[str] = []
    for number, name in enumerate(report["strategies"]):
        found = data.strategies.get(name, StrategyData())
        if len(report["strategies"]) > 1:
            body.append(f"<h1>{escape(name)}</h1>")
        for plot, figure in _figures(report, name, found, data).items():
            title, how = _PLOTS[plot]
            place = f"{plot}-{number}"
            figures[place] = figure
            body.append(f'<section><h2>{title}</h2><p>{how}</p><div id="{place}"></div></section>')
        body.append(_worst(found.worst, data, report["started_ns"]))
    body.append(_rules(report))
    body += _stories(data)
    title = escape(f"{report['run']} · {report['mode']}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><script>{get_plotlyjs()}</script></head><body>"
        f"<header><h1>{title}</h1>{_cards(report)}"
        f"<pre>{escape(summary_text(report).plain)}</pre></header>"
        f"<main>{''.join(body)}</main>"
        f'<script id="figures" type="application/json">{_json(figures)}</script>'
        f"<script>const config = {_json(_CONFIG)};{SCRIPT}</script></body></html>\n"
    )


def _figures(
    report: Mapping[str, Any], name: str, found: StrategyData, data: RunData
) -> dict[str, Figure]:
    details = report["summary"]["strategies"][name]
    market = report["strategies"][name]["market"]
    limit = details["max_position"]
    return {
        "price": price_figure(found),
        "pnl": pnl_figure(found, report["currency"]),
        "inventory": inventory_figure(
            found,
            details["base"],
            None if limit is None else float(limit),
            data.restraints(market),
        ),
        "markout": markout_figure(details["markout"]),
        "level": level_figure(found),
    }


def _cards(report: Mapping[str, Any]) -> str:
    summary = report["summary"]
    strategies = report["strategies"].values()
    trading = float(summary["trading"]["pnl"])
    interval = "no interval yet"
    if summary["trading"]["low"] is not None:
        low, high = summary["trading"]["low"], summary["trading"]["high"]
        interval = f"95 % {signed(low, 1)} … {signed(high, 1)}"
    first = next(iter(strategies))
    cards = [
        ("trading PnL", f"{signed(trading)} {report['currency']}", interval, trading),
        ("total PnL", signed(float(summary["pnl"]["total"])), "with holding the target", None),
        (
            "fills",
            f"{sum(strategy['fills'] for strategy in strategies):,}",
            f"maker {percent(first['maker_share'], 0)}",
            None,
        ),
        (
            "10 s markout",
            f"{signed(first['markout_bps']['10s'], 1)} bps",
            f"60 s {signed(first['markout_bps']['60s'], 1)}",
            first["markout_bps"]["10s"],
        ),
        ("both sides quoted", percent(first["uptime"]), "of valid time", None),
        ("max drawdown", percent(summary["drawdown_max"], 2), "of unitised value", None),
    ]
    return f'<div class="cards">{"".join(_card(*card) for card in cards)}</div>'


def _card(title: str, figure: str, below: str, value: float | None) -> str:
    tone = "" if not value else ' class="gain"' if value > 0 else ' class="loss"'
    return (
        f"<div><span>{escape(title)}</span><b{tone}>{escape(figure)}</b>"
        f"<small>{escape(below)}</small></div>"
    )


def _worst(fills: Sequence[FillPoint], data: RunData, started_ns: int) -> str:
    if not fills:
        return "<section><h2>Worst fills</h2><p>No fill was followed for 10 s.</p></section>"
    rows = "".join(_row(fill, data, started_ns) for fill in fills)
    return (
        "<section><h2>The ten worst fills</h2><p>By 10 s markout, in bps; each order links to the "
        "reasons behind it.</p><table><thead><tr><th>time</th><th>order</th><th>side</th>"
        "<th>level</th><th>quantity</th><th>price</th><th>spread</th><th>1 s</th><th>10 s</th>"
        f"<th>60 s</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _rules(report: Mapping[str, Any]) -> str:
    rules = report["summary"].get("risk", {})
    if not rules:
        return "<section><h2>Risk rules</h2><p>No rule fired or denied anything.</p></section>"
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{one['fired']:,}</td><td>{clock(one['active_ns'])}</td>"
        f"<td>{_since(one['first_ns'], report)}</td><td>{_since(one['last_ns'], report)}</td>"
        f"<td>{one['denied']:,}</td></tr>"
        for name, one in rules.items()
    )
    return (
        "<section><h2>Risk rules</h2><p>What fired, for how long in all, when first and last, and "
        "how many wishes it denied.</p><table><thead><tr><th>rule</th><th>fired</th><th>in all</th>"
        f"<th>first</th><th>last</th><th>denied</th></tr></thead><tbody>{rows}</tbody></table>"
        "</section>"
    )


def _since(at_ns: int | None, report: Mapping[str, Any]) -> str:
    return NOT_AVAILABLE if at_ns is None else clock(at_ns - report["started_ns"])


def _row(fill: FillPoint, data: RunData, started_ns: int) -> str:
    name = escape(fill.order)
    order = f'<a href="#order-{name}">{name}</a>' if fill.order in data.stories else name
    cells = [
        clock(fill.t_ns - started_ns),
        order,
        f'<span class="{fill.side.lower()}">{fill.side}</span>',
        str(fill.level),
        escape(fill.quantity),
        escape(fill.price),
        signed(fill.spread_bps, 1),
        *(signed(fill.bps.get(label), 1) for label in ("1s", "10s", "60s")),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _stories(data: RunData) -> Iterator[str]:
    if data.stories:
        yield "<section><h2>Why these orders were there</h2></section>"
    worst = [fill.order for found in data.strategies.values() for fill in found.worst]
    # the worst first; one order may have two of the worst fills
    for order in dict.fromkeys(worst):
        story = data.stories.get(order)
        if story is None:
            continue
        text = escape(story_text(story).plain)
        yield f'<article id="order-{escape(order)}"><pre>{text}</pre></article>'


# A closing tag inside a string would end the script that holds it.
def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
