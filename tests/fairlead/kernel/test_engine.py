import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace

from fairlead.api import Decision, NoMemory, Posture, PostureLevel, Publish, View
from fairlead.errors import ConfigError, ExitCode, FeedError, Finding, StoreError
from fairlead.kernel import StopReason
from fairlead.model import (
    Accepted,
    BookLost,
    ClientId,
    NotSent,
    OrderIntent,
    OrderState,
    RejectClass,
    Rejected,
    Side,
    StreamStatus,
    Unknown,
)
from fairlead.store import DecisionMade, OrderMoved, OrderRecorded, RunEnded, RunStarted, TickPassed
from fairlead.testing import (
    MARKET,
    MemoryDisk,
    Script,
    VirtualClock,
    VirtualProcess,
    intent,
    quote,
    run_virtual,
)
from tests.fairlead.kernel.engine_world import MS, SECOND, START_NS, World, live, quoting

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


# Stopping.


def test_a_signal_stops_clean_and_at_once() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        await world.clock.sleep_ns(300 * MS)
        world.process.stop()

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.ASKED, ExitCode.CLEAN)
    assert world.open_orders() == ()
    asked_ns = world.venue.cancelled[0][0]
    assert asked_ns - START_NS == 3_800 * MS


def test_a_second_signal_ends_at_once_and_says_what_is_not_proven() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        await world.clock.sleep_ns(300 * MS)
        world.process.stop()
        await world.clock.sleep_ns(1 * MS)
        world.process.stop()

    _, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.ASKED, ExitCode.NOT_PROVEN_GONE)
    assert result.left[-1] == "nobody has looked whether anything is left: asked to stop twice"
    assert result.ended_ns - START_NS < 3_900 * MS


def test_a_run_that_is_called_off_stops_clean() -> None:
    async def main(clock: VirtualClock) -> tuple[str, int, bool]:
        world = World(clock)
        run = asyncio.ensure_future(world.engine.run())
        await quoting(world)
        run.cancel()
        result = await run
        world.store.close()
        return result.detail, len(world.open_orders()), result.proven

    assert run_virtual(main, start_ns=START_NS) == ("called off", 0, True)


def test_a_stop_before_the_venue_is_there_is_a_stop() -> None:
    async def act(world: World) -> None:
        world.venue.silent.add("balances")
        await world.wait(1)
        world.process.stop()

    world, result = live(act)

    assert result.reason is StopReason.ASKED
    assert result.ended_ns - START_NS < 5 * SECOND
    assert world.venue.submitted == []


def reads(world: World) -> list[int]:
    ended_ns = next(at for _, at, one in world.trace.lines if isinstance(one, RunEnded))
    return [at for at, name in world.venue.asked if name == "open_orders" and at <= ended_ns]


def test_the_proof_is_two_reads_a_second_apart() -> None:
    stopped: list[int] = []

    async def act(world: World) -> None:
        await world.wait(3)  # without a book there is nothing to cancel
        stopped.append(world.clock.now_ns())
        world.process.stop()

    world, _ = live(act)

    proof = [at for at in reads(world) if at >= stopped[0]]
    assert len(proof) == 2
    assert proof[1] - proof[0] >= SECOND


def test_a_cancel_that_is_lost_is_sent_again_until_the_order_is_gone() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.cancels.extend([Script(outcome=Unknown("lost"), lands=False)] * 3)
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert world.open_orders() == ()
    assert len(world.venue.cancelled) >= 4


def test_a_cancel_that_the_venue_took_and_forgot_is_sent_again() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.cancels.append(Script(outcome=Accepted("v1"), lands=False))
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert world.open_orders() == ()


def test_orders_that_will_not_go_are_listed_after_a_minute() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        refuse = Script(outcome=Rejected("no", RejectClass.OTHER), lands=False)
        world.venue.cancels.extend([refuse] * 1_000)
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.NOT_PROVEN_GONE
    assert not result.proven
    open_orders = [one.client_id for one in world.open_orders()]
    assert len(open_orders) == 2
    assert all(any(name in line for line in result.left) for name in open_orders)
    assert len(world.venue.cancelled) < 200  # it goes on trying, without hammering
    stopped_ns = next(at for at, _ in world.venue.cancelled)
    assert 60 * SECOND <= result.ended_ns - stopped_ns <= 70 * SECOND
    assert world.trace.of(RunEnded)[0].proven is False


@pytest.mark.parametrize("how", ["unavailable", "silent"])
def test_a_venue_that_cannot_be_read_proves_nothing(how: str) -> None:
    async def act(world: World) -> None:
        await quoting(world)
        getattr(world.venue, how).add("open_orders")
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.NOT_PROVEN_GONE
    assert any("open orders unavailable" in line for line in result.left)
    assert world.open_orders() == ()


@pytest.mark.parametrize("late_ns", [200 * MS, 1_900 * MS])
def test_a_create_that_lands_late_is_waited_for_and_cancelled(late_ns: int) -> None:
    async def act(world: World) -> None:
        await world.wait(0.5)
        world.venue.submits.append(Script(outcome=Unknown("lost"), late_ns=late_ns))
        world.show()
        while not world.venue.submitted:
            await world.clock.sleep_ns(10 * MS)
        await world.clock.sleep_ns(50 * MS)
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert world.open_orders() == ()
    assert len([one for one in world.trace.of(OrderMoved) if one.after is S.UNKNOWN]) == 2
    landed_ns = world.venue.submitted[0][0] + late_ns
    assert result.ended_ns > landed_ns


def test_a_create_that_never_lands_is_waited_for_and_then_proven_gone() -> None:
    async def act(world: World) -> None:
        await world.wait(0.5)
        world.venue.submits.append(Script(lands=False))
        world.show()
        while not world.venue.submitted:
            await world.clock.sleep_ns(10 * MS)
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    sent_ns = world.venue.submitted[0][0]
    first_clean = reads(world)[-2]
    assert first_clean >= sent_ns + world.venue.capabilities.deadline_ns + SECOND


def test_orders_of_others_are_left_alone() -> None:
    async def act(world: World) -> None:
        for one in (intent(side=Side.SELL, price=150), intent(price=50)):
            world.venue.exchange.create(replace(one, client_id=f"by hand {one.side}"))
        await quoting_beside(world, 2)
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert len(world.open_orders()) == 2


async def quoting_beside(world: World, others: int) -> None:
    await world.wait(0.5)
    world.show()
    await world.wait(3)
    assert len(world.open_orders()) == 2 + others


def test_ids_are_of_our_tag_and_epoch_and_never_repeat() -> None:
    world, _ = live(quoting, for_s=10)

    ids = [ClientId.parse(record.order) for record in world.trace.of(OrderRecorded)]
    setup = world.container.setup()
    assert [(one.tag, one.epoch) for one in ids if one] == [(setup.tag, setup.epoch)] * len(ids)
    assert [one.counter for one in ids if one] == list(range(1, len(ids) + 1))


# What goes wrong.


def test_the_death_of_a_connector_cancels_all_and_ends_in_order() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.finish(ConnectionError("gone"))

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.FAILED, ExitCode.BUG)
    assert result.proven
    assert world.open_orders() == ()
    assert "core_failed" in world.incidents()


def test_a_connector_that_returns_ends_the_run_as_unavailable() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.finish()

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.VENUE, ExitCode.UNAVAILABLE)
    assert world.open_orders() == ()


def test_a_connector_that_calls_itself_off_ends_the_run() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.finish(asyncio.CancelledError())

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.VENUE, ExitCode.UNAVAILABLE)
    assert world.open_orders() == ()


def test_a_feed_that_breaks_gives_its_own_exit_code() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.finish(FeedError("a.gz", "garbled", line=3))

    _, result = live(act)

    assert result.reason is StopReason.FAILED
    assert result.exit_code is FeedError("a.gz", "x").exit_code
    assert isinstance(result.failure, FeedError)


def test_a_core_part_that_fails_cancels_all_and_ends_in_order() -> None:
    async def act(world: World) -> None:
        await quoting(world)

        def fail(*arguments: object) -> None:
            raise ValueError("oops")

        world.engine.desk.reporter.tick = fail  # type: ignore[method-assign,assignment]  # a bug of ours

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.FAILED, ExitCode.BUG)
    assert "report: oops" in result.detail
    assert world.open_orders() == ()
    assert "part_failed" in world.incidents()


def test_an_event_that_cannot_be_taken_in_ends_the_run_and_not_the_venue() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.engine.publish("nonsense")  # type: ignore[arg-type]  # our own bug

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.FAILED, ExitCode.BUG)
    assert world.open_orders() == ()


def test_a_strategy_that_fails_is_pulled_and_the_run_goes_on() -> None:
    def fail(view: View) -> Decision[NoMemory]:
        raise ZeroDivisionError("oops")

    async def act(world: World) -> None:
        await quoting(world)
        world.controller.decides = fail
        await world.wait(3)
        assert world.open_orders() == ()
        world.controller.decides = lambda view: None
        await world.wait(3)
        assert len(world.open_orders()) == 2
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert world.incidents().count("strategy_failed") == 1


@pytest.mark.parametrize("nonsense", [7, "KEEP", (1, 2), (quote(price="NaN"),)])
def test_a_strategy_that_decides_nonsense_is_pulled_too(nonsense: object) -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.controller.decides = lambda view: Decision(NoMemory(), quotes=nonsense)  # type: ignore[arg-type]  # a plugin that is not typed
        await world.wait(3)
        assert world.open_orders() == ()
        world.process.stop()

    world, result = live(act)

    assert result.exit_code is ExitCode.CLEAN
    assert "strategy_failed" in world.incidents()


def test_a_controller_that_refuses_its_configuration_ends_before_anything_is_sent() -> None:
    async def main(clock: VirtualClock) -> tuple[ExitCode, bool, list[object]]:
        world = World(clock)

        def refuse() -> NoMemory:
            raise ConfigError((Finding("strategies.alt", "market", "x", "another"),))

        world.controller.initial = refuse  # type: ignore[method-assign]  # a strategy's refusal
        result = await world.engine.run()
        world.store.close()
        return result.exit_code, world.engine.assembled, list(world.venue.submitted)

    assert run_virtual(main, start_ns=START_NS) == (ExitCode.USAGE, False, [])


def test_a_halted_account_ends_the_run_with_its_orders_gone() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.rule.assesses = lambda view: (Posture(PostureLevel.HALTED, "max_drawdown", "6 %"),)

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.HALTED, ExitCode.HALTED)
    assert "max_drawdown: 6 %" in result.detail
    assert world.open_orders() == ()


def test_a_market_that_only_cancels_pulls_its_quotes_and_goes_on() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        only_cancel = Posture(PostureLevel.CANCEL_ONLY, "stale", "why", MARKET)
        world.rule.assesses = lambda view: (only_cancel,)
        await world.wait(2)
        assert world.open_orders() == ()
        world.rule.assesses = lambda view: ()
        await world.wait(3)
        assert len(world.open_orders()) == 2
        world.process.stop()

    _, result = live(act)

    assert result.exit_code is ExitCode.CLEAN


def test_reducing_leaves_only_what_closes_the_gap() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.venue.exchange.fill(world.open_orders()[0].client_id)  # the bid: one too many
        await world.wait(3)
        world.rule.assesses = lambda view: (Posture(PostureLevel.REDUCING, "drawdown", "why"),)
        await world.wait(3)
        orders = [world.engine.desk.orders.get(one.client_id) for one in world.open_orders()]
        assert [order.intent.side for order in orders if order is not None] == [Side.SELL]
        world.process.stop()

    _, result = live(act)

    assert result.exit_code is ExitCode.CLEAN


def test_a_lost_book_pulls_the_quotes_between_two_ticks() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        await world.clock.sleep_ns(100 * MS)
        lost_ns = world.clock.now_ns()
        world.venue.publish(BookLost(MARKET, lost_ns, "the stream closed"))
        await world.clock.sleep_ns(50 * MS)
        assert world.open_orders() == ()
        assert world.venue.cancelled[0][0] == lost_ns
        assert world.venue.resyncs == ["ALT/USDT"]
        world.show()
        await world.wait(3)
        assert len(world.open_orders()) == 2
        world.process.stop()

    _, result = live(act)

    assert result.exit_code is ExitCode.CLEAN


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


def test_a_stop_that_fails_still_cancels_and_proves() -> None:
    async def act(world: World) -> None:
        await quoting(world)

        def fail(reason: str) -> None:
            raise ValueError(reason)

        world.engine.desk.stop = fail  # type: ignore[method-assign]  # a bug of ours
        world.process.stop()

    world, result = live(act)

    assert result.proven
    assert world.open_orders() == ()
    assert isinstance(result.failure, ValueError)
    assert "core_failed" in world.incidents()


def test_a_dispatch_between_ticks_that_fails_ends_the_run_in_order() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        pipeline = world.engine.desk.pipeline
        dispatch = pipeline.dispatch
        calls: list[int] = []

        def fail(*, on_tick: bool = False) -> None:
            if not calls:
                calls.append(1)
                raise ValueError("oops")
            dispatch(on_tick=on_tick)

        pipeline.dispatch = fail  # type: ignore[method-assign]  # a bug of ours
        world.venue.publish(BookLost(MARKET, world.clock.now_ns(), "the stream closed"))

    world, result = live(act)

    assert (result.reason, result.exit_code) == (StopReason.FAILED, ExitCode.BUG)
    assert result.detail == "dispatch: oops"
    assert world.open_orders() == ()


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
