"""A small executor, and a strategy that starts it, for tests of how plans are worked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import msgspec

from fairlead.api import (
    Action,
    Admitted,
    Cancel,
    Decision,
    Denied,
    ExecutionView,
    ExecutorContext,
    Gate,
    Leg,
    Market,
    NoMemory,
    OrderView,
    Place,
    Plan,
    PlanEvent,
    PlanExecutor,
    PlanStep,
    PlanView,
    Refused,
    Start,
    Stop,
    Triggered,
    View,
    Watch,
)
from fairlead.kernel import PlanRun, RunResult, VirtualClock
from fairlead.model import ZERO, MarketId, OrderUpdate, Purpose, Side, Slot, TimeInForce
from fairlead.store import ExecutionEnded
from fairlead.testing import MARKET, run_virtual
from tests.fairlead.kernel.engine_world import SECOND, START_NS, Table, World, end_if_failed

HEDGED = MarketId("other", MARKET.symbol)


class CarryPlan(Plan):
    """Buy on one market, a slice at a time, and sell each fill on another where one is named."""

    market: Market
    hedge: Market | None = None
    side: Side = Side.BUY
    quantity: Decimal
    slice: Decimal
    bound: Decimal
    #: Ends by itself so many seconds after its first step; 0 = never.
    seconds: int = 0
    #: Cancels its entry once the mid is here or above.
    guard: Decimal | None = None
    #: Enters this far below the best bid, where that is within the bound; 0 = at the bound.
    below: Decimal = ZERO
    #: How far off the mid hedges are priced; below zero they cross it.
    hedge_off: Decimal = Decimal("-0.01")


class CarryState(msgspec.Struct, frozen=True):
    """What a carry remembers."""

    steps: int = 0
    until_ns: int | None = None
    end: str = ""
    reached: bool = False


class Carry:
    """Keep one entry live; hedge what it fills at once; end when all is filled."""

    def __init__(self, plan: CarryPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._context = context
        #: Every event that it was told, for tests.
        self.events: list[PlanEvent] = []
        #: Its orders as it was shown them last.
        self.orders: tuple[OrderView, ...] = ()

    @property
    def state(self) -> type[CarryState]:
        return CarryState

    def admit(self, view: PlanView) -> Admitted[CarryState] | Denied:
        plan = self._plan
        if view.market(plan.market).book is None:
            return Denied("book", "none", "valid")
        leg = Leg(plan.market, plan.side, plan.quantity, plan.bound)
        return Admitted(CarryState(), (leg,))

    def step(self, state: CarryState, event: PlanEvent, view: PlanView) -> PlanStep[CarryState]:
        self.events.append(event)
        self.orders = tuple(view.orders)
        plan = self._plan
        until_ns = state.until_ns
        if plan.seconds and until_ns is None:
            until_ns = view.now_ns + plan.seconds * SECOND
        late = until_ns is not None and view.now_ns >= until_ns
        end = state.end or ("stopped" if isinstance(event, Stop) else "late" if late else "")
        done = view.done(plan.market, plan.side, 0).quantity
        net = self._net(view)
        if not end and done == plan.quantity and not net:
            end = "done"
        if isinstance(event, Refused) and event.denied.rule == "watching":
            end = "refused"
        reached = state.reached or isinstance(event, Triggered)
        state = CarryState(state.steps + 1, until_ns, end, reached)
        actions = self._actions(view, event, net, done, over=bool(end) or reached)
        watches: tuple[Watch, ...] = ()
        if plan.guard is not None and not reached:
            watches = (Watch("guard", plan.market, plan.guard, above=True),)
        return PlanStep(
            state,
            actions,
            wake_ns=view.now_ns + SECOND if isinstance(event, Refused) else until_ns,
            watches=watches,
            end=end,
            complete=end == "done",
            residual=((plan.market, net),) if end and net else (),
            notes=(("steps", str(state.steps)),),
        )

    def _net(self, view: PlanView) -> Decimal:
        plan = self._plan
        if plan.hedge is None:
            return ZERO
        return view.exposure(plan.market) + view.exposure(plan.hedge)

    def _actions(
        self, view: PlanView, event: PlanEvent, net: Decimal, done: Decimal, *, over: bool
    ) -> tuple[Action, ...]:
        plan, live = self._plan, tuple(view.orders)
        if over:
            return tuple(Cancel(order.client_id, "over") for order in live)
        actions: list[Action] = []
        hedging = [order for order in live if order.purpose is Purpose.HEDGE]
        if plan.hedge is not None and net and not hedging:
            actions.append(self._hedge(plan.hedge, net, view))
        entries = [order for order in live if order.purpose is Purpose.ENTRY]
        rest = min(plan.slice, plan.quantity - done)
        if rest > 0 and not entries and not isinstance(event, Refused):
            price, book = plan.bound, view.market(plan.market).book
            if plan.below and book is not None:
                price = min(price, book.best_bid.price * (1 - plan.below))
            actions.append(self._place(plan.market, plan.side, rest, price, view, 0))
        return tuple(actions)

    def _hedge(self, market: MarketId, net: Decimal, view: PlanView) -> Place:
        side = Side.SELL if net > 0 else Side.BUY
        book = view.market(market).book
        price = (
            self._plan.bound if book is None else book.mid * (1 - side.sign * self._plan.hedge_off)
        )
        return self._place(market, side, abs(net), price, view, 1)

    def _place(
        self,
        market: MarketId,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        view: PlanView,
        level: int,
    ) -> Place:
        return Place(
            slot=Slot(self._context.strategy, market, side, level, self._context.execution),
            side=side,
            price=price,
            quantity=quantity,
            decided_ns=view.now_ns,
            purpose=Purpose.HEDGE if level else Purpose.ENTRY,
            time_in_force=TimeInForce.IOC if level else TimeInForce.GTC,
            post_only=not level,
        )


def usual(plan: CarryPlan) -> Admitted[CarryState] | Denied:
    """Ask for the whole quantity at the bound."""
    return Admitted(CarryState(), (Leg(plan.market, plan.side, plan.quantity, plan.bound),))


class Puppet:
    """Do what a test says, and remember what it was told."""

    def __init__(self, plan: CarryPlan, context: ExecutorContext) -> None:
        self.plan = plan
        self.context = context
        self.events: list[PlanEvent] = []
        #: Gives the actions of each step, and why it ends.
        self.acts: Callable[[PlanEvent, PlanView], tuple[tuple[Action, ...], str]]
        self.acts = lambda event, view: ((), "")
        #: What it says when it is asked whether it would begin.
        self.admits: Callable[[CarryPlan], Admitted[CarryState] | Denied] = usual

    @property
    def state(self) -> type[CarryState]:
        return CarryState

    def admit(self, view: PlanView) -> Admitted[CarryState] | Denied:
        return self.admits(self.plan)

    def step(self, state: CarryState, event: PlanEvent, view: PlanView) -> PlanStep[CarryState]:
        self.events.append(event)
        actions, end = self.acts(event, view)
        return PlanStep(CarryState(state.steps + 1), actions, end=end)

    def place(self, now_ns: int, **changes: Any) -> Place:  # noqa: ANN401 - for the wish
        plan, level = self.plan, changes.pop("level", 0)
        market, side = changes.pop("market", plan.market), changes.pop("side", plan.side)
        place = Place(
            slot=Slot(self.context.strategy, market, side, level, self.context.execution),
            side=side,
            price=plan.bound,
            quantity=plan.quantity,
            decided_ns=now_ns,
            purpose=Purpose.ENTRY,
        )
        return msgspec.structs.replace(place, **changes)


class Hedging(Table):
    """Options of a strategy that hedges elsewhere."""

    hedge: Market = HEDGED


class PlanWorld(World):
    """A world whose strategy quotes nothing and starts plans when a test says so."""

    def __init__(self, clock: Any, **parts: Any) -> None:  # noqa: ANN401 - handed on to World, which types them
        self.built: list[Carry] = []
        self.views: list[View] = []
        self.starts: list[Start] = []
        self.stops: list[str] = []
        self.puppet: Puppet | None = None
        self.acts: Callable[[PlanEvent, PlanView], tuple[tuple[Action, ...], str]]
        self.acts = lambda event, view: ((), "")
        self.admits: Callable[[CarryPlan], Admitted[CarryState] | Denied] = usual
        executors = (("carry", CarryPlan, self._build), ("puppet", CarryPlan, self._puppet))
        executors = (*executors, *parts.pop("executors", ()))
        super().__init__(clock, executors=executors, **parts)
        self.controller.decides = self._decide

    def _build(self, plan: CarryPlan, context: ExecutorContext) -> PlanExecutor[CarryState]:
        carry = Carry(plan, context)
        self.built.append(carry)
        return carry

    def _puppet(self, plan: CarryPlan, context: ExecutorContext) -> PlanExecutor[CarryState]:
        self.puppet = Puppet(plan, context)
        self.puppet.acts, self.puppet.admits = self.acts, self.admits
        return self.puppet

    def _decide(self, view: View) -> Decision[NoMemory]:
        self.views.append(view)
        start, self.starts = tuple(self.starts), []
        stop, self.stops = tuple(self.stops), []
        gates = (Gate("plans only", ""),)
        return Decision(NoMemory(), quotes=(), gates=gates, start=start, stop=stop)

    def start(self, name: str = "one", **changes: Any) -> None:  # noqa: ANN401 - for the plan
        """Let the strategy start a plan on its next tick."""
        values: dict[str, Any] = {"market": MARKET, "quantity": "4", "slice": "2", "bound": "100"}
        executor = changes.pop("executor", "carry")
        self.starts.append(Start(name, executor, CarryPlan(**(values | changes))))

    @property
    def run(self) -> PlanRun:
        """Give the one execution that runs."""
        (run,) = self.engine.desk.plans.runs.values()
        return run

    @property
    def ended(self) -> ExecutionEnded:
        """Give the record of the one execution that has ended."""
        (ended,) = self.trace.of(ExecutionEnded)
        return ended

    @property
    def carry(self) -> Carry:
        return self.built[-1]

    def seen(self, name: str = "one") -> list[ExecutionView]:
        """Give what the strategy was shown of a plan, oldest first, each once."""
        found = [one for view in self.views for one in view.executions if one.name == name]
        return [one for at, one in enumerate(found) if one not in found[:at]]

    def resting(self, venue: str = "main") -> tuple[OrderUpdate, ...]:
        return self.venues[venue].exchange.open_orders()


def events(carry: Carry, kind: type[Any]) -> list[Any]:
    return [event for event in carry.events if isinstance(event, kind)]


def work(
    act: Callable[[PlanWorld], Coroutine[Any, Any, None]],
    *,
    for_s: float | None = None,
    **parts: Any,  # noqa: ANN401 - handed on to PlanWorld, which types them
) -> tuple[PlanWorld, RunResult]:
    """Run an engine while ``act`` plays the world around it; gives both when it has ended."""

    async def main(clock: VirtualClock) -> tuple[PlanWorld, RunResult]:
        world = PlanWorld(clock, **parts)
        acting = asyncio.ensure_future(act(world))
        acting.add_done_callback(lambda done: end_if_failed(world, done))
        for_ns = None if for_s is None else round(for_s * SECOND)
        result = await world.engine.run(for_ns=for_ns)
        acting.cancel()
        outcome = (await asyncio.gather(acting, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            raise outcome
        world.store.close()
        return world, result

    return run_virtual(main, start_ns=START_NS)


async def begun(world: PlanWorld) -> None:
    """Show every book and wait for the first decisions."""
    await world.wait(0.5)
    for venue in world.venues:
        world.show(venue=venue)
    await world.wait(1)


#: A world of two venues whose plans are hedged at the other.
BOTH: dict[str, Any] = {"venues": ("main", "other"), "options": Hedging()}


async def entered(world: PlanWorld, **plan: Any) -> str:  # noqa: ANN401 - for the plan
    """Start a plan and wait until its first order rests; gives the order's id."""
    await begun(world)
    world.start(**plan)
    await world.wait(1.5)
    (order,) = world.resting()
    return order.client_id


def entry(
    world: PlanWorld,
    view: PlanView,
    **more: Any,  # noqa: ANN401 - for the wish
) -> Place:
    """Ask for new risk, as the puppet of this world asks for it by default."""
    assert world.puppet is not None
    return world.puppet.place(view.now_ns, **more)
