"""What leaves when there is room, at a venue that is busy or does not answer."""

from decimal import Decimal

from fairlead.api import BatchLimits, Cancel, Capabilities, RateLimit, RequestKind, Response, Weight
from fairlead.model import OrderState, Purpose, Unknown
from fairlead.pipeline import BatchPolicy
from fairlead.store import OrderRecorded
from fairlead.testing import Script, client_id
from tests.fairlead.pipeline.batch_kit import late, levels, live
from tests.fairlead.pipeline.pipeline_world import MS, SECOND, World, narrow, place

S = OrderState
CREATE, CANCEL, QUERY = RequestKind


# Room.


def test_two_hundred_orders_leave_as_fast_as_there_is_room_in_flight_best_first() -> None:
    async def act(world: World) -> None:
        world.ask(
            *(place(level=n, price=str(99 - Decimal(n) / 10), quantity="0.2") for n in range(200))
        )

    world = live(act, capabilities=narrow(in_flight=50))

    assert [at // MS for at, _ in world.venue.submitted] == [
        wave * 10 for wave in range(4) for _ in range(50)
    ]
    assert levels(world) == [[n] for n in range(200)]


def test_what_finds_no_room_within_its_tick_is_dropped_and_never_recorded() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(Script(late_ns=3 * SECOND))
        world.ask(place(level=1), place(level=2))
        await world.clock.sleep_ns(SECOND)
        world.pipeline.dispatch(on_tick=True)

    world = live(act, capabilities=narrow(in_flight=1))

    assert len(world.trace.of(OrderRecorded)) == 1
    assert world.gateway.counts.dropped == 1
    assert world.pipeline.waiting() == ()


def test_creates_leave_at_the_instant_when_the_limit_has_room_within_their_tick() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=n, price=f"{99 - n}") for n in range(6)))
        await world.clock.sleep_ns(5 * SECOND)

    limit = RateLimit("orders", 4, 500 * MS, {CREATE: Weight(0, item=1)})
    world = live(act, limits=(limit,))

    # Seven tenths of four are two at a time.
    assert [at // MS for at, _ in world.venue.submitted] == [0, 600]
    assert levels(world) == [[0, 1], [2, 3]]
    assert len(world.trace.of(OrderRecorded)) == 4


def test_exits_use_room_that_quotes_may_not() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=n) for n in range(9)), late(20, 0, Purpose.EXIT))

    limit = RateLimit("orders", 10, SECOND, {CREATE: Weight(0, item=1)})
    world = live(act, limits=(limit,), batching=BatchPolicy(on=False))

    assert levels(world)[0] == [20]
    assert len(levels(world)) == 7


def test_an_exit_leaves_while_quotes_wait_for_room() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=n) for n in range(9)))
        world.ask(late(20, 0, Purpose.EXIT))
        await world.clock.sleep_ns(500 * MS)

    limit = RateLimit("orders", 10, SECOND, {CREATE: Weight(0, item=1)})
    world = live(act, limits=(limit,), batching=BatchPolicy(on=False))

    assert [one for (one,) in levels(world)] == [0, 1, 2, 3, 4, 5, 6, 20]


def test_cancels_beyond_the_limit_leave_at_the_instant_of_room_once_each() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=n) for n in range(4)))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.cancel_all("all")
        world.pipeline.dispatch()
        assert world.gateway.held_cancels == 2
        world.pipeline.sweep("main", world.venue.exchange.open_orders()[2:], "again")
        assert world.gateway.held_cancels == 2
        await world.clock.sleep_ns(2 * SECOND)

    limit = RateLimit("cancels", 2, SECOND, {CANCEL: Weight(0, item=1)})
    world = live(act, limits=(limit,))

    assert [(at // MS, len(sent)) for at, sent in world.venue.cancelled] == [(20, 2), (1120, 2)]
    assert world.states() == [S.CANCELLED] * 4


def test_a_venue_that_banned_us_hears_nothing_until_it_is_over() -> None:
    async def act(world: World) -> None:
        world.ask(place())
        await world.clock.sleep_ns(20 * MS)
        world.gateway.throttle.heard(QUERY, Response(418, {"Retry-After": "2"}, b""))
        world.ask(place(level=1, at_ns=20 * MS), Cancel(client_id(1), "why"))
        await world.clock.sleep_ns(3 * SECOND)

    world = live(act)

    assert len(world.venue.submitted) == 1
    assert [at // MS for at, _ in world.venue.cancelled] == [2020]


# Where it goes wrong again and again.


def test_a_venue_that_does_not_answer_gets_nothing_new_but_cancels_and_exits() -> None:
    async def act(world: World) -> None:
        world.ask(place(level=50))
        await world.clock.sleep_ns(20 * MS)
        lost = Script(outcome=Unknown("lost"), lands=False)
        for level in range(5):
            world.venue.submits.append(lost)
            world.ask(place(level=level, at_ns=world.clock.now_ns()))
            await world.clock.sleep_ns(20 * MS)
        now_ns = world.clock.now_ns()
        world.ask(
            place(level=20, at_ns=now_ns),
            late(21, now_ns, Purpose.EXIT),
            Cancel(client_id(1), "why"),
        )

    world = live(act)

    assert world.denials() == [("breaker", "venue_failing", "5", "4")]
    assert world.incidents() == ["venue_paused"]
    assert levels(world)[-1] == [21]
    assert len(world.venue.cancelled) == 1


def test_after_its_pause_one_order_probes_the_venue_and_frees_it() -> None:
    async def act(world: World) -> None:
        for level in range(5):
            world.venue.submits.append(Script(outcome=Unknown("lost"), lands=False))
            world.ask(place(level=level, at_ns=world.clock.now_ns()))
            await world.clock.sleep_ns(20 * MS)
        await world.clock.sleep_ns(30 * SECOND)
        now_ns = world.clock.now_ns()
        world.ask(*(place(level=10 + n, at_ns=now_ns) for n in range(3)))
        await world.clock.sleep_ns(20 * MS)
        now_ns = world.clock.now_ns()
        world.ask(*(place(level=20 + n, at_ns=now_ns) for n in range(3)))

    world = live(act)

    assert levels(world)[5:] == [[10], [11, 12, 20, 21, 22]]
    assert world.gateway.breaker.paused == ()


def test_limits_of_a_venue_are_kept_whatever_is_asked_for() -> None:
    limits = BatchPolicy(0).within(BatchLimits(creates=0, cancels=0, mixed_sides=False))

    assert (limits.creates, limits.cancels, limits.mixed_sides) == (1, 1, False)
    assert Capabilities().limits == ()
