import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fairlead.api import (
    BatchLimits,
    Cancel,
    Capabilities,
    Place,
    Posture,
    PostureLevel,
    RateLimit,
    RequestKind,
    Response,
    Weight,
)
from fairlead.model import (
    NotSent,
    OrderState,
    Outcome,
    Purpose,
    RejectClass,
    Rejected,
    Side,
    TimeInForce,
    Unknown,
)
from fairlead.pipeline import (
    BatchPolicy,
    BreakerPolicy,
    GatewayTerms,
    RequestCounts,
    Throttle,
)
from fairlead.store import OrderRecorded
from fairlead.testing import SCRIPTED, Script, VirtualClock, client_id, run_virtual
from tests.fairlead.pipeline.pipeline_world import MS, SECOND, Rule, World, narrow, place

S = OrderState
CREATE, CANCEL, QUERY = RequestKind
WHOLE = Script(outcome=Rejected("BATCH", RejectClass.OTHER, whole=True), lands=False)
PATIENCE = Script(outcome=NotSent(5 * SECOND, "busy"), lands=False)


def live(
    act: Callable[[World], Awaitable[None]],
    *,
    limits: tuple[RateLimit, ...] = (),
    batching: BatchPolicy | None = None,
    **parts: Any,  # noqa: ANN401 - for World
) -> World:
    """Let the venue run, act, and wait until nothing is in flight."""

    async def main(clock: VirtualClock) -> World:
        throttle = Throttle(clock)
        throttle.bind(limits)
        terms = GatewayTerms(batching or BatchPolicy(), BreakerPolicy(), "main", throttle)
        world = World(clock, terms=terms, **parts)
        venue = asyncio.get_running_loop().create_task(world.venue.run(world.hear))
        await asyncio.sleep(0)
        await act(world)
        await world.gateway.drain()
        await clock.sleep_ns(100 * MS)
        venue.cancel()
        return world

    return run_virtual(main)


def of(strategy: str, one: Place) -> Place:
    return msgspec.structs.replace(one, slot=msgspec.structs.replace(one.slot, strategy=strategy))


def sizes(world: World) -> list[int]:
    return [len(intents) for _, intents in world.venue.submitted]


def levels(world: World) -> list[list[int]]:
    return [[one.slot.level for one in intents] for _, intents in world.venue.submitted]


def late(level: int, at_ns: int, purpose: Purpose = Purpose.ENTRY) -> Place:
    return place(level=level, at_ns=at_ns, purpose=purpose)


# At the end of a dispatch.


def test_orders_of_all_strategies_share_requests_of_five() -> None:
    async def act(world: World) -> None:
        world.ask(*(of(f"s{n % 4}", place(level=n, quantity="0.2")) for n in range(12)))

    world = live(act)

    assert sizes(world) == [5, 5, 2]
    assert len({one.slot.strategy for one in world.venue.submitted[0][1]}) == 4
    assert world.gateway.counts == RequestCounts(requests=3, items=12, batches=3)
    assert (world.gateway.counts.saved, world.gateway.counts.mean) == (9, 4.0)
    assert world.states() == [S.OPEN] * 12


@pytest.mark.parametrize(
    ("policy", "most", "expected"),
    [
        (BatchPolicy(10), 3, [3, 3, 1]),
        (BatchPolicy(2), 20, [2, 2, 2, 1]),
        (BatchPolicy(on=False), 20, [1] * 7),
        (BatchPolicy(), 1, [1] * 7),
    ],
)
def test_a_request_holds_no_more_than_asked_for_and_the_venue_takes(
    policy: BatchPolicy, most: int, expected: list[int]
) -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=n) for n in range(7)))
        await world.clock.sleep_ns(20 * MS)
        world.pipeline.cancel_all("all")
        world.pipeline.dispatch()

    capabilities = replace(SCRIPTED, batch=BatchLimits(creates=most, cancels=most))
    world = live(act, batching=policy, capabilities=capabilities)

    assert sizes(world) == expected
    assert [len(requests) for _, requests in world.venue.cancelled] == expected


def test_sides_that_must_not_mix_do_not() -> None:
    async def act(world: World) -> None:
        world.ask(
            *(place(level=n) for n in range(2)),
            *(place(Side.SELL, n, price="100.10") for n in range(2)),
        )

    world = live(act, capabilities=narrow(creates=5, mixed_sides=False))

    assert [{one.side for one in sent} for _, sent in world.venue.submitted] == [
        {Side.BUY},
        {Side.SELL},
    ]


def test_cancels_leave_before_creates() -> None:
    async def act(world: World) -> None:
        world.ask(place())
        await world.clock.sleep_ns(20 * MS)
        world.venue.on_submit = lambda intents: seen.append(len(world.venue.cancelled))
        world.ask(place(level=1, at_ns=20 * MS), Cancel(client_id(1), "why"))

    seen: list[int] = []
    live(act)

    assert seen == [1]


# Between ticks.


def test_what_was_decided_between_ticks_waits_for_company_until_the_timeout() -> None:
    async def act(world: World) -> None:
        world.pipeline.dispatch(on_tick=True)
        await world.clock.sleep_ns(100 * MS)
        world.pipeline.submit([late(1, 100 * MS)], world.view)
        world.pipeline.dispatch()
        await world.clock.sleep_ns(50 * MS)
        world.pipeline.submit([late(2, 150 * MS)], world.view)
        world.pipeline.dispatch()
        await world.clock.sleep_ns(SECOND)

    world = live(act, batching=BatchPolicy(timeout_ns=300 * MS))

    assert [(at, len(sent)) for at, sent in world.venue.submitted] == [(400 * MS, 2)]


def test_a_full_batch_and_the_next_tick_wait_for_nobody() -> None:
    async def act(world: World) -> None:
        world.pipeline.dispatch(on_tick=True)
        await world.clock.sleep_ns(100 * MS)
        world.pipeline.submit([late(n, 100 * MS) for n in range(7)], world.view)
        world.pipeline.dispatch()
        await world.clock.sleep_ns(800 * MS)
        world.pipeline.dispatch(on_tick=True)

    world = live(act)

    assert [(at, len(sent)) for at, sent in world.venue.submitted] == [(100 * MS, 5), (900 * MS, 2)]


@pytest.mark.parametrize("purpose", [Purpose.HEDGE, Purpose.EXIT])
def test_hedges_and_exits_wait_for_nobody_and_take_others_along(purpose: Purpose) -> None:
    async def act(world: World) -> None:
        world.pipeline.dispatch(on_tick=True)
        await world.clock.sleep_ns(100 * MS)
        world.pipeline.submit([late(n, 100 * MS) for n in (1, 2)], world.view)
        world.pipeline.dispatch()
        world.pipeline.submit([late(9, 100 * MS, purpose)], world.view)
        world.pipeline.dispatch()

    world = live(act)

    assert [(at, levels(world)) for at, _ in world.venue.submitted] == [(100 * MS, [[9, 1, 2]])]


@pytest.mark.parametrize("kind", [TimeInForce.IOC, TimeInForce.FOK])
def test_who_takes_does_not_wait_either(kind: TimeInForce) -> None:
    async def act(world: World) -> None:
        world.pipeline.dispatch(on_tick=True)
        await world.clock.sleep_ns(100 * MS)
        taking = msgspec.structs.replace(late(1, 100 * MS), time_in_force=kind, post_only=False)
        world.pipeline.submit([taking], world.view)
        world.pipeline.dispatch()

    assert [at for at, _ in live(act).venue.submitted] == [100 * MS]


def test_what_a_tick_decided_waits_for_nobody_between_ticks() -> None:
    async def act(world: World) -> None:
        world.pipeline.dispatch(on_tick=True)
        await world.clock.sleep_ns(100 * MS)
        world.pipeline.submit([place(at_ns=0)], world.view)  # its slot is free only now
        world.pipeline.dispatch()

    assert [at for at, _ in live(act).venue.submitted] == [100 * MS]


# What becomes of a batch.


def test_a_batch_refused_as_a_whole_goes_one_by_one_each_with_its_own_outcome() -> None:
    async def act(world: World) -> None:
        refused = Script(outcome=Rejected("PRICE", RejectClass.PRICE), lands=False)
        lost = Script(outcome=Unknown("lost"), lands=False)
        world.venue.submits.extend([WHOLE, Script(), refused, lost, Script()])
        world.ask(*(place(level=n) for n in range(4)))

    world = live(act)

    assert sizes(world) == [4, 1, 1, 1, 1]
    assert world.states() == [S.OPEN, S.REJECTED, S.UNKNOWN, S.OPEN]
    assert world.gateway.counts.split == 1
    assert len(world.trace.of(OrderRecorded)) == 4


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Unknown("lost"), S.UNKNOWN),
        (Rejected("PRICE", RejectClass.PRICE), S.REJECTED),
        (NotSent(9 * SECOND, "busy"), S.CANCELLED),
        (NotSent(0, "no connection"), S.CANCELLED),
    ],
)
def test_nothing_else_is_ever_sent_again(outcome: Outcome, state: OrderState) -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(Script(outcome=outcome, lands=False))
        world.ask(*(place(level=n) for n in range(4)))
        await world.clock.sleep_ns(10 * SECOND)

    world = live(act)

    assert sizes(world) == [4]
    assert world.states() == [state] * 4


def test_a_single_order_refused_as_a_whole_is_refused() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(WHOLE)
        world.ask(place())

    world = live(act)

    assert sizes(world) == [1]
    assert world.states() == [S.REJECTED]


def stops(world: World) -> None:
    world.pipeline.open_for_creates = False


def halts(world: World) -> None:
    world.gate.impose("hand", PostureLevel.CANCEL_ONLY, "why")


def cancels(world: World) -> None:
    world.ask(*(Cancel(client_id(n), "why") for n in range(1, 4)))


@pytest.mark.parametrize("change", [stops, halts, cancels])
def test_what_is_not_wanted_any_more_stays_refused(change: Callable[[World], None]) -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(WHOLE)
        world.ask(*(place(level=n) for n in range(3)))
        await world.clock.sleep_ns(5 * MS)
        change(world)

    world = live(act)

    assert sizes(world) == [3]
    assert world.states() == [S.REJECTED] * 3


@pytest.mark.parametrize(("side", "sent"), [(Side.BUY, [3]), (Side.SELL, [3, 1, 1, 1])])
def test_of_a_refused_batch_nothing_goes_on_a_side_that_was_paused(
    side: Side, sent: list[int]
) -> None:
    paused: list[Posture] = []

    async def act(world: World) -> None:
        world.venue.submits.append(WHOLE)
        world.ask(*(place(level=n) for n in range(3)))
        await world.clock.sleep_ns(5 * MS)
        paused.append(Posture(rule="rule", reason="why", paused=(side,)))
        world.gate.assess(world.view)

    world = live(act, rules=(Rule(assess=lambda view: tuple(paused)),))

    assert sizes(world) == sent


def test_an_exit_of_a_refused_batch_goes_on_while_only_exits_may() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(WHOLE)
        world.ask(place(level=1), late(2, 0, Purpose.EXIT))
        await world.clock.sleep_ns(5 * MS)
        world.gate.impose("hand", PostureLevel.REDUCING, "why")

    world = live(act)

    assert levels(world) == [[2, 1], [2]]
    assert world.states() == [S.OPEN, S.REJECTED]


def test_orders_of_a_refused_batch_grow_too_old_to_be_sent_alone() -> None:
    async def act(world: World) -> None:
        world.venue.submits.extend([WHOLE, Script(late_ns=2 * SECOND)])
        world.ask(*(place(level=n) for n in range(3)))

    world = live(act)

    assert sizes(world) == [3, 1]
    assert world.states() == [S.OPEN, S.REJECTED, S.REJECTED]


def test_cancels_refused_as_a_whole_go_one_by_one() -> None:
    async def act(world: World) -> None:
        world.ask(*(place(level=n) for n in range(3)))
        await world.clock.sleep_ns(20 * MS)
        world.venue.cancels.append(WHOLE)
        world.pipeline.cancel_all("all")
        world.pipeline.dispatch()
        await world.clock.sleep_ns(100 * MS)

    world = live(act)

    assert [len(requests) for _, requests in world.venue.cancelled] == [3, 1, 1, 1]
    assert world.states() == [S.CANCELLED] * 3


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


def test_nothing_sent_has_no_mean() -> None:
    assert RequestCounts().mean is None


def test_limits_of_a_venue_are_kept_whatever_is_asked_for() -> None:
    limits = BatchPolicy(0).within(BatchLimits(creates=0, cancels=0, mixed_sides=False))

    assert (limits.creates, limits.cancels, limits.mixed_sides) == (1, 1, False)
    assert Capabilities().limits == ()
