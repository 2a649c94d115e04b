"""Show a running engine on a terminal, one screen that is drawn anew at each refresh.

The view knows nothing of the engine: whoever runs it fills a `LiveState` and draws a `LiveView`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from itertools import zip_longest

from rich.align import AlignMethod
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from fairlead.cli.figure import (
    amount,
    bar,
    clock,
    percent,
    places_for,
    rounded,
    signed,
    sparkline,
    tone,
    trimmed_amount,
)
from fairlead.ledger import Estimate, PnlParts
from fairlead.model import Side, statistic

__all__ = [
    "LIVE_KEYS",
    "LiveEvent",
    "LiveQuote",
    "LiveState",
    "LiveStrategy",
    "LiveView",
    "live_svg",
]

#: Key → what it does.
LIVE_KEYS: Mapping[str, str] = {
    "p": "pause",
    "r": "reduce-only",
    "c": "cancel all",
    "K": "panic",
    "e": "explain line",
    "q": "stop clean",
}

_POSTURES = {"ACTIVE": "green", "REDUCING": "yellow", "CANCEL_ONLY": "red", "HALTED": "bold red"}
_BULLET = "●"
_GAP = 3
#: From here on the market stands between our bids and our asks.
_WIDE = 112
_FONT = re.compile(r"@font-face\s*\{[^}]*\}\s*")


@dataclass(frozen=True, slots=True)
class LiveQuote:
    """One resting order of ours. ``queue_ahead`` None = unknown; ``filled`` is a share of one."""

    price: Decimal
    quantity: Decimal
    queue_ahead: Decimal | None = None
    filled: float = 0.0
    acknowledged: bool = True
    #: The order's name within its run.
    order: str = ""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that happened: when, since the start, and a line about it.

    ``style`` is a rich style such as "red"; "" = plain.
    """

    at_ns: int
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class LiveStrategy:
    """One strategy on its market. None = unavailable now; money in the engine's currency."""

    name: str
    market: str
    base: str
    best_bid: Decimal | None
    best_ask: Decimal | None
    #: What the last quotes were built from, and by how much their prices were moved.
    reference: Decimal | None
    skew_bps: float | None
    #: Why nothing or less is quoted, "" when all is.
    gate: str
    #: Own resting orders, best first.
    bids: Sequence[LiveQuote]
    asks: Sequence[LiveQuote]
    position: Decimal
    target: Decimal
    #: The limit on |position − target| in base units; None = none.
    limit: Decimal | None
    parts: PnlParts
    buys: int
    sells: int
    #: "1s", "10s", "60s" → markout in bps.
    markout: Mapping[str, Estimate]
    uptime: float | None
    #: The base asset's part of what both assets are worth, and the target's; None = unavailable.
    base_share: float | None = None
    target_share: float | None = None
    #: A person holds its quotes back.
    paused: bool = False


@dataclass(frozen=True, slots=True)
class LiveState:
    """Everything that the live view shows at one instant."""

    instance: str
    mode: str
    currency: str
    #: Simulated or real time since the start, and the whole length where it is known.
    elapsed_ns: int
    length_ns: int | None
    #: How many times faster than the wall; None = as fast as possible, 1 = real time.
    speed: float | None
    posture: str
    posture_reason: str
    book_valid: bool
    #: Age of the newest market data; None before the first.
    data_age_ns: int | None
    #: Orders whose fate is unproven.
    unknown_orders: int
    equity: Decimal | None
    drawdown: Decimal | None
    drawdown_limit: Decimal | None
    strategies: Sequence[LiveStrategy]
    #: Trading PnL over time, oldest first, for the small curve.
    history: Sequence[float] = ()
    #: The last events, newest first.
    events: Sequence[LiveEvent] = ()
    keys: Mapping[str, str] = field(default_factory=lambda: LIVE_KEYS)
    #: Which rule restrains trading; "" = none does.
    posture_rule: str = ""
    #: How the order of the last fill came about, in one line.
    explanation: str = ""


class LiveView:
    """A rich renderable of one `LiveState`, as wide as the terminal is."""

    def __init__(self, state: LiveState, *, events: int = 4) -> None:
        self._state = state
        self._events = events

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw line by line; what does not fit beside its neighbour goes below it."""
        del console
        for line in self._lines(options.max_width):
            line.no_wrap = True
            line.overflow = "ellipsis"
            yield line

    def _lines(self, width: int) -> Iterator[Text]:
        state = self._state
        yield from _row(width, *self._header())
        for strategy in state.strategies:
            yield from _strategy(strategy, width, alone=len(state.strategies) == 1)
            yield from _row(width, _position(strategy), *self._equity(strategy))
            yield from _row(width, _profit(strategy, state), *self._holding(strategy))
            yield from _row(width, _quality(strategy), _uptime(strategy))
        for event in state.events[: self._events]:
            stamp = _text(f"   {clock(event.at_ns)}  ", style="dim")
            yield stamp.append(event.text, style=event.style)
        yield from _keys(state.keys, width)

    def _header(self) -> tuple[Text, Text, Text]:
        state = self._state
        markets = ", ".join(strategy.market for strategy in state.strategies)
        name = Text(" ").append(state.instance, style="bold cyan").append(" · ", style="dim")
        name.append(state.mode.upper(), style="bold red" if state.mode == "live" else "bold")
        name.append(" · ", style="dim").append(markets)
        time = Text(clock(state.elapsed_ns))
        if state.length_ns is not None:
            time.append(f" of {clock(state.length_ns)}", style="dim")
        if state.speed != 1:
            time.append("  ×max" if state.speed is None else f"  ×{state.speed:g}", style="dim")
        return name, time, self._lights()

    def _lights(self) -> Text:
        state = self._state
        lights = _text("risk ", style="")
        lights.append(f"{_BULLET} {state.posture}", style=_style(state.posture))
        if state.posture_reason:
            lights.append(f" {state.posture_reason}", style="dim")
        lights.append("   book ")
        if state.book_valid and state.data_age_ns is not None:
            lights.append(_BULLET, style="green").append(f" {state.data_age_ns // 1_000_000} ms")
        else:
            lights.append(f"{_BULLET} invalid", style="red")
        lights.append("   orders ")
        if state.unknown_orders:
            return lights.append(f"{_BULLET} {state.unknown_orders} unproven", style="yellow")
        return lights.append(_BULLET, style="green").append(" proven")

    # The account's figures stand beside the first strategy only.
    def _equity(self, strategy: LiveStrategy) -> tuple[Text, ...]:
        state = self._state
        if strategy is not state.strategies[0]:
            return ()
        places = places_for(state.equity)
        equity = _text("equity ", style="dim")
        equity.append(f"{amount(state.equity, places)} {state.currency}", style="bold")
        equity.append("   DD ", style="dim").append(percent(state.drawdown, 2))
        if state.drawdown_limit is not None:
            limit = trimmed_amount(rounded(state.drawdown_limit * 100, 2))
            equity.append(f" of {limit} %", style="dim")
        return (equity,)

    def _holding(self, strategy: LiveStrategy) -> tuple[Text, ...]:
        holding = _text("holding ", style="dim")
        holding.append(signed(strategy.parts.holding), style=tone(strategy.parts.holding))
        if strategy is self._state.strategies[0]:
            holding.append("   ").append(sparkline(self._state.history, 16), style="cyan")
        return (holding,)


def _style(posture: str) -> str:
    # What is no level by itself, such as a paused side, restrains less than any.
    return _POSTURES.get(posture.partition(",")[0], "yellow")


# The last key is the way out, so none may be cut off.
def _keys(keys: Mapping[str, str], width: int) -> Iterator[Text]:
    line = Text()
    for key, meaning in keys.items():
        cell = _text(key, style="bold").append(f" {meaning}", style="dim")
        if line and line.cell_len + 3 + cell.cell_len >= width:
            yield line
            line = Text()
        line.append(" · " if line else " ", style="dim").append_text(cell)
    yield line


def _strategy(strategy: LiveStrategy, width: int, *, alone: bool) -> Iterator[Text]:
    if not alone:
        yield _text(f" {strategy.name}", style="bold").append(f" {strategy.market}", style="dim")
    centre = [_market(strategy), _why(strategy)]
    bids = [_quote(Side.BUY, quote) for quote in strategy.bids]
    asks = [_quote(Side.SELL, quote) for quote in strategy.asks]
    if width < _WIDE:
        yield from (Text("   ").append_text(line) for line in centre if line)
        yield from _columns(((bids, "left"), (asks, "left")), width)
    else:
        yield from _columns(((bids, "left"), (centre, "center"), (asks, "left")), width)


# Cells below each other in columns of equal width, each cut where its column ends.
def _columns(columns: Sequence[tuple[Sequence[Text], AlignMethod]], width: int) -> Iterator[Text]:
    wide = (width - 4) // len(columns)
    for row in zip_longest(*(cells for cells, _ in columns)):
        line = Text("   ")
        for cell, (_, side) in zip(row, columns, strict=True):
            shown = (cell or Text()).copy()
            shown.truncate(wide - 1, overflow="ellipsis")
            shown.align(side, wide)
            line.append_text(shown)
        yield line


def _quote(side: Side, quote: LiveQuote) -> Text:
    style = "green" if side is Side.BUY else "red"
    text = _text(f"{side} ", style=style if quote.acknowledged else f"dim {style}")
    text.append(f"{trimmed_amount(quote.quantity)}  {quote.price:f}")
    if quote.filled:
        text.append(f"  ◄ {quote.filled * 100:.0f} % filled", style="bold yellow")
    elif quote.queue_ahead is not None:
        text.append(f"  queue {trimmed_amount(quote.queue_ahead)} ahead", style="dim")
    return text


def _market(strategy: LiveStrategy) -> Text:
    bid, ask = strategy.best_bid, strategy.best_ask
    if bid is None or ask is None:
        return _text("no valid book", style="bold red")
    text = _text("bid ", style="dim").append(f"{bid:f}", style="green").append(" │ mid ")
    text.append(f"{(bid + ask) / 2:f}", style="bold").append(" │ ask ")
    return text.append(f"{ask:f}", style="red")


def _why(strategy: LiveStrategy) -> Text:
    if strategy.gate:
        return _text(strategy.gate, style="yellow")
    if strategy.reference is None:
        return Text()
    text = _text(f"ref {strategy.reference:.8g}", style="dim")
    if strategy.skew_bps is not None:
        text.append(f" │ skew {signed(strategy.skew_bps, 1)} bps")
        gap = strategy.position - strategy.target
        text.append(f" ({'long' if gap > 0 else 'short'})" if gap else "")
    return text


def _position(strategy: LiveStrategy) -> Text:
    text = _text(" position ", style="dim")
    text.append(f"{trimmed_amount(strategy.position)} {strategy.base}", style="bold")
    if strategy.base_share is not None:
        text.append(f" ({percent(strategy.base_share)}", style="dim")
        if strategy.target_share is not None:
            text.append(f" · target {percent(strategy.target_share, 0)}", style="dim")
        text.append(")", style="dim")
    else:
        text.append(f" (target {trimmed_amount(strategy.target)})", style="dim")
    if strategy.limit:
        share = statistic((strategy.position - strategy.target) / strategy.limit)
        style = "green" if abs(share) < 0.5 else "yellow" if abs(share) < 0.9 else "red"
        text.append("  ").append(bar(share, 17), style=style).append(" limit", style="dim")
    return text


def _profit(strategy: LiveStrategy, state: LiveState) -> Text:
    parts = strategy.parts
    places = places_for(state.equity)
    text = _text(" PnL trading ", style="dim")
    text.append(signed(parts.trading, places), style=f"bold {tone(parts.trading)}".strip())
    shown = [("spread", parts.spread), ("inventory", parts.inventory), ("fees", parts.fees)]
    shown += [
        (name, part) for name, part in (("funding", parts.funding), ("other", parts.other)) if part
    ]
    for number, (name, part) in enumerate(shown):
        text.append(" │ " if number else "   ", style="dim").append(f"{name} ", style="dim")
        text.append(signed(part, places), style=tone(part))
    return text


def _quality(strategy: LiveStrategy) -> Text:
    text = _text(" fills ", style="dim").append(f"{strategy.buys + strategy.sells:,}", style="bold")
    text.append(f"   buy {strategy.buys:,} · sell {strategy.sells:,}  markout", style="dim")
    for label, estimate in strategy.markout.items():
        text.append(f"  {label} ", style="dim")
        text.append(signed(estimate.mean, 1), style=tone(estimate.mean))
        if label == "10s" and estimate.half_width is not None:
            text.append(f" ±{estimate.half_width:.1f}", style="dim")
    return text.append(" bps", style="dim")


def _uptime(strategy: LiveStrategy) -> Text:
    return _text("both sides quoted ", style="dim").append(percent(strategy.uptime), style="bold")


# A text whose style does not spread to what is appended.
def _text(content: str, style: str) -> Text:
    return Text().append(content, style=style)


# Cells beside each other, the first left and the last right; those that do not fit go below.
def _row(width: int, *cells: Text) -> Iterator[Text]:
    line: list[Text] = []
    used = 0
    for cell in cells:
        if line and used + _GAP + cell.cell_len > width - 1:
            yield _spread(line, width)
            cell = Text(" ").append_text(cell)  # noqa: PLW2901 - a broken row goes on indented
            line, used = [], 0
        line.append(cell)
        used += cell.cell_len + (_GAP if len(line) > 1 else 0)
    yield _spread(line, width)


def _spread(cells: Sequence[Text], width: int) -> Text:
    free = width - 1 - sum(cell.cell_len for cell in cells)
    line = Text()
    for number, cell in enumerate(cells):
        if number:
            gap = free // (len(cells) - number)
            free -= gap
            line.append(" " * gap)
        line.append_text(cell)
    return line


def live_svg(state: LiveState, *, width: int = 122, title: str = "fairlead run") -> str:
    """Draw the live view as an SVG picture for documents; it loads nothing from elsewhere."""
    console = Console(
        record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(LiveView(state))
    return _FONT.sub("", console.export_svg(title=title, unique_id="fairlead"))
