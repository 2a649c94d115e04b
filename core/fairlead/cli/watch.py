"""Follow a session while it runs: the live view on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import IO

from rich.console import Console
from rich.live import Live

from fairlead.api import PostureLevel, Record
from fairlead.cli.figure import clock, percent, signed
from fairlead.cli.keys import Keys
from fairlead.cli.live import LiveEvent, LiveQuote, LiveState, LiveStrategy, LiveView
from fairlead.kernel import Desk, Session, StrategyRunner
from fairlead.ledger import REPORT_HORIZONS
from fairlead.model import ZERO, Reason, Side, statistic
from fairlead.store import FillBooked, Incident, IntentDenied, PostureChanged

__all__ = ["LiveWatch", "ProgressWatch", "live_state"]

_SECOND = 1_000_000_000
_REFRESH_NS = _SECOND // 4
# At full speed: where the search for the right step begins, in multiples of real time.
_FIRST_PACE = 60
_EVENTS = 4
# For so many refreshes an explanation stands above whatever happens meanwhile.
_PINNED = 40
_HISTORY = 600
# Ten digits tell prices apart.
_SHOWN = Context(prec=10)
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
            elapsed_ns = session.clock.now_ns() - session.engine.started_ns
            # While the end is being proven there is no more progress to tell of.
            over = session.length_ns is not None and elapsed_ns > session.length_ns
            if over or not session.engine.assembled:
                continue
            ledger = session.engine.desk.ledger
            length = "" if session.length_ns is None else f" of {clock(session.length_ns)}"
            fills = sum(one.totals.fills for one in ledger.strategies.values())
            trading = sum((one.book.parts.trading for one in ledger.strategies.values()), ZERO)
            self._console.print(
                f"{clock(elapsed_ns)}{length}  fills {fills}  trading PnL {signed(trading)} "
                f"{ledger.currency}  drawdown {percent(ledger.nav.drawdown.now, 2)}",
                highlight=False,
            )


class LiveWatch:
    """Draws the live view on a terminal and answers its keys; takes it away at the end."""

    def __init__(self, console: Console, keyboard: IO[str] | None = None) -> None:
        self._console = console
        self._keyboard = keyboard or sys.stdin
        self._events: deque[LiveEvent] = deque(maxlen=_EVENTS)
        self._history: deque[float] = deque(maxlen=_HISTORY)
        self._queues: dict[str, Decimal] = {}
        self._last_order = ""
        self._pinned: deque[LiveEvent] = deque(maxlen=_PINNED)

    async def __call__(self, session: Session) -> None:
        """Run until cancelled; gives the terminal back as it was, whatever happens."""
        start_ns = session.clock.now_ns()
        end = session.journal.observe(
            lambda seq, t_ns, record: self._recorded(t_ns - start_ns, record)
        )
        step_ns = int(_REFRESH_NS * (session.pace or _FIRST_PACE))
        drawn_ns = session.wall_ns()
        try:
            with (
                Keys(self._keyboard) as keys,
                Live(console=self._console, auto_refresh=False, transient=True) as live,
            ):
                while True:
                    await session.clock.sleep_ns(step_ns)
                    if session.pace is None:
                        # Nobody holds the time back, so find the step that takes one refresh.
                        wall_ns = session.wall_ns()
                        step_ns = _adapted(step_ns, wall_ns - drawn_ns)
                        drawn_ns = wall_ns
                    if session.engine.assembled:
                        self._press(keys.pressed(), session)
                        live.update(LiveView(self.state(session)), refresh=True)
        finally:
            end()

    def state(self, session: Session) -> LiveState:
        """Show the session as of now."""
        strategies = session.engine.desk.ledger.strategies.values()
        trading = sum((one.book.parts.trading for one in strategies), ZERO)
        self._history.append(statistic(trading))
        pinned = [self._pinned.popleft()] if self._pinned else []
        return live_state(
            session,
            history=tuple(self._history),
            events=(*pinned, *self._events),
            queues=self._queues,
        )

    def _press(self, pressed: str, session: Session) -> None:
        for key in pressed:
            if key == "q":
                session.engine.request_stop()
            elif key == "e":
                self._explain(session)

    def _explain(self, session: Session) -> None:
        text = "no fill to explain yet"
        order = session.engine.desk.orders.get(self._last_order)
        if order is not None:
            chain = ", ".join(
                _step(reason) for reason in order.intent.reasons if reason.subject == "price"
            )
            text = f"fairlead explain {order.client_id[-8:]}   {order.intent.side} {chain}"
        now_ns = session.clock.now_ns() - session.engine.started_ns
        self._pinned.extend([LiveEvent(now_ns, text, "bold cyan")] * _PINNED)

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
            case PostureChanged():
                self._add(at_ns, f"{record.level} {record.rule} {record.reason}".rstrip(), "yellow")
            case Incident():
                self._add(at_ns, f"{record.name}: {record.detail}", "bold red")
            case _:
                pass

    def _add(self, at_ns: int, text: str, style: str) -> None:
        self._events.appendleft(LiveEvent(at_ns, text, style))


def _step(reason: Reason) -> str:
    if not reason.before:
        return f"{reason.stage} {_SHOWN.plus(reason.after):f}"
    return f"{reason.stage} {signed(statistic(reason.after / reason.before - 1) * 10_000, 1)}"


def _adapted(step_ns: int, took_ns: int) -> int:
    # At most twice or half of it at once: one slow refresh is no reason to leap.
    wanted = step_ns * _REFRESH_NS // max(took_ns, 1)
    return min(max(wanted, step_ns // 2, 1), step_ns * 2)


def live_state(
    session: Session,
    *,
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
        speed=session.pace,
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
