"""Stand for the kernel for one plan: its orders and fills, its states and its steps.

It refuses to go on (an `AssertionError`) when the plan breaks a law that holds for every executor:
nothing is placed after the end; at most one live order in a slot; new risk stays within its
admission, every live and unproven order counted as filled; hedges and exits never exceed the
plan's own exposure; every state survives the journal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from fairlead.api import (
    Admitted,
    Balance,
    BookView,
    Cancel,
    Denied,
    ExecutorContext,
    Filled,
    Leg,
    OrderChanged,
    OrderView,
    Place,
    Plan,
    PlanEvent,
    PlanExecutor,
    PlanStep,
    Refused,
    Resumed,
    Stop,
    Triggered,
    Wake,
    Watch,
)
from fairlead.model import (
    ZERO,
    Fill,
    Instrument,
    Liquidity,
    MarketId,
    OrderIntent,
    OrderState,
    OrderTrigger,
    Purpose,
    Side,
    Slot,
    next_state,
)
from fairlead.pipeline import normalize
from tests.fairlead.execution.plan_view import KitView

SECOND = 1_000_000_000
NOW = 1_000 * SECOND
EXECUTION = "x1"


class PlanKernel:
    """A kernel for one plan; every step of the executor goes through here."""

    def __init__(
        self,
        build: Callable[[Any, ExecutorContext], PlanExecutor[Any]],
        plan: Plan,
        instruments: Iterable[Instrument],
        *,
        tick_ns: int = SECOND,
    ) -> None:
        self.build = build
        self.plan = plan
        self.instruments = {traded.market: traded for traded in instruments}
        self.tick_ns = tick_ns
        self.now_ns = NOW
        self.executor = self._built()
        # The market.
        self.books: dict[MarketId, BookView] = {}
        self.marks: dict[MarketId, Decimal] = {}
        self.balances: dict[tuple[str, str], Balance] = {}
        self.rates: dict[str, Decimal] = {}
        #: What `settle` took from the book that is shown; another book forgets it.
        self.eaten: dict[tuple[MarketId, Side, Decimal], Decimal] = {}
        # The plan's orders and fills.
        self.live: dict[str, OrderView] = {}
        self.orders: dict[str, OrderView] = {}
        self.intents: dict[str, OrderIntent] = {}
        self.asked: dict[str, str] = {}
        #: What fees are taken in; None = the market's quote currency.
        self.fee_asset: str | None = None
        self.fills: list[tuple[Fill, Slot]] = []
        self.places: list[Place] = []
        #: What was filled after its order had ended, by side.
        self.late: dict[Side, Decimal] = {}
        self.refusals: list[Refused] = []
        #: Gives a reason to refuse a wish, or None.
        self.refuse: Callable[[OrderIntent], Denied | None] = lambda intent: None
        #: Called with each order that leaves: laws of one executor.
        self.check: Callable[[OrderIntent], None] = lambda intent: None
        # The machine.
        self.legs: tuple[Leg, ...] = ()
        self.admitted: Admitted[Any] | None = None
        self.last: PlanStep[Any] | None = None
        self.durable: list[bytes] = []
        self.armed: tuple[Watch, ...] = ()
        self.wake_ns: int | None = None
        self._events: deque[PlanEvent] = deque()
        self._busy = False

    # What is to be seen.

    @property
    def view(self) -> KitView:
        return KitView(self)

    @property
    def state(self) -> Any:  # noqa: ANN401 - each executor has a state of its own
        return None if self.last is None else self.last.state

    @property
    def end(self) -> str:
        return "" if self.last is None else self.last.end

    def done(
        self, market: MarketId | None = None, side: Side | None = None, level: int | None = None
    ) -> Decimal:
        return self.view.done(market, side, level).quantity

    # What the kernel does.

    def start(self) -> Admitted[Any] | Denied:
        """Admit the plan on a tick and give it its first event."""
        admitted = self.executor.admit(self.view)
        if isinstance(admitted, Denied):
            return admitted
        assert isinstance(admitted.state, self.executor.state)
        self.admitted, self.legs = admitted, admitted.legs
        self.last = PlanStep(admitted.state)
        self._keep(admitted.state)
        self.tell(Wake())
        return admitted

    def stop(self) -> None:
        """Tell it to stop."""
        self.tell(Stop())

    def tell(self, event: PlanEvent) -> None:
        """Deliver an event, and whatever follows from it."""
        self._events.append(event)
        self._pump()

    def restart(self, *, lost_steps: int = 0, fills: Mapping[str, Decimal] | None = None) -> None:
        """Kill the engine and start it again; what was live is filled as told and then gone.

        Up to ``lost_steps`` of the last states were not durable, never those of before an order.
        """
        for client_id, quantity in (fills or {}).items():
            if client_id in self.live:
                self._book_fill(client_id, quantity, None, maker=True)
        for client_id, order in list(self.live.items()):
            self._put(msgspec.structs.replace(order, state=OrderState.CANCELLED))
            del self.asked[client_id]
        self._events.clear()
        durable = self.durable[-1 - min(lost_steps, len(self.durable) - 1)]
        self.plan = type(self.plan).model_validate_json(self.plan.model_dump_json())
        self.executor = self._built()
        self.last = PlanStep(msgspec.json.decode(durable, type=self.executor.state))
        self.durable = [durable]
        self.armed, self.wake_ns = (), None
        self.tell(Resumed())

    def advance(self, seconds: float = 0, *, ns: int = 0) -> None:
        """Let time pass; the executor is woken where it asked for it."""
        until_ns = self.now_ns + ns + round(seconds * SECOND)
        while self.wake_ns is not None and self.wake_ns <= until_ns and not self.end:
            self.now_ns = max(self.now_ns, self.wake_ns)
            self.wake_ns = None
            self.tell(Wake())
        self.now_ns = until_ns

    # How the machine is driven.

    def _built(self) -> PlanExecutor[Any]:
        context = ExecutorContext("alt", EXECUTION, self.instruments)
        return self.build(self.plan, context)

    def _pump(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            for _ in range(2_000):
                if not self._events:
                    return
                self._step(self._events.popleft())
            raise AssertionError("it never comes to rest")
        finally:
            self._busy = False

    def _step(self, event: PlanEvent) -> None:
        assert self.last is not None
        if isinstance(event, Wake) and self.end:
            return
        before = self.last
        step = self.executor.step(before.state, event, self.view)
        again = self.executor.step(before.state, event, self.view)
        assert step == again, "a step is a function of what it gets"
        self._keep(step.state)
        if before.end:
            assert not any(isinstance(action, Place) for action in step.actions), "it has ended"
            step = msgspec.structs.replace(
                step,
                end=before.end,
                complete=before.complete,
                residual=step.residual,
                kept=step.kept,
                notes=step.notes or before.notes,
            )
        self.last = step
        self.wake_ns, self.armed = step.wake_ns, step.watches
        assert step.wake_ns is None or step.wake_ns > self.now_ns, "woken in the past"
        for action in step.actions:
            if isinstance(action, Cancel):
                self._ask_cancel(action)
        for action in step.actions:
            if isinstance(action, Place):
                assert not step.end, "it has ended"
                self._place(action)
        self._watch()

    def _keep(self, state: msgspec.Struct) -> None:
        encoded = msgspec.json.encode(state, order="deterministic")  # as the kernel does
        assert msgspec.json.decode(encoded, type=self.executor.state) == state
        self.durable.append(encoded)

    def _watch(self) -> None:
        if self.last is None or self.end:
            return
        for watch in self.armed:
            book = self.books.get(watch.market)
            if book is None:
                continue
            reached = book.mid >= watch.price if watch.above else book.mid <= watch.price
            if reached:
                self.armed = tuple(other for other in self.armed if other != watch)
                self._events.append(Triggered(watch, book.mid))

    def _ask_cancel(self, action: Cancel) -> None:
        assert action.reason, "a cancel says why"
        if action.client_id in self.live:
            self.asked[action.client_id] = action.reason
            self._leave(action.client_id)

    def _leave(self, client_id: str) -> None:
        # As in the pipeline: the cancel of a create that is unanswered follows the answer.
        order = self.live.get(client_id)
        if order is None or not self.asked.get(client_id):
            return
        state = next_state(order.state, OrderTrigger.CANCEL_SENT)
        if state is None:
            return
        self.asked[client_id] = ""
        self._put(msgspec.structs.replace(order, state=state))
        self._events.append(OrderChanged(self.orders[client_id]))

    def _place(self, place: Place) -> None:
        assert place.slot.plan == EXECUTION
        assert place.slot.side is place.side
        self.places.append(place)
        intent = normalize(place, self.instruments[place.slot.market])
        if isinstance(intent, Denied):
            self._refuse(place, "normalize", intent)
            return
        self._judge(intent)
        denied = self.refuse(intent)
        if denied is not None:
            self._refuse(place, "risk", denied)
            return
        self.check(intent)
        client_id = f"o{len(self.orders) + 1}"
        self.intents[client_id] = intent
        self.asked[client_id] = ""
        # Its state before this order is durable: a restart cannot lose it any more.
        self.durable = self.durable[-1:]
        self._put(
            OrderView(
                client_id=client_id,
                slot=intent.slot,
                side=intent.side,
                price=intent.price,
                quantity=intent.quantity,
                filled=ZERO,
                state=OrderState.PENDING_CREATE,
                purpose=intent.purpose,
                decided_ns=intent.decided_ns,
                acknowledged_ns=None,
            )
        )

    def _judge(self, intent: OrderIntent) -> None:
        slot, live = intent.slot, tuple(self.live.values())
        twin = [order for order in live if order.slot == slot]
        assert not twin, f"two live orders in {slot}: {twin}"
        assert intent.purpose in {Purpose.ENTRY, Purpose.HEDGE, Purpose.EXIT}
        if intent.purpose is Purpose.ENTRY:
            legs = [x for x in self.legs if x.market == slot.market and x.side is intent.side]
            assert legs, f"no admission for {intent.side} on {slot.market}"
            (leg,) = legs
            other = self.done(slot.market, intent.side) + self._leaves(
                lambda order: order.slot.market == slot.market and order.side is intent.side
            )
            assert other + intent.quantity <= leg.quantity, "beyond its admission"
            assert intent.side.sign * intent.price <= intent.side.sign * leg.bound, "beyond bound"
            return
        base = intent.instrument.base
        exposure = sum(
            (
                self.view.exposure(market) * traded.multiplier
                for market, traded in self.instruments.items()
                if traded.base == base
            ),
            start=ZERO,
        )
        assert exposure * intent.side.sign < 0, f"{intent.purpose} that grows the exposure"
        leaving = sum(
            (
                order.leaves * self.instruments[order.slot.market].multiplier
                for order in live
                if self.instruments[order.slot.market].base == base
                and order.side is intent.side
                and order.purpose is not Purpose.ENTRY
            ),
            start=ZERO,
        )
        new = intent.quantity * intent.instrument.multiplier
        assert leaving + new <= abs(exposure), "more than the plan's exposure"

    def _leaves(self, of: Callable[[OrderView], bool]) -> Decimal:
        return sum((order.leaves for order in self.live.values() if of(order)), start=ZERO)

    def _refuse(self, place: Place, stage: str, denied: Denied) -> None:
        refused = Refused(place, stage, denied)
        self.refusals.append(refused)
        self._events.append(refused)

    def _put(self, order: OrderView) -> None:
        self.orders[order.client_id] = order
        if order.state.is_closed:
            self.live.pop(order.client_id, None)
        else:
            self.live[order.client_id] = order

    def _book_fill(
        self, client_id: str, quantity: Decimal, price: Decimal | None, *, maker: bool
    ) -> None:
        order, intent = self.orders[client_id], self.intents[client_id]
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        fees = intent.instrument.fees
        paid = order.price if price is None else price
        share = fees.maker if maker else fees.taker
        notional = intent.instrument.notional(paid, quantity)
        fill = Fill(
            market=order.slot.market,
            venue_ns=self.now_ns,
            local_ns=self.now_ns,
            trade_id=f"t{len(self.fills) + 1}",
            client_id=client_id,
            venue_id=client_id,
            side=order.side,
            price=paid,
            quantity=quantity,
            fee=share * (notional if self.fee_asset is None else quantity),
            fee_asset=self.fee_asset or intent.instrument.quote,
            liquidity=liquidity,
        )
        self.fills.append((fill, order.slot))
        filled = order.filled + quantity
        full = filled == order.quantity
        trigger = OrderTrigger.FULL_FILL if full else OrderTrigger.PARTIAL_FILL
        state = next_state(order.state, trigger)
        assert state is not None
        self._put(msgspec.structs.replace(order, state=state, filled=filled))
        # What the executor is shown is settled before it hears of it, whatever it hears first.
        self._events.append(OrderChanged(self.orders[client_id]))
        self._events.append(Filled(fill, order.slot))
