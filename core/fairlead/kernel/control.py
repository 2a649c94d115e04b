"""Do what a person tells a running engine: at once where it takes risk away, else at a tick.

`Control` is part of the synchronous core: it gets commands by call, from the socket's shell or
from the keys of a live view, and answers by call. Looking leaves no trace. Every other command is
judged, then written down with who gave it, then done, so that a run explains itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from fairlead.api import Cancel, Clock, Gate, PostureLevel, Record
from fairlead.errors import EngineError, ExitCode
from fairlead.kernel import control_view as view
from fairlead.kernel.control_command import (
    Answer,
    Attach,
    Balances,
    CancelOrders,
    Command,
    Fills,
    Flatten,
    Orders,
    Panic,
    Pause,
    Pnl,
    Positions,
    Query,
    Reduce,
    Refused,
    Reply,
    ResetPeak,
    Resume,
    Risk,
    Status,
    StopRun,
    Strategy,
)
from fairlead.kernel.desk import Desk
from fairlead.kernel.engine import Engine
from fairlead.kernel.flatten import FlattenAsked, Flattening, slippage
from fairlead.kernel.outcome import RunSetup, StopReason
from fairlead.kernel.roster import Roster
from fairlead.kernel.strategy import StrategyRunner
from fairlead.kernel.ticker import Phase, Tick, Ticker
from fairlead.model import ZERO, MarketId, trimmed
from fairlead.store import AlertRaised, ControlAsked, FillBooked, Journal

__all__ = ["BY_HAND", "Control", "ControlParts"]

#: The rule that stands for a person, in postures and in journals.
BY_HAND = "by_hand"
_FILLS_KEPT = 1_000
#: Does what was judged good; gives the answer, or None where it comes later by the reply.
_Effect: TypeAlias = Callable[[Reply], dict[str, Any] | None]

_TABLES: Mapping[type[Query], Callable[[view.Seen], dict[str, Any]]] = {
    Orders: view.orders,
    Positions: view.positions,
    Balances: view.balances,
    Pnl: view.pnl,
    Risk: view.risk,
}
_STARTING = Refused("the engine is still starting", ExitCode.UNAVAILABLE)
_STOPPING = Refused("the engine is stopping", ExitCode.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class ControlParts:
    """What a control works on."""

    engine: Engine
    setup: RunSetup
    clock: Clock
    ticker: Ticker
    journal: Journal
    roster: Roster


class Control:
    """A person's hand on one engine. Make it before the engine starts."""

    def __init__(self, parts: ControlParts) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._now_ns = parts.clock.now_ns
        self._later: list[tuple[Strategy, str, Reply]] = []
        self._flattening: tuple[Flattening, Reply] | None = None
        self._fills: deque[tuple[int, FillBooked]] = deque(maxlen=_FILLS_KEPT)
        self._listening = False
        #: Makes what the live view shows; None = nothing is drawn by this run.
        self.picture: Callable[[], dict[str, Any]] | None = None
        #: More for `Status`, by name.
        self.shown: dict[str, Callable[[], Any]] = {}
        parts.journal.observe(self._recorded)
        parts.ticker.add(Phase.RECONCILE, "control", self._change_on, core=False)
        parts.ticker.add(Phase.DECIDE, "flatten", self._flatten_on, core=False)

    @property
    def phase(self) -> str:
        """Give "starting", "running" or "stopping"."""
        if not self._engine.assembled:
            return "starting"
        return "running" if self._engine.desk.pipeline.open_for_creates else "stopping"

    def take(self, command: Command, who: str, reply: Reply) -> None:
        """Do what is asked and call ``reply`` once: at once, or when it has come to its end."""
        if isinstance(command, Query):
            reply(self._look(command))
        elif isinstance(command, Strategy) and self.phase == "running":
            self._later.append((command, who, reply))
        else:
            self._act(command, who, reply)

    def close(self) -> None:
        """Answer what still waits: the run is over."""
        if self._flattening is not None:
            flattening, reply = self._flattening
            self._flattening = None
            flattening.end = flattening.end or "the run ended"
            reply(Answer(flattening.result()))
        later, self._later = self._later, []
        for command, who, reply in later:
            self._note(command, who, _STOPPING.reason)
            reply(_STOPPING)

    def _act(self, command: Command, who: str, reply: Reply) -> None:
        effect = self._judge(command, who)
        if isinstance(effect, Refused):
            self._note(command, who, effect.reason)
            reply(effect)
            return
        self._note(command, who)
        result = effect(reply)
        if result is not None:
            reply(Answer(result))

    def _look(self, query: Query) -> Answer | Refused:
        if not self._engine.assembled:
            return _STARTING
        seen = view.Seen(
            desk=self._engine.desk,
            setup=self._parts.setup,
            ticker=self._parts.ticker,
            phase=self.phase,
            now_ns=self._now_ns(),
            started_ns=self._engine.started_ns,
        )
        result: dict[str, Any]
        match query:
            case Status():
                result = view.status(seen) | {name: show() for name, show in self.shown.items()}
            case Orders() | Positions() | Balances() | Pnl() | Risk():
                result = _TABLES[type(query)](seen)
            case Fills(last=last):
                result = view.fills(islice(reversed(self._fills), last))
            case Attach():
                if self.picture is None:
                    return Refused("this run draws no live view", ExitCode.UNAVAILABLE)
                result = self.picture()
        return Answer({"schema": 1} | result)

    # What may be done, and how.

    def _judge(self, command: Command, who: str) -> Refused | _Effect:
        match command:
            case StopRun() | Panic():
                return lambda reply: self._end(command, who)
            case _ if self.phase != "running":
                return _STARTING if self.phase == "starting" else _STOPPING
            case Pause(target=target) | Resume(target=target):
                return self._holding(command, target, who)
            case Reduce() | ResetPeak():
                return lambda reply: self._restrain(command, who)
            case CancelOrders(target=target):
                return self._cancelling(target, who)
            case Flatten():
                return self._flatten(command, who)
            case _:
                raise TypeError(f"{command!r} is not done here")

    def _end(self, command: StopRun | Panic, who: str) -> dict[str, Any]:
        reason = f"asked by {who}"
        if isinstance(command, StopRun):
            self._engine.request_stop(StopReason.ASKED, reason)
            return {"stopping": True}
        reason = command.reason or reason
        self._engine.halt("panic", reason)
        return {"halted": True, "reason": reason}

    def _restrain(self, command: Reduce | ResetPeak, who: str) -> dict[str, Any]:
        desk = self._engine.desk
        if isinstance(command, ResetPeak):
            equity = desk.guard.reset_peak()
            return {"peak": None if equity is None else trimmed(equity)}
        if command.on:
            desk.gate.impose(BY_HAND, PostureLevel.REDUCING, f"asked by {who}")
        else:
            self._lift()
        desk.guard.enforce_all()
        return {"reduce_only": command.on}

    def _holding(self, command: Pause | Resume, target: str, who: str) -> Refused | _Effect:
        runners = self._runners(target)
        if not runners:
            return self._unknown(target)
        if isinstance(command, Pause):
            return lambda reply: self._pause(runners, Gate("paused", f"by {who}"))
        if self._flattening is not None:
            market = self._flattening[0].asked.market
            if any(runner.market.market == market for runner in runners):
                return Refused(f"{market} is being flattened; wait for its end")
        return lambda reply: self._resume(runners, everything=not target)

    def _pause(self, runners: list[StrategyRunner], gate: Gate) -> dict[str, Any]:
        desk = self._engine.desk
        for runner in runners:
            desk.pipeline.drop_creates(runner.market.market, quotes_only=True)
            runner.hold(gate, self._now_ns())
            desk.plans.hold(runner.name, gate.name)
        desk.pipeline.dispatch()
        return {"paused": [runner.name for runner in runners]}

    def _resume(self, runners: list[StrategyRunner], *, everything: bool) -> dict[str, Any]:
        released = [runner.name for runner in runners if runner.held is not None]
        for runner in runners:
            runner.release()
            self._engine.desk.cast.aims.pop(runner.market.market, None)
        if everything:
            self._lift()
        return {"resumed": released}

    def _lift(self) -> None:
        # What a person asked for, and what waits for one to look: failed rules, residuals, and
        # what could not be read of the account.
        desk = self._engine.desk
        desk.gate.lift(BY_HAND, *(rule.name for rule in desk.gate.rules))
        desk.plans.ends.lift()
        desk.guard.lift()

    def _cancelling(self, target: str, who: str) -> Refused | _Effect:
        desk = self._engine.desk
        market = self._market(target)
        ids = [
            order.client_id
            for order in desk.orders.live()
            if target in ("", str(order.intent.slot.market), order.client_id, order.client_id[-8:])
        ]
        if target and not ids and market is None:
            return Refused(f"no live order and no market {target!r}")

        def cancel(reply: Reply) -> dict[str, Any]:
            del reply
            if not target or market is not None:
                desk.pipeline.drop_creates(market)
            cancels = tuple(Cancel(client_id, f"asked by {who}") for client_id in ids)
            desk.pipeline.submit(cancels, desk.view)
            desk.pipeline.dispatch()
            return {"orders": ids}

        return cancel

    def _flatten(self, command: Flatten, who: str) -> Refused | _Effect:
        market, bound = self._market(command.market), slippage(command.max_slippage)
        if market is None:
            return self._unknown(command.market)
        if bound is None:
            expected = 'write a ratio above zero and below 100%, e.g. "30 bps" or "0.3%"'
            return Refused(f"max_slippage {command.max_slippage!r}: {expected}")
        if command.to not in ("target", "zero"):
            return Refused(f'to {command.to!r}: write "target" or "zero"')
        if self._flattening is not None:
            return Refused(f"{self._flattening[0].asked.market} is being flattened already")
        desk = self._engine.desk
        books = next(
            name
            for name, ledger in desk.ledger.strategies.items()
            if ledger.terms.instrument.market == market
        )

        def begin(reply: Reply) -> None:
            self._listen(desk)
            if command.to == "zero":
                desk.cast.aims[market] = ZERO
            asked = FlattenAsked(market, books, bound, command.to)
            self._flattening = (Flattening(desk, asked, self._now_ns()), reply)
            desk.plans.stop(market=market)
            self._pause(self._runners(command.market), Gate("paused", f"flattening, by {who}"))

        return begin

    # On the tick.

    def _change_on(self, tick: Tick) -> None:
        del tick
        later, self._later = self._later, []
        for command, who, reply in later:
            # The reading of a configuration can take long; it happens only when one asks.
            try:
                result = self._parts.roster.change(self._engine.desk, command.change, command.name)
            except EngineError as error:
                self._note(command, who, str(error))
                reply(Refused(str(error), error.exit_code))
            else:
                self._note(command, who)
                reply(Answer(result))

    def _flatten_on(self, tick: Tick) -> None:
        if self._flattening is None:
            return
        flattening, reply = self._flattening
        flattening.tick(tick.at_ns)
        if flattening.end:
            self._flattening = None
            result = flattening.result()
            if result["open"]:
                detail = f"{result['market']}: {result['residual']} left, {result['end']}"
                self._parts.journal.append(AlertRaised("critical", "residual_exposure", detail))
            reply(Answer(result))

    def _listen(self, desk: Desk) -> None:
        if self._listening:
            return
        self._listening = True
        desk.booking.on_fill(
            lambda fill, slot: (
                None
                if self._flattening is None
                else self._flattening[0].filled(fill, slot, self._now_ns())
            )
        )

    # Inside.

    def _runners(self, target: str) -> list[StrategyRunner]:
        return [
            runner
            for runner in self._engine.desk.runners.values()
            if target in ("", runner.name, str(runner.market.market))
        ]

    def _market(self, name: str) -> MarketId | None:
        return next((one for one in self._engine.desk.markets if str(one) == name), None)

    def _unknown(self, target: str) -> Refused:
        desk = self._engine.desk
        known = [*desk.runners, *map(str, desk.markets)]
        return Refused(f"no strategy or market {target!r}; there are: {', '.join(known)}")

    def _note(self, command: Command, who: str, refused: str = "") -> None:
        tree = msgspec.to_builtins(command)
        name = tree.pop("command")
        arguments = {key: str(value) for key, value in sorted(tree.items())}
        self._parts.journal.append(ControlAsked(who, name, arguments, " ".join(refused.split())))

    def _recorded(self, seq: int, t_ns: int, record: Record) -> None:
        del seq
        if isinstance(record, FillBooked):
            self._fills.append((t_ns, record))
