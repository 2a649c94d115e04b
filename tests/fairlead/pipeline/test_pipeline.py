"""What a create passes on its way to the venue, and what turns it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Allowed, Cancel, RiskView, Verdict
from fairlead.model import NotSent, OrderIntent, OrderState, Purpose, Side, Unknown
from fairlead.store import IntentDenied, OrderMoved, OrderRecorded
from fairlead.testing import MARKET, MemoryDisk, Script, client_id
from tests.fairlead.pipeline.pipeline_world import (
    MS,
    REFUSED,
    SECOND,
    Rule,
    World,
    denied,
    live,
    narrow,
    place,
)

S = OrderState


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
