from collections.abc import Callable

import pytest

from fairlead.errors import UsageError
from fairlead.kernel import (
    Beat,
    EmergencyStop,
    EmergencyStopParts,
    VirtualClock,
    hold_instance,
    instance_tag,
    lock_name,
    outside_connectors,
    read_halt,
    write_beat,
)
from fairlead.testing import SeededIds, VirtualLoop, VirtualProcess, VirtualTransport
from tests.fairlead.kernel.outside_world import (
    EPOCH,
    INSTANCE,
    SCENARIO,
    TAG,
    OutsideWorld,
    outside,
)

LOCK = lock_name(SCENARIO.settings)


def emergency(world: OutsideWorld) -> EmergencyStop:
    return EmergencyStop(
        EmergencyStopParts(
            instance=INSTANCE,
            lock=LOCK,
            process=world.process,
            clock=world.clock,
            tell=world.told.append,
        )
    )


def engine_runs(world: OutsideWorld) -> Callable[[], None]:
    """Let another process hold the instance; gives what ends it."""
    world.process.locks[LOCK] = "there:9"

    def end() -> None:
        del world.process.locks[LOCK]

    return end


def test_without_an_engine_it_halts_cancels_and_proves() -> None:
    async def act(world: OutsideWorld) -> None:
        mine = [world.place(1), world.place(2, epoch=EPOCH + 7)]
        other = world.place(3, tag=TAG + 1)
        stop = emergency(world)

        stop.halt("the feed is wrong")
        halt = read_halt(world.process, INSTANCE)
        left = await stop.sweep(world.connectors(), TAG)
        stop.let_go()

        assert halt is not None
        assert (halt.rule, halt.reason) == ("panic", "the feed is wrong")
        assert left == ()
        assert world.ours() == [other]
        assert sorted(stop.cancelled) == sorted(mine)
        assert world.process.locks == {}

    outside(act)


def test_a_disk_that_refuses_the_note_keeps_nobody_from_cancelling() -> None:
    async def act(world: OutsideWorld) -> None:
        world.place(1)
        world.process.refuses_markers = True
        stop = emergency(world)

        stop.halt("test")
        left = await stop.sweep(world.connectors(), TAG)

        assert left == ()
        assert world.ours() == []
        assert stop.unwritten == f"{INSTANCE}.HALTED cannot be written (No space left on device)"
        assert world.told[0] == f"{INSTANCE} is not halted: {stop.unwritten}; no engine of it runs"

    outside(act)


def test_a_running_engine_is_told_and_its_end_is_waited_for() -> None:
    async def act(world: OutsideWorld) -> None:
        end = engine_runs(world)
        world.place(1)
        stop = emergency(world)
        stop.halt("test")
        world.clock.call_at_ns(world.clock.now_ns() + 20 * 10**9, end)

        left = await stop.sweep(world.connectors(), TAG)

        assert left == ()
        assert world.process.interrupted == ["there:9"]
        assert world.told[0] == f"{INSTANCE} is halted; its engine (there:9) was told"

    outside(act)


def test_what_an_engine_that_hangs_may_still_send_is_not_proven() -> None:
    async def act(world: OutsideWorld) -> None:
        engine_runs(world)
        world.place(1)
        stop = emergency(world)
        stop.halt("test")

        left = await stop.sweep(world.connectors(), TAG)

        assert world.ours() == []
        assert left == (
            "main: what was sent last may still land",
            "its engine (there:9) still runs: end it with kill -9",
        )

    outside(act)


def test_the_tag_is_the_beats_where_there_is_one() -> None:
    process = VirtualProcess()
    write_beat(process, INSTANCE, Beat(1, TAG, EPOCH, "x"))

    assert instance_tag(SCENARIO.settings, process) == TAG


def test_an_instance_that_never_ran_has_no_tag() -> None:
    with pytest.raises(UsageError, match="has never run with"):
        instance_tag(SCENARIO.settings, VirtualProcess())


def test_play_money_is_not_outside() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop)
    loop.close()
    engine = SCENARIO.settings.engine.model_copy(update={"mode": "paper"})
    settings = SCENARIO.settings.model_copy(update={"engine": engine})

    with pytest.raises(UsageError, match="play money never leaves its process"):
        outside_connectors(
            settings,
            SCENARIO.offers,
            clock=clock,
            ids=SeededIds(1),
            transport=VirtualTransport(clock),
        )


def test_one_process_at_a_time_holds_an_instance_and_is_named() -> None:
    first = VirtualProcess("here:1")
    second = VirtualProcess("here:2")
    second.locks = first.locks

    let_go = hold_instance(first, SCENARIO.settings)
    with pytest.raises(UsageError, match="is run by here:1 on"):
        hold_instance(second, SCENARIO.settings)
    let_go()

    hold_instance(second, SCENARIO.settings)()
