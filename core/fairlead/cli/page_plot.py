"""Draw a strategy's plots as plotly figures: plain dictionaries, no plotting library needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fairlead.cli.page_data import FillPoint, Group, Sample, StrategyData
from fairlead.ledger import HORIZONS

__all__ = [
    "Figure",
    "inventory_figure",
    "level_figure",
    "markout_figure",
    "pnl_figure",
    "price_figure",
]

#: The arguments of plotly's newPlot: data and layout.
Figure = dict[str, Any]
Trace = dict[str, Any]

_BUY, _SELL, _MID, _INK, _TRADING = "#2a9d8f", "#e76f51", "#8a94a3", "#4c78a8", "#b5179e"
_PARTS = {
    "spread": ("spread captured", "#2a9d8f"),
    "inventory": ("trading inventory", "#e9a23b"),
    "holding": ("holding the target", "#8e9aaf"),
    "fees": ("fees", "#e76f51"),
    "funding": ("funding", "#9b72cf"),
    "other": ("other assets", "#6c757d"),
}
_RESTRAINTS = {
    "BUY paused": "rgba(42,157,143,0.18)",
    "SELL paused": "rgba(231,111,81,0.16)",
    "paused": "rgba(142,154,175,0.28)",
    "REDUCING": "rgba(233,162,59,0.18)",
    "CANCEL_ONLY": "rgba(231,111,81,0.22)",
    "HALTED": "rgba(180,30,30,0.30)",
}
# Bad is red, nothing is grey, good is green, readable on light and dark.
_GOOD_OR_BAD = [[0, "#c1121f"], [0.5, "#b8bec8"], [1, "#0a9a6c"]]


def price_figure(data: StrategyData) -> Figure:
    """Draw the mid, our quotes as bands, and fills coloured by what the market did in 10 s."""
    samples = data.samples.items()
    times = [_ms(sample.t_ns) for sample in samples]
    traces = [
        _band("own bids", samples, "bid", _BUY),
        _band("own asks", samples, "ask", _SELL),
        _line("mid", times, [sample.mid for sample in samples], _MID, width=1.2),
    ]
    fills = data.fills.items()
    reach = _reach(fill.after_10s for fill in fills)
    for side, symbol in (("BUY", "triangle-up"), ("SELL", "triangle-down")):
        traces.append(_fills(side, symbol, [f for f in fills if f.side == side], reach))
    return _figure(traces, height=460, y={"title": {"text": "price"}})


def pnl_figure(data: StrategyData, currency: str) -> Figure:
    """Stack the parts, gains above zero and losses below, with the total as a line."""
    samples = data.samples.items()
    times = [_ms(sample.t_ns) for sample in samples]
    traces: list[Trace] = []
    for part, (name, colour) in _PARTS.items():
        values = [sample.parts[part] for sample in samples]
        if not any(values):
            continue
        for group, held in (("gain", max), ("loss", min)):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "legendgroup": part,
                    "showlegend": group == "gain",
                    "stackgroup": group,
                    "x": times,
                    "y": [_short(held(value, 0.0)) for value in values],
                    "line": {"width": 0, "color": colour},
                    "fillcolor": _faded(colour, 0.55),
                    "hoverinfo": "skip",
                }
            )
    total = _line("total", times, [sample.total for sample in samples], _INK, width=2.5)
    trading = [sample.total - sample.parts["holding"] for sample in samples]
    without = _line("trading (without holding)", times, trading, _TRADING, width=2, dash="dot")
    return _figure([*traces, total, without], y={"title": {"text": currency}})


def inventory_figure(
    data: StrategyData,
    base: str,
    max_position: float | None,
    restraints: Sequence[tuple[int, int | None, str]],
) -> Figure:
    """Draw position, target and limit; ``restraints`` are (from, until or None, what)."""
    samples = data.samples.items()
    times = [_ms(sample.t_ns) for sample in samples]
    traces = [
        _line("position", times, [s.position for s in samples], _INK, width=2, shape="hv"),
        _line("target", times, [s.target for s in samples], _MID, width=1.5, dash="dash"),
    ]
    if max_position is not None:
        for sign in (1, -1):
            limit = [None if not s.mid else s.target + sign * max_position / s.mid for s in samples]
            trace = _line("limit", times, limit, _SELL, width=1, dash="dot")
            traces.append(trace | {"showlegend": sign == 1, "legendgroup": "limit"})
    shapes = list(_shades(restraints, samples[-1].t_ns if samples else 0))
    for level in sorted({shape["name"] for shape in shapes}):
        patch = {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": level}
        traces.append(
            patch | {"marker": {"symbol": "square", "color": _RESTRAINTS[level], "size": 12}}
        )
    return _figure(traces, y={"title": {"text": base}}, shapes=shapes)


def markout_figure(markout: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Figure:
    """Draw the mean markout over the time since the fill, buys and sells apart, with 95 % bands.

    ``markout`` is the report's: side → horizon → n, mean, low, high.
    """
    traces: list[Trace] = []
    for side, name, colour in (("buy", "buys", _BUY), ("sell", "sells", _SELL)):
        found = [
            (HORIZONS[label] / 1e9, point)
            for label, point in markout[side].items()
            if point["mean"] is not None
        ]
        banded = [(x, point) for x, point in found if point["low"] is not None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [x for x, _ in banded] + [x for x, _ in reversed(banded)],
                "y": [point["high"] for _, point in banded]
                + [point["low"] for _, point in reversed(banded)],
                "fill": "toself",
                "fillcolor": _faded(colour, 0.18),
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [x for x, _ in found],
                "y": [_short(point["mean"]) for _, point in found],
                "customdata": [point["n"] for _, point in found],
                "line": {"color": colour, "width": 2},
                "hovertemplate": "%{x} s: %{y:+.2f} bps (n %{customdata})<extra>"
                + name
                + "</extra>",
            }
        )
    ticks = [0.1, 0.3, 1, 2, 5, 10, 30, 60, 120, 300]
    axis = {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g} s" for tick in ticks]}
    figure = _figure(traces, x=axis, y={"title": {"text": "bps"}}, height=340)
    figure["layout"]["hovermode"] = "closest"
    return figure


def level_figure(data: StrategyData) -> Figure:
    """Draw fills as bars and their 10 s markout as points, by level and by hour of the day."""
    levels = [(str(level), data.levels[level]) for level in sorted(data.levels)]
    hours = [(f"{hour:02d}:00", data.hours[hour]) for hour in sorted(data.hours)]
    traces = [*_groups(levels, "", "2", legend=True), *_groups(hours, "3", "4", legend=False)]
    figure = _figure(traces, height=320)
    grid = figure["layout"]["yaxis"]["gridcolor"]
    right = {
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
        "title": {"text": "bps"},
        "tickmode": "auto",
        "rangemode": "tozero",
    }
    figure["layout"] |= {
        "xaxis": {"domain": [0, 0.4], "title": {"text": "level"}, "type": "category"},
        "yaxis": {"title": {"text": "fills"}, "gridcolor": grid, "rangemode": "tozero"},
        "yaxis2": {**right, "anchor": "x", "zerolinecolor": grid},
        "xaxis3": {
            "domain": [0.52, 0.95],
            "title": {"text": "hour (UTC)"},
            "type": "category",
            "anchor": "y3",
        },
        "yaxis3": {"anchor": "x3", "gridcolor": grid, "rangemode": "tozero"},
        "yaxis4": {**right, "overlaying": "y3", "anchor": "x3", "zerolinecolor": grid},
        "hovermode": "closest",
    }
    return figure


def _groups(
    groups: Sequence[tuple[str, Group]], bars: str, points: str, *, legend: bool
) -> Iterator[Trace]:
    names = [name for name, _ in groups]
    axes = {"xaxis": f"x{bars}", "x": names, "showlegend": legend}
    yield axes | {
        "type": "bar",
        "name": "fills",
        "yaxis": f"y{bars}",
        "y": [group.fills for _, group in groups],
        "marker": {"color": _faded(_INK, 0.45)},
    }
    estimates = [group.markout for _, group in groups]
    yield axes | {
        "type": "scatter",
        "mode": "markers",
        "name": "10 s markout",
        "yaxis": f"y{points}",
        "y": [estimate.mean for estimate in estimates],
        "error_y": {"type": "data", "array": [estimate.half_width for estimate in estimates]},
        "marker": {"color": _SELL, "size": 9},
        "hovertemplate": "%{y:+.2f} bps<extra></extra>",
    }


def _fills(side: str, symbol: str, fills: Sequence[FillPoint], reach: float) -> Trace:
    shown = side == "BUY"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "buys" if shown else "sells",
        "x": [_ms(fill.t_ns) for fill in fills],
        "y": [float(fill.price) for fill in fills],
        "customdata": [[fill.order, fill.quantity, fill.level] for fill in fills],
        "text": ["n/a" if f.after_10s is None else f"{f.after_10s:+.1f} bps" for f in fills],
        "hovertemplate": f"{side} %{{customdata[1]}} @ %{{y}}, level %{{customdata[2]}}<br>"
        "after 10 s %{text}<br>order %{customdata[0]}<extra></extra>",
        "marker": {
            "symbol": symbol,
            "size": 9 if len(fills) < 150 else 7 if len(fills) < 600 else 5,
            "color": [fill.after_10s for fill in fills],
            "colorscale": _GOOD_OR_BAD,
            "cmin": -reach,
            "cmax": reach,
            "line": {"width": 0.7, "color": "rgba(40,50,60,0.8)"},
            "showscale": shown,
            "colorbar": {"title": {"text": "10 s<br>bps"}, "thickness": 10, "len": 0.8},
        },
    }


# One polygon for each stretch of time in which the side was quoted.
def _band(name: str, samples: Sequence[Sample], side: str, colour: str) -> Trace:
    x: list[float | None] = []
    y: list[float | None] = []
    stretch: list[tuple[float, float, float]] = []
    for sample in [*samples, None]:
        near = None if sample is None else getattr(sample, side)
        far = None if sample is None else getattr(sample, f"far_{side}")
        if sample is not None and near is not None and far is not None:
            stretch.append((_ms(sample.t_ns), near, far))
        elif stretch:
            back = list(reversed(stretch))
            x += [at for at, _, _ in stretch] + [at for at, _, _ in back] + [None]
            y += [inner for _, inner, _ in stretch] + [outer for _, _, outer in back] + [None]
            stretch = []
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": _faded(colour, 0.22),
        "line": {"width": 0.6, "color": _faded(colour, 0.6)},
        "hoverinfo": "skip",
    }


def _shades(restraints: Sequence[tuple[int, int | None, str]], end_ns: int) -> Iterator[Trace]:
    for at_ns, until_ns, what in restraints:
        if what in _RESTRAINTS:
            yield {
                "type": "rect",
                "name": what,
                "xref": "x",
                "yref": "paper",
                "x0": _ms(at_ns),
                "x1": _ms(end_ns if until_ns is None else until_ns),
                "y0": 0,
                "y1": 1,
                "fillcolor": _RESTRAINTS[what],
                "line": {"width": 0},
                "layer": "below",
            }


def _line(
    name: str,
    x: Sequence[float],
    y: Iterable[float | None],
    colour: str,
    *,
    width: float,
    dash: str = "solid",
    shape: str = "linear",
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": [None if value is None else _short(value) for value in y],
        "line": {"color": colour, "width": width, "dash": dash, "shape": shape},
    }


def _figure(
    traces: list[Trace],
    *,
    height: int = 360,
    x: Mapping[str, Any] | None = None,
    y: Mapping[str, Any] | None = None,
    shapes: Sequence[Trace] = (),
) -> Figure:
    faint = "rgba(128,128,128,0.22)"
    axis = {"gridcolor": faint, "zerolinecolor": "rgba(128,128,128,0.55)", "automargin": True}
    return {
        "data": traces,
        "layout": {
            "height": height,
            "margin": {"l": 60, "r": 20, "t": 30, "b": 40},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": "#7a8594", "size": 12},
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": "rgba(30,36,44,0.9)", "font": {"color": "#eef1f5"}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#9aa4b1"},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "xaxis": axis | dict(x or {"type": "date"}),
            "yaxis": axis | dict(y or {}),
            "shapes": list(shapes),
        },
    }


# The colours reach as far as nineteen of twenty fills; the rest are as bad or good as it gets.
def _reach(values: Iterable[float | None]) -> float:
    sizes = sorted(abs(value) for value in values if value is not None)
    return sizes[int(len(sizes) * 0.95)] or 1.0 if sizes else 1.0


def _faded(colour: str, share: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def _ms(t_ns: int) -> float:
    return t_ns / 1_000_000


# Nobody sees the digits after the tenth; the page is smaller without them.
def _short(value: float) -> float:
    return float(f"{value:.10g}")
