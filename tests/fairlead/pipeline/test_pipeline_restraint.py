"""Cancels pass everything; restraint and a failing store let nothing else pass."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Cancel, Posture, PostureLevel
from fairlead.errors import StoreError
from fairlead.model import Accepted, OrderIntent, OrderState, Side, Unknown
from fairlead.pipeline import BatchPolicy, GatewayTerms
from fairlead.store import CancelAsked
from fairlead.testing import MARKET, MemoryDisk, Script, client_id
from fairlead.trackers import Order
from tests.fairlead.pipeline.pipeline_world import (
    MS,
    REFUSED,
    Rule,
    StillView,
    World,
    live,
    narrow,
    place,
)

S = OrderState


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


def test_nothing_new_gets_the_room_of_what_reduce_only_has_just_sent_away() -> None:
    async def act(world: World) -> None:
        world.ask(place(Side.SELL, 0, price="101", quantity="6"))
        await world.clock.sleep_ns(20 * MS)
        world.venue.submits.append(Script(silent=True))
        world.ask(place(level=5))
        world.ask(place(Side.SELL, 1, price="102", quantity="3"))
        world.pipeline.reduce_only(MARKET, Decimal(5), "rule")
        kept.extend(one.slot.level for one in world.pipeline.waiting())

    kept: list[int] = []
    live(act, view=StillView("5"), capabilities=narrow(in_flight=1))

    assert kept == []


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
