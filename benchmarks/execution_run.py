"""Work one plan in a whole engine on a synthetic paper market, and keep what happened."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from fairlead.api import Decision, Gate, Market, NoMemory, Offer, Plan, QuotesConfig, Start, View
from fairlead.config import enabled, load, resolve
from fairlead.kernel import Session, SessionOptions, SystemProcess
from fairlead.kernel.plugins import load_plugins
from fairlead.model import MarketId, Side
from fairlead.model.numbers import install_context
from fairlead.store import (
    Durability,
    ExecutionEnded,
    ExecutionStarted,
    FillBooked,
    OrderMoved,
    OrderRecorded,
    QuotesSampled,
    open_store,
)
from fairlead.testing import MemoryTrace

__all__ = ["DrawnFill", "DrawnOrder", "Story", "work"]

_SECOND = 1_000_000_000


@dataclass(slots=True)
class DrawnOrder:
    """An order as a line: where it was, from when to when, in seconds of the run."""

    market: str
    side: Side
    price: float
    quantity: float
    purpose: str
    rests: bool
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class DrawnFill:
    """A fill as a mark."""

    market: str
    side: Side
    price: float
    quantity: float
    maker: bool
    at_s: float


@dataclass(slots=True)
class Story:
    """What happened to a plan: prices by market as (second, mid), its orders, fills and end."""

    mids: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    orders: list[DrawnOrder] = field(default_factory=list)
    fills: list[DrawnFill] = field(default_factory=list)
    begin_s: float = 0.0
    ended: ExecutionEnded | None = None
    end_s: float = 0.0


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    #: More markets that the plan may trade on.
    others: tuple[Market, ...] = ()


class _Starter:
    """Quote nothing; start one plan after a while."""

    def __init__(self, start: Start | None, after_s: float) -> None:
        self._start = start
        self._after_ns = round(after_s * _SECOND)
        self._first_ns: int | None = None

    @property
    def plan(self) -> QuotesConfig:
        """Give how it would quote."""
        return QuotesConfig()

    def initial(self) -> NoMemory:
        """Give the memory to begin with."""
        return NoMemory()

    def decide(self, view: View, memory: NoMemory) -> Decision[NoMemory]:
        """Start the plan once, where there is a book."""
        self._first_ns = view.now_ns if self._first_ns is None else self._first_ns
        start: tuple[Start, ...] = ()
        due = view.now_ns >= self._first_ns + self._after_ns and view.mid is not None
        if due and self._start is not None:
            start, self._start = (self._start,), None
        return Decision(memory, quotes=(), gates=(Gate("a plan only", ""),), start=start)


def work(
    executor: str,
    plan: Plan,
    venues: Mapping[str, Mapping[str, Any]],
    *,
    for_s: float,
    after_s: float = 70,
    sets: Sequence[str] = (),
) -> Story:
    """Run it: each venue is a paper venue with these keys; all trade ``ALT/USDT``."""
    install_context()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plugins.toml"
        file.write_text(_configuration(venues), encoding="utf-8")
        return _run(executor, plan, file, for_s=for_s, after_s=after_s, sets=sets)


def _run(
    executor: str, plan: Plan, file: Path, *, for_s: float, after_s: float, sets: Sequence[str]
) -> Story:
    raw = load(file, tuple(sets), {})
    plugins = load_plugins(enabled(raw))
    offers = plugins.register_offers()
    starts = [Start("shown", executor, plan)]

    def starter(config: _Options, context: object) -> _Starter:
        del config, context
        return _Starter(starts.pop() if starts else None, after_s)

    offer: Offer[Any, Any] = Offer("starter", "benchmarks", "", "starts a plan", _Options, starter)
    offers = replace(offers, controllers={**offers.controllers, "starter": offer})
    trace = MemoryTrace()
    session = Session(
        resolve(raw, offers),
        plugins,
        offers,
        store=open_store(
            f"sqlite:///{file.parent / 'run.db'}", durability=Durability.NORMAL, inline=True
        ),
        traces=lambda run: trace,
        process=SystemProcess(file.parent),
        options=SessionOptions(for_ns=round(for_s * _SECOND)),
    )
    outcome = session.run()
    if outcome.result.failure is not None:
        raise outcome.result.failure
    return _story(trace)


def _configuration(venues: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["[engine]", 'instance = "shown"', 'currency = "USDT"', 'store = "sqlite:///run.db"']
    lines += ["[plugins]", 'enable = ["paper", "risk"]']
    for name, keys in venues.items():
        lines += [f"[venues.{name}]", 'connector = "paper"']
        lines += [f"{key} = {value}" for key, value in keys.items()]
    for name in venues:
        others = ", ".join(f'"{other}:ALT/USDT"' for other in venues if other != name)
        lines += [f"[strategies.at_{name}]", 'controller = "starter"']
        lines += [f'market = "{name}:ALT/USDT"', f"others = [{others}]"]
    return "\n".join(lines) + "\n"


def _story(trace: MemoryTrace) -> Story:
    story = Story()
    first_ns = trace.lines[0][1]
    orders: dict[str, DrawnOrder] = {}
    for _, t_ns, record in trace.lines:
        at_s = (t_ns - first_ns) / _SECOND
        match record:
            case QuotesSampled(strategy=strategy, mid=Decimal() as mid):
                market = str(MarketId(strategy.removeprefix("at_"), "ALT/USDT"))
                story.mids.setdefault(market, []).append((at_s, float(mid)))
            case ExecutionStarted():
                story.begin_s = at_s
            case OrderRecorded() if record.execution:
                orders[record.order] = DrawnOrder(
                    record.market,
                    record.side,
                    float(record.price),
                    float(record.quantity),
                    record.purpose.value,
                    record.post_only,
                    at_s,
                    at_s,
                )
            case OrderMoved(order=order, after=after) if order in orders:
                orders[order].end_s = at_s
                del after
            case FillBooked() if record.order in orders:
                story.fills.append(
                    DrawnFill(
                        record.market,
                        record.side,
                        float(record.price),
                        float(record.quantity),
                        record.liquidity.value == "maker",
                        at_s,
                    )
                )
            case ExecutionEnded():
                story.ended, story.end_s = record, at_s
            case _:
                pass
    story.orders = list(orders.values())
    return story
