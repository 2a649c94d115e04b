"""Collect what the page shows from a trace, however long, in little memory.

Two passes: the first thins every series to a bounded number of points and keeps the worst fills,
the second gathers the stories of those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappush, heappushpop
from pathlib import Path
from typing import Any, Generic, TypeVar

from fairlead.cli.explain_story import Story
from fairlead.cli.logs_run import Event, events
from fairlead.ledger import Estimate, WeightedMean
from fairlead.model import statistic

__all__ = [
    "FillPoint",
    "Group",
    "Pause",
    "RunData",
    "Sample",
    "StrategyData",
    "Thinned",
    "collect",
]

_POINTS = 1_500
_FILLS = 3_000
_RESTRAINTS = 500
_WORST = 10
_HOUR_NS = 3_600_000_000_000
_LEVELS = 50

ItemT = TypeVar("ItemT")


class Thinned(Generic[ItemT]):
    """Every n-th item of a stream and its last, n doubling as the stream grows."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stride = 1
        self._count = 0
        self._kept: list[ItemT] = []
        self._last: ItemT | None = None

    @property
    def thinned(self) -> bool:
        """Tell whether anything was left out."""
        return self._stride > 1

    def add(self, item: ItemT) -> None:
        """Take the next item."""
        if self._count % self._stride == 0:
            self._kept.append(item)
            if len(self._kept) >= 2 * self._most:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._count += 1
        self._last = item

    def items(self) -> list[ItemT]:
        """Give what was kept, in order, at most twice the bound and the last."""
        last = [] if self._last is None or self._last is self._kept[-1] else [self._last]
        return self._kept + last


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a strategy stood at a tick; floats, for drawing only; None = unavailable."""

    t_ns: int
    mid: float | None
    bid: float | None
    far_bid: float | None
    ask: float | None
    far_ask: float | None
    position: float
    target: float
    parts: dict[str, float]
    total: float


@dataclass(frozen=True, slots=True)
class FillPoint:
    """A fill with its markouts in bps; empty when it was not followed."""

    n: int
    t_ns: int
    trade: str
    order: str
    side: str
    level: int
    price: str
    quantity: str
    spread_bps: float | None
    bps: dict[str, float | None]

    @property
    def after_10s(self) -> float | None:
        """Give the 10 s markout in bps; None = left out."""
        return self.bps.get("10s")


@dataclass(slots=True)
class Group:
    """Fills that share a level or an hour: how many, and their mean 10 s markout."""

    fills: int = 0
    mean: WeightedMean = field(default_factory=WeightedMean)

    def add(self, bps: float | None, notional: float) -> None:
        """Take in a fill."""
        self.fills += 1
        if bps is not None and notional > 0:
            self.mean.add(bps, notional)

    @property
    def markout(self) -> Estimate:
        """Give the notional-weighted mean markout with its interval."""
        return self.mean.estimate


class StrategyData:
    """What one strategy's plots are made of."""

    def __init__(self) -> None:
        self.samples: Thinned[Sample] = Thinned(_POINTS)
        self.fills: Thinned[FillPoint] = Thinned(_FILLS)
        self.levels: dict[int, Group] = {}
        self.hours: dict[int, Group] = {}
        self._worst: list[tuple[float, int, FillPoint]] = []

    @property
    def worst(self) -> list[FillPoint]:
        """Give the ten fills with the worst 10 s markout, the worst first."""
        return [fill for _, _, fill in sorted(self._worst, reverse=True)]

    def add_fill(self, fill: FillPoint) -> None:
        """Take in a fill whose markouts are known as far as they ever will be."""
        self.fills.add(fill)
        notional = statistic(Decimal(fill.price)) * statistic(Decimal(fill.quantity))
        bps = fill.after_10s
        self.levels.setdefault(min(fill.level, _LEVELS), Group()).add(bps, notional)
        self.hours.setdefault(fill.t_ns // _HOUR_NS % 24, Group()).add(bps, notional)
        if bps is not None:
            entry = (-bps, -fill.n, fill)
            if len(self._worst) < _WORST:
                heappush(self._worst, entry)
            else:
                heappushpop(self._worst, entry)


@dataclass(slots=True)
class Pause:
    """What a rule kept from being quoted: both sides or one of ``market``, "" for all markets.

    ``until_ns`` None: it was not over at the end.
    """

    rule: str
    market: str
    effect: str
    from_ns: int
    until_ns: int | None = None


@dataclass(slots=True)
class RunData:
    """A run's trace, thinned; ``stories`` by the short name of the order."""

    strategies: dict[str, StrategyData] = field(default_factory=dict)
    #: (time, market or "" for the account, level), the first 500 changes.
    postures: list[tuple[int, str, str]] = field(default_factory=list)
    #: The first 500 pauses by rules.
    pauses: list[Pause] = field(default_factory=list)
    stories: dict[str, Story] = field(default_factory=dict)

    def restraints(self, market: str) -> list[tuple[int, int | None, str]]:
        """Give what restrained a market: (from, until or None to the end, posture or pause)."""
        levels = [(at_ns, level) for at_ns, place, level in self.postures if place in ("", market)]
        ends = [at_ns for at_ns, _ in levels[1:]]
        found: list[tuple[int, int | None, str]] = [
            (at_ns, until_ns, level)
            for (at_ns, level), until_ns in zip(levels, [*ends, None], strict=False)
        ]
        return found + [
            (pause.from_ns, pause.until_ns, name)
            for pause in self.pauses
            if pause.market in ("", market)
            for name in pause.effect.split(", ")
            if name.endswith("paused")
        ]


def collect(folder: Path) -> RunData:
    """Read a run's trace twice and keep what its page shows.

    :raises StoreError: when the trace is garbled.
    """
    data = RunData()
    _first_pass(data, events(folder))
    wanted = {fill.order for strategy in data.strategies.values() for fill in strategy.worst}
    if wanted:
        _second_pass(data, events(folder), wanted, folder.name)
    return data


def _first_pass(data: RunData, all_events: Iterable[Event]) -> None:
    pending: dict[str, Event] = {}
    for event in all_events:
        kind = event["kind"]
        if kind == "sample":
            _strategy(data, event).samples.add(_sample(event))
        elif kind == "fill":
            pending[event["trade"]] = event
        elif kind == "markout":
            fill = pending.pop(event["trade"], None)
            if fill is not None:
                _strategy(data, fill).add_fill(_fill(fill, event["bps"]))
        elif kind == "posture" and len(data.postures) < _RESTRAINTS:
            data.postures.append((event["t_ns"], event["market"], event["level"]))
        elif kind in {"rule_fired", "rule_ended"} and "paused" in event["effect"]:
            _pause(data.pauses, event)
    # A killed run leaves fills that were never followed to the end.
    for fill in pending.values():
        _strategy(data, fill).add_fill(_fill(fill, {}))


def _pause(pauses: list[Pause], event: Event) -> None:
    of = (event["rule"], event["market"], event["effect"])
    if event["kind"] == "rule_ended":
        for pause in reversed(pauses):
            if pause.until_ns is None and (pause.rule, pause.market, pause.effect) == of:
                pause.until_ns = event["t_ns"]
                return
    elif len(pauses) < _RESTRAINTS:
        pauses.append(Pause(*of, event["t_ns"]))


def _second_pass(data: RunData, all_events: Iterable[Event], wanted: set[str], run: str) -> None:
    start_ns: int | None = None
    for event in all_events:
        if start_ns is None:
            start_ns = event["t_ns"]
        kind = event["kind"]
        if kind == "order" and event["order"] in wanted:
            data.stories[event["order"]] = Story(run, start_ns, event)
        elif kind == "markout":
            for story in data.stories.values():
                story.take(event)
        elif event.get("order") in data.stories:
            data.stories[event["order"]].take(event)


def _strategy(data: RunData, event: Event) -> StrategyData:
    return data.strategies.setdefault(event["strategy"], StrategyData())


def _sample(event: Event) -> Sample:
    return Sample(
        t_ns=event["t_ns"],
        mid=_float(event["mid"]),
        bid=_float(event["bid"]),
        far_bid=_float(event.get("far_bid") or event["bid"]),
        ask=_float(event["ask"]),
        far_ask=_float(event.get("far_ask") or event["ask"]),
        position=_certain(event["position"]),
        target=_certain(event["target"]),
        parts={name: _certain(event[name]) for name in _PARTS} | {"other": _other(event)},
        total=_certain(event["total"]),
    )


_PARTS = ("spread", "inventory", "holding", "fees", "funding")


# The record has the whole and five of the parts; the sixth is the rest.
def _other(event: Event) -> float:
    rest = Decimal(event["total"]) - sum(Decimal(event[name]) for name in _PARTS)
    return statistic(rest)


def _fill(event: Event, bps: dict[str, Any]) -> FillPoint:
    spread_bps = None
    if event["mark"] is not None:
        price, mark = Decimal(event["price"]), Decimal(event["mark"])
        sign = 1 if event["side"] == "BUY" else -1
        spread_bps = statistic(sign * (mark - price) / price * 10_000)
    return FillPoint(
        n=event["n"],
        t_ns=event["t_ns"],
        trade=event["trade"],
        order=event["order"],
        side=event["side"],
        level=event["level"],
        price=event["price"],
        quantity=event["quantity"],
        spread_bps=spread_bps,
        bps=dict(bps),
    )


def _float(text: str | None) -> float | None:
    return None if text is None else _certain(text)


def _certain(text: str) -> float:
    return statistic(Decimal(text))
