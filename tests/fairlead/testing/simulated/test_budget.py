from dataclasses import replace

from fairlead.api import BatchLimits, RequestKind
from fairlead.model import NotSent, Unavailable
from fairlead.testing import NeutralConfig, VenueSetup
from fairlead.testing.simulated import Budget
from tests.fairlead.testing.neutral_world import SECOND, World, in_world

CREATE, CANCEL, QUERY = RequestKind
SMALL = VenueSetup(budget=40, budget_ns=10 * SECOND)
KNOWN = NeutralConfig(budget=40)


def test_a_window_holds_its_capacity_and_no_more() -> None:
    budget = Budget(10, SECOND)

    assert [budget.wait_ns(QUERY, 1, at) for at in range(10)] == [0] * 10
    assert budget.wait_ns(QUERY, 1, 10) == SECOND - 10
    assert (budget.used, budget.peak, budget.over) == (10, 11, 1)
    assert budget.header == {"X-Used-Weight": "10"}
    assert budget.wait_ns(QUERY, 1, SECOND) == 0


def test_a_batch_weighs_little_more_than_one_order() -> None:
    budget = Budget(100, SECOND)

    for items in (1, 4, 5, 20):
        budget.wait_ns(CREATE, items, 0)

    assert budget.used == 1 + 1 + 2 + 5


def test_who_asks_in_spite_of_three_warnings_within_a_window_is_banned() -> None:
    budget = Budget(1, SECOND)
    bans = []

    for at in range(4):
        budget.wait_ns(QUERY, 1, at)
        bans.append(budget.ban_ns(at))

    assert bans == [0, 0, 0, 120 * SECOND]
    assert budget.ban_ns(5) == 0


def test_a_connector_that_keeps_to_its_budget_is_never_turned_away() -> None:
    async def story(world: World) -> None:
        for _ in range(200):
            await world.connector.balances()

    world = in_world(story, setup=SMALL, config=KNOWN)

    assert world.venue.budget is not None
    assert world.venue.budget.over == 0
    assert 30 <= world.venue.budget.peak <= 32  # four fifths: the rest is for cancels


def test_one_that_knows_of_none_is_told_to_wait_and_learns_it() -> None:
    answers: list[object] = []

    async def story(world: World) -> None:
        for _ in range(50):
            answers.append(await world.connector.balances())
        answers.append((await world.connector.submit([world.intent("1")]))[0])

    world = in_world(story, setup=SMALL)

    assert world.venue.budget is not None
    assert 1 <= world.venue.budget.over <= 3
    assert any(isinstance(answer, Unavailable) for answer in answers)
    assert world.venue.counts["ban"] == 0


def test_one_that_does_not_listen_is_banned() -> None:
    async def story(world: World) -> None:
        link = world.connector._rest._link
        for _ in range(50):
            link._busy_until_ns = None
            last.append(await world.connector.balances())
        last.append((await world.connector.submit([world.intent("1")]))[0])

    last: list[object] = []
    world = in_world(story, setup=SMALL, metered=False)

    assert isinstance(last[-1], NotSent)
    assert last[-1].retry_at_ns - world.clock.now_ns() > 100 * SECOND
    assert world.venue.counts["over_budget"] == 3


def test_the_connector_says_what_the_venue_takes() -> None:
    async def story(world: World) -> None:
        (limit,) = world.connector.capabilities.limits
        assert (limit.capacity, limit.window_ns) == (40, 10 * SECOND)
        assert world.connector.capabilities.batch == replace(
            BatchLimits(20, 20), mixed_markets=True
        )

    in_world(story, setup=SMALL, config=KNOWN)
