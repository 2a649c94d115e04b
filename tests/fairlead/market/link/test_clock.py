from __future__ import annotations

from collections import deque

import pytest

from fairlead.market import VenueTime
from fairlead.model import Unavailable
from fairlead.testing import StillClock, VirtualClock, run_virtual

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000


class Venue:
    """Answers with its own time after a way there and a way back."""

    def __init__(self, clock: StillClock, offset_ns: int) -> None:
        self.clock = clock
        self.offset_ns = offset_ns
        self.ways: deque[tuple[int, int]] = deque()
        self.away = False

    async def time(self) -> int | Unavailable:
        there, back = self.ways.popleft() if self.ways else (0, 0)
        self.clock.pass_ns(there)
        seen = self.clock.now_ns() + self.offset_ns
        self.clock.pass_ns(back)
        return Unavailable("away") if self.away else seen


def test_the_venues_time_is_carried_on_by_our_own_clock() -> None:
    async def story() -> None:
        clock = StillClock(1_000 * _SECOND)
        venue = Venue(clock, 300 * _MILLISECOND)
        time = VenueTime(clock, venue.time)
        before = time.now_ns()

        measured = await time.measure()
        clock.pass_ns(10 * _SECOND)

        assert before == 1_000 * _SECOND
        assert measured
        assert time.known
        assert time.now_ns() == clock.now_ns() + 300 * _MILLISECOND
        assert time.skew_ns == 300 * _MILLISECOND

    run_virtual(story())


def test_one_slow_answer_moves_nothing() -> None:
    async def story() -> None:
        clock = StillClock(1_000 * _SECOND)
        venue = Venue(clock, 0)
        venue.ways.extend([(5, 5), (5, 5), (5, 2 * _SECOND)])
        time = VenueTime(clock, venue.time)

        for _ in range(3):
            await time.measure()

        assert time.skew_ns == 0

    run_virtual(story())


def test_after_a_refused_stamp_only_what_is_asked_anew_counts() -> None:
    async def story() -> None:
        clock = StillClock(1_000 * _SECOND)
        venue = Venue(clock, 0)
        time = VenueTime(clock, venue.time)
        for _ in range(3):
            await time.measure()
        venue.offset_ns = 10 * _SECOND

        assert await time.renew()

        assert time.skew_ns == 10 * _SECOND

    run_virtual(story())


def test_a_venue_that_does_not_answer_leaves_what_was_known() -> None:
    async def story() -> None:
        clock = StillClock(1_000 * _SECOND)
        venue = Venue(clock, 7)
        time = VenueTime(clock, venue.time)
        await time.measure()
        venue.away = True

        assert not await time.measure()
        assert not await time.renew()

        assert time.skew_ns == 7

    run_virtual(story())


def test_it_is_asked_again_and_again() -> None:
    asked: list[int] = []

    async def main(clock: VirtualClock) -> None:
        async def probe() -> int:
            asked.append(clock.now_ns())
            if len(asked) == 3:
                raise ZeroDivisionError  # ends it
            return clock.now_ns()

        await VenueTime(clock, probe).run(30 * _SECOND)

    with pytest.raises(ZeroDivisionError):
        run_virtual(main)

    assert asked == [0, 30 * _SECOND, 60 * _SECOND]
