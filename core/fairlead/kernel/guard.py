"""Stand guard: measure the account on every tick, ask the rules, and make their answers good.

Between ticks the rules hear of fills, closed trades, markouts and answers; where one of them
changes its mind on that, quotes go at once. Peak, day and realised result are journaled, so that
a restart goes on from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from fairlead.api import (
    AccountRisk,
    Answered,
    EquityFigures,
    FillSeen,
    MarginRisk,
    MarkoutSeen,
    Posture,
    PostureLevel,
    RiskNews,
    TradeClosed,
)
from fairlead.kernel.booking import books_of
from fairlead.kernel.peak import RiskMemory
from fairlead.kernel.relief import Reliefs
from fairlead.kernel.ticker import Tick
from fairlead.ledger import AccountMemory, Nav, TradeBook
from fairlead.model import (
    ONE,
    ZERO,
    Fill,
    MarketId,
    OrderIntent,
    Outcome,
    Slot,
)
from fairlead.store import ControlAsked, Incident, Journal, RuleState
from fairlead.trackers import Order

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk, DeskParts

__all__ = ["ACCOUNT", "GuardCalls", "RiskGuard"]

#: The name under which the account's own memory is stored beside those of the rules.
ACCOUNT = "account"
_MARKOUT = "10s"
# A peak is stored when it has risen by this share, or this long after the last time.
_RISE = Decimal("0.0001")
_KEEP_EVERY_NS = 60_000_000_000


class _Kept(msgspec.Struct, frozen=True):
    # What of the account outlives a run.
    account: AccountMemory | None = None
    day: int = 0
    realised: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class GuardCalls:
    """What the guard asks of its desk."""

    #: Take every quote of a market away, and say why.
    pull: Callable[[MarketId, str], None]
    #: Dispatch in the next turn of the loop.
    wake: Callable[[], None]


class RiskGuard:
    """What stands between the account's figures and the rules that judge them."""

    def __init__(self, desk: Desk, parts: DeskParts, calls: GuardCalls) -> None:
        self._desk = desk
        self._calls = calls
        self._parts = parts
        self._journal: Journal = parts.journal
        self._now_ns = parts.clock.now_ns
        self._trades: dict[str, TradeBook] = {}
        self._overruns = 0
        self._ended: dict[str, tuple[str, MarketId]] = {}
        self._realised: tuple[int, Decimal] = (0, ZERO)
        self._kept: tuple[_Kept | None, int] = (None, 0)
        # What was stored cannot be read, and no person has looked: it stays as it is until then.
        self._unread = False
        self.reliefs = Reliefs(desk, parts.journal)
        self._resume(parts.memory)

    def reset_peak(self) -> Decimal | None:
        """Let the peak be where the account stands; gives the equity, None = unavailable."""
        self._desk.ledger.nav.reset_peak()
        self._desk.ledger.trading_nav.reset_peak()
        self._measure()
        self._keep(self._now_ns(), settled=False, always=True)
        return self._desk.figures.equity

    def lift(self) -> None:
        """Go on from what this run has measured: what was stored before it could not be read."""
        if self._unread:
            self._unread = False
            self._desk.gate.lift(ACCOUNT)
            self._keep(self._now_ns(), settled=False, always=True)

    def finish(self) -> None:
        """Store what the next run goes on from; nothing of ours can fill any more."""
        self._flush()
        self._keep(self._now_ns(), settled=not self._desk.orders.live(), always=True)

    def figures(self, now_ns: int) -> dict[str, dict[str, Any]]:
        """Give by rule what it has done so far: fired, for how long, denied how often."""
        denied: Counter[str] = Counter()
        for counts in self._desk.pipeline.denied.values():
            denied.update(counts)
        return self._desk.gate.firings.figures(now_ns, denied)

    # What happens on the tick.

    def tick(self, tick: Tick) -> None:
        """Measure, ask every rule, and enforce what they say."""
        desk = self._desk
        for name, runner in desk.runners.items():
            if runner.target is None:
                # Until a strategy says what it steers to, it holds what is there.
                desk.ledger.on_target(name, desk.position(runner.market.market))
        desk.booking.mark()
        sample = desk.ledger.sample(tick.at_ns)
        desk.figures.equity = sample.equity
        self._overruns += tick.skipped > 0
        self._aim()
        self._flush()
        self._hear_markouts()
        self._measure()
        self._keep(tick.at_ns, settled=False)
        desk.gate.assess(desk.view)
        for market in desk.markets:
            self.enforce(market)
        self.reliefs.look(tick.at_ns)

    @property
    def halted(self) -> Posture | None:
        """Give the account's posture when it is HALTED and nothing is left to do before."""
        for posture in self._desk.gate.postures:
            if posture.level is PostureLevel.HALTED and posture.market is None:
                return None if self.reliefs.waits(posture) else posture
        return None

    def enforce(self, market: MarketId) -> None:
        """Take away what the posture of a market does not allow to rest."""
        desk, now_ns = self._desk, self._now_ns()
        posture = desk.gate.posture(market)
        if posture.level.rank >= PostureLevel.CANCEL_ONLY.rank:
            self._calls.pull(market, posture.rule)
            return
        if posture.level is PostureLevel.REDUCING:
            # While the target is unknown nothing is known to reduce, as where there is no gap.
            target = desk.target(market)
            gap = ZERO if target is None else desk.position(market) - target
            desk.pipeline.reduce_only(market, gap, posture.rule)
        if posture.paused:
            desk.pipeline.drop_creates(market, new_risk=posture.paused)
            for runner in desk.runners.values():
                if runner.market.market == market:
                    runner.obey(posture, now_ns)
            desk.plans.pull(market, posture.rule, posture.paused)

    def enforce_all(self) -> None:
        """Make a restraint that came between ticks good at once."""
        for market in self._desk.markets:
            self.enforce(market)
        self._desk.pipeline.dispatch()

    # What is heard between ticks.

    def filled(self, fill: Fill, slot: Slot) -> None:
        """Tell the rules of a fill, and of the trade that it closed."""
        desk = self._desk
        relief = self.reliefs.filled(slot.market)
        if relief is not None:
            relief.filled(fill, slot, self._now_ns())
        order = desk.orders.get(fill.client_id)
        tracker = desk.markets.get(slot.market)
        if order is None or tracker is None or not desk.booking.opened:
            return
        instrument = tracker.instrument
        rate = desk.view.rate(instrument.quote)
        value = None if rate is None else rate * instrument.notional(fill.price, fill.quantity)
        self._book(fill, slot, rate)
        self.hear(FillSeen(fill, slot, order.intent.purpose, value), slot.market)
        if order.state.is_closed:
            self._ended[order.client_id] = (self._books(slot), slot.market)
            self._flush()
        if desk.gate.posture(slot.market).level is PostureLevel.REDUCING:
            self.enforce(slot.market)

    def order_changed(self, order: Order) -> None:
        """Note that an order came to its end; fills of it may still be told after that."""
        if order.state.is_closed and order.filled:
            slot = order.intent.slot
            self._ended[order.client_id] = (self._books(slot), slot.market)

    def answered(self, intent: OrderIntent, outcome: Outcome) -> None:
        """Tell the rules what a venue answered to a create."""
        market = intent.slot.market
        self.hear(Answered(market, intent.purpose, outcome), market)

    def hear(self, news: RiskNews, market: MarketId) -> None:
        """Tell the rules; what changes by it is made good at once."""
        changed = self._desk.gate.hear(news, self._desk.view)
        for one in changed:
            for affected in (market,) if one == market else tuple(self._desk.markets):
                if one in (None, affected):
                    self.enforce(affected)
        if changed:
            self._calls.wake()

    # Inside.

    def _resume(self, memory: RiskMemory) -> None:
        text = memory.states.get(ACCOUNT)
        if text is not None:
            try:
                kept = msgspec.json.decode(text, type=_Kept)
            except msgspec.DecodeError as error:
                detail = f"the account's peak and day begin anew: {error}"
                self._journal.append(Incident(name="memory_unreadable", detail=detail))
                # What it had lost until then is not known, so it may be all that it may lose.
                self._unread = True
                self._desk.gate.impose(ACCOUNT, PostureLevel.REDUCING, detail)
            else:
                self._realised = (kept.day, kept.realised)
                if kept.account is not None:
                    before = kept.account
                    self._desk.ledger.resume(before.forgetting() if memory.forget_peak else before)
        if memory.forget_peak:
            asked = ControlAsked("a command before the start", "reset_peak", {})
            self._journal.append(asked)
        self._desk.gate.recall(memory.states)

    def _measure(self) -> None:
        desk = self._desk
        nav, trading = desk.ledger.nav, desk.ledger.trading_nav
        figures, known = desk.figures, desk.figures.equity is not None
        figures.peak, figures.day_start = nav.peak_equity, nav.day_start_equity
        day, margin = nav.day, desk.outlook.margin(desk.view.rate)
        figures.account = AccountRisk(
            day=day,
            equity=_figures(nav, known=known),
            trading=_figures(trading, known=known),
            realised_today=self._realised[1] if day == self._realised[0] else ZERO,
            margin=margin if isinstance(margin, MarginRisk) else None,
            margin_missing=margin if isinstance(margin, str) else "",
            overruns=self._overruns,
        )

    def _aim(self) -> None:
        # A target that moved, or coins that came, open or close a gap without a trade.
        for name, ledger in self._desk.ledger.strategies.items():
            if ledger.book.mark is not None:
                gap = ledger.book.quantity - ledger.book.target
                self._trade_book(name).aim(gap, ledger.book.mark)
            ledger.markout.watched = _MARKOUT

    def _book(self, fill: Fill, slot: Slot, rate: Decimal | None) -> None:
        books = self._books(slot)
        ledger = self._desk.ledger.strategies.get(books)
        if ledger is None or rate is None or ledger.book.mark is None:
            return
        trades = self._trade_book(books)
        gap = ledger.book.quantity - ledger.book.target
        trades.aim(gap - fill.side.sign * fill.quantity, ledger.book.mark)
        worth = self._desk.view.rate(fill.fee_asset) if fill.fee else ONE
        # A fee in an asset without a mark path counts when it is valued, not here.
        fee = fill.fee * (worth or ZERO)
        trades.on_fill(fill.client_id, fill.side, fill.quantity, fill.price * rate, fee)

    def _books(self, slot: Slot) -> str:
        return books_of(self._desk.ledger, slot.strategy, slot.market)

    def _trade_book(self, strategy: str) -> TradeBook:
        book = self._trades.get(strategy)
        if book is None:
            terms = self._desk.ledger.strategies[strategy].terms
            book = TradeBook(multiplier=terms.instrument.multiplier)
            self._trades[strategy] = book
        return book

    def _flush(self) -> None:
        ended, self._ended = self._ended, {}
        for order, (strategy, market) in ended.items():
            trades = self._trades.get(strategy)
            result = None if trades is None else trades.on_final(order)
            if result is None:
                continue
            day, sum_of_day = self._desk.ledger.nav.day or 0, ZERO
            if day == self._realised[0]:
                sum_of_day = self._realised[1]
            self._realised = (day, sum_of_day + result)
            self._measure()
            self.hear(TradeClosed(strategy, market, result), market)

    def _hear_markouts(self) -> None:
        for name, ledger in self._desk.ledger.strategies.items():
            market = ledger.terms.instrument.market
            for point in ledger.markout.take_watched():
                self.hear(MarkoutSeen(name, market, point.side, point.bps, point.notional), market)

    def _keep(self, now_ns: int, *, settled: bool, always: bool = False) -> None:
        if self._unread:
            return
        day, realised = self._realised
        kept = _Kept(self._desk.ledger.memory(settled=settled), day, realised)
        before, at_ns = self._kept
        unmoved = before is not None and not _moved(before, kept)
        if kept.account is None or (
            unmoved and not always and (kept == before or now_ns - at_ns < _KEEP_EVERY_NS)
        ):
            return
        self._kept = (kept, now_ns)
        text = msgspec.json.encode(kept).decode()
        self._journal.append(RuleState(rule=ACCOUNT, state=text))


def _figures(nav: Nav, *, known: bool) -> EquityFigures:
    return EquityFigures(
        now=nav.equity if known else None,
        peak=nav.peak_equity,
        day_start=nav.day_start_equity,
        day_peak=nav.day_peak_equity,
    )


def _moved(before: _Kept, now: _Kept) -> bool:
    was, is_ = before.account, now.account
    if was is None or is_ is None or before.realised != now.realised:
        return True
    return any(
        one.day != other.day or one.units != other.units or one.peak >= other.peak * (ONE + _RISE)
        for one, other in ((is_.nav, was.nav), (is_.trading, was.trading))
    )
