"""Draw how plans are worked: the price, the orders as lines, the fills as marks.

From the repository root, in the project's environment::

    python -m benchmarks.execution_picture docs/images

Writes ``execution-NAME.svg`` for each plan of `STORIES`, from paper runs on synthetic markets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.execution_run import DrawnFill, DrawnOrder, Story, work
from fairlead.api import Plan
from fairlead.api.plans import PositionPlan, TieredPlan, TwapPlan
from fairlead.model import Side

__all__ = ["STORIES", "Told", "main", "picture"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 300, 64, 16, 34, 58
_COLOURS = {Side.BUY: "#2a7d4f", Side.SELL: "#c0392b"}
_MARKET = "main:ALT/USDT"


@dataclass(frozen=True, slots=True)
class Told:
    """One picture: which plan on which market, and what to call it."""

    title: str
    executor: str
    plan: Plan
    for_s: float
    seed: int
    #: How much is shown before the plan begins and after it ends.
    around_s: float = 20
    #: Prices to mark besides, by name; they may depend on what happened.
    marks: Callable[[Story], Mapping[str, float]] = field(default=lambda story: {})


def _venue(seed: int) -> dict[str, Any]:
    return {
        "source": '"synthetic:midcap"',
        "seed": str(seed),
        "balances": '{ ALT = "5000", USDT = "10000" }',
        "fees": '{ maker = "2 bps", taker = "5 bps" }',
    }


def _entry(story: Story) -> float:
    bought = [one for one in story.fills if one.side is Side.BUY]
    return sum(one.price * one.quantity for one in bought) / sum(one.quantity for one in bought)


def _barriers(story: Story) -> Mapping[str, float]:
    entry = _entry(story)
    marks = {"average entry": entry, "stop loss": entry * 0.996}
    trail = "" if story.ended is None else story.ended.result.notes.get("trail", "")
    return {**marks, "trailing stop at the end": float(trail)} if trail else marks


STORIES: Mapping[str, Told] = {
    "tiered": Told(
        "tiered: rests, follows the market, and takes the rest after 60 s",
        "tiered",
        TieredPlan.model_validate(
            {
                "market": _MARKET,
                "side": "BUY",
                "quantity": "240",
                "mode": "limit_with_fallback",
                "timeout": "60 s",
            }
        ),
        for_s=240,
        seed=9,
    ),
    "twap": Told(
        "twap: 11 slices of a sale over 10 minutes, as maker",
        "twap",
        TwapPlan.model_validate(
            {
                "market": _MARKET,
                "side": "SELL",
                "quantity": "880",
                "duration": "10 min",
                "interval": "60 s",
                "limit_order_buffer": "4 bps",
            }
        ),
        for_s=900,
        seed=5,
    ),
    "position": Told(
        "position: a long entry, guarded by a stop and a trailing stop",
        "position",
        PositionPlan.model_validate(
            {
                "market": _MARKET,
                "side": "BUY",
                "quantity": "200",
                "stop_loss": "40 bps",
                "trailing_stop": {"activation": "12 bps", "delta": "8 bps"},
                "time_limit": "20 min",
            }
        ),
        for_s=1500,
        seed=6,
        marks=_barriers,
    ),
}


class _Frame:
    """Where a second and a price stand in the picture."""

    def __init__(self, seconds: tuple[float, float], prices: Sequence[float]) -> None:
        self.begin_s, self.end_s = seconds
        low, high = min(prices), max(prices)
        room = (high - low or high * 1e-4) * 0.06
        self._low, self._high = low - room, high + room

    def x(self, at_s: float) -> float:
        share = (at_s - self.begin_s) / (self.end_s - self.begin_s)
        return _LEFT + min(max(share, 0), 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, price: float) -> float:
        share = (price - self._low) / (self._high - self._low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> list[float]:
        step = (self._high - self._low) / 4
        return [self._low + step * (place + 0.5) for place in range(4)]


def picture(
    story: Story, market: str, title: str, marks: Mapping[str, float], around_s: float
) -> str:
    """Draw one market of a story as SVG."""
    begin_s = max(story.begin_s - around_s, 0)
    end_s = (story.end_s or story.mids[market][-1][0]) + around_s
    path = [(at, mid) for at, mid in story.mids[market] if begin_s <= at <= end_s]
    orders = [one for one in story.orders if one.market == market and one.rests]
    fills = [one for one in story.fills if one.market == market]
    prices = [mid for _, mid in path]
    prices += [order.price for order in orders] + [fill.price for fill in fills]
    frame = _Frame((begin_s, end_s), [*prices, *marks.values()])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#555">',
        f"<title>{title}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-weight="bold" fill="#222">{title}</text>',
        *_axes(frame, story),
        *(_mark(frame, name, price) for name, price in marks.items()),
        _line(frame, path),
        *(_order(frame, one) for one in orders),
        *(_fill(frame, one) for one in fills),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes(frame: _Frame, story: Story) -> list[str]:
    right, base = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for price in frame.ticks():
        y = frame.y(price)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#eee"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{price:.4f}</text>')
    span = frame.end_s - frame.begin_s
    step = next(one for one in (10, 30, 60, 120, 300, 600, 3600) if span / one <= 8)
    first = int((frame.begin_s - story.begin_s) // step) + 1
    for number in range(first, int((frame.end_s - story.begin_s) // step) + 1):
        x = frame.x(story.begin_s + number * step)
        seconds = number * step
        label = f"{seconds // 60} min" if step % 60 == 0 else f"{seconds} s"
        parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{label}</text>')
    for at_s, name in ((story.begin_s, "admitted"), (story.end_s, "ended")):
        if at_s:
            x = frame.x(at_s)
            parts.append(f'<path d="M{x:.1f} {_TOP}V{base}" stroke="#bbb" stroke-dasharray="3 3"/>')
            anchor, shift = ("end", -4) if x > right - 60 else ("start", 4)
            parts.append(
                f'<text x="{x + shift:.1f}" y="{_TOP + 6}" text-anchor="{anchor}" '
                f'fill="#999">{name}</text>'
            )
    parts.append(f'<path d="M{_LEFT} {base}H{right}" stroke="#999"/>')
    return parts


def _mark(frame: _Frame, name: str, price: float) -> str:
    y = frame.y(price)
    return (
        f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#8e6bb8" stroke-dasharray="6 4"/>'
        f'<text x="{_LEFT + 6}" y="{y - 4:.1f}" fill="#8e6bb8">{name}</text>'
    )


def _line(frame: _Frame, path: Sequence[tuple[float, float]]) -> str:
    points = " ".join(f"{frame.x(at_s):.1f},{frame.y(mid):.1f}" for at_s, mid in path)
    return f'<polyline points="{points}" fill="none" stroke="#888"/>'


def _order(frame: _Frame, order: DrawnOrder) -> str:
    begin, end = frame.x(order.begin_s), frame.x(order.end_s)
    y = frame.y(order.price)
    return (
        f'<path d="M{begin:.1f} {y:.1f}H{max(end, begin + 1):.1f}" '
        f'stroke="{_COLOURS[order.side]}" stroke-width="2.5" stroke-opacity="0.55">'
        f"<title>{order.purpose} {order.side} {order.quantity:g} at {order.price:g}</title></path>"
    )


def _fill(frame: _Frame, fill: DrawnFill) -> str:
    x, y = frame.x(fill.at_s), frame.y(fill.price)
    way = 1 if fill.side is Side.BUY else -1
    colour = _COLOURS[fill.side]
    inside = colour if fill.maker else "#fff"
    return (
        f'<path d="M{x:.1f} {y - 6 * way:.1f}l5 {10 * way}h-10z" fill="{inside}" '
        f'stroke="{colour}" stroke-width="1.5"><title>{"maker" if fill.maker else "taker"} '
        f"{fill.side} {fill.quantity:g} at {fill.price:g}</title></path>"
    )


def _legend() -> list[str]:
    y = _HEIGHT - 14
    entries = (
        ('<path d="M0 -4h22" stroke="#888"/>', "mid", 30),
        ('<path d="M0 -4h22" stroke="#2a7d4f" stroke-width="2.5"/>', "resting buy", 30),
        ('<path d="M0 -4h22" stroke="#c0392b" stroke-width="2.5"/>', "resting sell", 30),
        ('<path d="M8 -10l5 10h-10z" fill="#555"/>', "filled as maker", 20),
        ('<path d="M8 -10l5 10h-10z" fill="#fff" stroke="#555"/>', "as taker (▲ buy, ▼ sell)", 20),
    )
    parts, x = [], _LEFT
    for drawing, text, offset in entries:
        parts.append(
            f'<g transform="translate({x} {y})">{drawing}<text x="{offset}">{text}</text></g>'
        )
        x += offset + 7 * len(text) + 18
    return parts


def main(folder: Path, names: Sequence[str]) -> None:
    """Run the named stories, or all, write their pictures and say how they ended."""
    for name in names or STORIES:
        told = STORIES[name]
        story = work(told.executor, told.plan, {"main": _venue(told.seed)}, for_s=told.for_s)
        drawn = picture(story, _MARKET, told.title, told.marks(story), told.around_s)
        (folder / f"execution-{name}.svg").write_text(drawn, encoding="utf-8")
        if story.ended is not None:
            result = story.ended.result
            print(name, result.end, result.mode, result.notes, *result.legs, sep="\n  ")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
