import asyncio

from fairlead.kernel import (
    Beat,
    Watchdog,
    WatchdogParts,
    WatchEnd,
    clear_beat,
    read_beat,
    sign_name,
    write_beat,
)
from tests.fairlead.kernel.outside_world import EPOCH, INSTANCE, SECOND, TAG, OutsideWorld, outside


class Watched:
    """An engine that is nothing but its beat, and the watchdog that listens to it."""

    def __init__(self, world: OutsideWorld) -> None:
        self.world = world
        self.number = 0
        self.epoch = EPOCH
        self.dog = Watchdog(
            WatchdogParts(
                instance=INSTANCE,
                process=world.process,
                clock=world.clock,
                connectors=world.connectors(),
                timeout_ns=4 * SECOND,
                tell=world.told.append,
            )
        )

    def beat(self) -> None:
        self.number += 1
        beat = Beat(self.number, TAG, self.epoch, "demo:1")
        write_beat(self.world.process, INSTANCE, beat)

    async def beating(self, seconds: int) -> None:
        for _ in range(seconds):
            self.beat()
            await self.world.wait(1)

    def watch(self) -> "asyncio.Task[WatchEnd]":
        return asyncio.get_running_loop().create_task(self.dog.watch())


def test_silence_cancels_what_is_ours_and_nothing_else_and_proves_it() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        mine = [world.place(1), world.place(2, epoch=EPOCH - 1)]
        others = [world.place(3, tag=TAG + 1), world.place(4, epoch=EPOCH + 1)]
        world.venue.deeds.external_order()
        watch = watched.watch()
        await watched.beating(10)
        assert world.ours() == [*mine, *others]

        gone = await world.until(lambda: world.ours() == others)
        end = await watch

        assert gone < 5
        assert end is WatchEnd.SWEPT
        assert len(world.venue.truth.open_orders()) == 3
        assert world.told[-1] == f"proven: no order of {INSTANCE} is left, 2 cancelled"
        assert read_beat(world.process, INSTANCE) is None

    outside(act)


def test_it_waits_for_a_run_and_ends_with_it() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        watch = watched.watch()
        await world.wait(100)
        await watched.beating(5)

        clear_beat(world.process, INSTANCE, EPOCH)

        assert await watch is WatchEnd.OVER
        assert world.told == [f"watching {INSTANCE}, run {EPOCH}, by demo:1"]

    outside(act)


def test_it_gives_signs_of_life_whatever_it_does_and_a_full_disk_does_not_end_it() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        world.venue.deeds.maintain(30 * SECOND)
        world.place(1)
        watch = watched.watch()
        seen: list[str | None] = []

        async def look(seconds: int) -> None:
            await world.wait(seconds)
            seen.append(world.process.read_marker(sign_name(INSTANCE)))

        await look(3)
        await watched.beating(3)
        await look(0)
        await look(9)
        assert any("cancelling its orders" in text for text in world.told)
        await look(1)

        assert None not in seen
        assert len(set(seen)) == 4
        world.process.refuses_markers = True
        await world.until(lambda: world.ours() == [], 60)
        world.process.refuses_markers = False
        assert await watch is WatchEnd.SWEPT

    outside(act)


def test_a_later_run_has_a_watchdog_of_its_own() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        watch = watched.watch()
        await watched.beating(3)

        watched.epoch += 1
        watched.beat()

        assert await watch is WatchEnd.OVER

    outside(act)


def test_an_engine_that_beats_again_is_watched_again() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        world.venue.deeds.maintain(30 * SECOND)  # nothing can be cancelled meanwhile
        world.place(1)
        watch = watched.watch()
        await watched.beating(1)
        await world.wait(8)

        await watched.beating(40)
        assert f"{INSTANCE} beats again" in world.told
        assert len(world.ours()) == 1
        await world.until(lambda: world.ours() == [], 10)

        assert await watch is WatchEnd.SWEPT

    outside(act)


def test_a_run_that_ends_in_order_while_it_is_swept_is_left_to_itself() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        world.venue.deeds.maintain(30 * SECOND)
        watch = watched.watch()
        await watched.beating(1)
        await world.wait(8)

        clear_beat(world.process, INSTANCE, EPOCH)

        assert await watch is WatchEnd.OVER
        assert world.told[-1] == "a later run has begun, or this one has ended in order"

    outside(act)


def test_a_venue_that_is_away_is_waited_for_however_long() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        world.place(1)
        world.venue.deeds.maintain(150 * SECOND)
        watch = watched.watch()
        await watched.beating(1)
        await world.wait(100)

        left = watched.dog.left
        end = await watch

        assert left == (
            "main: open orders unavailable (503 MAINTENANCE the venue is being maintained)",
        )
        assert end is WatchEnd.SWEPT
        assert watched.dog.left == ()
        assert world.ours() == []

    outside(act)


def test_an_order_that_lands_late_is_found_before_anything_is_proven() -> None:
    async def act(world: OutsideWorld) -> None:
        watched = Watched(world)
        watch = watched.watch()
        await watched.beating(1)
        await world.wait(4)

        world.place(9)  # as a request does that was under way
        end = await watch

        assert end is WatchEnd.SWEPT
        assert world.ours() == []

    outside(act)
