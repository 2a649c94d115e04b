"""What goes wrong while an engine runs, and what it does about it."""

import asyncio

import pytest

from fairlead.api import Decision, NoMemory, Posture, PostureLevel, View
from fairlead.errors import ConfigError, ExitCode, FeedError, Finding
from fairlead.kernel import StopReason
from fairlead.model import BookLost, Side
from fairlead.testing import MARKET, VirtualClock, quote, run_virtual
from tests.fairlead.kernel.engine_world import MS, START_NS, World, live, quoting


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
