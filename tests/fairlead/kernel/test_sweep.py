import asyncio

from fairlead.kernel import Sweep, SweepParts
from tests.fairlead.kernel.outside_world import SECOND, TAG, OutsideWorld, outside

DEADLINE_S = 4  # of the neutral connector, its skew included


def sweeping(world: OutsideWorld) -> "asyncio.Task[tuple[str, ...]]":
    """Begin to sweep what an engine left that has just fallen silent."""
    now_ns = world.clock.now_ns()
    sweep = Sweep(
        SweepParts(
            connectors=world.connectors(),
            clock=world.clock,
            ours=lambda name: name.tag == TAG,
            silent_ns=lambda: now_ns,
            tell=world.told.append,
        )
    )
    return asyncio.get_running_loop().create_task(sweep.run(now_ns + 60 * SECOND))


def test_a_create_that_lands_just_before_its_deadline_is_waited_for() -> None:
    async def act(world: OutsideWorld) -> None:
        proof = sweeping(world)
        await world.wait(DEADLINE_S - 0.1)

        world.place(1)

        assert await proof == ()
        assert world.ours() == []

    outside(act)


def test_one_clean_read_is_no_proof_since_listings_lag() -> None:
    async def act(world: OutsideWorld) -> None:
        world.venue.knobs.hidden = 1.0
        world.venue.knobs.hidden_ns = (9 * SECOND // 10, 9 * SECOND // 10)
        proof = sweeping(world)
        await world.wait(DEADLINE_S + 0.95)

        world.place(1)

        assert await proof == ()
        assert world.ours() == []

    outside(act)


def test_cancels_whose_answers_are_lost_are_repeated() -> None:
    async def act(world: OutsideWorld) -> None:
        for number in range(50):
            world.place(number)
        world.venue.knobs.request_lost = 0.3
        world.venue.knobs.answer_lost = 0.3

        assert await sweeping(world) == ()
        assert world.ours() == []
        assert len(world.told) == 50

    outside(act)


def test_what_a_venue_does_not_show_within_a_minute_is_named() -> None:
    async def act(world: OutsideWorld) -> None:
        world.place(1)
        world.venue.deeds.ban(600 * SECOND)

        left = await sweeping(world)

        assert len(left) == 1
        assert left[0].startswith("main: open orders unavailable")

    outside(act)
