"""What an engine makes of a wall clock that is set back while it trades."""

import pytest

from fairlead.kernel.stream import StreamHealth
from fairlead.testing.simulated import StreamKind
from tests.fairlead.kernel.venue_world import SECOND, SETS, VenueWorld, in_a_world

BACK_S = 60
# Else it would halt for the clock itself.
TOLD = (*SETS, "venues.main.tells_skew=false")


def test_a_book_is_not_young_again_when_the_wall_clock_is_set_back() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.mute_streams(StreamKind.MARKET)
        await world.seconds(1)
        world.wall.offset_ns = -BACK_S * SECOND
        await world.until(lambda: not world.live(), 8)
        await world.agree()
        await world.end()

    world = in_a_world(story, *TOLD)

    assert world.rules() & {"stale_book", "warm_up"}
    assert world.incidents("clock_set_back") == ["the wall clock was set back by 60.0 s"]


def test_a_stream_that_was_lost_stays_lost_when_the_wall_clock_is_set_back() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.drop_streams(StreamKind.USER, away_ns=40 * SECOND)
        await world.seconds(5)
        world.wall.offset_ns = -BACK_S * SECOND
        await world.until(lambda: "user_stream" in world.rules(), 10)
        await world.seconds(10)
        assert not world.live()
        await world.end_well()

    in_a_world(story, *TOLD)


def test_a_clock_that_is_set_forward_or_slowly_led_is_nobodys_concern() -> None:
    async def story(world: VenueWorld) -> None:
        for _ in range(5):
            world.wall.offset_ns -= SECOND // 20
            await world.seconds(1)
        world.wall.offset_ns = BACK_S * SECOND
        await world.seconds(5)
        await world.end_well()

    world = in_a_world(story, *TOLD)

    assert all("by 0.1 s" in told for told in world.incidents("clock_set_back"))


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "silent"])
def test_what_a_stream_owes_is_owed_for_as_long_as_before(cut: bool) -> None:
    health = StreamHealth()
    now_ns = 100 * SECOND
    if cut:
        health.cut(now_ns)
    else:
        health.expect("one", now_ns)

    health.clock_back(BACK_S * SECOND)
    told = health.judge(now_ns - BACK_S * SECOND + 6 * SECOND)

    assert told is not cut
    assert health.unproven_since_ns == now_ns - BACK_S * SECOND
