"""Keep what a live view shows of a session: its last events, its curve, and the rest as of now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import msgspec

from fairlead.api import PostureLevel, Record
from fairlead.cli.figure import signed
from fairlead.cli.live import LiveEvent, LiveQuote, LiveState, LiveStrategy
from fairlead.kernel import Desk, Session, StrategyRunner
from fairlead.ledger import REPORT_HORIZONS
from fairlead.model import ZERO, OrderState, Reason, Side, statistic
from fairlead.pipeline import effect_of
from fairlead.store import (
    AlertRaised,
    ControlAsked,
    FillBooked,
    Incident,
    IntentDenied,
    PostureChanged,
    QuotesSampled,
    RuleFired,
    StrategyChanged,
    TickPassed,
)

__all__ = ["Picture", "from_tree"]

_EVENTS = 4
# What a change of the posture tells already.
_LEVELS = frozenset(level.value for level in PostureLevel)
_HISTORY = 600
# Ten digits tell prices apart.
_SHOWN = Context(prec=10)


class Picture:
    """What there is to see of one session, from its first record on; looking changes nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._start_ns = session.clock.now_ns()
        self._events: deque[LiveEvent] = deque(maxlen=_EVENTS)
        self._history: list[float] = []
        self._stride = 1
        self._trading: dict[str, float] = {}
        self._queues: dict[str, Decimal] = {}
        self._last_order = ""
        self._end = session.journal.observe(
            lambda seq, t_ns, record: self._recorded(t_ns - self._start_ns, record)
        )

    def close(self) -> None:
        """Look no more."""
        self._end()

    def state(self) -> LiveState:
        """Show the session as of now; only once its engine is assembled."""
        kept = _Kept(tuple(self._history), tuple(self._events), self._explanation(), self._queues)
        return _state(self._session, kept)

    def tree(self) -> dict[str, Any]:
        """Give the same as plain JSON; `from_tree` reads it."""
        tree: dict[str, Any] = msgspec.to_builtins(self.state())
        return tree

    def _explanation(self) -> str:
        order = self._session.engine.desk.orders.get(self._last_order)
        if order is None:
            return "no fill to explain yet"
        chain = ", ".join(
            _step(reason) for reason in order.intent.reasons if reason.subject == "price"
        )
        return f"fairlead explain {order.client_id[-8:]}   {order.intent.side} {chain}"

    def _tick(self, number: int) -> None:
        # The whole run in at most so many points, all as far apart.
        if number % self._stride:
            return
        self._history.append(sum(self._trading.values()))
        if len(self._history) >= _HISTORY:
            self._history = self._history[1::2]
            self._stride *= 2

    def _recorded(self, at_ns: int, record: Record) -> None:
        match record:
            case FillBooked():
                self._last_order = record.order
                captured = ""
                if record.spread is not None and record.mark:
                    bps = record.spread / (record.quantity * record.price) * 10_000
                    captured = f"   {signed(statistic(bps), 1)} bps captured"
                self._add(
                    at_ns,
                    f"{record.side} {record.quantity:f} @ {record.price:f} "
                    f"{record.liquidity.value}{captured}",
                    "green" if record.side is Side.BUY else "red",
                )
            case IntentDenied():
                self._add(
                    at_ns,
                    f"{record.side} level {record.level} denied by {record.rule}: "
                    f"{record.observed}, limit {record.limit}",
                    "yellow",
                )
            case RuleFired() | PostureChanged():
                self._restrained(at_ns, record)
            case Incident() | AlertRaised():
                self._add(at_ns, f"{record.name}: {record.detail}", "bold red")
            case ControlAsked():
                said = " ".join((record.command, *record.arguments.values()))
                refused = f", refused: {record.refused}" if record.refused else ""
                self._add(at_ns, f"{said} by {record.who}{refused}", "bold cyan")
            case StrategyChanged():
                self._add(at_ns, f"{record.strategy} {record.change}", "bold cyan")
            case QuotesSampled():
                self._trading[record.strategy] = statistic(record.total - record.holding)
            case TickPassed():
                self._tick(record.number)
            case _:
                pass

    def _restrained(self, at_ns: int, record: RuleFired | PostureChanged) -> None:
        if isinstance(record, PostureChanged):
            self._add(at_ns, f"{record.level} {record.rule} {record.reason}".rstrip(), "yellow")
        elif record.effect not in _LEVELS:
            self._add(at_ns, f"{record.effect}: {record.reason} ({record.rule})", "yellow")

    def _add(self, at_ns: int, text: str, style: str) -> None:
        self._events.appendleft(LiveEvent(at_ns, text, style))


def _step(reason: Reason) -> str:
    if not reason.before:
        return f"{reason.stage} {_SHOWN.plus(reason.after):f}"
    return f"{reason.stage} {signed(statistic(reason.after / reason.before - 1) * 10_000, 1)}"


def from_tree(tree: Mapping[str, Any]) -> LiveState:
    """Read what `Picture.tree` gave, possibly in another process.

    :raises ValueError: when it is of another version.
    """
    return msgspec.convert(
        {key: tree[key] for key in tree if key != "schema"}, LiveState, strict=False
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    history: tuple[float, ...]
    events: tuple[LiveEvent, ...]
    explanation: str
    queues: dict[str, Decimal]


def _state(session: Session, kept: _Kept) -> LiveState:
    desk, now_ns = session.engine.desk, session.clock.now_ns()
    queues = kept.queues
    _watch_queues(desk, queues)
    strictest = desk.gate.strictest
    oldest_ns = min((one.book.changed_ns for one in desk.markets.values()), default=0)
    limit = getattr(session.settings.risk.get("max_drawdown"), "limit", None)
    return LiveState(
        instance=session.settings.engine.instance,
        mode=session.settings.engine.mode,
        currency=session.settings.engine.currency,
        elapsed_ns=now_ns - session.engine.started_ns,
        length_ns=session.length_ns,
        speed=session.pace,
        posture=effect_of(strictest) if strictest.rule else PostureLevel.ACTIVE.value,
        posture_reason=strictest.reason,
        book_valid=all(tracker.mid is not None for tracker in desk.markets.values()),
        data_age_ns=now_ns - oldest_ns if oldest_ns else None,
        # One that is on its way is no trouble yet: the gateway calls it UNKNOWN when it is.
        unknown_orders=sum(order.state is OrderState.UNKNOWN for order in desk.orders.live()),
        equity=desk.figures.equity,
        drawdown=desk.ledger.nav.drawdown.now,
        drawdown_limit=getattr(limit, "value", None),
        strategies=[_strategy(desk, runner, queues) for runner in desk.runners.values()],
        history=kept.history,
        events=kept.events,
        posture_rule=strictest.rule,
        explanation=kept.explanation,
    )


def _strategy(desk: Desk, runner: StrategyRunner, queues: Mapping[str, Decimal]) -> LiveStrategy:
    ledger = desk.ledger.strategies[runner.name]
    market, mark = runner.market, runner.market.mark
    view = market.view()
    instrument = market.instrument
    account = desk.accounts[instrument.market.venue].totals()
    position = desk.position(instrument.market)
    target = ledger.book.target
    worth = None if mark is None else position * mark + account.get(instrument.quote, ZERO)
    limit = ledger.terms.max_position
    statistics = ledger.markout.statistics
    return LiveStrategy(
        name=runner.name,
        market=str(instrument.market),
        base=instrument.base,
        best_bid=None if view is None else view.best_bid.price,
        best_ask=None if view is None else view.best_ask.price,
        reference=runner.quotes[0].reference if runner.quotes else None,
        skew_bps=_skew_bps(runner),
        gate="; ".join(f"{gate.name}: {gate.detail}" for gate in runner.gates),
        bids=_quotes(desk, runner.name, Side.BUY, queues),
        asks=_quotes(desk, runner.name, Side.SELL, queues),
        position=position,
        target=target,
        limit=None if limit is None or not mark else limit / mark,
        parts=ledger.book.parts,
        buys=ledger.totals.buys,
        sells=ledger.totals.sells,
        markout={label: statistics.estimate(label) for label in REPORT_HORIZONS},
        uptime=ledger.uptime.quoted,
        base_share=statistic(position * mark / worth) if worth and mark else None,
        target_share=statistic(target * mark / worth) if worth and mark else None,
        paused=runner.held is not None,
    )


def _skew_bps(runner: StrategyRunner) -> float | None:
    for quote in runner.quotes:
        for reason in quote.reasons:
            if reason.stage == "price skew" and reason.before:
                return statistic((reason.after - reason.before) / quote.reference * 10_000)
    return None


def _quotes(
    desk: Desk, strategy: str, side: Side, queues: Mapping[str, Decimal]
) -> list[LiveQuote]:
    quotes = [
        LiveQuote(
            price=order.intent.price,
            quantity=order.leaves,
            queue_ahead=queues.get(order.client_id),
            filled=statistic(order.filled / order.intent.quantity),
            acknowledged=order.acknowledged_ns is not None,
            order=order.client_id[-8:],
        )
        for order in desk.orders.live(strategy=strategy)
        if order.intent.side is side
    ]
    return sorted(quotes, key=lambda quote: -side.sign * quote.price)


def _watch_queues(desk: Desk, queues: dict[str, Decimal]) -> None:
    # At most what was ever shown at our price since we stood there is ahead of us.
    live = {order.client_id: order for order in desk.orders.live()}
    for gone in [name for name in queues if name not in live]:
        del queues[gone]
    for name, order in live.items():
        book = desk.markets[order.intent.slot.market].book
        if order.acknowledged_ns is None or book.scale is None or not book.valid:
            continue
        units = book.quantity_at(order.intent.side, book.scale.price_units(order.intent.price))
        shown = book.scale.quantity(units)
        queues[name] = min(queues.get(name, shown), shown)
