"""Work admitted plans between ticks: wake their executors, lead their orders, record their ends.

Nothing here recurses: whatever happens becomes an event of its plan, and plans step at dispatch
points, the tick's own and the end of any loop turn in which one was woken. A state is journaled
before what it asks for is submitted, so a create never leaves before the state that placed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from fairlead.api import (
    Action,
    Cancel,
    Clock,
    Denied,
    ExecutionView,
    Filled,
    Gate,
    OrderChanged,
    Place,
    PlanEvent,
    PlanStep,
    PostureLevel,
    Start,
    Stop,
    Triggered,
    Wake,
)
from fairlead.kernel.plans_admission import Admissions
from fairlead.kernel.plans_end import PlanEnds, ended_as_it_is
from fairlead.kernel.plans_result import denied_result
from fairlead.kernel.plans_run import WAITING, Closing, PlanRun, PlanSurroundings
from fairlead.kernel.plans_start import PlanStarter, state_text
from fairlead.kernel.plans_stuck import PlanStuck
from fairlead.kernel.plans_watch import PlanWatches
from fairlead.kernel.plans_wish import PlanWishes
from fairlead.model import ZERO, Fill, MarketId, OrderIntent, Purpose, Side, Slot, trimmed
from fairlead.pipeline import RiskGate
from fairlead.store import (
    ExecutionStarted,
    ExecutionStepped,
    Incident,
    Journal,
)
from fairlead.trackers import Order, OrderTracker

__all__ = ["PlanDesk", "PlanDeskParts"]

_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class PlanDeskParts:
    """What a plan desk works with."""

    clock: Clock
    journal: Journal
    orders: OrderTracker
    gate: RiskGate
    starter: PlanStarter
    around: PlanSurroundings
    #: Creates that were allowed but have not left: all, and those of an execution.
    waiting: Callable[[], Sequence[OrderIntent]]
    waiting_of: Callable[[str], Sequence[OrderIntent]]
    submit: Callable[[tuple[Action, ...]], None]
    #: Take back a wish that has not left.
    withdraw: Callable[[Slot], None]
    #: Ask for a dispatch point at the end of this turn of the loop.
    wake: Callable[[], None]
    #: Whether anything may be placed at all.
    is_open: Callable[[], bool]
    #: Keep books for a strategy in a market.
    keep_books: Callable[[str, MarketId], None]
    #: Why a person holds a strategy; None = nobody does.
    held: Callable[[str], Gate | None]
    #: Take away at once what the posture of a market does not allow.
    enforce: Callable[[MarketId], None]


class PlanDesk:
    """Every execution of one engine."""

    def __init__(self, parts: PlanDeskParts) -> None:
        self._parts = parts
        self._runs: dict[str, PlanRun] = {}
        self._ended: dict[str, list[ExecutionView]] = {}
        #: What every plan may look at.
        self.around = parts.around
        #: The running executions by their ids.
        self.runs: Mapping[str, PlanRun] = self._runs
        self.admissions = Admissions(self._runs, parts.waiting_of, parts.held)
        self.watches = PlanWatches(self._runs, parts.around.markets, self.tell)
        self._stuck = PlanStuck(parts.journal, parts.around.now_ns)
        self.wishes = PlanWishes(
            self._runs,
            parts.clock,
            parts.orders,
            parts.around.tick_ns,
            waiting=parts.waiting,
            withdraw=parts.withdraw,
            tell=self.tell,
            stuck=self._stuck,
        )
        self.ends = PlanEnds(parts.journal, parts.gate, parts.around.now_ns, enforce=parts.enforce)

    # What strategies ask for.

    def start(self, strategy: str, starts: Iterable[Start]) -> tuple[Gate, ...]:
        """Admit plans, on a tick; gives a gate for each that was denied."""
        gates = []
        for start in starts:
            if self._find(strategy, start.name) is not None:
                continue
            found: PlanRun | Denied = Denied("stopping", "closed", "open", "nothing is placed now")
            if self._parts.is_open():
                found = self._parts.starter.admit(strategy, start)
            if isinstance(found, Denied):
                gates.append(self._denied(strategy, start, found))
            else:
                self._begin(found)
        return tuple(gates)

    def stop(
        self,
        strategy: str | None = None,
        names: Iterable[str] | None = None,
        *,
        market: MarketId | None = None,
    ) -> tuple[str, ...]:
        """Tell plans to end: of a strategy, of these names, on a market; gives their names."""
        wanted = None if names is None else tuple(names)
        stopped = [
            run
            for run in self._runs.values()
            if (strategy is None or run.strategy == strategy)
            and (wanted is None or run.name in wanted)
            and (market is None or market in run.instruments)
        ]
        for run in stopped:
            self.tell(run, Stop())
        return tuple(run.name for run in stopped)

    def executions(self, strategy: str) -> tuple[ExecutionView, ...]:
        """Give those that run and those that ended and were not `seen` yet, by their begin."""
        running = [run.view() for run in self._runs.values() if run.strategy == strategy]
        return (*self._ended.get(strategy, ()), *running)

    def seen(self, strategy: str) -> None:
        """Forget those that ended: their strategy knows."""
        self._ended.pop(strategy, None)

    # What happens to orders.

    def order_changed(self, order: Order) -> None:
        """Take that an order of a plan moved."""
        run = self._runs.get(order.intent.slot.plan)
        if run is None:
            return
        self._stuck.order_changed(run, order)
        if order.state.is_closed:
            run.orders.pop(order.client_id, None)
        self.tell(run, OrderChanged(order.view()))

    def filled(self, fill: Fill, slot: Slot) -> None:
        """Count a fill of a plan's order."""
        run, order = self._runs.get(slot.plan), self._parts.orders.get(fill.client_id)
        if run is None or order is None:
            signed = fill.side.sign * fill.quantity
            self.ends.leave_open(
                slot.strategy, slot.plan[-8:], slot.market, signed, "a fill too late"
            )
            self._parts.wake()
            return
        run.book.add(fill, slot.level, order.intent.purpose, order.intent.mid)
        if run.closing is not None:
            signed = fill.side.sign * fill.quantity
            run.closing.since[slot.market] = run.closing.since.get(slot.market, ZERO) + signed
        self.tell(run, Filled(fill, slot))

    # At dispatch points.

    def tell(self, run: PlanRun, event: PlanEvent) -> None:
        """Let an execution hear of something at the next dispatch point."""
        run.events.append(event)
        if run.awake:
            self._parts.wake()

    def work(self) -> None:
        """Let every execution that was woken take its steps; what they ask for is submitted."""
        for run in tuple(self._runs.values()):
            for _ in range(len(run.events) if run.awake else 0):
                if run.events:  # a step that failed has dropped the rest
                    self._step(run, run.events.popleft())
            if run.closing is not None and not (run.orders or run.placed or run.events):
                del self._runs[run.execution]
                self._stuck.forget(run)
                view = self.ends.record(run, run.closing)
                self._ended.setdefault(run.strategy, []).append(view)

    def halt(self) -> None:
        """Tell every execution to stop, now; its cancels leave with the next dispatch."""
        for run in self._runs.values():
            run.stop_waiting()
            self.tell(run, Stop())
        self.work()

    def pull(self, market: MarketId, reason: str, sides: Sequence[Side] = tuple(Side)) -> None:
        """Cancel what rests on a market: new risk, and all where nothing may be traded at all."""
        nothing = self._parts.gate.posture(market).level.rank >= PostureLevel.CANCEL_ONLY.rank
        cancels = tuple(
            Cancel(client_id, reason)
            for run in self._runs.values()
            for client_id, order in run.orders.items()
            if order.intent.slot.market == market
            and (nothing or order.intent.purpose is Purpose.ENTRY)
            and order.intent.side in sides
        )
        if cancels:
            self._parts.submit(cancels)
            self._parts.wake()

    def hold(self, strategy: str, reason: str) -> None:
        """Take the new risk of a strategy's plans away: a person holds it; the rest goes on."""
        for run in [one for one in self._runs.values() if one.strategy == strategy]:
            entries = [
                client_id
                for client_id, order in run.orders.items()
                if order.intent.purpose is Purpose.ENTRY
            ]
            self._parts.submit(tuple(Cancel(client_id, reason) for client_id in entries))
            wishes = [s for s, place in run.placed.items() if place.purpose is Purpose.ENTRY]
            self.wishes.withdraw(run, wishes)
        self._parts.wake()

    def adopt(self, run: PlanRun) -> None:
        """Lead an execution from now on; its books are kept from the first fill on."""
        self._runs[run.execution] = run
        for market in run.instruments:
            self._parts.keep_books(run.strategy, market)

    def _close(self, run: PlanRun, closing: Closing) -> None:
        # Ends it whatever its executor thinks; its orders are cancelled.
        run.closing = closing
        self._journal_step(run)
        run.stop_waiting()
        cancels = tuple(Cancel(client_id, closing.end) for client_id in run.orders)
        self.wishes.withdraw(run, run.placed)
        self._parts.submit(cancels)
        self._parts.wake()

    # Inside.

    def _find(self, strategy: str, name: str) -> PlanRun | None:
        return next(
            (r for r in self._runs.values() if r.strategy == strategy and r.name == name), None
        )

    def _denied(self, strategy: str, start: Start, denied: Denied) -> Gate:
        figures = f"{_figure(denied.observed)}, limit {_figure(denied.limit)}"
        why = f"{denied.rule}: {figures}" + (f" ({denied.detail})" if denied.detail else "")
        result = denied_result(why, self._parts.around.now_ns())
        view = ExecutionView(start.name, "", start.executor, start.plan, result)
        self._ended.setdefault(strategy, []).append(view)
        return Gate(f"execution {start.name}", f"denied by {why}")

    def _begin(self, run: PlanRun) -> None:
        self._parts.journal.append(
            ExecutionStarted(
                execution=run.execution,
                name=run.name,
                strategy=run.strategy,
                executor=run.executor_name,
                plan=run.plan.model_dump_json(),
                legs=run.admitted_legs(),
                loss_cap=run.loss_cap,
                state=run.durable,
            )
        )
        self.adopt(run)
        self.tell(run, Wake())

    def _step(self, run: PlanRun, event: PlanEvent) -> None:
        if run.broken or (run.closing is not None and isinstance(event, Wake | Triggered)):
            return
        try:
            step = run.executor.step(run.state, event, run.look(self._parts.around))
            text = _checked(step, run)
        except Exception as error:  # noqa: BLE001 - plugin boundary: its orders must not stay alone
            self._fail(run, error)
            return
        run.state = step.state
        ends = self._take_end(run, step)
        if text != run.durable or ends:
            run.durable = text
            self._journal_step(run)
        self._wait(run, step)
        self._act(run, step.actions)

    def _journal_step(self, run: PlanRun) -> None:
        end = "" if run.closing is None else run.closing.end
        self._parts.journal.append(ExecutionStepped(run.execution, run.durable, end))

    def _take_end(self, run: PlanRun, step: PlanStep[Any]) -> bool:
        # True when it ended just now. The first end counts; what is left open may still change.
        before = run.closing
        if not step.end:
            if before is None and run.ended_before:
                run.closing = ended_as_it_is(run, run.ended_before)
                return True
            return False
        run.closing = Closing(
            end=step.end if before is None else before.end,
            complete=step.complete if before is None else before.complete,
            residual=dict(step.residual),
            kept=dict(step.kept),
            notes=dict(step.notes),
        )
        return before is None

    def _wait(self, run: PlanRun, step: PlanStep[Any]) -> None:
        if run.closing is not None:
            run.stop_waiting()
            return
        timer = None
        if step.wake_ns is not None:
            now_ns = self._parts.around.now_ns()
            # A time that has passed must not keep the loop in one instant for ever.
            at_ns = step.wake_ns if step.wake_ns > now_ns else now_ns + _MILLISECOND
            timer = self._parts.clock.call_at_ns(at_ns, partial(self._due, run))
        run.set_timer(timer)
        self.watches.arm(run, step.watches)

    def _due(self, run: PlanRun) -> None:
        run.timer = None
        self.tell(run, Wake())

    def _act(self, run: PlanRun, actions: Iterable[Action]) -> None:
        kept: list[Action] = []
        for action in actions:
            match action:
                case Cancel(client_id=client_id) if client_id.startswith(WAITING):
                    self.wishes.withdraw(run, self.wishes.named(run, client_id))
                case Cancel(client_id=client_id) if client_id in run.orders:
                    kept.append(action)
                case Cancel():
                    pass  # closed meanwhile, or none of its own
                case Place(slot=slot) if run.closing is None:
                    if slot.plan != run.execution:
                        self.wishes.strange(run, action)
                        continue
                    run.placed[slot] = action
                    kept.append(action)
                case Place():
                    pass  # it has ended
        if kept:
            self._parts.submit(tuple(kept))
            self.admissions.judged = None

    def _fail(self, run: PlanRun, error: Exception) -> None:
        run.broken = True
        detail = f"{run.strategy} {run.name} ({run.executor_name}): {error!r}"
        self._parts.journal.append(Incident(name="execution_failed", detail=detail))
        end = "failed" if run.closing is None else run.closing.end
        run.events.clear()
        self._close(run, ended_as_it_is(run, end))


def _checked(step: PlanStep[Any], run: PlanRun) -> str:
    # What is no step must not be acted upon; gives the state as it is stored.
    if not isinstance(step, PlanStep) or not isinstance(step.state, run.executor.state):
        raise TypeError(f"no step: {step!r}")
    for action in step.actions:
        match action:
            case Place(price=price, quantity=quantity):
                if not (price.is_finite() and quantity.is_finite()):
                    raise ValueError(f"no price or quantity: {action!r}")
            case Cancel():
                pass
            case _:
                raise TypeError(f"no action: {action!r}")
    return state_text(step.state)


def _figure(value: Decimal | str) -> str:
    return trimmed(value) if isinstance(value, Decimal) else value
