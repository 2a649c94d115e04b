"""Measure a market: the figures by which a synthetic one is compared to a recorded one.

From the repository root, ``python -m tests.fairlead.market.market_figures FILE…`` prints the
recording beside the `major` preset, and the `midcap` preset alone, as the document
``docs/explanation/synthetic-market.md`` shows them.
"""

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev
from typing import Self

from fairlead.api import DataSource, MarketHint, SourceContext
from fairlead.book import Book
from fairlead.kernel.ids import SeededIds
from fairlead.market import RecordedSource, SyntheticSource
from fairlead.model import (
    BestQuote,
    BookDiff,
    BookLost,
    BookSnapshot,
    ConstantStep,
    MarketEvent,
    MarketId,
    Side,
    Trade,
    scaled,
)

SECOND_NS = 1_000_000_000
#: Prints of one side closer together than this are one taker's order.
ONE_ORDER_NS = 1_000_000
SEEDS = range(1, 9)


def context(seed: int) -> SourceContext:
    return SourceContext("main", SeededIds(seed).random, Path(), {})


def synthetic(argument: str, seed: int) -> SyntheticSource:
    return SyntheticSource(argument, context(seed))


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Figures:
    """Everything counted while events pass; `table` gives the figures by name."""

    def __init__(self, hint: MarketHint, events: Iterable[MarketEvent]) -> None:
        assert isinstance(hint.grid, ConstantStep)
        self._tick = scaled(str(hint.grid.tick), hint.scale.price_decimals)
        self._lot = 10.0**-hint.scale.quantity_decimals
        self._book = Book(MarketId("main", hint.symbol), hint.sequence)
        self._first_ns = self._last_ns = 0
        self._levels: list[float] = []
        self._removed = 0
        self._near: list[float] = []
        self._prints: list[Trade] = []
        self._quotes: list[BestQuote] = []
        self.table = self._measure(events)

    def _measure(self, events: Iterable[MarketEvent]) -> dict[str, float]:
        for event in events:
            self._first_ns = self._first_ns or event.local_ns
            self._last_ns = event.local_ns
            match event:
                case BookSnapshot():
                    self._book.on_snapshot(event)
                case BookDiff():
                    self._on_diff(event)
                case Trade():
                    self._prints.append(event)
                case BestQuote():
                    self._quotes.append(event)
                case BookLost():
                    raise AssertionError(event.reason)
        return {**self._rates(), **self._sizes(), **self._spread(), **self._returns()}

    def _on_diff(self, diff: BookDiff) -> None:
        self._book.on_diff(diff)
        levels = (*diff.bids, *diff.asks)
        self._levels.append(len(levels))
        self._removed += sum(quantity == 0 for _, quantity in levels)
        if len(self._levels) % 50 == 0 and self._quotes:
            mid = (self._quotes[-1].bid + self._quotes[-1].ask) / 2
            for side in Side:
                count = 0
                for price, _ in self._book.levels(side):
                    if abs(price - mid) > mid * 0.001:
                        break
                    count += 1
                self._near.append(count)

    @property
    def _seconds(self) -> float:
        return (self._last_ns - self._first_ns) / SECOND_NS

    def _rates(self) -> dict[str, float]:
        signs = self._order_signs()
        mean = fmean(signs)
        return {
            "diffs a second": len(self._levels) / self._seconds,
            "prints a second": len(self._prints) / self._seconds,
            "best quotes a second": len(self._quotes) / self._seconds,
            "taker orders a second": len(signs) / self._seconds,
            "autocorrelation of taker signs, lag 1": fmean(
                (one - mean) * (two - mean) for one, two in pairwise(signs)
            ),
        }

    def _order_signs(self) -> list[int]:
        signs: list[int] = []
        before: Trade | None = None
        for trade in self._prints:
            if (
                before is None
                or trade.side is not before.side
                or trade.local_ns - before.local_ns >= ONE_ORDER_NS
            ):
                signs.append(trade.side.sign)
            before = trade
        return signs

    def _sizes(self) -> dict[str, float]:
        prints = [trade.quantity * self._lot for trade in self._prints]
        best = [
            quantity * self._lot
            for quote in self._quotes
            for quantity in (quote.bid_quantity, quote.ask_quantity)
        ]
        return {
            "levels in a diff, p50": quantile(self._levels, 0.5),
            "levels in a diff, p90": quantile(self._levels, 0.9),
            "levels in a diff, p99": quantile(self._levels, 0.99),
            "levels in a diff, mean": fmean(self._levels),
            "share of levels that vanish": self._removed / sum(self._levels),
            "levels within 10 bps of the mid": fmean(self._near),
            "print size, p50": quantile(prints, 0.5),
            "print size, p90": quantile(prints, 0.9),
            "print size, p99": quantile(prints, 0.99),
            "print size, mean": fmean(prints),
            "volume a second": sum(prints) / self._seconds,
            "quantity at the best price, p50": quantile(best, 0.5),
            "quantity at the best price, p90": quantile(best, 0.9),
        }

    def _spread(self) -> dict[str, float]:
        """Weigh each spread, in ticks, by the time that it stood."""
        stood = sorted(
            ((quote.ask - quote.bid) // self._tick, after.local_ns - quote.local_ns)
            for quote, after in pairwise(self._quotes)
        )
        total = sum(ns for _, ns in stood)
        shares = {}
        for share in (0.5, 0.9, 0.99):
            passed = 0
            for ticks, ns in stood:
                passed += ns
                if passed >= share * total:
                    shares[f"spread in ticks, p{share * 100:.0f} of time"] = float(ticks)
                    break
        one_tick = sum(ns for ticks, ns in stood if ticks == 1)
        return {
            **shares,
            "spread in ticks, largest": float(stood[-1][0]),
            "share of time at one tick": one_tick / total,
        }

    def _returns(self) -> dict[str, float]:
        times = [quote.local_ns for quote in self._quotes]

        def mid(at_ns: int) -> float:
            quote = self._quotes[max(0, bisect_right(times, at_ns) - 1)]
            return (quote.bid + quote.ask) / 2

        deviations = {}
        for seconds in (1, 10, 60):
            step = seconds * SECOND_NS
            marks = [mid(at) for at in range(self._first_ns, self._last_ns + 1, step)]
            moves = [(b / a - 1) * 1e4 for a, b in pairwise(marks)]
            deviations[f"standard deviation of {seconds} s returns, bps"] = pstdev(moves)
        return deviations


class Quoter:
    """Quote one unit on each side of the mid every second; a print at or through it fills it.

    So does a best price on the other side that reaches it. As simple as can be: no queue, no
    latency, no inventory. Its markouts say what the flow is like at a distance.
    """

    def __init__(self, distance_bps: float) -> None:
        self._distance = distance_bps / 1e4
        self._quotes: dict[Side, float] = {}
        self._mids: list[tuple[int, float]] = []
        #: (time, sign, price) of each fill.
        self._fills: list[tuple[int, int, float]] = []

    def run(self, events: Iterable[MarketEvent]) -> Self:
        due_ns = 0
        for event in events:
            if isinstance(event, Trade):
                own = event.side.opposite
                if own in self._quotes and own.sign * (self._quotes[own] - event.price) >= 0:
                    self._fill(own, event.local_ns)
            elif isinstance(event, BestQuote):
                for own, other in ((Side.BUY, event.ask), (Side.SELL, event.bid)):
                    if own in self._quotes and own.sign * (self._quotes[own] - other) >= 0:
                        self._fill(own, event.local_ns)
                mid = (event.bid + event.ask) / 2
                self._mids.append((event.local_ns, mid))
                if event.local_ns >= due_ns:
                    due_ns = event.local_ns + SECOND_NS
                    self._quotes = {side: mid * (1 - side.sign * self._distance) for side in Side}
        return self

    def _fill(self, side: Side, now_ns: int) -> None:
        self._fills.append((now_ns, side.sign, self._quotes.pop(side)))

    def markouts(self, seconds: int) -> list[float]:
        """Give sign x (later mid - price) / price in bps, of fills whose horizon is in the data."""
        times = [at for at, _ in self._mids]
        horizon = seconds * SECOND_NS
        return [
            sign * (self._mids[bisect_right(times, at + horizon) - 1][1] / price - 1) * 1e4
            for at, sign, price in self._fills
            if at + horizon <= times[-1]
        ]


def mean_figures(markets: Iterable[tuple[MarketHint, Iterable[MarketEvent]]]) -> dict[str, float]:
    """Give the figures of several markets of a kind, each as its mean."""
    tables = [Figures(hint, events).table for hint, events in markets]
    return {name: fmean(table[name] for table in tables) for name in tables[0]}


def played(
    argument: str, seeds: Iterable[int]
) -> Iterator[tuple[MarketHint, Iterable[MarketEvent]]]:
    for seed in seeds:
        source = synthetic(argument, seed)
        yield source.market(), source.events()


def main(paths: Sequence[str]) -> None:
    recorded = RecordedSource([Path(path) for path in paths], context(0))
    figures = Figures(recorded.market(), recorded.events()).table
    major = mean_figures(played("major?minutes=11", SEEDS))
    midcap = mean_figures(played("midcap", SEEDS))
    rows = ["| figure | recorded BTC/USDT | `major` | `midcap` |", "|---|--:|--:|--:|"]
    rows += [
        f"| {name} | {value:.4g} | {major[name]:.4g} | {midcap[name]:.4g} |"
        for name, value in figures.items()
    ]
    rows += ["", "| quoter | fills | markout 1 s | 10 s | 60 s |", "|---|--:|--:|--:|--:|"]
    for bps in (0.5, 1.0, 2.0, 5.0):
        rows.append(quoter_row("recorded", bps, [recorded]))
        rows.append(
            quoter_row("`major`", bps, [synthetic("major?minutes=11", seed) for seed in SEEDS])
        )
    for bps in (0.5, 1.0, 2.0, 4.0, 8.0, 12.0):
        markets = [synthetic("midcap", seed) for seed in range(1, 21)]
        rows.append(quoter_row("`midcap`", bps, markets))
    sys.stdout.write("\n".join(rows) + "\n")


def quoter_row(name: str, bps: float, sources: Sequence[DataSource]) -> str:
    quoters = [Quoter(bps).run(source.events()) for source in sources]
    marks = {
        seconds: [mark for quoter in quoters for mark in quoter.markouts(seconds)]
        for seconds in (1, 10, 60)
    }
    fills = len(marks[1]) / len(quoters)
    means = " | ".join(f"{fmean(marks[seconds]):+.2f}" for seconds in (1, 10, 60))
    return f"| {name} at {bps} bps | {fills:.0f} | {means} |"


if __name__ == "__main__":
    main(sys.argv[1:])
