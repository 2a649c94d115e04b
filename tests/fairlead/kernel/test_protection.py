import asyncio
from collections.abc import Sequence

import pytest

from fairlead.errors import ExitCode
from fairlead.kernel import Halt, lift_halt, read_beat, write_halt
from fairlead.testing import VirtualHelper
from tests.fairlead.kernel.outside_world import INSTANCE, OutsideWorld, outside


def test_when_the_engine_is_gone_the_venues_timer_cancels() -> None:
    async def act(world: OutsideWorld) -> None:
        run = await world.quoting(world.engine())

        world.way.dead = True
        lasted = await world.until(lambda: world.ours() == [])

        assert lasted <= 15.5
        assert world.venue.counts["dead_man"] == 1
        assert world.process.helpers == []
        run.cancel()

    outside(act)


def test_a_timer_that_is_armed_anew_never_goes_off_and_is_disarmed_last() -> None:
    async def act(world: OutsideWorld) -> None:
        run = await world.quoting(world.engine())
        await world.wait(60)

        world.process.stop()
        result = await run
        await world.wait(60)

        assert result.exit_code is ExitCode.CLEAN
        assert world.venue.counts["dead_man"] == 0
        assert read_beat(world.process, INSTANCE) is None

    outside(act)


def test_nothing_is_quoted_while_the_timer_may_go_off() -> None:
    async def act(world: OutsideWorld) -> None:
        run = await world.quoting(world.engine())

        world.venue.knobs.request_lost = 1.0
        await world.wait(12)
        world.venue.knobs.request_lost = 0.0
        back = await world.until(lambda: len(world.ours()) == 4)

        assert back < 20
        changes = [one for one in world.trace.records if one.kind == "posture"]
        rules = [getattr(one, "rule", "") for one in changes]
        assert "unprotected:main" in rules
        world.process.stop()
        assert (await run).proven

    outside(act)


def test_a_stop_without_proof_leaves_timer_and_beat_to_do_their_work() -> None:
    async def act(world: OutsideWorld) -> None:
        run = await world.quoting(world.engine())

        world.process.stop()
        await asyncio.sleep(0)
        world.process.stop()
        result = await run
        left = world.ours()
        await world.wait(16)

        assert result.exit_code is ExitCode.NOT_PROVEN_GONE
        assert left != []
        assert world.ours() == []
        assert read_beat(world.process, INSTANCE) is not None

    outside(act)


def test_where_the_timer_is_refused_a_watchdog_is_started_and_replaced() -> None:
    async def act(world: OutsideWorld) -> None:
        world.venue.knobs.dead_man = False
        run = await world.quoting(world.engine(watchdog=("watchdog", "x.toml", "--once")))
        first = world.process.helpers[0]
        assert first.arguments == ("watchdog", "x.toml", "--once")

        await world.wait(10)
        first.running = False
        await world.until(lambda: len(world.process.helpers) == 2, 8)
        await world.until(lambda: len(world.ours()) == 4)
        world.process.stop()

        assert (await run).proven
        assert not world.process.helpers[1].running
        assert world.incidents("dead_man") == [
            "main: no timer of its own (NO_DEAD_MAN no timer for this account)",
            "the watchdog has ended; another one is started",
        ]

    outside(act)


def test_a_watchdog_that_ends_again_and_again_ends_quoting() -> None:
    async def act(world: OutsideWorld) -> None:
        world.venue.knobs.dead_man = False
        run = await world.quoting(world.engine())

        world.process.helpers[0].running = False
        world.process.start_helper = _refused  # type: ignore[method-assign]  # no more processes
        await world.until(lambda: world.ours() == [], 10)
        await world.wait(20)

        assert world.ours() == []
        assert "the watchdog cannot be started: [Errno 11] no" in world.incidents("dead_man")
        world.process.stop()
        assert (await run).proven

    outside(act)


def test_a_watchdog_that_hangs_is_killed_and_replaced() -> None:
    async def act(world: OutsideWorld) -> None:
        world.venue.knobs.dead_man = False
        run = await world.quoting(world.engine())
        await world.wait(30)
        assert len(world.process.helpers) == 1

        world.process.helpers[0].hangs = True
        noticed = await world.until(lambda: len(world.process.helpers) == 2, 20)
        await world.wait(30)

        assert 14 < noticed < 18
        assert [helper.running for helper in world.process.helpers] == [False, True]
        assert world.incidents("dead_man")[1:] == [
            "the watchdog has given no sign of life for 16 s: it is killed",
            "the watchdog has ended; another one is started",
        ]
        assert len(world.ours()) == 4
        world.process.stop()
        assert (await run).proven

    outside(act)


def _refused(arguments: Sequence[str], log: str, sign: str) -> VirtualHelper:
    raise OSError(11, "no")


def test_a_beat_that_cannot_be_left_ends_quoting_before_the_watchdog_cancels() -> None:
    async def act(world: OutsideWorld) -> None:
        world.venue.knobs.dead_man = False
        run = await world.quoting(world.engine())

        world.process.refuses_markers = True
        gone = await world.until(lambda: world.ours() == [], 15)
        world.process.refuses_markers = False
        await world.until(lambda: len(world.ours()) == 4)

        assert 6 < gone < 12
        world.process.stop()
        assert (await run).proven

    outside(act)


def test_who_wants_no_watchdog_gets_none_and_it_is_said() -> None:
    async def act(world: OutsideWorld) -> None:
        world.venue.knobs.dead_man = False
        run = await world.quoting(world.engine(watchdog=()))

        world.process.stop()

        assert (await run).proven
        assert world.process.helpers == []
        assert world.incidents("dead_man")[1] == (
            "no watchdog was to be started: orders outlive an engine that dies"
        )

    outside(act)


def test_the_run_that_a_later_one_replaced_leaves_its_beat_alone() -> None:
    async def act(world: OutsideWorld) -> None:
        run = await world.quoting(world.engine())
        world.process.markers[f"{INSTANCE}.beat"] = (
            '{"number": 1, "tag": 1, "epoch": 9, "by": "later"}'
        )

        world.process.beat = lambda name, text: None  # type: ignore[method-assign]  # it is later
        world.process.stop()
        await run

        beat = read_beat(world.process, INSTANCE)
        assert beat is not None
        assert beat.epoch == 9

    outside(act)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"number": "x"}'])
def test_a_beat_that_cannot_be_read_is_none(text: str) -> None:
    async def act(world: OutsideWorld) -> None:
        world.process.markers[f"{INSTANCE}.beat"] = text

        assert read_beat(world.process, INSTANCE) is None

    outside(act)


def test_exits_are_worked_although_the_instance_is_halted_and_nothing_is_quoted() -> None:
    async def act(world: OutsideWorld) -> None:
        write_halt(world.process, INSTANCE, Halt("panic", "test", 1))
        engine = world.engine()

        run = asyncio.get_running_loop().create_task(engine.run(exits_only=True))
        await world.wait(10)
        held = [runner.held for runner in engine.desk.runners.values()]
        engine.request_stop()
        result = await run

        assert result.exit_code is ExitCode.CLEAN
        assert None not in held
        assert world.venue.truth.created == 0
        assert lift_halt(world.process, INSTANCE) == Halt("panic", "test", 1)

    outside(act)


def test_a_halted_instance_ends_as_halted_although_its_venue_is_down() -> None:
    async def act(world: OutsideWorld) -> None:
        write_halt(world.process, INSTANCE, Halt("panic", "test", 1))
        world.venue.deeds.maintain(600_000_000_000, streams=True)

        result = await world.engine().run()

        assert result.exit_code is ExitCode.HALTED
        assert "panic" in result.detail

    outside(act)
