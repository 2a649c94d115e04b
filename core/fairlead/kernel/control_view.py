"""Show a running engine to a person: plain tables of texts and numbers, ready to be JSON.

Money and quantities are decimals as text, times nanoseconds; null is unavailable, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from fairlead.api import Gauging
from fairlead.kernel.desk import Desk
from fairlead.kernel.outcome import RunSetup
from fairlead.kernel.plans_run import PlanRun
from fairlead.kernel.strategy import StrategyRunner
from fairlead.kernel.ticker import Ticker
from fairlead.ledger import PnlParts
from fairlead.model import trimmed
from fairlead.pipeline import Gateway, effect_of
from fairlead.store import FillBooked
from fairlead.trackers import MarketTracker, Order

__all__ = ["Seen", "balances", "fills", "orders", "pnl", "positions", "risk", "status"]

_PARTS = ("total", "trading", "spread", "inventory", "holding", "fees", "funding", "other")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is looked at: a desk at an instant, and the run around it."""

    desk: Desk
    setup: RunSetup
    ticker: Ticker
    phase: str
    now_ns: int
    started_ns: int


def status(seen: Seen) -> dict[str, Any]:
    """Say how it goes as a whole: phase, posture, equity, books and strategies."""
    desk, setup = seen.desk, seen.setup
    strictest = desk.gate.strictest
    return {
        "instance": setup.instance,
        "mode": setup.mode,
        "epoch": setup.epoch,
        "phase": seen.phase,
        "now_ns": seen.now_ns,
        "elapsed_ns": seen.now_ns - seen.started_ns,
        "posture": strictest.level.value,
        "posture_effect": effect_of(strictest) if strictest.rule else "",
        "posture_rule": strictest.rule,
        "posture_reason": strictest.reason,
        "currency": setup.currency,
        "equity": _text(desk.figures.equity),
        "drawdown": _text(desk.ledger.nav.drawdown.now),
        "ticks": seen.ticker.ticks,
        "overruns": seen.ticker.overruns,
        "messages": desk.feed.messages,
        "orders": len(desk.orders.live()),
        "unproven": sum(order.state.is_unproven for order in desk.orders.live()),
        "venues": [_venue(name, gateway) for name, gateway in desk.gateways.items()],
        "markets": [_market(seen, tracker) for tracker in desk.markets.values()],
        "strategies": [_strategy(desk, runner) for runner in desk.runners.values()],
        "executions": [_execution(run) for run in desk.plans.runs.values()],
    }


def orders(seen: Seen) -> dict[str, Any]:
    """List every order that may still fill, oldest first."""
    return {"orders": [_order(order, seen.now_ns) for order in seen.desk.orders.live()]}


def positions(seen: Seen) -> dict[str, Any]:
    """List what is held on each market, what is steered to, and the gap between them."""
    rows = []
    for market, tracker in seen.desk.markets.items():
        position, target = seen.desk.position(market), seen.desk.target(market)
        mark, gap = tracker.mark, None if target is None else position - target
        rows.append(
            {
                "market": str(market),
                "base": tracker.instrument.base,
                "position": _text(position),
                "target": _text(target),
                "gap": _text(gap),
                "mark": _text(mark),
                "gap_value": None if mark is None or gap is None else _text(_rounded(gap * mark)),
                "quote": tracker.instrument.quote,
            }
        )
    return {"positions": rows}


def balances(seen: Seen) -> dict[str, Any]:
    """List each venue's balances; ``book`` is what we should have there by our own books."""
    desk = seen.desk
    rows = []
    for venue, account in desk.accounts.venues.items():
        for asset, total in account.totals().items():
            balance, flow = desk.balance(venue, asset), desk.ledger.flows.get((venue, asset))
            rows.append(
                {
                    "venue": venue,
                    "asset": asset,
                    "free": _text(balance.free),
                    "locked": _text(balance.locked),
                    "reserved": _text(balance.reserved),
                    "total": _text(total),
                    "book": None if flow is None else _text(flow.balance),
                }
            )
    return {"known": desk.accounts.known, "balances": rows}


def risk(seen: Seen) -> dict[str, Any]:
    """Show each rule in the order in which it is asked: what it measures, does and has done.

    ``used`` is the share of a limit that is used, 1 = at it; null = unavailable.
    """
    desk = seen.desk
    figures = desk.guard.figures(seen.now_ns)
    names = dict.fromkeys((*(rule.name for rule in desk.gate.rules), *figures))
    gauges = {one.name: one.gauge(desk.view) for one in desk.gate.rules if isinstance(one, Gauging)}
    return {
        "rules": [
            {
                "rule": name,
                "gauges": [msgspec.to_builtins(gauge) for gauge in gauges.get(name, ())],
                "effects": desk.gate.firings.in_force(name),
                **figures.get(name, desk.gate.firings.nothing),
            }
            for name in names
        ]
    }


def pnl(seen: Seen) -> dict[str, Any]:
    """Give the parts of each strategy's profit and their sum, in the engine's currency."""
    ledgers = seen.desk.ledger.strategies
    total = sum((ledger.book.parts for ledger in ledgers.values()), PnlParts())
    rows = [
        {
            "strategy": name,
            "market": str(ledger.terms.instrument.market),
            **_parts(ledger.book.parts),
            "fills": ledger.totals.fills,
            "volume": _text(_rounded(ledger.totals.turnover)),
            "uptime": ledger.uptime.quoted,
        }
        for name, ledger in ledgers.items()
    ]
    return {"currency": seen.setup.currency, "strategies": rows, "all": _parts(total)}


def fills(kept: Iterable[tuple[int, FillBooked]]) -> dict[str, Any]:
    """List fills as they are given, with the time of their booking."""
    return {
        "fills": [
            {
                "t_ns": t_ns,
                "trade": fill.trade,
                "order": fill.order,
                "strategy": fill.strategy,
                "market": fill.market,
                "side": fill.side.value,
                "price": _text(fill.price),
                "quantity": _text(fill.quantity),
                "fee": _text(fill.fee),
                "fee_asset": fill.fee_asset,
                "liquidity": fill.liquidity.value,
                "spread": None if fill.spread is None else _text(_rounded(fill.spread)),
            }
            for t_ns, fill in kept
        ]
    }


def _venue(name: str, gateway: Gateway) -> dict[str, Any]:
    counts, throttle = gateway.counts, gateway.throttle
    return {
        "venue": name,
        "requests": counts.requests,
        "items": counts.items,
        "batches": counts.batches,
        "mean_size": counts.mean,
        "saved": counts.saved,
        "dropped": counts.dropped,
        "held_cancels": gateway.held_cancels,
        "paused": list(gateway.breaker.paused),
        "banned_ns": throttle.banned_ns(),
        "limits": [
            {"limit": limit, "used": used, "capacity": capacity}
            for limit, used, capacity in throttle.used()
        ],
    }


def _market(seen: Seen, tracker: MarketTracker) -> dict[str, Any]:
    changed_ns = tracker.book.changed_ns
    posture = seen.desk.gate.posture(tracker.market)
    return {
        "market": str(tracker.market),
        "valid": tracker.mid is not None,
        "mid": _text(tracker.mid),
        "age_ns": seen.now_ns - changed_ns if changed_ns else None,
        "posture": posture.level.value,
    }


def _strategy(desk: Desk, runner: StrategyRunner) -> dict[str, Any]:
    live = desk.orders.live(strategy=runner.name)
    return {
        "strategy": runner.name,
        "market": str(runner.market.market),
        "paused": runner.held is not None,
        "quotes": len(runner.quotes),
        "orders": len(live),
        "gates": [{"name": gate.name, "detail": gate.detail} for gate in runner.gates],
    }


def _order(order: Order, now_ns: int) -> dict[str, Any]:
    intent = order.intent
    return {
        "order": order.client_id,
        "venue_order": order.venue_id,
        "strategy": intent.slot.strategy,
        "market": str(intent.slot.market),
        "side": intent.side.value,
        "level": intent.slot.level,
        "purpose": intent.purpose.value,
        "price": _text(intent.price),
        "quantity": _text(intent.quantity),
        "filled": _text(order.filled),
        "state": order.state.value,
        "proven": not order.state.is_unproven,
        "age_ns": now_ns - order.recorded_ns,
    }


def _parts(parts: PnlParts) -> dict[str, str | None]:
    return {name: _text(_rounded(getattr(parts, name))) for name in _PARTS}


# For people; what must add up to the last digit stands in the report.
def _execution(run: PlanRun) -> dict[str, Any]:
    leg = run.legs[0]
    done = run.book.progress(leg.market, leg.side, entry=True)
    return {
        "execution": run.execution,
        "name": run.name,
        "strategy": run.strategy,
        "executor": run.executor_name,
        "phase": "working" if run.closing is None else f"ending: {run.closing.end}",
        "market": str(leg.market),
        "side": leg.side.value,
        "filled": _text(done.quantity),
        "quantity": _text(leg.quantity),
        "exposure": {str(market): _text(run.book.exposure(market)) for market in run.instruments},
        "orders": len(run.orders),
        "started_ns": run.started_ns,
    }


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.00000001"))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else trimmed(value)
