"""The synchronous core: everything between a venue's message and an order on its way.

One thread, no waiting: events come in and are applied at once, decisions happen on the tick, and
what they ask for leaves at dispatch points. The same inputs in the same order give the same
journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fairlead.api import (
    Action,
    Balance,
    Clock,
    Connector,
    Denied,
    ExecutorContext,
    Offer,
    Place,
    PlanExecutor,
    Posture,
    RiskRule,
)
from fairlead.book import Top
from fairlead.kernel.ban import BanWatch
from fairlead.kernel.booking import Booking
from fairlead.kernel.cast import Cast, CastCalls
from fairlead.kernel.guard import GuardCalls, RiskGuard
from fairlead.kernel.outlook import Outlook
from fairlead.kernel.peak import RiskMemory
from fairlead.kernel.plan import StrategyPlan
from fairlead.kernel.plans_parts import build_plans
from fairlead.kernel.reporter import Reporter
from fairlead.kernel.resting import resting
from fairlead.kernel.riskview import AccountFigures, EngineRiskView
from fairlead.kernel.strategy import StrategyRunner
from fairlead.kernel.ticker import Phase, Tick, Ticker
from fairlead.ledger import AccountLedger
from fairlead.model import (
    ZERO,
    BalanceUpdate,
    Fill,
    MarketId,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    Slot,
    StreamState,
    VenueEvent,
)
from fairlead.pipeline import (
    Gateway,
    GatewayNews,
    GatewayTerms,
    Pipeline,
    PipelineParts,
    Refusal,
    RiskGate,
)
from fairlead.store import Journal
from fairlead.trackers import AccountTracker, Feed, MarketTracker, Order, OrderTracker

__all__ = ["Desk", "DeskParts"]


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What a desk is put together from."""

    currency: str
    tick_ns: int
    stale_ns: int
    clock: Clock
    journal: Journal
    connectors: Mapping[str, Connector]
    rules: tuple[RiskRule, ...]
    strategies: tuple[StrategyPlan, ...]
    new_id: Callable[[], str]
    #: Call back in the next turn of the loop.
    soon: Callable[[Callable[[], None]], object]
    #: The store or a part of the core failed, and where: nothing may be sent any more but cancels.
    failed: Callable[[BaseException, str], None]
    #: What works plans, by its name.
    executors: Mapping[str, Offer[ExecutorContext, PlanExecutor[Any]]] = field(default_factory=dict)
    #: How each venue is dealt with, by its name.
    terms: Mapping[str, GatewayTerms] = field(default_factory=dict)
    #: What risk goes on from.
    memory: RiskMemory = field(default_factory=RiskMemory)


class Desk:
    """Trackers, strategies, pipeline and ledger of one engine, connected to each other."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._now_ns = parts.clock.now_ns
        self._woken = False
        self._answer_listeners: list[Callable[[OrderIntent, Outcome], None]] = []
        self.feed = Feed()
        self.orders = OrderTracker(parts.journal)
        self.accounts = AccountTracker(parts.connectors)
        self.figures = AccountFigures()
        self.reporter = Reporter(parts.journal)
        self.gate = RiskGate(parts.rules, parts.journal)
        calls = CastCalls(self._decide, self._submit, self._top_moved, self._validity_changed)
        self.cast = Cast(self, parts, calls)
        self.markets: Mapping[MarketId, MarketTracker] = self.cast.markets
        self.runners: Mapping[str, StrategyRunner] = self.cast.runners
        self.ledger = AccountLedger(
            parts.currency,
            [plan.terms(self.markets[plan.market].instrument) for plan in parts.strategies],
            day_offset_ns=parts.memory.day_offset_ns,
        )
        self.pipeline = Pipeline(
            PipelineParts(
                journal=parts.journal,
                orders=self.orders,
                accounts=self.accounts,
                gate=self.gate,
                instruments=self.cast.instruments,
                new_id=parts.new_id,
                now_ns=self._now_ns,
                mid=lambda market: self.markets[market].mid,
                tick_ns=parts.tick_ns,
                admission=self._admission,
                refused=self._refused,
            )
        )
        self.plans, self.restarting = build_plans(self, parts, self._wake, self._worth)
        self.outlook = Outlook(self.markets, parts)
        self.guard = RiskGuard(self, parts, GuardCalls(self._pull, self._wake))
        self.view = EngineRiskView(
            currency=parts.currency,
            figures=self.figures,
            trackers=self.markets,
            orders=self.orders,
            now=self._now_ns,
            position=self.position,
            target=self.target,
            waiting=self.pipeline.waiting,
            worth=self._worth,
            reserved=self.plans.admissions.reserved,
            health=self.outlook.health,
            elsewhere=self.outlook.elsewhere,
        )
        news = GatewayNews(
            created=self._created,
            cancelled=self.pipeline.cancelled,
            sent=self._sent,
            failed=lambda error: parts.failed(error, "gateway"),
            room=self._wake,
        )
        self.gateways = {
            venue: Gateway(connector, parts.journal, news, parts.clock, parts.terms.get(venue))
            for venue, connector in parts.connectors.items()
        }
        for venue, gateway in self.gateways.items():
            self.pipeline.connect(venue, gateway)
        for plan in parts.strategies:
            self.cast.enter(plan)
        self.booking = Booking(self.ledger, self.orders, self.markets, parts.journal, self._now_ns)
        self.booking.on_fill(self._filled)
        self.orders.on_change(self._order_changed)

    # What venues say.

    def handle(self, event: VenueEvent) -> None:
        """Apply one event of a venue."""
        match event:
            case OrderUpdate():
                self.orders.apply_update(event, self._now_ns())
            case Fill():
                self.booking.book(event)
            case BalanceUpdate():
                self.accounts[event.venue].apply(event)
            case PositionUpdate() | StreamState():
                pass  # spot accounts hold no positions; streams are the engine's to watch
            case _:
                tracker = self.markets.get(event.market)
                if tracker is not None:
                    self.feed.add(event)
                    tracker.apply(event)
                elif self.outlook.hear(event):
                    self.feed.add(event)

    def answered(self, listener: Callable[[OrderIntent, Outcome], None]) -> None:
        """Call ``listener`` after each answer to a create."""
        self._answer_listeners.append(listener)

    def open(self, venue: str) -> None:
        """Start the books of a venue from the balances that were read last."""
        self.ledger.open(venue, self.accounts[venue].totals())
        self.cast.settle_books(venue)

    def transfer(self, venue: str, asset: str, amount: Decimal) -> None:
        """Book money that came or went without a trade of ours."""
        self.booking.mark()
        self.ledger.on_transfer(venue, asset, amount)

    # What happens on the tick.

    def join(self, ticker: Ticker) -> None:
        """Take part in the phases of every tick."""
        ticker.add(Phase.INGEST, "trades", self._ingest)
        ticker.add(Phase.RECONCILE, "books", self._reconcile)
        bans = BanWatch(self.gateways, self.markets, self.gate, self._parts.journal)
        ticker.add(Phase.RECONCILE, "bans", bans.look)
        ticker.add(Phase.GUARD, "risk", self.guard.tick)
        self.cast.join(ticker)
        ticker.add(Phase.DISPATCH, "pipeline", self._dispatch)
        ticker.add(Phase.REPORT, "report", self._report)

    @property
    def halted(self) -> Posture | None:
        """Give the account's posture when it is HALTED."""
        return self.guard.halted

    def stop(self, reason: str) -> None:
        """Place nothing more and cancel everything."""
        self.pipeline.open_for_creates = False
        now_ns = self._now_ns()
        for runner in self.runners.values():
            runner.stop(now_ns)
        self.plans.halt()
        self.pipeline.cancel_all(reason)
        self.pipeline.dispatch()

    def finish(self) -> None:
        """Book the marks in force and journal what is known of the last fills and plans."""
        self.plans.work()
        self.plans.ends.leave(self.plans.runs.values())
        self.booking.mark()
        if self.booking.opened:
            # Until every account is read its equity is unknown, not what is read of it.
            self.ledger.sample(self._now_ns())
        for ledger in self.ledger.strategies.values():
            ledger.uptime.advance(self._now_ns())
            self.reporter.markouts(ledger.markout.finish())
        if self.booking.opened:
            self.guard.finish()

    def position(self, market: MarketId) -> Decimal:
        """Give what we hold of a market's base by our own books."""
        instrument = self.markets[market].instrument
        flow = self.ledger.flows.get((market.venue, instrument.base))
        return ZERO if flow is None else flow.balance / instrument.multiplier

    def target(self, market: MarketId) -> Decimal | None:
        """Give what a person or the strategies steer to; None until each has had its say.

        What is held, where nobody steers to anything.
        """
        return self.cast.target(market)

    def balance(self, venue: str, asset: str) -> Balance:
        """Give what a new order may use of an asset."""
        return self.accounts[venue].balance(asset, *self.orders.claims.of(venue, asset))

    def _ingest(self, tick: Tick) -> None:
        del tick
        for market, tracker in self.markets.items():
            trades = tracker.take_trades()
            for runner in self.runners.values():
                if runner.market.market == market:
                    runner.collect(trades)

    def _reconcile(self, tick: Tick) -> None:
        for tracker in self.markets.values():
            tracker.nudge(tick.at_ns)
        self.outlook.nudge(tick.at_ns)

    def _decide(self, name: str, tick: Tick) -> None:
        runner = self.runners[name]
        runner.decide(tick.number, tick.at_ns)
        if runner.target is not None:
            self.ledger.on_target(name, runner.target)

    def _dispatch(self, tick: Tick) -> None:
        del tick
        self.plans.work()
        self.pipeline.dispatch(on_tick=True)
        self.plans.wishes.settle()

    def _report(self, tick: Tick) -> None:
        self.reporter.tick(tick, self.feed)
        for name, runner in self.runners.items():
            bids, asks = resting(self.orders, name)
            self.reporter.sample(
                self.ledger.strategies[name],
                mid=runner.market.mid,
                bids=bids,
                asks=asks,
                position=self.position(runner.market.market),
                equity=self.figures.equity,
            )

    # What happens between ticks.

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._parts.soon(self._between)

    def _between(self) -> None:
        self._woken = False
        try:
            self.plans.work()
            self.pipeline.dispatch()
            self.plans.wishes.settle()
        except Exception as error:  # noqa: BLE001 - task supervisor: nobody else is listening here
            self._parts.failed(error, "dispatch")

    def _submit(self, actions: tuple[Action, ...]) -> None:
        self.pipeline.submit(actions, self.view)
        self._wake()

    def _sent(self, intents: Sequence[OrderIntent]) -> None:
        self.pipeline.sent(intents)
        left_ns = self._parts.clock.monotonic_ns()
        for intent in intents:
            order = self.orders.get(intent.client_id)
            if order is not None:
                order.left_ns = left_ns

    def _admission(self, intent: OrderIntent) -> Denied | None:
        return self.plans.admissions.check(intent)

    def _refused(self, place: Place, refusal: Refusal, until_ns: int) -> None:
        self.plans.wishes.refused(place, refusal, until_ns)

    def _created(self, intent: OrderIntent, outcome: Outcome) -> None:
        self.pipeline.created(intent, outcome)
        self.guard.answered(intent, outcome)
        for listener in self._answer_listeners:
            listener(intent, outcome)

    def _pull(self, market: MarketId, reason: str) -> None:
        self.pipeline.drop_creates(market)
        for runner in self.runners.values():
            if runner.market.market == market:
                runner.pull(reason, self._now_ns())
        self.plans.pull(market, reason)

    def _validity_changed(self, market: MarketId, valid: bool, reason: str) -> None:
        if not valid:
            self._pull(market, reason)
        self.plans.watches.validity_changed(market)

    def _top_moved(self, market: MarketId, venue_ns: int, top: Top | None) -> None:
        tracker, now_ns = self.markets[market], self._now_ns()
        scale = tracker.book.scale
        for name, runner in self.runners.items():
            if runner.market is not tracker:
                continue
            ledger = self.ledger.strategies[name]
            ledger.markout.on_mid(venue_ns, tracker.mid)
            if top is None or scale is None:
                ledger.uptime.on_invalid(now_ns)
            else:
                ledger.uptime.on_market(now_ns, scale.price(top.bid), scale.price(top.ask))
        self.cast.mid_moved(market, venue_ns)
        self.plans.watches.top_moved(market)

    def _order_changed(self, order: Order) -> None:
        self.guard.order_changed(order)
        name = order.intent.slot.strategy
        if order.intent.slot.plan:
            self.plans.order_changed(order)
            return
        ledger, now_ns = self.ledger.strategies.get(name), self._now_ns()
        if ledger is not None:
            bids, asks = resting(self.orders, name)
            ledger.uptime.on_quotes(now_ns, bids, asks)
        runner = self.runners.get(name)
        if runner is not None:
            runner.order_changed(order, now_ns)

    def _filled(self, fill: Fill, slot: Slot) -> None:
        self.guard.filled(fill, slot)
        if slot.plan:
            self.plans.filled(fill, slot)
            return
        runner = self.runners.get(slot.strategy)
        if runner is not None:
            runner.filled(fill, slot, self._now_ns())

    def _worth(self, asset: str) -> Decimal | None:
        rate = self.ledger.rate(asset, self._now_ns())
        return None if rate is None else rate.value
