"""Build the report of a run: figures that add up, checked when they are put together.

The layout is a contract (docs/reference/report.md): Decimals are strings, times integer
nanoseconds, statistics numbers, and what is unavailable is null, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from fairlead.ledger.account import AccountLedger, AssetFlow
from fairlead.ledger.arithmetic import exactly
from fairlead.ledger.estimate import Estimate, IncrementSeries
from fairlead.ledger.markout import HORIZONS, REPORT_HORIZONS
from fairlead.ledger.pnl import PnlParts
from fairlead.ledger.strategy import StrategyLedger
from fairlead.model import ZERO, Side, statistic, trimmed

__all__ = [
    "IdentityBrokenError",
    "OrderCounts",
    "PlanFact",
    "Report",
    "RequestFacts",
    "RunFacts",
    "build_report",
]

#: A report as JSON values.
Report = dict[str, Any]

#: Fewer full minutes than a day's cannot tell skill from luck.
_LONG_ENOUGH_MINUTES = 1_440

#: An average cost has no last digit; these are shown.
_COST_PLACES = 12


class IdentityBrokenError(Exception):
    """Figures that must be equal are not: a bug of ours, never of the market."""

    def __init__(self, identity: str, difference: Decimal) -> None:
        super().__init__(f"{identity}: off by {difference}")
        #: The identity, in words.
        self.identity = identity
        #: Left side minus right side.
        self.difference = difference


@dataclass(slots=True)
class OrderCounts:
    """What became of a strategy's wishes."""

    created: int = 0
    cancelled: int = 0
    rejected: int = 0
    denied: int = 0


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What left for one venue: orders and cancels, and the requests that carried them."""

    requests: int
    #: Orders and cancels.
    items: int
    #: Requests that carried more than one.
    batches: int
    #: Batches that the venue refused as a whole, so that their orders went one by one.
    split: int
    #: Creates that found no room within their tick.
    dropped: int
    #: Answers by which the venue said that it was asked too often.
    warnings: int


@dataclass(frozen=True, slots=True)
class PlanFact:
    """A plan that had no end when the run ended."""

    name: str
    strategy: str
    executor: str
    #: By market, signed, in base units or contracts.
    held: Mapping[str, Decimal]
    #: What of that nothing covers, by base asset.
    open: Mapping[str, Decimal]
    #: All of it in a line.
    text: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the engine knows of a run besides its money."""

    run: str
    instance: str
    mode: str
    seed: int | None
    config_hash: str
    started_ns: int
    ended_ns: int
    messages: int
    ticks: int
    overruns: int
    #: Why it ended, whether no order of ours was proven left, and how many were.
    reason: str = ""
    proven: bool = False
    orders_left: int = 0
    #: Plans without an end.
    plans_left: tuple[PlanFact, ...] = ()
    #: Incident name → how often.
    incidents: Mapping[str, int] = field(default_factory=dict)
    #: By rule: how often it fired, for how long in all, what it denied (see the report's page).
    risk: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Lines for the reader, such as trading rules that had to be derived from the data.
    notes: tuple[str, ...] = ()
    #: By venue: what left for it, see `RequestFacts`.
    requests: Mapping[str, RequestFacts] = field(default_factory=dict)


def build_report(
    facts: RunFacts,
    ledger: AccountLedger,
    orders: Mapping[str, OrderCounts],
    end_balances: Mapping[str, Mapping[str, Decimal]] | None = None,
) -> Report:
    """Put the report together and check its identities to the last digit.

    ``end_balances`` is what each venue says it holds at the end, by asset; None = take the
    ledger's word. Take a last `AccountLedger.sample` and finish the markouts before.

    :raises IdentityBrokenError: when parts and whole differ; the books cannot be trusted.
    """
    _check("equity = start + transfers + parts", ledger.unbalanced() or ZERO)
    total = sum((s.book.parts for s in ledger.strategies.values()), PnlParts())
    return {
        "schema": 1,
        "run": facts.run,
        "instance": facts.instance,
        "mode": facts.mode,
        "seed": facts.seed,
        "config_hash": facts.config_hash,
        "started_ns": facts.started_ns,
        "ended_ns": facts.ended_ns,
        "currency": ledger.currency,
        "messages": facts.messages,
        "ticks": facts.ticks,
        "overruns": facts.overruns,
        "strategies": {
            name: _strategy(strategy, orders.get(name, OrderCounts()))
            for name, strategy in ledger.strategies.items()
        },
        "venues": _venues(ledger.flows, end_balances),
        "incidents": sum(facts.incidents.values()),
        "summary": {
            "reason": facts.reason,
            "proven": facts.proven,
            "orders_left": facts.orders_left,
            "plans_left": [_plan(one) for one in facts.plans_left],
            "equity": _equity(ledger, total),
            "pnl": _parts(total),
            "trading": _trading(ledger.trading, total),
            "drawdown_max": statistic(ledger.nav.drawdown.deepest),
            "mark_age_max_ns": ledger.oldest_mark_ns,
            "strategies": {name: _details(s) for name, s in ledger.strategies.items()},
            "incidents": dict(facts.incidents),
            "requests": {venue: _requests(one) for venue, one in facts.requests.items()},
            "risk": {name: dict(figures) for name, figures in facts.risk.items()},
            "notes": list(facts.notes),
        },
    }


def _plan(fact: PlanFact) -> Report:
    return {
        "name": fact.name,
        "strategy": fact.strategy,
        "executor": fact.executor,
        "held": {market: trimmed(held) for market, held in fact.held.items()},
        "open": {base: trimmed(quantity) for base, quantity in fact.open.items()},
        "text": fact.text,
    }


def _requests(facts: RequestFacts) -> Report:
    mean = facts.items / facts.requests if facts.requests else None
    return {
        "requests": facts.requests,
        "items": facts.items,
        "batches": facts.batches,
        "mean_size": mean,
        "saved": facts.items - facts.requests,
        "split": facts.split,
        "dropped": facts.dropped,
        "warnings": facts.warnings,
    }


def _strategy(strategy: StrategyLedger, orders: OrderCounts) -> Report:
    totals = strategy.totals
    statistics = strategy.markout.statistics
    return {
        "market": str(strategy.terms.instrument.market),
        "orders": asdict(orders),
        "fills": totals.fills,
        "volume_base": trimmed(totals.volume_base),
        "volume_quote": trimmed(totals.volume_quote),
        "maker_share": totals.maker_share,
        "uptime": strategy.uptime.quoted,
        "pnl": _parts(strategy.book.parts),
        "drawdown_max": statistic(strategy.drawdown.deepest),
        "markout_bps": {label: statistics.estimate(label).mean for label in REPORT_HORIZONS},
    }


# What the summary and the page show beyond the contract's keys.
def _details(strategy: StrategyLedger) -> Report:
    book, cost = strategy.book, strategy.cost
    statistics = strategy.markout.statistics
    with exactly():
        stale = book.edged - book.edge
    limit = strategy.terms.max_position
    return {
        "base": strategy.terms.instrument.base,
        "quote": strategy.terms.instrument.quote,
        "buys": strategy.totals.buys,
        "sells": strategy.totals.sells,
        "turnover": trimmed(strategy.totals.turnover),
        "quoted_edge": trimmed(book.edge),
        "staleness": trimmed(stale),
        "position": trimmed(book.quantity),
        "target": trimmed(book.target),
        "mark": _optional(book.mark),
        "max_position": _optional(limit),
        "realised": trimmed(round(cost.realised, _COST_PLACES)),
        "unrealised": None
        if book.mark is None
        else trimmed(round(cost.unrealised(book.mark), _COST_PLACES)),
        "trading": _trading(strategy.trading, book.parts),
        "at_top": strategy.uptime.at_top,
        "valid_ns": strategy.uptime.valid_ns,
        "markout": {
            name: {label: _estimate(statistics.estimate(label, side)) for label in HORIZONS}
            for name, side in (("all", None), ("buy", Side.BUY), ("sell", Side.SELL))
        },
    }


def _parts(parts: PnlParts) -> Report:
    split = {
        "spread": parts.spread,
        "inventory": parts.inventory,
        "holding": parts.holding,
        "fees": parts.fees,
        "funding": parts.funding,
        "other": parts.other,
    }
    with exactly():
        _check("total = sum of the parts", parts.total - sum(split.values(), ZERO))
    split["total"] = parts.total
    return {name: trimmed(split[name]) for name in ("total", *split)}


def _equity(ledger: AccountLedger, total: PnlParts) -> Report:
    start = ledger.start_equity
    if start is None:
        return {"start": None, "end": None, "transfers": trimmed(ledger.transferred)}
    with exactly():
        end = start + ledger.transferred + total.total
    return {
        "start": trimmed(start),
        "end": trimmed(end),
        "transfers": trimmed(ledger.transferred),
    }


def _trading(series: IncrementSeries, parts: PnlParts) -> Report:
    estimate = series.total(statistic(parts.trading))
    return {
        "pnl": trimmed(parts.trading),
        "low": estimate.low,
        "high": estimate.high,
        "minutes": series.minutes,
        "worst_minute": series.worst,
        "too_short": series.minutes < _LONG_ENOUGH_MINUTES,
    }


def _venues(
    flows: Mapping[tuple[str, str], AssetFlow],
    end_balances: Mapping[str, Mapping[str, Decimal]] | None,
) -> Report:
    venues: dict[str, dict[str, dict[str, object]]] = {}
    for (venue, asset), flow in sorted(flows.items()):
        end = flow.balance
        if end_balances is not None and venue in end_balances:
            end = end_balances[venue].get(asset, ZERO)
            with exactly():
                name = f"{venue} {asset}: end − start = fills_net − fees + transfers"
                _check(name, end - flow.balance)
        tables = venues.setdefault(
            venue, {"balances": {}, "fills_net": {}, "fees": {}, "transfers": {}}
        )
        tables["balances"][asset] = {"start": trimmed(flow.start), "end": trimmed(end)}
        tables["fills_net"][asset] = trimmed(flow.fills_net)
        tables["fees"][asset] = trimmed(flow.fees)
        tables["transfers"][asset] = trimmed(flow.transfers)
    return dict(venues)


def _estimate(estimate: Estimate) -> Report:
    return {"n": estimate.n, "mean": estimate.mean, "low": estimate.low, "high": estimate.high}


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else trimmed(value)


def _check(identity: str, difference: Decimal) -> None:
    if difference:
        raise IdentityBrokenError(identity, difference)
