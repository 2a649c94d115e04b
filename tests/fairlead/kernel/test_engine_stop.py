"""How a run stops, and what it proves before it has ended."""

import asyncio

import pytest
from msgspec.structs import replace

from fairlead.errors import ExitCode
from fairlead.kernel import StopReason
from fairlead.model import Accepted, BookLost, OrderState, RejectClass, Rejected, Side, Unknown
from fairlead.store import OrderMoved, RunEnded
from fairlead.testing import MARKET, Script, VirtualClock, intent, run_virtual
from tests.fairlead.kernel.engine_world import (
    MS,
    SECOND,
    START_NS,
    World,
    live,
    quoting,
    quoting_beside,
)

S = OrderState


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
