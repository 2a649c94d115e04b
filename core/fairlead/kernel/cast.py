"""Bring strategies and their markets onto a desk, at its start and while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from fairlead.api import Action
from fairlead.book import Top
from fairlead.errors import UsageError
from fairlead.execution import QuotesExecutor
from fairlead.kernel.booking import books_of
from fairlead.kernel.plan import StrategyPlan
from fairlead.kernel.resting import own_levels
from fairlead.kernel.strategy import StrategyParts, StrategyRunner
from fairlead.kernel.ticker import Part, Phase, Tick, Ticker
from fairlead.ledger import StrategyTerms
from fairlead.model import ZERO, Instrument, MarketId, Side
from fairlead.trackers import MarketTracker

if TYPE_CHECKING:
    from fairlead.kernel.desk import Desk, DeskParts

__all__ = ["Cast", "CastCalls"]


@dataclass(frozen=True, slots=True)
class CastCalls:
    """Whom markets and strategies call on the desk."""

    decide: Callable[[str, Tick], None]
    submit: Callable[[tuple[Action, ...]], None]
    top_moved: Callable[[MarketId, int, Top | None], None]
    validity_changed: Callable[[MarketId, bool, str], None]


class Cast:
    """Who plays on a desk: every market that is tracked, and every strategy on them."""

    def __init__(self, desk: Desk, parts: DeskParts, calls: CastCalls) -> None:
        self._desk = desk
        self._parts = parts
        self._calls = calls
        self._ticker: Ticker | None = None
        self._decides: dict[str, Part] = {}
        self.markets: dict[MarketId, MarketTracker] = {}
        self.instruments: dict[MarketId, Instrument] = {}
        self.runners: dict[str, StrategyRunner] = {}
        #: Where a person wants a market's position, whatever its strategies steer to.
        self.aims: dict[MarketId, Decimal] = {}
        #: Books of what plans trade elsewhere than on their strategy's market.
        self._books: dict[str, MarketId] = {}
        for plan in parts.strategies:
            problem = self.problem(plan.market)
            if problem:
                # A real venue tells its markets only once it is connected.
                raise UsageError(f"strategies.{plan.name}.market", str(plan.market), problem)
            self._open(plan.market)
            for market in plan.also:
                if not self.problem(market):
                    self._open(market)

    def take_rules(self, instrument: Instrument) -> None:
        """Trade a market by these rules from now on; what rests stays, what comes obeys them."""
        self.markets[instrument.market].instrument = instrument
        self.instruments[instrument.market] = instrument

    def join(self, ticker: Ticker) -> None:
        """Let every strategy decide on each tick, from now on."""
        self._ticker = ticker
        ticker.add(Phase.GUARD, "targets", self._ask_targets)
        for name in self.runners:
            self._beat(ticker, name)

    def problem(self, market: MarketId) -> str:
        """Say why a market cannot be traded on this desk; "" = it can."""
        connector = self._parts.connectors.get(market.venue)
        if connector is None:
            known = ", ".join(self._parts.connectors)
            return f"its venue {market.venue!r} does not run; running are: {known}"
        if market.symbol not in connector.instruments:
            near = get_close_matches(market.symbol, connector.instruments, n=3)
            hint = f"; did you mean: {', '.join(near)}" if near else ""
            return f"its venue has no market {market.symbol!r}{hint}"
        return ""

    def enter(self, plan: StrategyPlan) -> StrategyRunner:
        """Put a strategy on its market, in place of one of its name; its orders go over to it."""
        self._open(plan.market)
        for market in plan.also:
            if not self.problem(market):
                self._open(market)
        controller = plan.build(self.instruments[plan.market])
        before = self.runners.get(plan.name)
        runner = self.runners[plan.name] = StrategyRunner(
            StrategyParts(
                name=plan.name,
                controller=controller,
                executor=QuotesExecutor(plan.name, plan.quoting(controller)),
                market=self.markets[plan.market],
                orders=self._desk.orders,
                journal=self._parts.journal,
                balance=partial(self._desk.balance, plan.market.venue),
                position=partial(self._desk.position, plan.market),
                posture=partial(self._desk.gate.posture, plan.market),
                submit=self._calls.submit,
                plans=self._desk.plans,
                every=plan.every,
                tick_ns=self._parts.tick_ns,
            )
        )
        for market in plan.also:
            if market in self.markets:
                self.keep_books(plan.name, market)
        if before is not None:
            runner.held = before.held  # a person who paused it has not changed his mind
        if self._ticker is not None and plan.name not in self._decides:
            self._beat(self._ticker, plan.name)
        return runner

    def leave(self, name: str, now_ns: int) -> None:
        """Take a strategy off: its orders are cancelled, its books and what it holds remain."""
        runner = self.runners[name]
        self._desk.pipeline.drop_creates(runner.market.market, quotes_only=True)
        runner.stop(now_ns)
        self._desk.plans.stop(name)
        del self.runners[name]
        part = self._decides.pop(name, None)
        if part is not None and self._ticker is not None:
            self._ticker.remove(part)

    def keep_books(self, strategy: str, market: MarketId) -> None:
        """Keep books of what a strategy's plans trade on a market, unless they are its own."""
        ledger = self._desk.ledger
        name = books_of(ledger, strategy, market)
        if name not in ledger.strategies:
            ledger.enlist(StrategyTerms(name, self.instruments[market]))
            ledger.on_target(name, self._desk.position(market))
            self._books[name] = market

    def settle_books(self, venue: str) -> None:
        """Take what a venue holds now for what such books are to come back to."""
        for name, market in self._books.items():
            if market.venue == venue:
                self._desk.ledger.on_target(name, self._desk.position(market))

    def target(self, market: MarketId) -> Decimal | None:
        """Give what a person or the strategies steer to; None until each has had its say.

        What is held, where nobody steers to anything.
        """
        if market in self.aims:
            return self.aims[market]
        runners = self._on(market)
        if any(runner.target_awaited for runner in runners):
            return None
        targets = [runner.target for runner in runners] or [self._kept(market)]
        known = [target for target in targets if target is not None]
        return sum(known, start=ZERO) if known else self._desk.position(market)

    def mid_moved(self, market: MarketId, venue_ns: int) -> None:
        """Let such books follow the market."""
        for name, one in self._books.items():
            if one == market:
                markout = self._desk.ledger.strategies[name].markout
                markout.on_mid(venue_ns, self.markets[market].mid)

    def _ask_targets(self, tick: Tick) -> None:
        # Whoever decides first is held to what all steer to, so those after it are asked before.
        for name, runner in self.runners.items():
            if not runner.target_awaited or len(self._on(runner.market.market)) == 1:
                continue
            runner.foretell(tick.at_ns)
            if runner.target is not None:
                self._desk.ledger.on_target(name, runner.target)

    def _on(self, market: MarketId) -> list[StrategyRunner]:
        return [runner for runner in self.runners.values() if runner.market.market == market]

    def _kept(self, market: MarketId) -> Decimal | None:
        # What is to be held on a market that no strategy steers; None = nothing says so.
        names = [name for name, one in self._books.items() if one == market]
        ledgers = self._desk.ledger.strategies
        return ledgers[names[0]].book.target if names else None

    def _beat(self, ticker: Ticker, name: str) -> None:
        call = partial(self._calls.decide, name)
        self._decides[name] = ticker.add(Phase.DECIDE, name, call, core=False)

    def _open(self, market: MarketId) -> None:
        if market in self.markets:
            return
        connector = self._parts.connectors[market.venue]
        shared = connector.capabilities.own_orders_in_book
        tracker = MarketTracker(
            connector.instruments[market.symbol],
            connector.sequence_rule(market.symbol),
            self._parts.journal,
            resync=partial(connector.resync, market.symbol),
            stale_ns=self._parts.stale_ns,
            own_orders=partial(self._own_orders, market) if shared else None,
        )
        tracker.on_top(partial(self._calls.top_moved, market))
        tracker.on_validity(partial(self._calls.validity_changed, market))
        self.markets[market] = tracker
        self.instruments[market] = tracker.instrument
        if self._ticker is not None:
            connector.resync(market.symbol)  # its first snapshot is long past

    def _own_orders(self, market: MarketId) -> dict[tuple[Side, int], int]:
        return own_levels(self._desk.orders, market, self.markets[market].book.scale)
