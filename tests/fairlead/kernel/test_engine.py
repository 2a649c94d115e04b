"""A run from its begin to its end, its store, and what strategies see."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from fairlead.api import Publish
from fairlead.errors import ExitCode, StoreError
from fairlead.kernel import StopReason
from fairlead.model import ClientId, NotSent, OrderIntent, OrderState, StreamState, StreamStatus
from fairlead.store import DecisionMade, OrderRecorded, RunEnded, RunStarted, TickPassed
from fairlead.testing import MemoryDisk, Script, VirtualClock, VirtualProcess, intent, run_virtual
from tests.fairlead.kernel.engine_world import (
    SECOND,
    START_NS,
    World,
    live,
    quoting,
    quoting_beside,
)

S = OrderState


# A run from begin to end.


def test_a_run_quotes_and_ends_with_nothing_left() -> None:
    world, result = live(quoting, for_s=10)

    assert result.exit_code is ExitCode.CLEAN
    assert (result.reason, result.proven, result.left) == (StopReason.DURATION, True, ())
    assert world.open_orders() == ()
    kinds = [type(record) for record in world.trace.records]
    assert kinds[0] is RunStarted
    assert kinds[-1] is RunEnded
    assert world.trace.of(RunEnded) == [RunEnded(reason=StopReason.DURATION.value, proven=True)]
    assert len(world.trace.of(OrderRecorded)) == 2


def test_ticks_begin_once_reconciled_and_go_on_each_second() -> None:
    world, _ = live(quoting, for_s=10)

    ticks = world.trace.of(TickPassed)
    assert [tick.number for tick in ticks] == list(range(1, len(ticks) + 1))
    assert len(ticks) == 10
    assert ticks[-1].messages > 0


def test_nothing_is_quoted_before_the_account_was_read() -> None:
    async def act(world: World) -> None:
        world.venue.unavailable.add("balances")
        await asyncio.sleep(0)
        world.show()
        await world.wait(5)
        assert world.venue.submitted == []
        world.venue.unavailable.clear()
        await world.wait(5)
        read_ns = max(at for at, name in world.venue.asked if name == "balances")
        assert world.venue.submitted[0][0] > read_ns - 5 * SECOND
        world.engine.request_stop()

    _, result = live(act)

    assert result.exit_code is ExitCode.CLEAN


@pytest.mark.parametrize("query", ["balances", "open_orders"])
@pytest.mark.parametrize("how", ["unavailable", "silent"])
def test_a_venue_that_does_not_answer_at_the_start_ends_the_run(query: str, how: str) -> None:
    async def act(world: World) -> None:
        getattr(world.venue, how).add(query)
        await world.wait(1)
        world.show()

    world, result = live(act)

    assert result.exit_code is ExitCode.UNAVAILABLE
    assert result.reason is StopReason.VENUE
    assert "main at the start" in result.detail
    assert world.venue.submitted == []
    assert result.ended_ns - START_NS <= 130 * SECOND


def test_a_venue_that_never_connects_ends_the_run() -> None:
    async def stay_away(publish: Publish) -> None:
        del publish
        await asyncio.Event().wait()

    async def act(world: World) -> None:
        world.venues["hedge"].run = stay_away  # type: ignore[method-assign]  # that is the test
        await world.wait(100)

    _, result = live(act, venues=("main", "hedge"))

    assert result.exit_code is ExitCode.UNAVAILABLE
    assert result.detail == "not every venue connected within 60 s"
    assert result.ended_ns - START_NS == 60 * SECOND


def test_a_venue_that_is_lost_before_the_others_connect_is_waited_for() -> None:
    async def come_and_go(publish: Publish) -> None:
        for status in (StreamStatus.CONNECTED, StreamStatus.DISCONNECTED):
            publish(StreamState("hedge", START_NS, status, "test"))
        await asyncio.Event().wait()

    async def act(world: World) -> None:
        world.venues["hedge"].run = come_and_go  # type: ignore[method-assign]  # that is the test
        await world.wait(100)

    world, result = live(act, venues=("hedge", "main"))

    assert result.detail == "not every venue connected within 60 s"
    assert world.venue.submitted == []


def test_the_source_that_ends_ends_the_run() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.publish(StreamStatus.ENDED)

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.SOURCE_ENDED, ExitCode.CLEAN)
    assert world.open_orders() == ()


def test_with_two_venues_both_must_end() -> None:
    async def act(world: World) -> None:
        await world.wait(2)
        world.venues["hedge"].publish(StreamStatus.ENDED)
        await world.wait(5)
        world.venue.publish(StreamStatus.ENDED)

    _, result = live(act, venues=("main", "hedge"))

    assert result.reason is StopReason.SOURCE_ENDED
    assert result.ended_ns - START_NS > 7 * SECOND


def test_ids_are_of_our_tag_and_epoch_and_never_repeat() -> None:
    world, _ = live(quoting, for_s=10)

    ids = [ClientId.parse(record.order) for record in world.trace.of(OrderRecorded)]
    setup = world.container.setup()
    assert [(one.tag, one.epoch) for one in ids if one] == [(setup.tag, setup.epoch)] * len(ids)
    assert [one.counter for one in ids if one] == list(range(1, len(ids) + 1))


# The store.


def test_a_full_disk_cancels_all_leaves_a_note_and_ends() -> None:
    disk = MemoryDisk()

    async def act(world: World) -> None:
        await quoting(world)
        disk.fail_at_write = disk.writes + 1
        world.show("98.90", "99.10")  # quotes move

    world, result = live(act, disk=disk)

    assert (result.reason, result.exit_code) == (StopReason.STORE, ExitCode.HALTED)
    assert isinstance(result.failure, StoreError)
    assert world.open_orders() == ()
    assert any("HALTED" in name for name in world.process.markers)
    sent = [one.client_id for _, intents in world.venue.submitted for one in intents]
    assert len(sent) == 2


def test_a_full_disk_that_takes_no_note_either_still_ends_the_run() -> None:
    disk, process = MemoryDisk(), VirtualProcess()

    async def act(world: World) -> None:
        await quoting(world)
        disk.fail_at_write = disk.writes + 1
        process.refuses_markers = True
        world.show("98.90", "99.10")

    world, result = live(act, disk=disk, process=process)

    assert (result.reason, result.exit_code) == (StopReason.STORE, ExitCode.HALTED)
    assert world.open_orders() == ()
    assert "marker_failed" in world.incidents()


def test_every_create_is_in_the_store_before_the_venue_hears_of_it() -> None:
    unknown: list[str] = []

    async def act(world: World) -> None:
        def look(intents: Sequence[OrderIntent]) -> None:
            stored = {row["client_id"] for row in world.disk.reader().orders(1)}
            unknown.extend(one.client_id for one in intents if one.client_id not in stored)

        world.venue.on_submit = look
        await quoting(world)
        world.show("98.90", "99.10")
        await world.wait(5)
        assert len(world.venue.submitted) >= 2
        world.process.stop()

    live(act)

    assert unknown == []


# What strategies see.


def test_a_strategy_sees_fills_prints_and_closed_orders_once() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.exchange.fill(world.open_orders()[0].client_id)
        await world.wait(3)
        world.process.stop()

    world, _ = live(act)

    views = world.controller.views
    assert [len(view.fills) for view in views if view.fills] == [1]
    assert [view.closed[0].state for view in views if view.closed] == [S.FILLED]
    before, after = views[0], views[-1]
    assert after.position - before.position == 1
    assert after.base.total == 51


def test_decisions_are_journaled_when_they_differ() -> None:
    world, _ = live(quoting, for_s=8)

    assert [(one.quotes, len(one.gates)) for one in world.trace.of(DecisionMade)] == [
        (0, 1),
        (2, 0),
    ]


def test_a_strategy_that_decides_each_second_skips_ticks_that_are_shorter() -> None:
    world, _ = live(quoting, for_s=10, tick="250 ms")

    assert len(world.trace.of(TickPassed)) == 40
    assert len(world.controller.views) == 10


def test_observing_only_sends_nothing() -> None:
    async def main(clock: VirtualClock) -> tuple[int, int, ExitCode]:
        world = World(clock)
        run = asyncio.ensure_future(world.engine.run(observe_only=True, for_ns=10 * SECOND))
        await world.wait(0.5)
        world.show()
        result = await run
        world.store.close()
        return len(world.venue.submitted), len(world.controller.views), result.exit_code

    submitted, views, code = run_virtual(main, start_ns=START_NS)

    assert (submitted, code) == (0, ExitCode.CLEAN)
    assert views > 5


def test_a_not_sent_create_frees_its_place() -> None:
    async def act(world: World) -> None:
        await world.wait(0.5)
        world.venue.submits.append(Script(outcome=NotSent(0, "no connection"), lands=False))
        world.show()
        await world.wait(5)
        assert len(world.open_orders()) == 2
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert len(world.trace.of(OrderRecorded)) == 4


def test_a_fill_of_an_order_that_is_not_ours_is_an_incident() -> None:
    async def act(world: World) -> None:
        world.venue.exchange.create(intent(client_id="by hand", price=50))
        await quoting_beside(world, 1)
        world.venue.exchange.fill("by hand")
        await world.wait(2)
        world.process.stop()

    world, _ = live(act)

    assert "foreign_fill" in world.incidents() or "external_fill" in world.incidents()
    assert all(view.position == Decimal(50) for view in world.controller.views[:3])


def test_without_a_desk_there_is_none_to_give() -> None:
    async def main(clock: VirtualClock) -> None:
        world = World(clock)
        assert not world.engine.assembled
        with pytest.raises(RuntimeError, match="has not started"):
            _ = world.engine.desk
        world.container.identity()
        world.store.close()

    run_virtual(main)


# Around the edges.


def test_what_a_venue_says_before_all_are_there_is_not_lost() -> None:
    async def act(world: World) -> None:
        late = world.venues["hedge"]
        connect = late.run

        async def later(publish: Publish) -> None:
            await world.clock.sleep_ns(3 * SECOND)
            await connect(publish)

        late.run = later  # type: ignore[method-assign]  # it takes its time
        await world.wait(0.5)
        world.show()
        await world.wait(6)
        assert world.engine.desk.feed.messages > 0
        assert len(world.open_orders()) == 2
        world.process.stop()

    _, result = live(act, venues=("main", "hedge"))

    assert result.exit_code is ExitCode.CLEAN


def test_a_stream_that_goes_and_comes_back_is_an_incident_and_the_account_is_read() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.publish(StreamStatus.DISCONNECTED)
        await world.wait(2)
        before = len(world.venue.asked)
        world.venue.publish(StreamStatus.CONNECTED)
        await world.wait(3)
        assert len(world.venue.asked) > before
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert "stream_lost" in world.incidents()


def test_a_failing_store_is_noticed_although_nobody_waits_for_it() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.container.journal().failure = StoreError("memory", "the disk does not keep up")

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.STORE, ExitCode.HALTED)
    assert world.open_orders() == ()


def test_observers_that_die_cost_the_run_nothing() -> None:
    async def die() -> None:
        raise KeyError("observers")

    async def act(world: World) -> None:
        world.container.watching().run = die  # type: ignore[method-assign]  # a bug of ours
        await quoting(world)
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert "observers_failed" in world.incidents()


def test_one_seed_gives_one_trace() -> None:
    hashes = [live(quoting, for_s=30)[0].trace.hexdigest for _ in range(2)]

    assert hashes[0] == hashes[1]
