"""A pipeline between a scripted venue and rules that a test writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

from fairlead.api import (
    AccountRisk,
    Allowed,
    Balance,
    BatchLimits,
    Cancel,
    Capabilities,
    Clock,
    Denied,
    MarketRisk,
    Place,
    Posture,
    PriceSource,
    RiskView,
    Store,
    StreamRisk,
    Verdict,
)
from fairlead.model import (
    ZERO,
    MarketId,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Purpose,
    RejectClass,
    Rejected,
    Side,
    VenueEvent,
)
from fairlead.pipeline import Gateway, GatewayNews, GatewayTerms, Pipeline, PipelineParts, RiskGate
from fairlead.store import Incident, IntentDenied, Journal
from fairlead.testing import (
    MARKET,
    SCRIPTED,
    MemoryStore,
    MemoryTrace,
    Script,
    ScriptedVenue,
    VirtualClock,
    client_id,
    instrument,
    run_virtual,
    slot,
)
from fairlead.trackers import AccountTracker, OrderTracker

SECOND = 1_000_000_000
MS = 1_000_000
TRADED = instrument(min_notional=10)


def place(
    side: Side = Side.BUY,
    level: int = 0,
    *,
    price: str = "99.90",
    quantity: str = "1",
    at_ns: int = 0,
    purpose: Purpose = Purpose.QUOTE,
) -> Place:
    return Place(
        slot=slot(side, level),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        decided_ns=at_ns,
        purpose=purpose,
    )


class Rule:
    """A rule whose verdicts a test writes."""

    def __init__(
        self,
        name: str = "rule",
        *,
        check: Callable[[OrderIntent, RiskView], Verdict] | None = None,
        assess: Callable[[RiskView], tuple[Posture, ...]] | None = None,
    ) -> None:
        self.name = name
        self._check = check or (lambda intent, view: Allowed())
        self._assess = assess or (lambda view: ())

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        return self._assess(view)

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        return self._check(intent, view)


class StillView:
    """A risk view of a position and a target, with the pipeline's own orders."""

    def __init__(self, position: str = "0", target: str | None = "0") -> None:
        self.position = Decimal(position)
        self.goal = None if target is None else Decimal(target)
        self.now_ns = 0
        self.currency = "USDT"
        self.equity: Decimal | None = Decimal(10_000)
        self.peak_equity = self.day_start_equity = self.equity
        self.account = AccountRisk()
        self.world: World | None = None

    def market(self, market: MarketId) -> MarketRisk:
        orders = () if self.world is None else self.world.orders.live(market=market)
        return MarketRisk(
            instrument=TRADED,
            mid=Decimal(100),
            mark=Decimal(100),
            book_valid=True,
            valid_since_ns=0,
            book_changed_ns=0,
            position=self.position,
            target=self.goal,
            orders=tuple(order.view() for order in orders),
        )

    def markets(self) -> Sequence[MarketId]:
        return (MARKET,)

    def rate(self, asset: str) -> Decimal | None:
        del asset
        return Decimal(1)

    def stream(self, venue: str) -> StreamRisk:
        del venue
        return StreamRisk()

    def sources(self, market: MarketId) -> tuple[PriceSource, ...]:
        del market
        return ()

    def still(self) -> RiskView:
        return self


class World:
    """Everything between an executor's actions and a scripted venue, on a tick of 1 s."""

    def __init__(
        self,
        clock: VirtualClock,
        *,
        rules: Sequence[Rule] = (),
        view: StillView | None = None,
        store: Store | None = None,
        capabilities: Capabilities = SCRIPTED,
        balances: dict[str, str] | None = None,
        terms: GatewayTerms | None = None,
    ) -> None:
        self.clock: Clock = clock
        self.trace = MemoryTrace()
        self.store = MemoryStore()
        self.journal = Journal(store or self.store, clock, self.trace)
        self.venue = ScriptedVenue(
            clock, instruments=[TRADED], capabilities=capabilities, balances=balances
        )
        self.orders = OrderTracker(self.journal)
        self.accounts = AccountTracker(["main"])
        self.accounts["main"].begin(self.venue.exchange.balances())
        self.gate = RiskGate(rules, self.journal)
        self.view = view or StillView()
        self.view.world = self
        self.failures: list[BaseException] = []
        numbers = count(1)
        self.pipeline = Pipeline(
            PipelineParts(
                journal=self.journal,
                orders=self.orders,
                accounts=self.accounts,
                gate=self.gate,
                instruments={MARKET: TRADED},
                new_id=lambda: client_id(next(numbers)),
                now_ns=clock.now_ns,
                mid=lambda market: Decimal(100),
                tick_ns=SECOND,
            )
        )
        self.gateway = Gateway(
            self.venue,
            self.journal,
            GatewayNews(
                created=self.pipeline.created,
                cancelled=self.pipeline.cancelled,
                sent=self.pipeline.sent,
                failed=self.failures.append,
                room=self.room,
            ),
            clock,
            terms,
        )
        self.pipeline.connect("main", self.gateway)

    def ask(self, *actions: Place | Cancel) -> None:
        """Submit and dispatch, as a tick does."""
        self.pipeline.submit(actions, self.view)
        self.pipeline.dispatch(on_tick=True)

    def room(self) -> None:
        """Dispatch between ticks, as an engine does when there is room again."""
        asyncio.get_running_loop().call_soon(self.pipeline.dispatch)

    def hear(self, event: VenueEvent) -> None:
        """Take the venue's account news."""
        if isinstance(event, OrderUpdate):
            self.orders.apply_update(event, self.clock.now_ns())

    def states(self) -> list[OrderState]:
        """Give the states of every order made so far."""
        found = (self.orders.get(client_id(number)) for number in range(1, 100))
        return [order.state for order in found if order is not None]

    def denials(self) -> list[tuple[str, str, str, str]]:
        """Give stage, rule and figures of every denial that was journaled."""
        return [
            (one.stage, one.rule, one.observed, one.limit) for one in self.trace.of(IntentDenied)
        ]

    def incidents(self) -> list[str]:
        return [incident.name for incident in self.trace.of(Incident)]

    def available(self, asset: str) -> Decimal:
        claimed = self.orders.claims.of("main", asset)
        balance: Balance = self.accounts["main"].balance(asset, *claimed)
        return max(balance.available, ZERO)


def narrow(creates: int = 1, *, in_flight: int = 64, **rest: bool) -> Capabilities:
    """A venue that takes so many creates in a request and so many requests at a time."""
    return Capabilities(
        batch=BatchLimits(creates=creates, cancels=20, **rest),
        deadline_ns=2 * SECOND,
        max_in_flight=in_flight,
        own_orders_in_book=False,
    )


def denied(rule: str = "rule", observed: str = "2", limit: str = "1") -> Denied:
    return Denied(rule, Decimal(observed), Decimal(limit))


#: A venue that takes no order.
REFUSED = Script(outcome=Rejected("no", RejectClass.OTHER), lands=False)


def live(
    act: Callable[[World], Coroutine[Any, Any, None]],
    **parts: Any,  # noqa: ANN401 - handed on to World, which says what they are
) -> World:
    """Let the venue run, act, and wait until nothing is in flight."""
    return live_in(act, lambda clock: World(clock, **parts))


def live_in(
    act: Callable[[World], Awaitable[None]], make: Callable[[VirtualClock], World]
) -> World:
    """Do the same in a world that is made on the clock it runs by."""

    async def main(clock: VirtualClock) -> World:
        world = make(clock)
        venue = asyncio.get_running_loop().create_task(world.venue.run(world.hear))
        await asyncio.sleep(0)
        await act(world)
        await world.gateway.drain()
        await clock.sleep_ns(100 * MS)
        venue.cancel()
        return world

    return run_virtual(main)
