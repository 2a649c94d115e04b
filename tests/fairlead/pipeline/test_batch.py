"""Orders that share a request: which, when, and what becomes of each."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from fairlead.api import BatchLimits, Cancel, Place, Posture, PostureLevel
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
from fairlead.pipeline import BatchPolicy, RequestCounts
from fairlead.store import OrderRecorded
from fairlead.testing import SCRIPTED, Script, client_id
from tests.fairlead.pipeline.batch_kit import late, levels, live
from tests.fairlead.pipeline.pipeline_world import MS, SECOND, Rule, World, narrow, place

S = OrderState
WHOLE = Script(outcome=Rejected("BATCH", RejectClass.OTHER, whole=True), lands=False)


def of(strategy: str, one: Place) -> Place:
    return msgspec.structs.replace(one, slot=msgspec.structs.replace(one.slot, strategy=strategy))


def sizes(world: World) -> list[int]:
    return [len(intents) for _, intents in world.venue.submitted]


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


def test_nothing_sent_has_no_mean() -> None:
    assert RequestCounts().mean is None
