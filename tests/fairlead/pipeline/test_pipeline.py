import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Allowed, Cancel, Posture, PostureLevel, RiskView, Verdict
from fairlead.errors import StoreError
from fairlead.model import (
    Accepted,
    NotSent,
    OrderIntent,
    OrderState,
    Purpose,
    RejectClass,
    Rejected,
    Side,
    Unknown,
)
from fairlead.pipeline import BatchPolicy, GatewayTerms
from fairlead.store import CancelAsked, IntentDenied, OrderMoved, OrderRecorded
from fairlead.testing import (
    MARKET,
    MemoryDisk,
    Script,
    VirtualClock,
    client_id,
    run_virtual,
)
from fairlead.trackers import Order
from tests.fairlead.pipeline.pipeline_world import (
    MS,
    SECOND,
    Rule,
    StillView,
    World,
    denied,
    narrow,
    place,
)

S = OrderState
REFUSED = Script(outcome=Rejected("no", RejectClass.OTHER), lands=False)


def live(
    act: Callable[[World], Coroutine[Any, Any, None]],
    **parts: Any,  # noqa: ANN401 - for World
) -> World:
    """Let the venue run, act, and wait until nothing is in flight."""

    async def main(clock: VirtualClock) -> World:
        world = World(clock, **parts)
        venue = asyncio.get_running_loop().create_task(world.venue.run(world.hear))
        await asyncio.sleep(0)
        await act(world)
        await world.gateway.drain()
        await clock.sleep_ns(100 * MS)
        venue.cancel()
        return world

    return run_virtual(main)


# The way of a create.


def test_a_wish_goes_through_every_stage_in_order() -> None:
    seen: list[str] = []

    def check(one: OrderIntent, view: RiskView) -> Verdict:
        seen.append(f"risk {one.price} {one.mid}")
        return Allowed()

    async def act(world: World) -> None:
        world.venue.on_submit = lambda intents: seen.append(
            f"send {len(world.trace.of(OrderRecorded))} recorded, {world.store.durable_seq} durable"
        )
        world.ask(place(price="99.9099"))

    world = live(act, rules=[Rule(check=check)])

    assert seen == ["risk 99.90 100", "send 1 recorded, 1 durable"]
    assert world.states() == [S.OPEN]
    assert [move.after for move in world.trace.of(OrderMoved)] == [S.OPEN]


def test_a_create_is_durable_in_the_real_store_before_the_venue_hears_of_it() -> None:
    found: list[list[str]] = []

    async def act(world: World) -> None:
        world.venue.on_submit = lambda intents: found.append(
            [str(row["client_id"]) for row in disk.crash().reader().orders(1)]
        )
        world.ask(place(), place(Side.SELL, price="100.10"))

    disk = MemoryDisk()
    store = disk.open()
    store.begin_run(
        "demo", mode="paper", seed=1, config_hash="", config_text="", now_ns=0, new_tag=lambda: 1
    )
    live(act, store=store)

    assert found == [[client_id(1), client_id(2)]]


def test_all_of_a_dispatch_waits_for_one_commit() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=level) for level in range(5)))

    disk = MemoryDisk()
    store = disk.open()
    store.begin_run(
        "demo", mode="paper", seed=1, config_hash="", config_text="", now_ns=0, new_tag=lambda: 1
    )
    before = disk.writes
    live(act, store=store)

    assert disk.writes - before == 1


def test_a_refusal_comes_from_the_first_stage_that_refuses() -> None:
    async def act(world: World) -> None:
        world.ask(place(quantity="0.1"))

    world = live(act, rules=[Rule(check=lambda one, view: denied())])

    assert world.denials() == [("normalize", "minimum_notional", "9.99", "10")]
    assert world.states() == []


def test_a_rules_refusal_is_journaled_with_rule_and_figures() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=3))

    world = live(act, rules=[Rule(check=lambda one, view: denied("max_order", "2.50", "1"))])

    (record,) = world.trace.of(IntentDenied)
    assert (record.stage, record.rule) == ("risk", "max_order")
    assert (record.observed, record.limit) == ("2.5", "1")
    assert (record.strategy, record.market, record.level) == ("alt", str(MARKET), 3)
    assert world.pipeline.denied == {"alt": {"max_order": 1}}
    assert world.venue.submitted == []


def test_what_the_balance_cannot_hold_is_denied() -> None:
    async def act(world: World) -> None:
        world.ask(
            place(level=0, price="100", quantity="30"),
            place(level=1, price="100", quantity="20"),
            place(level=2, price="100", quantity="0.1"),
            place(Side.SELL, price="101", quantity="50.1"),
        )

    world = live(act)

    assert world.denials() == [
        ("reserve", "balance", "10", "0"),
        ("reserve", "balance", "50.1", "50"),
    ]
    assert world.states() == [S.OPEN, S.OPEN]


@given(st.lists(st.integers(1, 40), max_size=8), st.lists(st.integers(1, 40), max_size=8))
def test_reservations_never_add_up_to_more_than_there_is(
    first: list[int], later: list[int]
) -> None:
    async def act(world: World) -> None:
        world.venue.submits.extend([Script(outcome=Unknown("lost")), Script()])
        world.ask(*(place(level=n, price="100", quantity=str(q)) for n, q in enumerate(first)))
        await world.clock.sleep_ns(15 * MS)
        world.ask(*(place(level=n + 8, price="100", quantity=str(q)) for n, q in enumerate(later)))

    world = live(act)

    assert sum(order.intent.notional for order in world.orders.live()) <= 5000
    assert all(update.free >= 0 for update in world.venue.exchange.balances())


def test_ten_rejects_in_a_row_pause_the_market_but_not_its_cancels() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=50))
        await world.clock.sleep_ns(20 * MS)
        for level in range(10):
            world.venue.submits.append(REFUSED)
            world.ask(place(level=level, at_ns=world.clock.now_ns()))
            await world.clock.sleep_ns(20 * MS)
        world.ask(place(level=20, at_ns=world.clock.now_ns()), Cancel(client_id(1), "why"))

    world = live(act)

    assert world.denials() == [("breaker", "rejects_in_a_row", "10", "9")]
    assert world.incidents() == ["market_paused"]
    assert world.states() == [S.CANCELLED] + [S.REJECTED] * 10


# Backing off.


def test_a_refused_wish_is_asked_again_ever_more_rarely() -> None:
    asked: list[int] = []

    def check(one: OrderIntent, view: RiskView) -> Verdict:
        asked.append(one.decided_ns // SECOND)
        return denied()

    async def act(world: World) -> None:
        for tick in range(200):
            world.ask(place(at_ns=tick * SECOND))
            await world.clock.sleep_ns(SECOND)

    world = live(act, rules=[Rule(check=check)])

    assert asked == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert len(world.trace.of(IntentDenied)) == 1
    assert world.pipeline.denied == {"alt": {"rule": 9}}


@pytest.mark.parametrize(
    ("purpose", "wanted"), [(Purpose.EXIT, [0, 1, 2, 3]), (Purpose.QUOTE, [0, 1, 3])]
)
def test_an_exit_that_asks_for_less_is_judged_at_once(purpose: Purpose, wanted: list[int]) -> None:
    asked: list[int] = []

    def check(one: OrderIntent, view: RiskView) -> Verdict:
        asked.append(one.decided_ns // SECOND)
        return denied()

    async def act(world: World) -> None:
        for tick in range(4):
            wish = place(at_ns=tick * SECOND, purpose=purpose, quantity=str(8 - tick))
            world.ask(wish)
            await world.clock.sleep_ns(SECOND)

    live(act, rules=[Rule(check=check)])

    assert asked == wanted


def test_who_asks_no_more_is_forgotten() -> None:
    async def act(world: World) -> None:
        for tick in range(300):
            world.ask(place(level=tick, at_ns=tick * SECOND))
            await world.clock.sleep_ns(SECOND)

    world = live(act, rules=[Rule(check=lambda one, view: denied())])

    assert world.pipeline.denied == {"alt": {"rule": 300}}
    assert len(world.pipeline._backoffs) < 70


def test_another_refusal_begins_the_backing_off_anew_and_is_journaled() -> None:
    rules = iter(["a", "a", "b", "b"])

    async def act(world: World) -> None:
        for tick in range(5):
            world.ask(place(at_ns=tick * SECOND))
            await world.clock.sleep_ns(SECOND)

    world = live(act, rules=[Rule(check=lambda one, view: denied(next(rules)))])

    assert [one.rule for one in world.trace.of(IntentDenied)] == ["a", "b"]
    assert world.pipeline.denied == {"alt": {"a": 2, "b": 2}}


def test_one_slot_backs_off_alone_and_forgets_when_it_passes() -> None:
    refused = {0}

    def check(one: OrderIntent, view: RiskView) -> Verdict:
        return denied() if one.slot.level in refused else Allowed()

    async def act(world: World) -> None:
        world.ask(place(level=0), place(level=1))
        await world.clock.sleep_ns(SECOND)
        refused.clear()
        world.ask(place(level=0, at_ns=SECOND))
        await world.clock.sleep_ns(SECOND)
        world.ask(Cancel(client_id(2), "why"))
        await world.clock.sleep_ns(SECOND)
        refused.add(0)
        world.ask(place(level=0, at_ns=3 * SECOND))

    world = live(act, rules=[Rule(check=check)])

    assert world.states() == [S.OPEN, S.CANCELLED]
    assert len(world.trace.of(IntentDenied)) == 2


# Waiting for room.


def test_what_finds_no_room_waits_and_the_most_urgent_leaves_first() -> None:
    async def act(world: World) -> None:
        world.ask(
            place(level=2, price="90"),
            place(level=1, price="95"),
            place(level=3, price="80", purpose=Purpose.HEDGE),
        )
        assert [one.slot.level for one in world.pipeline.waiting()] == [2, 1]
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.dispatch()
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.dispatch()

    world = live(act, capabilities=narrow(in_flight=1))

    sent = [one.slot.level for _, intents in world.venue.submitted for one in intents]
    assert sent == [3, 1, 2]


def test_a_superseded_create_is_dropped_unrecorded_and_its_reservation_freed() -> None:
    async def act(world: World) -> None:
        world.ask(
            place(level=1, price="100", quantity="1"), place(level=2, price="50", quantity="90")
        )
        world.ask(place(level=2, price="50", quantity="95"))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.dispatch()

    world = live(act, capabilities=narrow(in_flight=1))

    assert [record.quantity for record in world.trace.of(OrderRecorded)] == [1, 95]
    assert world.denials() == []


def test_a_create_whose_successor_is_refused_does_not_leave_either() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=1), place(level=2, quantity="1"))
        world.ask(place(level=2, quantity="2"))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.dispatch()

    refuse = Rule(check=lambda one, view: denied() if one.quantity == 2 else Allowed())
    world = live(act, capabilities=narrow(in_flight=1), rules=[refuse])

    assert [record.level for record in world.trace.of(OrderRecorded)] == [1]
    assert world.pipeline.waiting() == ()


def test_a_create_that_is_one_tick_old_is_dropped_unrecorded() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(Script(silent=True))
        world.ask(place(level=1), place(level=2))
        await world.clock.sleep_until_ns(SECOND - 1)
        world.pipeline.dispatch()
        assert len(world.pipeline.waiting()) == 1
        await world.clock.sleep_until_ns(SECOND)
        world.pipeline.dispatch()
        assert world.pipeline.waiting() == ()

    world = live(act, capabilities=narrow(in_flight=1))

    assert len(world.trace.of(OrderRecorded)) == 1


def test_creates_that_a_stop_or_a_posture_caught_are_dropped() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=1), place(level=2))
        world.pipeline.drop_creates(MARKET)
        assert world.pipeline.waiting() == ()
        world.ask(place(level=3))
        world.pipeline.open_for_creates = False
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.dispatch()
        assert world.pipeline.waiting() == ()

    world = live(act, capabilities=narrow(in_flight=1))

    assert len(world.trace.of(OrderRecorded)) == 1


def test_a_venue_gets_requests_of_the_size_that_it_takes() -> None:
    async def act(world: World) -> None:
        world.ask(
            *(place(level=n) for n in range(3)),
            *(place(Side.SELL, n, price="101") for n in range(2)),
        )

    world = live(act, capabilities=narrow(2, mixed_sides=False))

    sides = [[one.side for one in intents] for _, intents in world.venue.submitted]
    assert sorted(map(len, sides)) == [1, 2, 2]
    assert all(len(set(request)) == 1 for request in sides)


# Cancels.


def test_cancels_leave_before_creates() -> None:
    order: list[str] = []

    async def act(world: World) -> None:
        world.ask(place(level=1))
        await world.clock.sleep_ns(20 * MS)
        world.venue.on_submit = lambda intents: order.append("create")
        world.orders.on_change(lambda one: order.append(one.state.value))
        world.ask(place(level=2), Cancel(client_id(1), "why"))

    live(act)

    assert order[:2] == ["PENDING_CANCEL", "create"]


def test_a_cancel_never_waits_for_the_disk_nor_for_room() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=1))
        await world.clock.sleep_ns(20 * MS)
        world.store.holds = True
        world.ask(place(level=2), place(level=3))
        world.ask(Cancel(client_id(1), "why"))
        await world.clock.sleep_ns(20 * MS)
        assert world.states()[:2] == [S.CANCELLED, S.PENDING_CREATE]
        world.store.release()

    world = live(act, capabilities=narrow(in_flight=1))

    assert [at for at, _ in world.venue.cancelled] == [20 * MS]


def test_the_cancel_of_an_unanswered_create_follows_its_answer_at_once() -> None:
    async def act(world: World) -> None:
        world.ask(place())
        world.ask(Cancel(client_id(1), "why"), Cancel(client_id(1), "again"))
        assert world.trace.of(CancelAsked) == []

    world = live(act)

    assert [at for at, _ in world.venue.cancelled] == [10 * MS]
    assert [one.reason for one in world.trace.of(CancelAsked)] == ["why"]
    assert world.states() == [S.CANCELLED]


def test_the_cancel_of_an_unknown_create_leaves_too() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(Script(outcome=Unknown("lost")))
        world.ask(place())
        world.ask(Cancel(client_id(1), "why"))

    world = live(act)

    assert world.states() == [S.CANCELLED]
    assert world.venue.exchange.open_orders() == ()


def test_the_cancel_of_a_create_that_never_came_to_be_is_forgotten() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(REFUSED)
        world.ask(place())
        world.ask(Cancel(client_id(1), "why"), Cancel(client_id(77), "never heard of"))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.dispatch()

    assert live(act).venue.cancelled == []


def test_all_cancels_of_a_dispatch_go_in_one_request() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=level) for level in range(10)))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.cancel_all("stop")
        world.pipeline.dispatch()

    world = live(act, terms=GatewayTerms(BatchPolicy(10)))

    assert [len(requests) for _, requests in world.venue.cancelled] == [10]
    assert world.states() == [S.CANCELLED] * 10


def test_what_listeners_ask_for_while_cancels_leave_is_not_lost() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=level) for level in range(6)))
        await world.clock.sleep_ns(20 * MS)

        def also(order: Order) -> None:
            follower = client_id(order.intent.slot.level + 4)
            if order.state is S.PENDING_CANCEL:
                world.pipeline.submit([Cancel(follower, "also")], world.view)

        world.orders.on_change(also)
        world.ask(Cancel(client_id(1), "why"), Cancel(client_id(2), "why"))
        for _ in range(3):
            await world.clock.sleep_ns(20 * MS)
            world.pipeline.dispatch()

    world = live(act)

    assert world.states() == [S.CANCELLED, S.CANCELLED, S.OPEN, S.CANCELLED, S.CANCELLED, S.OPEN]


def test_what_a_venue_still_shows_is_cancelled_again_known_or_not() -> None:
    async def act(world: World) -> None:
        world.venue.cancels.append(Script(outcome=Accepted("v1"), lands=False))
        world.ask(place(), Cancel(client_id(1), "why"))
        await world.clock.sleep_ns(50 * MS)
        foreign = OrderIntent(
            client_id=client_id(500),
            instrument=world.orders.live()[0].intent.instrument,
            side=Side.SELL,
            price=Decimal(101),
            quantity=Decimal(1),
            slot=place().slot,
        )
        world.venue.exchange.create(foreign)
        world.pipeline.cancel_all("stop")
        world.pipeline.dispatch()
        await world.clock.sleep_ns(50 * MS)
        world.pipeline.sweep("main", world.venue.exchange.open_orders(), "stop")

    world = live(act)

    assert world.venue.exchange.open_orders() == ()
    assert world.states()[0] is S.CANCELLED


# Restraint.


def restrained(level: PostureLevel) -> Rule:
    return Rule(assess=lambda view: (Posture(level, "rule", "why"),))


def test_reduce_only_takes_away_what_grows_the_gap_and_what_goes_beyond_it() -> None:
    async def act(world: World) -> None:
        world.ask(
            place(level=0),
            place(Side.SELL, 0, price="101", quantity="3"),
            place(Side.SELL, 1, price="102", quantity="3"),
            place(Side.SELL, 2, price="103", quantity="2"),
        )
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.reduce_only(MARKET, Decimal(5), "rule")
        world.pipeline.dispatch()

    world = live(act, view=StillView("5"))

    assert world.states() == [S.CANCELLED, S.OPEN, S.CANCELLED, S.OPEN]


def test_reduce_only_counts_what_is_leaving_and_drops_what_waits() -> None:
    async def act(world: World) -> None:
        world.ask(place(Side.SELL, 0, price="101", quantity="3"))
        await world.clock.sleep_ns(20 * MS)
        world.venue.cancels.append(Script(outcome=Unknown("lost"), lands=False))
        world.ask(Cancel(client_id(1), "why"))
        world.venue.submits.append(Script(silent=True))
        world.ask(place(level=5))
        world.ask(
            place(level=6),
            place(Side.SELL, 1, price="102", quantity="3"),
            place(Side.SELL, 2, price="103", quantity="2"),
        )
        world.pipeline.reduce_only(MARKET, Decimal(5), "rule")
        kept.extend(one.slot.level for one in world.pipeline.waiting())

    kept: list[int] = []
    live(act, view=StillView("5"), capabilities=narrow(in_flight=2))

    assert kept == [2]


def test_at_no_gap_everything_grows_it() -> None:
    async def act(world: World) -> None:
        world.ask(place(), place(Side.SELL, price="101"))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.reduce_only(MARKET, Decimal(0), "rule")
        world.pipeline.dispatch()

    assert live(act).states() == [S.CANCELLED, S.CANCELLED]


QUANTITIES = st.integers(2, 60).map(lambda tenths: Decimal(tenths) / 10)


@given(
    st.integers(-80, 80).map(lambda tenths: Decimal(tenths) / 10),
    st.lists(st.tuples(st.sampled_from(Side), QUANTITIES), max_size=8),
)
def test_after_reduce_only_what_stays_never_adds_up_to_more_than_the_gap(
    gap: Decimal, wishes: list[tuple[Side, Decimal]]
) -> None:
    async def act(world: World) -> None:
        world.ask(
            *(place(side, n, price="100", quantity=str(q)) for n, (side, q) in enumerate(wishes))
        )
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.reduce_only(MARKET, gap, "rule")
        world.pipeline.dispatch()

    world = live(act)

    kept = [order for order in world.orders.live() if order.state is S.OPEN]
    assert sum(order.leaves for order in kept) <= abs(gap)
    assert all(order.intent.side.sign * gap < 0 for order in kept)


def test_a_halted_account_sends_no_order() -> None:
    async def act(world: World) -> None:
        world.gate.assess(world.view)
        world.ask(place())

    world = live(act, rules=[restrained(PostureLevel.HALTED)])

    assert world.denials() == [("risk", "rule", "HALTED", "ACTIVE")]


# When the store fails.


def test_a_failing_disk_leaves_nothing_sent_and_is_told() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=1), place(level=2))

    disk = MemoryDisk()
    store = disk.open()
    store.begin_run(
        "demo", mode="paper", seed=1, config_hash="", config_text="", now_ns=0, new_tag=lambda: 1
    )
    disk.fail_at_write = disk.writes + 1
    world = live(act, store=store)

    assert world.venue.submitted == []
    assert world.states() == [S.CANCELLED, S.CANCELLED]
    assert [type(failure) for failure in world.failures] == [StoreError]


def test_after_the_store_has_failed_cancels_still_leave() -> None:
    async def act(world: World) -> None:
        world.ask(place())
        await world.clock.sleep_ns(20 * MS)
        world.store.fail()
        world.ask(place(level=1, at_ns=world.clock.now_ns()))
        world.pipeline.cancel_all("the store failed")
        world.pipeline.dispatch()

    world = live(act)

    assert world.states() == [S.CANCELLED, S.CANCELLED]
    assert len(world.venue.submitted) == 1
    assert world.venue.exchange.open_orders() == ()


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (Script(outcome=Unknown("lost")), S.OPEN),  # the stream proves it
        (Script(outcome=Unknown("lost"), lands=False), S.UNKNOWN),
        (Script(raises=ValueError("oops")), S.OPEN),
        (Script(outcome=NotSent(0, "no connection"), lands=False), S.CANCELLED),
        (REFUSED, S.REJECTED),
    ],
)
def test_each_answer_leaves_the_order_where_it_proves_it(script: Script, state: OrderState) -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(script)
        world.ask(place())

    assert live(act).states() == [state]


def test_an_unknown_create_keeps_its_reservation() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(Script(outcome=Unknown("lost"), lands=False))
        world.ask(place(price="100", quantity="40"))
        await world.clock.sleep_ns(20 * MS)
        assert world.available("USDT") == 1000
        world.ask(place(level=1, price="100", quantity="11", at_ns=world.clock.now_ns()))

    world = live(act)

    assert world.denials() == [("reserve", "balance", "1100", "1000")]
