"""Follow a session while it runs: the live view on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from rich.console import Console
from rich.live import Live

from fairlead.api import PostureLevel, Record
from fairlead.cli.figure import clock, percent, signed
from fairlead.cli.keys import Keys
from fairlead.cli.live import LiveEvent, LiveQuote, LiveState, LiveStrategy, LiveView
from fairlead.kernel import Desk, Session, StrategyRunner
from fairlead.ledger import REPORT_HORIZONS
from fairlead.model import Side, statistic
from fairlead.store import FillBooked, Incident, IntentDenied, PostureChanged

__all__ = ["LiveWatch", "ProgressWatch", "live_state"]

_SECOND = 1_000_000_000
_REFRESH_S = 0.25
_HISTORY = 600
# How often a run without a terminal says where it is, in its own time.
_LINES = 10
_LINE_NS = 300 * _SECOND


class ProgressWatch:
    """Says on ``console`` now and then how far a session is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def __call__(self, session: Session) -> None:
        """Run until cancelled."""
        step_ns = session.length_ns // _LINES if session.length_ns else _LINE_NS
        while True:
            await session.clock.sleep_ns(max(step_ns, _SECOND))
            if not session.engine.assembled:
                continue
            ledger = session.engine.desk.ledger
            elapsed = clock(session.clock.now_ns() - session.engine.started_ns)
            length = f" of {clock(session.length_ns)}" if session.length_ns else ""
            fills = sum(one.totals.fills for one in ledger.strategies.values())
            trading = sum((one.book.parts.trading for one in ledger.strategies.values()), Decimal())
            self._console.print(
                f"{elapsed}{length}  fills {fills}  trading PnL {signed(trading)} "
                f"{ledger.currency}  drawdown {percent(ledger.nav.drawdown.now, 2)}",
                highlight=False,
            )


class LiveWatch:
    """Draws the live view on a terminal and answers its keys."""

    def __init__(self, console: Console, speed: float | None) -> None:
        self._console = console
        self._speed = speed
        self._events: deque[LiveEvent] = deque(maxlen=4)
        self._history: deque[float] = deque(maxlen=_HISTORY)
        self._queues: dict[str, Decimal] = {}
        self._last_order = ""

    async def __call__(self, session: Session) -> None:
        """Run until cancelled; leaves the last picture on the screen."""
        start_ns = session.clock.now_ns()
        session.journal.observe(lambda seq, t_ns, record: self._recorded(t_ns - start_ns, record))
        step_ns = int(_REFRESH_S * _SECOND * (self._speed or 60))
        with (
            Keys(sys.stdin) as keys,
            Live(console=self._console, auto_refresh=False, transient=True) as live,
        ):
            while True:
                await session.clock.sleep_ns(step_ns)
                if not session.engine.assembled:
                    continue
                self._press(keys.pressed(), session)
                live.update(LiveView(self.state(session)), refresh=True)

    def state(self, session: Session) -> LiveState:
        """Show the session as of now."""
        desk = session.engine.desk
        trading = sum(
            (one.book.parts.trading for one in desk.ledger.strategies.values()), Decimal()
        )
        self._history.append(statistic(trading))
        return live_state(
            session,
            speed=self._speed,
            history=tuple(self._history),
            events=tuple(self._events),
            queues=self._queues,
        )

    def _press(self, pressed: str, session: Session) -> None:
        for key in pressed:
            if key == "q":
                session.engine.request_stop()
            elif key == "e" and self._last_order:
                elapsed_ns = session.clock.now_ns() - session.engine.started_ns
                self._add(elapsed_ns, f"fairlead explain {self._last_order}", "bold cyan")

    def _recorded(self, at_ns: int, record: Record) -> None:
        match record:
            case FillBooked():
                self._last_order = record.order[-8:]
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
            case PostureChanged():
                self._add(at_ns, f"{record.level} {record.rule} {record.reason}".rstrip(), "yellow")
            case Incident():
                self._add(at_ns, f"{record.name}: {record.detail}", "bold red")
            case _:
                pass

    def _add(self, at_ns: int, text: str, style: str) -> None:
        self._events.appendleft(LiveEvent(at_ns, text, style))


def live_state(
    session: Session,
    *,
    speed: float | None,
    history: tuple[float, ...] = (),
    events: tuple[LiveEvent, ...] = (),
    queues: dict[str, Decimal] | None = None,
) -> LiveState:
    """Show a session as of now; ``queues`` remembers what stood before our orders."""
    desk, now_ns = session.engine.desk, session.clock.now_ns()
    queues = {} if queues is None else queues
    _watch_queues(desk, queues)
    strictest = max(desk.gate.postures, key=lambda one: one.level.rank, default=None)
    oldest_ns = min((one.book.changed_ns for one in desk.markets.values()), default=0)
    limit = getattr(session.settings.risk.get("max_drawdown"), "limit", None)
    return LiveState(
        instance=session.settings.engine.instance,
        mode=session.settings.engine.mode,
        currency=session.settings.engine.currency,
        elapsed_ns=now_ns - session.engine.started_ns,
        length_ns=session.length_ns,
        speed=speed,
        posture=(PostureLevel.ACTIVE if strictest is None else strictest.level).value,
        posture_reason="" if strictest is None else strictest.reason,
        book_valid=all(tracker.mid is not None for tracker in desk.markets.values()),
        data_age_ns=now_ns - oldest_ns if oldest_ns else None,
        unknown_orders=sum(order.state.is_unproven for order in desk.orders.live()),
        equity=desk.figures.equity,
        drawdown=desk.ledger.nav.drawdown.now,
        drawdown_limit=getattr(limit, "value", None),
        strategies=[_strategy(desk, runner, queues) for runner in desk.runners.values()],
        history=history,
        events=events,
    )


def _strategy(desk: Desk, runner: StrategyRunner, queues: Mapping[str, Decimal]) -> LiveStrategy:
    ledger = desk.ledger.strategies[runner.name]
    market, mark = runner.market, runner.market.mark
    view = market.view()
    instrument = market.instrument
    account = desk.accounts[instrument.market.venue].totals()
    position = desk.position(instrument.market)
    target = ledger.book.target
    worth = None if mark is None else position * mark + account.get(instrument.quote, Decimal())
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
