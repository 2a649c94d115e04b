from __future__ import annotations

from collections.abc import Awaitable, Callable

from fairlead.market import BookFeed
from fairlead.model import BookSnapshot, Unavailable
from fairlead.testing import VirtualClock, run_virtual, snapshot

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000


class World:
    """A venue whose snapshots take a while, and fail as often as they are told to."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.feed = BookFeed(self._fetch, self._take, clock)
        self.fails = 0
        self.takes_ns = 50 * _MILLISECOND
        self.asked = 0
        self.got: list[int] = []
        self.again = 0

    async def _fetch(self, symbol: str) -> BookSnapshot | Unavailable:
        self.asked += 1
        failed = self.asked <= self.fails
        await self.clock.sleep_ns(700 * _MILLISECOND if failed else self.takes_ns)
        return Unavailable("busy") if failed else snapshot()

    def _take(self, event: BookSnapshot) -> None:
        self.got.append(self.clock.now_ns())
        if self.again:
            self.again -= 1
            self.feed.resync("ALT/USDT")  # the book found it too old


def in_world(story: Callable[[World], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        world = World(clock)
        await story(world)
        await world.feed.close()

    run_virtual(main)


def test_a_snapshot_comes_although_two_tries_fail_and_within_three_seconds() -> None:
    async def story(world: World) -> None:
        world.fails = 2
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(10 * _SECOND)

        assert world.asked == 3
        assert len(world.got) == 1
        assert world.got[0] < 3 * _SECOND

    in_world(story)


def test_it_gives_up_after_three_tries_and_begins_anew_when_asked() -> None:
    async def story(world: World) -> None:
        world.fails = 3
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(10 * _SECOND)
        gave_up = list(world.got)
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(_SECOND)

        assert gave_up == []
        assert len(world.got) == 1

    in_world(story)


def test_asking_twice_at_once_fetches_a_second_one_that_is_younger() -> None:
    async def story(world: World) -> None:
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(10 * _MILLISECOND)
        world.feed.resync("ALT/USDT")
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(2 * _SECOND)

        assert world.asked == 2

    in_world(story)


def test_a_book_that_finds_its_snapshot_too_old_gets_another() -> None:
    async def story(world: World) -> None:
        world.again = 2
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(5 * _SECOND)

        assert len(world.got) == 3
        assert world.got[2] - world.got[1] >= 150 * _MILLISECOND

    in_world(story)


def test_closing_gives_up_what_is_under_way() -> None:
    async def story(world: World) -> None:
        world.feed.resync("ALT/USDT")
        await world.clock.sleep_ns(10 * _MILLISECOND)
        await world.feed.close()
        await world.clock.sleep_ns(_SECOND)

        assert world.got == []

    in_world(story)
