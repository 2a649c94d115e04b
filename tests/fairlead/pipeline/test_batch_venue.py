from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

import pytest

from fairlead.api import Place
from fairlead.model import BalanceUpdate, OrderState, Side, Slot, Unavailable
from fairlead.pipeline import (
    BatchPolicy,
    Gateway,
    GatewayNews,
    GatewayTerms,
    Pipeline,
    PipelineParts,
    RiskGate,
)
from fairlead.store import Journal
from fairlead.testing import MemoryStore, NeutralConfig, VenueSetup, client_id
from fairlead.testing.simulated import HINT
from fairlead.trackers import AccountTracker, OrderTracker
from tests.fairlead.pipeline.pipeline_world import StillView
from tests.fairlead.testing.neutral_world import MARKET, SECOND, World, in_world

RICH = {"ALT": Decimal(10_000_000), "USDT": Decimal(10_000_000)}
ORDERS = 1_000


@dataclass
class Sending:
    """A pipeline in front of the neutral connector of a world."""

    world: World
    pipeline: Pipeline
    gateway: Gateway
    orders: OrderTracker

    def place(self, numbers: range) -> None:
        for number in numbers:
            side = (Side.BUY, Side.SELL)[number % 2]
            away = Decimal(20 + number // 2) * HINT.grid.step_at(self.world.venue.mid)
            place = Place(
                slot=Slot(f"s{number % 4}", MARKET, side, number // 4),
                side=side,
                price=self.world.venue.mid - side.sign * away,
                quantity=Decimal(100),
                decided_ns=self.world.clock.now_ns(),
            )
            self.pipeline.submit([place], StillView())
        self.pipeline.dispatch(on_tick=True)

    def states(self) -> dict[OrderState, int]:
        found = [order.state for order in self.orders.live()]
        return {state: found.count(state) for state in found}


def sending(world: World, *, batching: bool = True, tick_ns: int = 60 * SECOND) -> Sending:
    clock = world.clock
    journal = Journal(MemoryStore(), clock)
    orders = OrderTracker(journal)
    accounts = AccountTracker(["main"])
    numbers = count(1)
    pipeline = Pipeline(
        PipelineParts(
            journal=journal,
            orders=orders,
            accounts=accounts,
            gate=RiskGate((), journal),
            instruments={MARKET: world.instrument},
            new_id=lambda: client_id(next(numbers)),
            now_ns=clock.now_ns,
            mid=lambda market: world.venue.mid,
            tick_ns=tick_ns,
        )
    )
    news = GatewayNews(
        created=pipeline.created,
        cancelled=pipeline.cancelled,
        sent=pipeline.sent,
        failed=_never,
        room=pipeline.dispatch,
    )
    terms = GatewayTerms(batching=BatchPolicy(on=batching), throttle=world.throttle)
    gateway = Gateway(world.connector, journal, news, clock, terms)
    pipeline.connect("main", gateway)
    return Sending(world, pipeline, gateway, orders)


def _never(error: BaseException) -> None:
    raise error


def sent(
    act: Callable[[Sending], Awaitable[None]],
    *,
    setup: VenueSetup,
    config: NeutralConfig | None = None,
    batching: bool = True,
) -> Sending:
    made: list[Sending] = []

    async def story(world: World) -> None:
        one = sending(world, batching=batching)
        one.pipeline._parts.accounts["main"].begin(await _balances(world))
        made.append(one)
        await act(one)

    in_world(story, setup=setup, config=config)
    return made[0]


async def _balances(world: World) -> tuple[BalanceUpdate, ...]:
    balances = await world.connector.balances()
    assert not isinstance(balances, Unavailable)
    return balances


@pytest.mark.unmeasured
def test_a_thousand_orders_of_four_strategies_reach_the_venue_in_a_fifth_of_the_requests() -> None:
    async def act(one: Sending) -> None:
        one.place(range(ORDERS))
        await one.world.pass_s(20)

    one = sent(act, setup=VenueSetup(balances=RICH))

    assert len(one.world.live()) == ORDERS
    assert one.gateway.counts.requests == ORDERS // 5
    assert one.gateway.counts.saved == ORDERS * 4 // 5
    assert one.states() == {OrderState.OPEN: ORDERS}
    strategies = [order.intent.slot.strategy for order in one.orders.live()]
    assert sorted(set(strategies)) == ["s0", "s1", "s2", "s3"]


def test_without_batches_each_order_has_its_request() -> None:
    async def act(one: Sending) -> None:
        one.place(range(50))
        await one.world.pass_s(5)

    one = sent(act, setup=VenueSetup(balances=RICH), batching=False)

    assert one.gateway.counts.requests == len(one.world.live()) == 50


@pytest.mark.unmeasured
@pytest.mark.parametrize("budget", [40, 80])
def test_the_weight_of_a_thousand_orders_and_their_cancels_never_exceeds_the_budget(
    budget: int,
) -> None:
    async def act(one: Sending) -> None:
        for first in range(0, ORDERS, 100):
            one.place(range(first, first + 100))
            await one.world.pass_s(12)
            one.pipeline.cancel_all("all")
            one.pipeline.dispatch()
        await one.world.pass_s(60)
        one.pipeline.cancel_all("the rest")
        one.pipeline.dispatch()
        await one.world.pass_s(60)

    setup = VenueSetup(balances=RICH, budget=budget)
    one = sent(act, setup=setup, config=NeutralConfig(budget=budget))

    assert one.world.venue.budget is not None
    assert one.world.venue.budget.over == 0
    assert budget // 2 < one.world.venue.budget.peak <= budget
    assert one.gateway.throttle.warnings == 0
    assert one.world.live() == []
