"""Run one strategy: show it the market, take its decision, and lead its executor step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from fairlead.api import (
    KEEP,
    Action,
    Balance,
    Controller,
    Decision,
    Executor,
    ExecutorEvent,
    ExecutorView,
    Filled,
    Gate,
    OrderChanged,
    OrderView,
    Posture,
    PostureLevel,
    Pull,
    Start,
    Stop,
    View,
    Wake,
    Wish,
)
from fairlead.model import ONE, Fill, Purpose, Quote, Side, Slot, Trade
from fairlead.store import DecisionMade, Incident, Journal
from fairlead.trackers import MarketTracker, Order, OrderTracker

if TYPE_CHECKING:
    from fairlead.kernel.plans import PlanDesk

__all__ = ["StrategyParts", "StrategyRunner"]

# What happened since the last decision, at most; more would not change one.
_NEWS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class StrategyParts:
    """What a strategy runs with."""

    name: str
    controller: Controller[Any]
    executor: Executor[Any]
    market: MarketTracker
    orders: OrderTracker
    journal: Journal
    balance: Callable[[str], Balance]
    position: Callable[[], Decimal]
    posture: Callable[[], Posture]
    submit: Callable[[tuple[Action, ...]], None]
    #: Where plans are started and ended, and what became of them.
    plans: PlanDesk
    every: int
    tick_ns: int


class StrategyRunner:
    """One strategy and its quotes executor; everything it wants goes to the pipeline."""

    def __init__(self, parts: StrategyParts) -> None:
        self._parts = parts
        self.name = parts.name
        self.market = parts.market
        #: What the strategy steers to, in base units; None before its first word on it.
        self.target: Decimal | None = None
        #: True until it has decided on a valid book: what it did not say there it has not.
        self.target_awaited = True
        #: The last decision's quotes and gates, for those who look.
        self.quotes: tuple[Quote, ...] = ()
        self.gates: tuple[Gate, ...] = ()
        # The last decision's whole wish, the sides that were left out of it, and when it was.
        self._wished: tuple[Quote, ...] = ()
        self._left_out: tuple[Side, ...] = ()
        self._decided_ns = 0
        #: Why a person keeps it from quoting; None = nobody does.
        self.held: Gate | None = None
        self.failures = 0
        self._memory: msgspec.Struct = parts.controller.initial()
        self._state: msgspec.Struct = parts.executor.initial()
        self._trades: list[Trade] = []
        self._fills: list[Fill] = []
        self._closed: list[OrderView] = []
        self._journaled: tuple[object, ...] | None = None
        self._stopped = False

    def collect(self, trades: tuple[Trade, ...]) -> None:
        """Keep prints for the next decision."""
        if len(self._trades) < _NEWS_KEPT:
            self._trades.extend(trades)

    def decide(self, number: int, now_ns: int) -> None:
        """Decide, when this tick is one of the strategy's, and let the executor work on it."""
        if self._stopped or number % self._parts.every:
            return
        posture = self._parts.posture()
        decision = self._ask(now_ns, posture)
        self._trades.clear()
        self._fills.clear()
        self._closed.clear()
        if decision is None:
            return
        self._memory = decision.memory
        self._parts.plans.seen(self.name)
        self._parts.plans.stop(self.name, decision.stop)
        self._aim(decision)
        self.gates = decision.gates
        if self.held is not None:
            self._pull(self.held, now_ns)
            return
        if decision.quotes is not KEEP:
            self._wished = decision.quotes
        if posture.level.rank >= PostureLevel.CANCEL_ONLY.rank or _paused(posture):
            # It goes on thinking, so that its target and memory are of today when it is let go.
            self._pull(Gate(posture.rule, posture.reason), now_ns)
            return
        self.gates += self._parts.plans.start(self.name, decision.start)
        if decision.quotes is KEEP and not posture.paused and not self._left_out:
            self._write_down(len(self.quotes))
            self._step(Wake(), now_ns)
            return
        self._decided_ns = now_ns
        self._wish(posture, now_ns)

    def foretell(self, now_ns: int) -> None:
        """Learn what it steers to before it decides, so that others on its market need not wait."""
        if self.market.mid is None:
            return
        try:
            decision = _checked(self.preview(now_ns))
        except Exception:  # noqa: BLE001 - plugin boundary: it fails loudly when it decides
            return
        self._aim(decision)

    def obey(self, posture: Posture, now_ns: int) -> None:
        """Take away at once the quotes of the sides that a posture pauses."""
        if self._stopped or self.held is not None:
            return
        if _paused(posture):
            self._pull(Gate(posture.rule, posture.reason), now_ns)
        elif any(quote.side in posture.paused for quote in self.quotes):
            self._wish(posture, now_ns)

    def preview(self, now_ns: int) -> Decision[Any]:
        """Give the decision that it would take now; remembers and sends nothing."""
        view = self._view(now_ns, self._parts.posture())
        return self._parts.controller.decide(view, self._memory)

    def pull(self, reason: str, now_ns: int) -> None:
        """Take every quote away at once."""
        self._step(Pull(reason), now_ns)

    def hold(self, gate: Gate, now_ns: int) -> None:
        """Take every quote away and quote nothing until `release`; it goes on thinking."""
        self.held = gate
        self._pull(gate, now_ns)

    def release(self) -> None:
        """Quote again, from the next decision on."""
        self.held = None

    def stop(self, now_ns: int) -> None:
        """Cancel everything and decide nothing more."""
        self._stopped = True
        self._step(Stop(), now_ns)

    def order_changed(self, order: Order, now_ns: int) -> None:
        """Tell the executor that one of its orders moved; an exit's are not its own."""
        if order.intent.purpose is not Purpose.QUOTE:
            return
        view = order.view()
        if view.state.is_closed and len(self._closed) < _NEWS_KEPT:
            self._closed.append(view)
        self._step(OrderChanged(view), now_ns)

    def filled(self, fill: Fill, slot: Slot, now_ns: int) -> None:
        """Tell executor and, with the next decision, controller of an own fill."""
        if len(self._fills) < _NEWS_KEPT:
            self._fills.append(fill)
        self._step(Filled(fill, slot), now_ns)

    def _aim(self, decision: Decision[Any]) -> None:
        if decision.target is not None:
            self.target = decision.target
        if decision.target is not None or self.market.mid is not None:
            self.target_awaited = False

    def _wish(self, posture: Posture, now_ns: int) -> None:
        quotes = tuple(quote for quote in self._wished if quote.side not in posture.paused)
        self._left_out = posture.paused
        if posture.paused:
            gate = Gate(posture.rule, posture.reason)
            self.gates = (*(one for one in self.gates if one.name != gate.name), gate)
        self.quotes = quotes
        self._write_down(len(quotes))
        self._step(Wish(quotes, self._decided_ns), now_ns)

    def _pull(self, gate: Gate, now_ns: int) -> None:
        self.quotes, self.gates = (), (gate,)
        self._write_down(0)
        self._step(Pull(gate.name), now_ns)

    def _ask(self, now_ns: int, posture: Posture) -> Decision[Any] | None:
        try:
            return _checked(
                self._parts.controller.decide(self._view(now_ns, posture), self._memory)
            )
        except Exception as error:  # noqa: BLE001 - plugin boundary: without a decision no quotes
            self.failures += 1
            if self.failures == 1:
                self._parts.journal.append(
                    Incident(name="strategy_failed", detail=f"{self.name}: {error!r}")
                )
            self._pull(Gate("strategy failed", repr(error)), now_ns)
            return None

    def _view(self, now_ns: int, posture: Posture) -> View:
        market = self.market
        instrument = market.instrument
        return View(
            now_ns=now_ns,
            market=instrument.market,
            instrument=instrument,
            book=market.view(),
            mark=market.mark,
            base=self._parts.balance(instrument.base),
            quote=self._parts.balance(instrument.quote),
            position=self._parts.position(),
            orders=self._live(),
            trades=tuple(self._trades),
            fills=tuple(self._fills),
            closed=tuple(self._closed),
            spread_factor=max(posture.spread_factor, ONE),
            executions=self._parts.plans.executions(self.name),
        )

    def _live(self) -> tuple[OrderView, ...]:
        return tuple(
            order.view()
            for order in self._parts.orders.live(strategy=self.name)
            if order.intent.purpose is Purpose.QUOTE
        )

    def _step(self, event: ExecutorEvent, now_ns: int) -> None:
        book = self.market.view()
        view = ExecutorView(
            now_ns=now_ns,
            instrument=self.market.instrument,
            orders=self._live(),
            tick_ns=self._parts.tick_ns,
            best_bid=None if book is None else book.best_bid.price,
            best_ask=None if book is None else book.best_ask.price,
        )
        step = self._parts.executor.step(self._state, event, view)
        self._state = step.state
        if step.actions:
            self._parts.submit(step.actions)

    def _write_down(self, quotes: int) -> None:
        # Only what differs from the last decision, so that a quiet hour is a short journal.
        shape = (quotes, tuple(gate.name for gate in self.gates), self.target)
        if shape == self._journaled:
            return
        self._journaled = shape
        self._parts.journal.append(
            DecisionMade(
                strategy=self.name,
                market=str(self.market.market),
                quotes=quotes,
                gates=self.gates,
                target=self.target,
            )
        )


def _paused(posture: Posture) -> bool:
    return len(posture.paused) == len(Side)


def _checked(decision: Decision[Any]) -> Decision[Any]:
    # What is no decision must not reach the executor, where it would be our own failure.
    if not isinstance(decision, Decision):
        raise TypeError(f"no decision: {decision!r}")
    if not all(isinstance(start, Start) for start in decision.start):
        raise TypeError(f"no plans to start: {decision.start!r}")
    for quote in () if decision.quotes is KEEP else decision.quotes:
        if not isinstance(quote, Quote):
            raise TypeError(f"no quote: {quote!r}")
        if not (quote.price.is_finite() and quote.quantity.is_finite()):
            raise ValueError(f"no price or quantity: {quote!r}")
    return decision
